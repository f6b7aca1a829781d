// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif
  internal import EnvelopeKit
  internal import Synchronization

  /// Lines that wait for a consumer.
  final class LineQueue: Sendable {
    private struct State {
      var lines: [[UInt8]] = []
      var first = 0
      var byteCount = 0
      var isClosed = false
      var hasConsumer = true
      /// Consumers that wait, the first first.
      var waiting: [(id: UInt64, continuation: CheckedContinuation<[UInt8]?, Never>)] = []
      var nextID: UInt64 = 0
      /// Whether the last consumer was cancelled, so that no consumer makes room.
      var isUnread = false
      var stopsWaiting = false
      var isTaken = false
    }

    /// What the lines that begin a segment need, so that no writer waits before its consumer is there.
    private static let leastByteLimit = 1 << 16

    private let byteLimit: Int
    private let whenFull: RecordSink.WhenFull
    private let state = Mutex(State())
    private let room = Condition()

    init(byteLimit: Int, whenFull: RecordSink.WhenFull) {
      self.byteLimit = max(byteLimit, Self.leastByteLimit)
      self.whenFull = whenFull
    }

    /// Gives the queue to a writer.
    ///
    /// - Throws: `invalidArgument` if another one has it: the lines would end with the first that is closed.
    func take() throws(EnvelopeError) {
      let isFirst = state.withLock { state in
        defer { state.isTaken = true }
        return !state.isTaken
      }
      guard isFirst else {
        throw EnvelopeError(
          .invalidArgument, "A sink of lines is for one writer", advice: "Create a sink for each writer.")
      }
    }

    /// Whether a record is to be written now, or after a wait.
    var takesMore: Bool {
      state.withLock { $0.byteCount < byteLimit || !$0.hasConsumer || whenFull == .wait && !$0.isUnread }
    }

    /// Adds a line; waits for room first if that is the policy.
    func append(_ line: [UInt8]) {
      if whenFull == .wait {
        room.wait {
          state.withLock { $0.byteCount < byteLimit || !$0.hasConsumer || $0.isUnread || $0.stopsWaiting }
        }
      }
      let waiting = state.withLock { state -> CheckedContinuation<[UInt8]?, Never>? in
        guard !state.isClosed, state.hasConsumer else { return nil }
        if !state.waiting.isEmpty { return state.waiting.removeFirst().continuation }
        state.lines.append(line)
        state.byteCount += line.count
        return nil
      }
      waiting?.resume(returning: line)
    }

    /// Lets no call wait any more, because the writer closes.
    func stopWaiting() {
      state.withLock { $0.stopsWaiting = true }
      room.signal()
    }

    /// The next line, or nil after the last or if the task is cancelled.
    func next() async -> [UInt8]? {
      let id = state.withLock { state in
        state.nextID += 1
        state.isUnread = false
        return state.nextID
      }
      return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let line = state.withLock { state -> [UInt8]?? in
            if state.first < state.lines.count { return .some(Self.takeFirst(of: &state)) }
            if state.isClosed { return .some(nil) }
            if Task.isCancelled {
              state.isUnread = state.waiting.isEmpty
              return .some(nil)
            }
            state.waiting.append((id, continuation))
            return nil
          }
          if let line { continuation.resume(returning: line) }
          room.signal()
        }
      } onCancel: {
        let waiting = state.withLock { state -> CheckedContinuation<[UInt8]?, Never>? in
          defer { state.isUnread = state.waiting.isEmpty }
          guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
          return state.waiting.remove(at: index).continuation
        }
        waiting?.resume(returning: nil)
        room.signal()
      }
    }

    private static func takeFirst(of state: inout State) -> [UInt8] {
      let line = state.lines[state.first]
      state.lines[state.first] = []
      state.first += 1
      state.byteCount -= line.count
      if state.first * 2 > state.lines.count {
        state.lines.removeFirst(state.first)
        state.first = 0
      }
      return line
    }

    /// Ends the lines: the consumer receives those that wait, and then nil.
    func close() {
      let waiting = state.withLock { state in
        state.isClosed = true
        defer { state.waiting = [] }
        return state.waiting
      }
      for (_, continuation) in waiting { continuation.resume(returning: nil) }
    }

    /// Drops lines from now on, because no consumer is left.
    func abandon() {
      state.withLock { state in
        state.hasConsumer = false
        (state.lines, state.first, state.byteCount) = ([], 0, 0)
      }
      room.signal()
    }
  }

  /// A thread waits here for a condition of another lock.
  @safe private final class Condition: @unchecked Sendable {
    // Both are initialized before use, are used by pthread's functions alone, and never move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
      unsafe pthread_mutex_init(mutex, nil)
      unsafe pthread_cond_init(condition, nil)
    }

    deinit {
      unsafe pthread_cond_destroy(condition)
      unsafe pthread_mutex_destroy(mutex)
      unsafe condition.deallocate()
      unsafe mutex.deallocate()
    }

    func wait(until isMet: () -> Bool) {
      unsafe pthread_mutex_lock(mutex)
      while !isMet() { unsafe pthread_cond_wait(condition, mutex) }
      unsafe pthread_mutex_unlock(mutex)
    }

    func signal() {
      unsafe pthread_mutex_lock(mutex)
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
  }
#endif

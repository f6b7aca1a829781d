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
  internal import Synchronization

  /// Lines that wait for a consumer.
  final class LineQueue: Sendable {
    private struct State {
      var lines: [[UInt8]] = []
      var first = 0
      var byteCount = 0
      var isClosed = false
      var hasConsumer = true
      var waiting: CheckedContinuation<[UInt8]?, Never>?
    }

    private let byteLimit: Int
    private let whenFull: RecordSink.WhenFull
    private let state = Mutex(State())
    private let room = Condition()

    init(byteLimit: Int, whenFull: RecordSink.WhenFull) {
      self.byteLimit = byteLimit
      self.whenFull = whenFull
    }

    /// Whether a line would be taken now, or after a wait.
    var takesMore: Bool { whenFull == .wait || hasRoom }

    private var hasRoom: Bool { state.withLock { $0.byteCount < byteLimit || !$0.hasConsumer } }

    /// Adds a line; waits for room first if that is the policy.
    func append(_ line: [UInt8]) {
      if whenFull == .wait { room.wait { hasRoom } }
      let waiting = state.withLock { state -> CheckedContinuation<[UInt8]?, Never>? in
        guard !state.isClosed, state.hasConsumer else { return nil }
        if let waiting = state.waiting {
          state.waiting = nil
          return waiting
        }
        state.lines.append(line)
        state.byteCount += line.count
        return nil
      }
      waiting?.resume(returning: line)
    }

    /// The next line, or nil after the last.
    func next() async -> [UInt8]? {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let line = state.withLock { state -> [UInt8]?? in
            if state.first < state.lines.count { return .some(Self.takeFirst(of: &state)) }
            if state.isClosed || Task.isCancelled { return .some(nil) }
            state.waiting = continuation
            return nil
          }
          if let line { continuation.resume(returning: line) }
          room.signal()
        }
      } onCancel: {
        state.withLock { state in
          defer { state.waiting = nil }
          return state.waiting
        }?.resume(returning: nil)
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
      state.withLock { state in
        state.isClosed = true
        defer { state.waiting = nil }
        return state.waiting
      }?.resume(returning: nil)
    }

    /// Forgets lines from now on, because nobody reads them.
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

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// An open sink.
  enum RecordOutput: Sendable {
    case descriptor(Int32, RecordSink.WhenFull)
    case file(LogFile)
    case queue(LineQueue)

    init(_ sink: RecordSink) throws(EnvelopeError) {
      switch sink.place {
      case .descriptor(let number, let whenFull): self = .descriptor(number, whenFull)
      case .file(let path, let rotation): self = .file(try LogFile(path, rotation))
      case .queue(let queue):
        try queue.take()
        self = .queue(queue)
      }
    }

    /// Whether a record is to be sealed and written now.
    func takesMore() -> Bool {
      switch self {
      case .descriptor(let number, .drop):
        var target = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&target, 1, 0) != 0
      case .descriptor(_, .wait), .file: return true
      case .queue(let queue): return queue.takesMore
      }
    }

    /// Writes a line, whose last byte is a line feed.
    func write(_ line: RawSpan) throws(EnvelopeError) {
      switch self {
      case .descriptor(let number, _): try Self.write(line, to: number)
      case .file(let file): try file.append(line)
      case .queue(let queue): queue.append([UInt8](copying: line.extracting(droppingLast: 1)))
      }
    }

    private static func write(_ line: RawSpan, to number: Int32) throws(EnvelopeError) {
      var rest = line
      while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe systemWrite(number, $0.baseAddress, $0.count) }
        if count < 0, errno == EAGAIN {
          // Standard output is shared, and another program may have set it so.
          var target = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
          _ = unsafe poll(&target, 1, -1)
        } else if count <= 0, errno != EINTR || count == 0 {
          let name = number == 1 ? "standard output" : number == 2 ? "standard error" : "descriptor \(number)"
          throw .system("Cannot write the log to \(name)")
        }
        rest = rest.extracting(droppingFirst: max(count, 0))
      }
    }

    /// Whether the segment should end, so that the sink can go on elsewhere.
    func isDue(at now: RecordTime) -> Bool {
      switch self {
      case .file(let file): file.isDue(at: now)
      case .descriptor, .queue: false
      }
    }

    /// Goes on elsewhere between two segments, if that is due.
    func rotate(after segment: SegmentID, at now: RecordTime) throws(EnvelopeError) {
      switch self {
      case .file(let file): try file.rotate(after: segment, at: now)
      case .descriptor, .queue: break
      }
    }

    /// Waits until the disk has what was written to a file.
    func sync() throws(EnvelopeError) {
      switch self {
      case .file(let file): try file.sync()
      case .descriptor, .queue: break
      }
    }

    func close() {
      switch self {
      case .queue(let queue): queue.close()
      case .file(let file): file.close()
      case .descriptor: break
      }
    }
  }

  /// The call of the system, whose name the method above hides.
  private func systemWrite(_ number: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(number, bytes, count)
  }
#endif

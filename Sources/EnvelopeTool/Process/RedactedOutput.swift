// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import EnvelopeKit
import EnvelopeKitFiles
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A pipe that a command writes to, and the masking of secrets in what passes through it.
final class RedactedOutput: Sendable {
  /// The streams of the command that the pipe stands for; this process passes the bytes on to the first.
  let numbers: [Int32]
  /// The end of the pipe for the command.
  let input: Int32
  private let output: Int32
  private let redactor: Redactor
  private let isWritten = Mutex(true)
  private let end = DispatchSemaphore(value: 0)

  /// Opens the pipe.
  ///
  /// - Throws: `fileFailure` if the system has no more of them.
  init(of number: Int32, also others: [Int32], _ redactor: Redactor) throws(EnvelopeError) {
    numbers = [number] + others
    self.redactor = redactor
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .system("Cannot open a pipe for the command's output") }
    // Away from the numbers of the command's streams, should one of them be closed.
    let copies = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
    for end in ends { close(end) }
    guard copies.allSatisfy({ $0 >= 0 }) else { throw .system("Cannot open a pipe for the command's output") }
    (output, input) = (copies[0], copies[1])
  }

  /// Closes this process's copy of the command's end.
  func closeInput() { close(input) }

  /// Starts to pass on what the command writes, on a thread of its own.
  func start() {
    DispatchQueue(label: "envelope.redact.\(numbers[0])").async { [self] in
      pass()
      // A command that goes on writing gets SIGPIPE.
      close(output)
      end.signal()
    }
  }

  /// Waits until every writer has closed the pipe, or nobody reads any more; returns whether all was written.
  func wait() -> Bool {
    end.wait()
    return isWritten.withLock { $0 }
  }

  private func pass() {
    guard var buffer = try? WipedBuffer(capacity: 1 << 16) else { return fail(ENOMEM) }
    var stream = RedactionStream(redactor)
    var text: [UInt8] = []
    while true {
      buffer.removeAll()
      var count = 0
      buffer.append { space in
        unsafe space.withUnsafeMutableBytes { bytes, initialized in
          count = unsafe read(output, bytes.baseAddress, bytes.count)
          initialized = max(count, 0)
        }
      }
      if count < 0 {
        if errno == EINTR { continue }
        return fail(errno)
      }
      guard count > 0 else { break }
      // One call for all parts, so that lines of several writers mix no more than without the pipe.
      text.removeAll(keepingCapacity: true)
      buffer.withBytes { bytes in stream.append(bytes) { text.append($0) } }
      guard write(text) else { return }
    }
    text.removeAll(keepingCapacity: true)
    stream.finish { text.append($0) }
    _ = write(text)
  }

  /// Writes all bytes; returns false if that fails.
  private func write(_ text: [UInt8]) -> Bool {
    var done = 0
    while done < text.count {
      let count = unsafe text.withUnsafeBytes { bytes in
        unsafe Self.write(numbers[0], bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      }
      done += max(count, 0)
      if count > 0 { continue }
      switch count == 0 ? EIO : errno {
      case EINTR: break
      case EAGAIN:
        // Whoever started this process has set the stream to return at once.
        var file = pollfd(fd: numbers[0], events: Int16(POLLOUT), revents: 0)
        unsafe poll(&file, 1, -1)
      case let failure:
        // A reader that has left is no failure, and gets no message.
        if failure != EPIPE { fail(failure) }
        return false
      }
    }
    return true
  }

  private static func write(_ number: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
      unsafe Darwin.write(number, bytes, count)
    #elseif canImport(Glibc)
      unsafe Glibc.write(number, bytes, count)
    #else
      unsafe Musl.write(number, bytes, count)
    #endif
  }

  private func fail(_ failure: Int32) {
    isWritten.withLock { $0 = false }
    let stream = numbers[0] == STDOUT_FILENO ? "standard output" : "standard error"
    Console.say("envelope: cannot pass on the command's \(stream): \(unsafe String(cString: strerror(failure)))")
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}

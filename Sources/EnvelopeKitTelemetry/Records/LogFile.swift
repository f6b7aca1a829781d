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

  /// The file that lines are appended to, and those that it was before.
  ///
  /// A writer uses it behind its lock.
  final class LogFile: @unchecked Sendable {
    private let path: Path
    private let rotation: FileRotation
    private var descriptor: Descriptor
    private var byteCount: Int
    private var opened: RecordTime

    /// Opens or creates the file.
    ///
    /// - Throws: `fileFailure`; `fileBusy` if another process writes to it.
    init(_ path: String, _ rotation: FileRotation) throws(EnvelopeError) {
      self.path = Path(path)
      self.rotation = rotation
      descriptor = try Self.openFile(self.path)
      byteCount = try descriptor.status(of: self.path).byteCount
      opened = .now
      try endLine()
    }

    private static func openFile(_ path: Path) throws(EnvelopeError) -> Descriptor {
      let number = unsafe open(path.string, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
      guard number >= 0 else { throw .system("Cannot open \(path)") }
      let descriptor = Descriptor(number)
      guard try descriptor.status(of: path).isRegular else {
        throw EnvelopeError(.fileFailure, "\(path) is not a file", advice: "Give the path of a file.")
      }
      guard descriptor.attemptLock() != false else {
        throw EnvelopeError(
          .fileBusy, "Another process writes to \(path)", advice: "Give each process a log file of its own.")
      }
      return descriptor
    }

    /// Ends the line that a process which was killed left.
    private func endLine() throws(EnvelopeError) {
      guard byteCount > 0, try descriptor.readPart(byteCount - 1..<byteCount, of: path) != [.lineFeed] else { return }
      try unsafe append([UInt8.lineFeed].span.bytes)
    }

    func append(_ line: RawSpan) throws(EnvelopeError) {
      byteCount += line.byteCount
      try descriptor.writeAll(line, to: path)
    }

    /// Waits until the disk has what was appended.
    func sync() throws(EnvelopeError) {
      guard fsync(descriptor.number) == 0 else { throw .system("Cannot sync \(path)") }
    }

    /// Whether the file should end with the segment.
    func isDue(at now: RecordTime) -> Bool {
      byteCount >= rotation.byteCount ?? .max
        || now.milliseconds - opened.milliseconds >= rotation.age.map(\.milliseconds) ?? .max
    }

    /// Goes on in a new file if this one is due.
    func rotate(after segment: SegmentID, at now: RecordTime) throws(EnvelopeError) {
      guard isDue(at: now) else { return }
      try sync()
      let ended = Path("\(path.string).\(now.compact)-\(segment)")
      guard unsafe rename(path.string, ended.string) == 0 else { throw .system("Cannot rename \(path)") }
      descriptor = try Self.openFile(path)
      (byteCount, opened) = (0, now)
      try path.folder.openFolder().syncFolder(of: path)
      try removeOldest()
    }

    private func removeOldest() throws(EnvelopeError) {
      guard let kept = rotation.keptFileCount else { return }
      let prefix = "\(path.name)."
      let ended = try path.folder.names().filter { name in
        name.hasPrefix(prefix) && RecordTime.isEndedFile(name.dropFirst(prefix.count))
      }
      for name in ended.sorted().dropLast(kept) {
        let path = path.folder.appending(name)
        guard unsafe unlink(path.string) == 0 || errno == ENOENT else { throw .system("Cannot remove \(path)") }
      }
    }
  }

  extension RecordTime {
    /// The time in the name of an ended file: `20261127T031205.123Z`.
    fileprivate var compact: String {
      var text = GrowingBuffer(capacity: 32)
      append(to: &text)
      return text.withBytes { text in
        String(
          decoding: [UInt8](copying: text).filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }, as: UTF8.self)
      }
    }

    /// Whether a name goes on as that of an ended file.
    fileprivate static func isEndedFile(_ rest: Substring) -> Bool {
      let pattern = "00000000T000000.000Z-"
      let text = Array(rest.utf8)
      guard text.count == pattern.utf8.count + SegmentID.characterCount else { return false }
      return zip(text, pattern.utf8).allSatisfy { byte, expected in
        expected == UInt8(ascii: "0") ? byte.isDigit : byte == expected
      }
    }
  }

  extension Duration {
    /// Whole milliseconds; those of a very long time are the most that there are.
    var milliseconds: Int64 {
      let (seconds, attoseconds) = components
      let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
      return overflows ? .max : product + attoseconds / 1_000_000_000_000_000
    }
  }
#endif

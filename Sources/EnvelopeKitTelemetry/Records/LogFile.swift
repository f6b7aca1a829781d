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
    /// Nil once it is closed.
    private var descriptor: Descriptor?
    private var byteCount: Int
    private var opened: RecordTime
    private var failed: RecordTime?

    /// Opens or creates the file.
    ///
    /// - Throws: `fileFailure`; `fileBusy` if another process writes to it.
    init(_ path: String, _ rotation: FileRotation) throws(EnvelopeError) {
      // The process may go to another folder.
      let path = try Path(path).absolute()
      let file = try Self.openFile(path)
      byteCount = try file.status(of: path).byteCount
      descriptor = consume file
      self.path = path
      self.rotation = rotation
      opened = .now
      try endLine()
    }

    private static func openFile(_ path: Path) throws(EnvelopeError) -> Descriptor {
      let number = unsafe open(path.string, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0o600)
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
      guard byteCount > 0, let last = try descriptor?.readPart(byteCount - 1..<byteCount, of: path), last != [.lineFeed]
      else { return }
      try unsafe append([UInt8.lineFeed].span.bytes)
    }

    func append(_ line: RawSpan) throws(EnvelopeError) {
      byteCount += line.byteCount
      try descriptor?.writeAll(line, to: path)
    }

    /// Closes the file, and with it its lock.
    func close() { descriptor = nil }

    /// Waits until the disk has what was appended.
    func sync() throws(EnvelopeError) {
      let number = descriptor?.number ?? -1
      guard number < 0 || fsync(number) == 0 else { throw .system("Cannot sync \(path)") }
    }

    /// Whether the file should end with the segment.
    func isDue(at now: RecordTime) -> Bool {
      // After a failure, a minute passes.
      guard failed.map({ now.isAfter($0, by: 60_000) }) ?? true else { return false }
      return byteCount >= rotation.byteCount ?? .max
        || (rotation.age.map { now.isAfter(opened, by: $0.milliseconds) } ?? false)
    }

    /// Goes on in a new file if this one is due.
    func rotate(after segment: SegmentID, at now: RecordTime) throws(EnvelopeError) {
      guard isDue(at: now) else { return }
      failed = now
      try sync()
      // Somebody else may have renamed or removed the file, and another process may have made one of its name.
      if try descriptor?.isNamed(path.name, in: path.folder.openFolder()) ?? false {
        let ended = Path("\(path.string).\(now.compact)-\(segment)")
        guard unsafe rename(path.string, ended.string) == 0 else { throw .system("Cannot rename \(path)") }
      }
      let next = try Self.openFile(path)
      byteCount = try next.status(of: path).byteCount
      descriptor = consume next
      (opened, failed) = (now, nil)
      try endLine()
      try path.folder.openFolder().syncFolder(of: path)
      try removeOldest(at: now)
    }

    private func removeOldest(at now: RecordTime) throws(EnvelopeError) {
      guard let kept = rotation.keptFileCount else { return }
      let prefix = "\(path.name)."
      let current = prefix + now.compact
      // Names of a time to come are from a clock that was ahead: they are older.
      let ended = try path.folder.names().filter { name in
        name.hasPrefix(prefix) && RecordTime.isEndedFile(name.dropFirst(prefix.count)) && !name.hasPrefix(current)
      }
      let sorted = ended.filter { $0 > current }.sorted() + ended.filter { $0 < current }.sorted()
      for name in sorted.dropLast(kept) {
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
      let isTime = zip(text, pattern.utf8).allSatisfy { byte, expected in
        expected == UInt8(ascii: "0") ? byte.isDigit : byte == expected
      }
      return isTime && String(rest.suffix(SegmentID.characterCount)).withUTF8Bytes { SegmentID(text: $0) } != nil
    }
  }

  extension Path {
    /// The path from the root.
    fileprivate func absolute() throws(EnvelopeError) -> Path {
      guard string.utf8.first != UInt8(ascii: "/") else { return self }
      guard let folder = unsafe getcwd(nil, 0) else { throw .system("Cannot find the current folder") }
      defer { unsafe free(folder) }
      return unsafe Path(String(cString: folder)).appending(string)
    }
  }

  extension Duration {
    /// Whole milliseconds; those of a very long time are the most that there are.
    var milliseconds: Int64 {
      let (seconds, attoseconds) = components
      let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
      return overflows || product > .max / 2 ? .max : max(0, product) + attoseconds / 1_000_000_000_000_000
    }
  }
#endif

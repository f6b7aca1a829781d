// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file to which every use of a key is appended, each entry chained to the one before by a keyed hash
/// (`Docs/Format.md`, section Log of uses).
///
/// Whoever changes the file without the key is found out. Who holds the store holds the key of its log, too, and could
/// write another: a checkpoint that is kept elsewhere tells.
public struct AuditLog: Sendable {
  /// Where it is.
  public var location: String { path.string }
  let path: Path
  let key: WrappingKey
  private let wait: LockWait

  package init(at path: String, key: WrappingKey, wait: LockWait = LockWait()) {
    self.path = Path(path)
    self.key = key
    self.wait = wait
  }

  /// How many entries there are, and the last one's hash: to be kept where nobody can change it.
  public struct Checkpoint: Sendable, Equatable, CustomStringConvertible {
    /// How many entries there are.
    public let count: UInt64
    /// The 32 bytes that the last one ends in; zeros where there is none.
    let head: [UInt8]

    static let empty = Checkpoint(count: 0, head: [UInt8](repeating: 0, count: 32))

    init(count: UInt64, head: [UInt8]) {
      self.count = count
      self.head = head
    }

    /// Reads what ``description`` wrote: the count, a colon and 43 characters.
    ///
    /// - Throws: `invalidArgument` where it is none.
    public init(_ text: String) throws(EnvelopeError) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let count = UInt64(parts[0]), "\(count)" == parts[0],
        let head = Base64URL.decode(parts[1].utf8), head.count == 32,
        count > 0 || head == Checkpoint.empty.head
      else {
        throw EnvelopeError(
          .invalidArgument, "A checkpoint is a count, a colon and 43 characters",
          advice: "Copy all of it from: envelope audit verify")
      }
      self.init(count: count, head: head)
    }

    /// The count, a colon and the head in base64url.
    public var description: String { "\(count):\(Base64URL.encode(head))" }
  }

  /// Appends an entry, and has the system write it to the disk.
  ///
  /// - Throws: `fileFailure` where it cannot be written, and nothing is left of it then; `auditLogAltered` where the
  ///   file does not end in an entry; `filePermissions` where it is another user's or others can use it; `fileBusy` if
  ///   another process holds its lock for longer than the key store file's `lockTimeout`.
  func append(_ use: KeyUse) throws(EnvelopeError) {
    let number = unsafe open(path.string, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw .system("Cannot open the log of uses \(path)") }
    let file = Descriptor(number)
    // Before it is locked: another user could hold the lock of a file that others can open.
    try check(file)
    let beside = try file.lock(of: path, wait) ? nil : try path.lock(wait)
    let status = try file.status(of: path)
    let (last, end) = try last(in: file, byteCount: status.byteCount)
    // A process that was killed while it wrote has left a piece of a line, which nobody was told is there.
    if end < status.byteCount, ftruncate(file.number, off_t(end)) != 0 {
      throw .system("Cannot take an unfinished line off the log of uses \(path)")
    }
    let line = try AuditEntry(number: last.count + 1, use).line(after: last.head, key: key)
    // One that is longer would end the log: nobody reads it.
    guard line.count <= AuditEntry.longestLine else {
      throw EnvelopeError(.invalidArgument, "The use of a key has a name that is too long for the log of uses")
    }
    do throws(EnvelopeError) {
      try unsafe file.writeAll(line.span.bytes, to: path)
      guard fsync(file.number) == 0 else { throw EnvelopeError.system("Cannot sync the log of uses \(path)") }
      // Of a new log its name must be there, too.
      if end == 0 { try path.folder.openForReading().syncFolder(of: path) }
    } catch {
      ftruncate(file.number, off_t(end))
      throw error
    }
    _ = consume beside
  }

  /// Refuses a file that others can read or write.
  private func check(_ file: borrowing Descriptor) throws(EnvelopeError) {
    let status = try file.status(of: path)
    guard status.isRegular, status.owner == geteuid() else {
      throw EnvelopeError(
        .filePermissions, "The log of uses \(path) is not a file of this user's",
        advice: "Find out who put it there, and move it away.")
    }
    guard status.mode & 0o077 == 0 else {
      let beginning = try file.readPart(0..<min(9, status.byteCount), of: path)
      guard beginning.isEmpty || beginning == Array("{\"entry\":".utf8) else {
        throw EnvelopeError(
          .filePermissions, "Other users can use \(path), and it does not begin as a log of uses does",
          advice: "Find out what it is, and move it away.")
      }
      throw EnvelopeError(
        .filePermissions, "Other users can use the log of uses \(path)", advice: path.advice(running: "chmod 600"))
    }
  }

  /// The last whole entry, and where the bytes end that belong to entries.
  private func last(in file: borrowing Descriptor, byteCount: Int) throws(EnvelopeError) -> (Checkpoint, Int) {
    guard byteCount > 0 else { return (.empty, 0) }
    let start = max(0, byteCount - 2 * AuditEntry.longestLine)
    let tail = try file.readPart(start..<byteCount, of: path)
    guard let end = tail.lastIndex(of: .lineFeed) else {
      guard start == 0 else { throw .auditLogAltered("it does not end in an entry") }
      return (.empty, 0)
    }
    let lineStart = tail[..<end].lastIndex(of: .lineFeed).map { $0 + 1 } ?? 0
    guard lineStart > 0 || start == 0, let entry = AuditEntry.Written(Array(tail[lineStart..<end])),
      entry.number < .max
    else {
      throw .auditLogAltered("it does not end in an entry")
    }
    return (Checkpoint(count: entry.number, head: entry.chain), start + end + 1)
  }

  /// Verifies every entry.
  ///
  /// - Parameter checkpoint: One that was kept: the log must still have the entry that it tells of.
  /// - Returns: The checkpoint of the log as it is now.
  /// - Throws: `auditLogAltered` with the place, where an entry was altered, removed, added or moved, or where the log
  ///   is shorter or another than at the checkpoint; `fileFailure`, `fileBusy`.
  public func verify(against checkpoint: Checkpoint? = nil) throws(EnvelopeError) -> Checkpoint {
    var (last, found) = (Checkpoint.empty, checkpoint == nil || checkpoint == .empty)
    if path.exists {
      // A pipe in its place would be waited for.
      guard try path.kind == .file else { throw .auditLogAltered("\(path) is not a file") }
      let file = try path.openForReading()
      var lines = try LineReader(file: file, path: path, limit: AuditEntry.longestLine, wait: wait)
      while let line = try lines.next() {
        last = try check(line, after: last)
        if last.count == checkpoint?.count {
          guard last == checkpoint else {
            throw .auditLogAltered(
              "entry \(last.count) is not the one of the checkpoint: all up to it were written anew")
          }
          found = true
        }
      }
      if lines.hasRest {
        throw .auditLogAltered("entry \(last.count + 1) is not whole", advice: "The next use of a key takes it off.")
      }
    }
    guard found else {
      throw .auditLogAltered(
        "it ends after entry \(last.count), and had \(checkpoint?.count ?? 0) at the checkpoint: the rest was removed")
    }
    return last
  }

  private func check(_ line: [UInt8], after last: Checkpoint) throws(EnvelopeError) -> Checkpoint {
    let expected = last.count + 1
    guard let entry = AuditEntry.Written(line) else {
      throw .auditLogAltered("entry \(expected) was altered: it is none")
    }
    guard entry.number == expected else {
      throw .auditLogAltered(
        entry.number > expected
          ? "what comes after entry \(last.count) and before entry \(entry.number) was removed, or moved"
          : "after entry \(last.count), entry \(entry.number) was added, or moved there")
    }
    guard try AuditEntry.chain(over: entry.body, after: last.head, key: key).equalsInConstantTime(entry.chain) else {
      throw .auditLogAltered("entry \(expected) was altered, or the one before it")
    }
    return Checkpoint(count: expected, head: entry.chain)
  }
}

extension EnvelopeError {
  static func auditLogAltered(
    _ reason: String, advice: String = "Restore the log from a backup, and find out who could write it."
  ) -> EnvelopeError {
    EnvelopeError(.auditLogAltered, "The log of uses does not verify: \(reason)", advice: advice)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Path {
  /// Replaces a file whole or not at all: written beside, synced, renamed, the folder synced.
  ///
  /// A link is followed, and the file that it leads to is replaced. What is no regular file (a pipe, a terminal)
  /// is written to as it is.
  ///
  /// - Parameters:
  ///   - bytes: The new content.
  ///   - mode: The permissions of a new file, from which the process's mask is taken off.
  ///   - keepsMode: Whether a file that is there keeps its permissions, and its owner and group where this process may
  ///     give it them; otherwise it gets `mode` exactly.
  /// - Throws: `fileFailure`; what was there is unchanged then, unless it is the folder that cannot be synced.
  package func replace(with bytes: RawSpan, mode: UInt32, keepsMode: Bool) throws(EnvelopeError) {
    var status = stat()
    let exists = unsafe stat(string, &status) == 0
    if exists, mode_t(status.st_mode) & S_IFMT != S_IFREG {
      let number = unsafe open(string, O_WRONLY | O_CLOEXEC)
      guard number >= 0 else { throw .system("Cannot open \(self)") }
      return try Descriptor(number).writeAll(bytes, to: self)
    }
    let target = exists ? resolved : self
    // A name takes at most 255 bytes.
    let name = String(decoding: target.name.utf8.prefix(Self.keptOfName), as: UTF8.self)
    let mark = Base64URL.encode(try Randomness.bytes(Self.markByteCount))
    let temporary = target.folder.appending(".\(name).\(mark).new")
    do throws(EnvelopeError) {
      let number = unsafe open(temporary.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
      guard number >= 0 else { throw .system("Cannot make a file beside \(self)") }
      let file = Descriptor(number)
      if exists {
        // The group may be one's own to give where the owner is not; before the permissions, which this may narrow.
        if keepsMode, fchown(file.number, status.st_uid, status.st_gid) != 0 {
          _ = fchown(file.number, uid_t.max, status.st_gid)
        }
        let mode = keepsMode ? mode_t(status.st_mode) & 0o7777 : mode_t(mode)
        guard fchmod(file.number, mode) == 0 else { throw .system("Cannot set the permissions of \(self)") }
      }
      try file.writeAll(bytes, to: self)
      guard fsync(file.number) == 0 else { throw .system("Cannot sync \(self)") }
      // Opened before the renaming, for afterwards it would be too late to fail.
      let folder = try target.folder.openForReading()
      guard unsafe rename(temporary.string, target.string) == 0 else { throw .system("Cannot replace \(self)") }
      try folder.syncFolder(of: self)
    } catch {
      unsafe unlink(temporary.string)
      throw error
    }
  }

  /// How many bytes of a file's name stand in that of the new one beside it, and the random ones that follow.
  private static let keptOfName = 100
  private static let markByteCount = 9

  /// Whether a file of this name is one that is written beside another, which it shall replace: where a process was killed
  /// meanwhile, it is left.
  ///
  /// - Parameter replaced: The name of the other; nil for any.
  package static func isUnfinished(_ name: String, replacing replaced: String? = nil) -> Bool {
    let suffix = Array(".new".utf8)
    let name = name.utf8
    guard name.first == UInt8(ascii: "."), name.suffix(suffix.count).elementsEqual(suffix),
      let dot = name.dropLast(suffix.count).lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex,
      Base64URL.decode(name[name.index(after: dot)...].dropLast(suffix.count))?.count == markByteCount
    else { return false }
    return replaced.map { name[name.index(after: name.startIndex)..<dot].elementsEqual($0.utf8) } ?? true
  }

  /// Removes what those who were killed while they replaced the file have left beside it.
  ///
  /// Call this only where all who replace the file hold its lock, this process now.
  package func removeUnfinished() {
    let target = resolved
    // Of a longer name, another file's could be taken for this one's.
    guard target.name.utf8.count < Self.keptOfName, let names = try? target.folder.names() else { return }
    for name in names where Self.isUnfinished(name, replacing: target.name) {
      unsafe unlink(target.folder.appending(name).string)
    }
  }

  /// The names of what lies in the folder, in no order.
  ///
  /// - Throws: `fileFailure` where it cannot be read.
  package func names() throws(EnvelopeError) -> [String] {
    guard let folder = unsafe opendir(string) else { throw .system("Cannot look into \(self)") }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw .system("Cannot look into \(self)") }
    return names
  }

  /// The path without links, or the path itself where it cannot be told.
  package var resolved: Path {
    guard let resolved = unsafe realpath(string, nil) else { return self }
    defer { unsafe free(resolved) }
    return unsafe Path(String(cString: resolved))
  }

  /// Makes the folder, and those it lies in, for the owner alone, where they are missing; a power failure takes none of
  /// them away again.
  package func makeFolder() throws(EnvelopeError) {
    guard !exists else { return }
    try folder.makeFolder()
    guard unsafe mkdir(string, 0o700) == 0 || errno == EEXIST else { throw .system("Cannot make the folder \(self)") }
    // One that may be written to and not read is not synced.
    if let folder = try? folder.openForReading() { try folder.syncFolder(of: self) }
  }
}

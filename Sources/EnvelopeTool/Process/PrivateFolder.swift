// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder for this user alone, in memory if the system has a place for that, which is wiped with its owner.
///
/// Its lock is held for as long as it is in use. The next one to be made wipes those that killed processes left.
struct PrivateFolder: ~Copyable {
  let path: Path
  private let descriptor: Descriptor

  /// Makes the folder.
  ///
  /// - Throws: `fileFailure` if there is no place for it.
  init() throws(EnvelopeError) {
    let places = [
      ProcessEnvironment.value(of: "XDG_RUNTIME_DIR"), "/dev/shm", ProcessEnvironment.value(of: "TMPDIR"), "/tmp",
    ].compactMap(\.self).filter { $0.utf8.first == UInt8(ascii: "/") }.map(Path.init)
    for place in places { Self.wipeAbandoned(in: place) }
    for place in places {
      let folder = place.appending(Self.prefix + Base64URL.encode(try Randomness.bytes(Self.markByteCount)))
      guard unsafe mkdir(folder.string, 0o700) == 0 else { continue }
      let descriptor = try folder.openForReading()
      // If another process has the lock, it takes the folder for one that was left, and removes it.
      guard descriptor.attemptLock() != false else { continue }
      self.path = folder
      self.descriptor = descriptor
      return
    }
    throw .system(
      "Cannot make a private folder for the editor", advice: "Set TMPDIR to a folder that you can write to.")
  }

  deinit { Self.wipe(path) }

  private static let prefix = "envelope-"
  private static let markByteCount = 12

  /// Wipes the folders of this user that processes left which were killed.
  private static func wipeAbandoned(in place: Path) {
    for name in (try? place.names()) ?? []
    where name.hasPrefix(prefix) && Base64URL.decode(name.dropFirst(prefix.count).utf8)?.count == markByteCount {
      let folder = place.appending(name)
      guard folder.isFolderItself, let descriptor = try? folder.openForReading(),
        let status = try? descriptor.status(of: folder), status.owner == geteuid(), status.mode == 0o700,
        descriptor.attemptLock() == true
      else { continue }
      wipe(folder)
      Console.say("envelope: removed \(folder), which an edit that was killed had left")
    }
  }

  /// Overwrites and removes every file in the folder, such as the backups that editors make, and the folder.
  private static func wipe(_ folder: Path) {
    for name in (try? folder.names()) ?? [] {
      let path = folder.appending(name)
      if path.isFolderItself {
        wipe(path)
      } else {
        try? path.overwriteWithZeros()
        unsafe unlink(path.string)
      }
    }
    if unsafe rmdir(folder.string) != 0 {
      Console.say("envelope: cannot remove \(folder): remove it yourself, it held secrets")
    }
  }
}

extension Path {
  /// Whether it is a folder, and not a link to one.
  fileprivate var isFolderItself: Bool {
    var status = stat()
    return unsafe lstat(string, &status) == 0 && mode_t(status.st_mode) & S_IFMT == S_IFDIR
  }

  /// Overwrites the content in place, for what little that does on the storage of today.
  fileprivate func overwriteWithZeros() throws(EnvelopeError) {
    // Without waiting, should it be a pipe.
    let number = unsafe open(string, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { throw .system("Cannot open \(self)") }
    let file = Descriptor(number)
    let count = try file.status(of: self).byteCount
    let zeros = [UInt8](repeating: 0, count: min(max(count, 0), 4 * Document.byteLimit))
    try unsafe file.writeAll(zeros.span.bytes, to: self)
    fsync(number)
  }
}

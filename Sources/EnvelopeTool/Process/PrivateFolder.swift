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
/// Its lock is held for as long as it is in use. Creating the next one wipes those that killed processes left.
struct PrivateFolder: ~Copyable {
  let path: Path
  private let place: Descriptor
  private let descriptor: Descriptor

  /// Creates the folder.
  ///
  /// - Throws: `fileFailure` if there is no place for it.
  init() throws(EnvelopeError) {
    let places = [
      ProcessEnvironment.value(of: "XDG_RUNTIME_DIR"), "/dev/shm", ProcessEnvironment.value(of: "TMPDIR"), "/tmp",
    ].compactMap(\.self).filter { $0.utf8.first == UInt8(ascii: "/") }.map(Path.init)
    for place in places { Self.wipeAbandoned(in: place) }
    for path in places {
      let name = Self.prefix + Base64URL.encode(try Randomness.bytes(Self.markByteCount))
      guard let place = try? path.openFolder(), unsafe mkdirat(place.number, name, 0o700) == 0,
        let descriptor = place.folder(named: name)
      else { continue }
      // If another process has the lock, it takes the folder for an abandoned one, and removes it.
      guard descriptor.attemptLock() != false, descriptor.isNamed(name, in: place) else { continue }
      self.path = path.appending(name)
      self.place = place
      self.descriptor = descriptor
      return
    }
    throw .system(
      "Cannot make a private folder for the editor", advice: "Set TMPDIR to a folder that you can write to.")
  }

  deinit { _ = Self.wipe(descriptor, at: path, in: place) }

  private static let prefix = "envelope-"
  private static let markByteCount = 12

  /// Wipes the folders of this user that killed processes left.
  static func wipeAbandoned(in path: Path) {
    guard let place = try? path.openFolder(), let status = try? place.status(of: path), status.keepsNames,
      let names = try? place.names(of: path)
    else { return }
    for name in names
    where name.hasPrefix(prefix) && Base64URL.decode(name.dropFirst(prefix.count).utf8)?.count == markByteCount {
      let path = path.appending(name)
      // All checks are of the open folder, and so is the wiping: the name may stand for another one by then.
      guard let folder = place.folder(named: name), let status = try? folder.status(of: path),
        status.owner == geteuid(), status.mode == 0o700, folder.attemptLock() == true
      else { continue }
      if wipe(folder, at: path, in: place) {
        Console.say("envelope: removed \(path), which an edit that was killed had left")
      }
    }
  }

  /// Wipes an open folder and removes it if it still has its name.
  ///
  /// - Returns: Whether it is removed.
  static func wipe(_ folder: borrowing Descriptor, at path: Path, in place: borrowing Descriptor) -> Bool {
    folder.wipeContents()
    guard folder.isNamed(path.name, in: place) else {
      Console.say("envelope: \(path) was moved, replaced or removed meanwhile; the folder's content was wiped")
      return false
    }
    // Follows no link, and removes an empty folder only.
    if unsafe unlinkat(place.number, path.name, AT_REMOVEDIR) == 0 { return true }
    Console.say("envelope: cannot remove \(path): remove it yourself, it held secrets")
    return false
  }
}

extension Descriptor.Status {
  /// Whether other users cannot rename the folders of this user in this one.
  ///
  /// Elsewhere they can give any of them the name of an abandoned one.
  fileprivate var keepsNames: Bool { (owner == geteuid() || owner == 0) && (mode & 0o022 == 0 || mode & 0o1000 != 0) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension KeyStoreFile {
  /// What a store is opened for.
  enum Access {
    /// Nobody but this user and root may be able to write the file.
    case reading
    /// The file must be this user's, too, and for this user alone.
    case changing
  }

  private static let linkLimit = 40

  /// Opens the file, or returns nil if there is none.
  ///
  /// The last name of the path, and of each symbolic link that it leads to, is opened in the very folder that was checked,
  /// and the file is checked when it is open. So a path that is changed meanwhile makes no difference. Opening waits for
  /// nothing, in case it is a pipe.
  ///
  /// - Throws: `filePermissions`, `fileFailure`.
  func openFile(for access: Access) throws(EnvelopeError) -> Descriptor? {
    guard !path.name.isEmpty else { throw noFile }
    var place = path
    guard var folder = try openFolder(place.folder, from: AT_FDCWD) else { return nil }
    for _ in 0..<Self.linkLimit {
      try check(folder, at: place.folder, of: place)
      let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
      let number = unsafe openat(folder.number, place.name, flags)
      if number >= 0 {
        let file = Descriptor(number)
        try check(file, for: access)
        return file
      }
      guard errno == ELOOP else { return try missingFile() }
      try checkLink(at: place, in: folder)
      let target = try Path(folder.target(ofLink: place.name, at: place))
      guard let next = try openFolder(target.folder, from: folder.number) else { return nil }
      folder = next
      place = target.isAbsolute ? target : place.folder.appending(target.string)
      place = place.folder.resolved.appending(place.name)
    }
    throw EnvelopeError(
      .fileFailure, "The path \(path) leads through too many symbolic links",
      advice: "Set ENVELOPE_STORE to the path of the key store.")
  }

  private func openFolder(_ folder: Path, from start: Int32) throws(EnvelopeError) -> Descriptor? {
    let number = unsafe openat(start, folder.string, Descriptor.searchFlags)
    return number >= 0 ? Descriptor(number) : try missingFile()
  }

  /// Returns nil if the call that failed last found nothing, and otherwise throws: call it before anything else can change
  /// `errno`.
  private func missingFile() throws(EnvelopeError) -> Descriptor? {
    switch errno {
    case ENOENT: return nil
    case ENXIO: throw noFile
    case EACCES, EPERM:
      throw EnvelopeError(
        .filePermissions, "This user may not read the key store \(path)",
        advice: "Run this as its owner; or, in a deployment package, make it readable before packing (chmod 644); "
          + "or set ENVELOPE_STORE to a key store of this user's own.")
    default: throw .system("Cannot open \(path)")
    }
  }

  var noFile: EnvelopeError {
    EnvelopeError(
      .filePermissions, "The key store \(path) is not a file",
      advice: "Set ENVELOPE_STORE to the path of the key store.")
  }

  private func check(_ file: borrowing Descriptor, for access: Access) throws(EnvelopeError) {
    let status = try file.status(of: path)
    guard status.isRegular else { throw noFile }
    let isOwn = status.owner == geteuid()
    guard isOwn || access == .reading && status.owner == 0 else { throw belongsToOther(status.owner) }
    // Under an access control list, the bits of the group are the most that it grants to anyone but the owner.
    guard status.mode & 0o022 == 0 else {
      throw try othersCan("write", file, mending: isOwn ? "chmod 600" : "sudo chmod go-w")
    }
    if status.mode & 0o077 == 0 || access == .reading && status.owner == 0 { return }
    guard access == .reading, try file.isOnReadOnlyMount(at: path) else {
      throw try othersCan("read", file, mending: "chmod 600")
    }
  }

  private func belongsToOther(_ owner: UInt32) -> EnvelopeError {
    guard owner != 0 else {
      return EnvelopeError(
        .filePermissions, "The key store \(path) belongs to root, so only root may change it",
        advice: "Run this as root, or set ENVELOPE_STORE to a key store of this user's own.")
    }
    return EnvelopeError(
      .filePermissions, "The key store \(path) belongs to another user, with the id \(owner), who can change it",
      advice: "Run this as its owner; or, where the file is placed, give it to the user who runs this, or to root "
        + "(chown); or set ENVELOPE_STORE to a key store of this user's own.")
  }

  private func othersCan(
    _ verb: String, _ file: borrowing Descriptor, mending command: String
  ) throws(EnvelopeError) -> EnvelopeError {
    // The path may lead to any file, by a wrong variable.
    let beginning = try file.readPart(0..<min(16, file.status(of: path).byteCount), of: path)
    guard Self.isBeginning(beginning) else {
      return isNoStore(.filePermissions, "Other users can \(verb) \(path), and it")
    }
    return EnvelopeError(
      .filePermissions, "Other users can \(verb) the key store \(path)", advice: path.advice(running: command))
  }

  /// Whether a key store can begin with these 16 bytes.
  static func isBeginning(_ bytes: [UInt8]) -> Bool {
    ["envelope-keys ", "ek1:"].contains { bytes.starts(with: $0.utf8) }
  }

  func isNoStore(_ code: EnvelopeError.Code, _ subject: String) -> EnvelopeError {
    EnvelopeError(
      code, "\(subject) does not begin as a key store does", advice: "Set ENVELOPE_STORE to the path of the key store.")
  }

  /// Whether users other than this one and root can read the file.
  ///
  /// The bits of the group do not count under an access control list, where they say only what named users may do:
  /// systemd lets a service read its credentials in that way.
  func isReadableByOthers(_ file: borrowing Descriptor) throws(EnvelopeError) -> Bool {
    let mode = try file.status(of: path).mode
    return mode & 0o004 != 0 || mode & 0o040 != 0 && !file.hasAccessControlList
  }

  /// Refuses a symbolic link of another user, who could let it lead to another store.
  ///
  /// One of this user's or root's is safe: nobody else can replace it in a folder that has been checked.
  private func checkLink(at place: Path, in folder: borrowing Descriptor) throws(EnvelopeError) {
    var status = stat()
    guard unsafe fstatat(folder.number, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw .system("Cannot look at \(place)")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw EnvelopeError(
        .filePermissions, "The symbolic link \(place) belongs to another user, who can change where it leads",
        advice: "Set ENVELOPE_STORE to the path of the key store.")
    }
  }

  /// Refuses a folder in which others could put another store in the place of this one.
  private func check(_ opened: borrowing Descriptor, at folder: Path, of file: Path) throws(EnvelopeError) {
    let status = try opened.status(of: folder)
    guard status.owner == geteuid() || status.owner == 0 else {
      throw EnvelopeError(
        .filePermissions, "The folder \(folder) belongs to another user, who can replace the key store in it",
        advice: Self.moveAdvice)
    }
    let isSticky = status.mode & 0o1000 != 0
    guard status.mode & 0o022 == 0 || isSticky else {
      let isOwn = status.owner == geteuid() && Self.isForStoreAlone(folder, of: file)
      throw EnvelopeError(
        .filePermissions, "Other users can replace the key store: they can write to its folder \(folder)",
        advice: isOwn ? folder.advice(running: "chmod 700") : Self.moveAdvice)
    }
  }

  private static let moveAdvice =
    "Move the key store to a folder that only you can write to, and set ENVELOPE_STORE to its path."

  /// Whether a folder holds a key store alone, so that narrowing its permissions affects no other file.
  private static func isForStoreAlone(_ folder: Path, of file: Path) -> Bool {
    // Folders of the system's own, such as /srv, may be empty.
    let place = folder.resolved
    guard place.folder != Path("/"), place != Path("/"), let names = try? folder.names() else { return false }
    return names.allSatisfy {
      [file.name, file.name + ".audit"].contains($0) || Path.isUnfinished($0) || Path.isLockFile($0)
    }
  }
}

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

extension Configuration {
  /// The variable with the folders whose `envelope.yaml` is followed whoever can write it, separated by colons.
  ///
  /// It is a variable and no setting in a file: whoever could write the file would set it.
  static let trustVariable = "ENVELOPE_TRUST"

  /// Refuses a file that cannot be read, or that another user than root could have written: the file itself, or by its
  /// folder or the folder that a link leads to.
  ///
  /// - Throws: `filePermissions`, unless the folders are trusted; `fileFailure`; `configuration` if it is no file.
  /// The owner and mode are those of the file that is open, so that exchanging it or a link meanwhile gains nothing.
  ///
  /// - Returns: The file, to read from.
  static func open(_ path: Path) throws(EnvelopeError) -> Descriptor {
    let file: Descriptor
    do throws(EnvelopeError) {
      // A pipe would be waited for.
      guard try path.kind == .file else {
        throw EnvelopeError(.configuration, "\(path) is not a file", advice: "Replace it with one, or remove it.")
      }
      file = try path.openForReading()
    } catch {
      guard error.code == .fileFailure else { throw error }
      throw EnvelopeError(
        error.code, error.message,
        advice: "Let this user read it; or run the command from a folder that has no envelope.yaml above it.")
    }
    let trusted = try trustedFolders()
    let (folder, target) = (path.folder.resolved, path.resolved.folder)
    if !trusted.contains(target) {
      var status = stat()
      guard unsafe fstat(file.number, &status) == 0 else { throw .system("Cannot look at \(path)") }
      try checkWriters(of: path, status, hasAccessControlList: file.hasAccessControlList, for: path)
    }
    if !trusted.contains(folder) { try checkWriters(of: path.folder, for: path) }
    if !trusted.contains(target) { try checkWriters(of: target, for: path) }
    return file
  }

  /// - Throws: `usage` if the variable names a folder that is not given from the root.
  private static func trustedFolders() throws(EnvelopeError) -> [Path] {
    let folders = (ProcessEnvironment.value(of: trustVariable) ?? "").split(separator: ":").map(String.init)
    guard folders.allSatisfy({ $0.hasPrefix("/") }) else {
      throw EnvelopeError(
        .usage, "\(trustVariable) has a folder whose path does not begin with /",
        advice: "Give paths from the root, separated by colons: \(trustVariable)=/src/checkout:/src/orders")
    }
    return folders.map { Path($0).resolved }
  }

  /// Refuses a folder that another user than root owns or can write to.
  private static func checkWriters(of folder: Path, for path: Path) throws(EnvelopeError) {
    var status = stat()
    guard unsafe stat(folder.string, &status) == 0 else { throw .system("Cannot look at \(folder)") }
    try checkWriters(of: folder, status, hasAccessControlList: folder.hasAccessControlList, for: path)
  }

  private static func checkWriters(
    of place: Path, _ status: stat, hasAccessControlList: Bool, for path: Path
  ) throws(EnvelopeError) {
    guard [geteuid(), 0].contains(status.st_uid) else {
      throw EnvelopeError(
        .filePermissions,
        "\(place) belongs to another user (id \(status.st_uid)), who could choose the keys that you seal under",
        advice: trustAdvice(for: path) ?? "Look at it, and if it is right, copy it to a folder of your own.")
    }
    let mode = UInt32(status.st_mode)
    guard mode & 0o022 != 0 else { return }
    // Members of the group, and those that an access control list names, share one bit.
    if mode & 0o002 == 0, PrivateGroup.isOwn(status.st_gid), !hasAccessControlList { return }
    let remedy =
      place == path || !isShared(place, mode)
      ? place.advice(running: "chmod go-w") : "Move \(path) to a folder that only you can write to."
    throw EnvelopeError(
      .filePermissions, "Other users can write to \(place), and could choose the keys that you seal under",
      advice: trustAdvice(for: path).map { "\(remedy.hasSuffix(".") ? remedy : remedy + ".") \($0)" } ?? remedy)
  }

  /// How to trust the folders; nil if one has a colon in its path, which separates them.
  private static func trustAdvice(for path: Path) -> String? {
    let (folder, target) = (path.folder.resolved, path.resolved.folder)
    let folders = folder == target ? [folder.string] : [folder.string, target.string]
    guard !folders.contains(where: { $0.utf8.contains(UInt8(ascii: ":")) }) else { return nil }
    return "If you trust those who can write it, set "
      + "\(trustVariable)=\(Path(folders.joined(separator: ":")).quoted)"
  }

  /// Whether others may need to write to a folder: it is sticky, as /tmp is, or the system's own.
  private static func isShared(_ folder: Path, _ mode: UInt32) -> Bool {
    let place = folder.resolved
    return mode & 0o1000 != 0 || place == Path("/") || place.folder == Path("/")
      || ["/usr/", "/var/", "/etc/", "/opt/"].contains { place.string.hasPrefix($0) }
  }
}

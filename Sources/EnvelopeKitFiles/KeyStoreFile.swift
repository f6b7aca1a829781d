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

/// A key store in a file that only its owner can read.
///
/// The file has mode 0600 and lies in a folder of mode 0700. One that others could have read or replaced is
/// refused. It is replaced whole or not at all, and two processes that write at once lose nothing.
public struct KeyStoreFile: Sendable {
  /// Where it is.
  public var location: String { path.string }
  let path: Path

  /// Names a file; it need not exist yet.
  ///
  /// - Parameter path: The path; nil takes ``defaultLocation(variables:)`` of the process's own variables.
  /// - Throws: `fileFailure` where there is no default.
  public init(at path: String? = nil) throws(EnvelopeError) {
    if let path {
      self.path = Path(path)
    } else {
      self.path = Path(try Self.defaultLocation(variables: ProcessEnvironment.variables))
    }
  }

  /// `$ENVELOPE_STORE`, else `$XDG_DATA_HOME/envelope/keys`, else `~/.local/share/envelope/keys`.
  ///
  /// - Throws: `fileFailure` where none of the three variables is set.
  public static func defaultLocation(variables: [String: String]) throws(EnvelopeError) -> String {
    if let path = variables["ENVELOPE_STORE"], !path.isEmpty { return path }
    // The XDG base directory specification has relative paths ignored.
    if let data = variables["XDG_DATA_HOME"], data.utf8.first == UInt8(ascii: "/") { return "\(data)/envelope/keys" }
    if let home = variables["HOME"], !home.isEmpty { return "\(home)/.local/share/envelope/keys" }
    throw EnvelopeError(
      .fileFailure, "There is no place for a key store: neither ENVELOPE_STORE nor HOME is set",
      advice: "Set ENVELOPE_STORE to the path of the key store.")
  }

  /// Reads the store, or returns nil where there is no file.
  ///
  /// - Throws: `filePermissions` where others can read or replace it, with the command that mends it, or where
  ///   this user may not read it;
  ///   `fileFailure`, `keyStoreDamaged`, `unsupportedVersion`.
  public func load() throws(EnvelopeError) -> KeyStore? {
    guard path.exists else { return nil }
    guard unsafe faccessat(AT_FDCWD, path.string, R_OK, AT_EACCESS) == 0 || errno != EACCES else {
      throw EnvelopeError(
        .filePermissions, "This user may not read the key store \(path)",
        advice: "Run this as its owner, or set ENVELOPE_STORE to a key store of this user's own.")
    }
    let file = try path.openForReading()
    try check(file.status(of: path))
    try checkFolders()
    return try file.readAll(limit: KeyStore.textByteLimit, of: path).withBytes { (text) throws(EnvelopeError) in
      try KeyStore(text: text)
    }
  }

  /// Reads the store, lets `change` change it, and writes it, while other processes wait.
  ///
  /// A store that does not exist is empty, and is made together with its folder.
  ///
  /// - Returns: What `change` returns.
  /// - Throws: As ``load()``, or what `change` throws; the file is unchanged then.
  public func update<R>(_ change: (inout KeyStore) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    try path.folder.makeFolder()
    return try path.withLock { () throws(EnvelopeError) in
      try checkFolders()
      var store = try load() ?? KeyStore()
      let result = try change(&store)
      try store.text().withBytes { (text) throws(EnvelopeError) in
        try path.replace(with: text, mode: 0o600, keepsMode: false)
      }
      return result
    }
  }

  private func check(_ status: Descriptor.Status) throws(EnvelopeError) {
    guard status.isRegular else {
      throw EnvelopeError(
        .filePermissions, "The key store \(path) is not a file",
        advice: "Set ENVELOPE_STORE to the path of the key store.")
    }
    guard status.owner == geteuid() else {
      throw EnvelopeError(
        .filePermissions, "The key store \(path) belongs to another user",
        advice: "If it is yours, run: chown $(id -u) \(path.quoted)")
    }
    guard status.mode & 0o077 == 0 else {
      throw EnvelopeError(
        .filePermissions, "Other users can use the key store \(path)", advice: "Run: chmod 600 \(path.quoted)")
    }
  }

  /// Refuses folders in which others could put another store in the place of this one.
  private func checkFolders() throws(EnvelopeError) {
    for folder in [path.folder, path.resolved.folder] {
      let status = try folder.openForReading().status(of: folder)
      guard status.owner == geteuid() || status.owner == 0 else {
        throw EnvelopeError(
          .filePermissions, "The folder \(folder) belongs to another user, who can replace the key store in it",
          advice: "If it is yours, run: chown $(id -u) \(folder.quoted)")
      }
      let isSticky = status.mode & 0o1000 != 0
      guard status.mode & 0o022 == 0 || isSticky else {
        throw EnvelopeError(
          .filePermissions, "Other users can replace the key store: they can write to its folder \(folder)",
          advice: "Run: chmod 700 \(folder.quoted)")
      }
    }
  }
}

extension KeyStore {
  /// Reads a key store from its file.
  ///
  /// - Parameter path: The path; nil takes ``KeyStoreFile/defaultLocation(variables:)``.
  /// - Throws: `keyNotFound` where there is no file, else as ``KeyStoreFile/load()``.
  public static func open(at path: String? = nil) throws(EnvelopeError) -> KeyStore {
    let file = try KeyStoreFile(at: path)
    guard let store = try file.load() else {
      throw EnvelopeError(
        .keyNotFound, "There is no key store at \(file.location)",
        advice: "Copy one there, or set ENVELOPE_STORE to where it is.")
    }
    return store
  }
}

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
  /// How long a change waits for other processes that change the store, and a use for those that write its log: 60
  /// seconds unless set.
  public var lockTimeout: Duration = LockWait.defaultLimit
  /// Receives sentences, which need no response, about a change: what it waits for, and what it could not
  /// keep or has removed.
  public var notify: (@Sendable (_ message: String) -> Void)?

  /// Names a file; it need not exist yet.
  ///
  /// - Parameter path: The path; nil takes ``defaultLocation(variables:)`` of the process's own variables.
  /// - Throws: `fileFailure` where there is no default.
  public init(at path: String? = nil) throws(EnvelopeError) {
    if let path {
      self.path = Path(path)
    } else {
      self.path = Path(try Self.defaultLocation(variables: ProcessEnvironment.variables()))
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
  /// Where the store keeps a log of uses, its keyrings write it.
  ///
  /// - Throws: `filePermissions` where others can read or replace it, with the command that mends it, or where
  ///   this user may not read it; `keyStoreLocked` where it is sealed itself;
  ///   `fileFailure`, `keyStoreDamaged`, `unsupportedVersion`.
  public func load() throws(EnvelopeError) -> KeyStore? {
    switch try read() {
    case .nothing: nil
    case .store(let store): store
    case .locked: throw locked
    }
  }

  /// Reads the store, opening it first where it is locked; returns nil where there is no file.
  ///
  /// A store that is not locked is read as it is: whoever can write the file can put such a one in the place of a locked
  /// one. Where that matters, look at ``lockingKeys()`` first.
  ///
  /// - Parameter keyring: Opens a locked store: a ``PassphraseKeyring``, a key service's, another store's.
  /// - Throws: As ``load()`` but for `keyStoreLocked`, or what opening with the keyring throws.
  public func load(unlockingWith keyring: some Keyring) async throws -> KeyStore? {
    switch try read() {
    case .nothing: nil
    case .store(let store): store
    case .locked(let text): logging(try await LockedKeyStore.open(text, using: keyring))
    }
  }

  /// The keys that open a locked store, as its header lists them, which nobody has verified; nil where it is not locked
  /// or not there.
  ///
  /// - Throws: As ``load()`` but for `keyStoreLocked`; `malformed`.
  public func lockingKeys() throws(EnvelopeError) -> [WrappedDataKey]? {
    guard case .locked(let text) = try read() else { return nil }
    return try LockedKeyStore.wrappedKeys(of: text)
  }

  /// Reads the store, lets `change` change it, and writes it, while other processes wait.
  ///
  /// A store that does not exist is empty, and is created together with its folder. Keys whose deletion is due stay in
  /// the file unless `change` calls ``KeyStore/destroyOverdue()``. It waits for others on the thread that calls it: where
  /// this process changes locked stores too, whose keyrings take their time, call the other method of this name from
  /// tasks.
  ///
  /// - Returns: What `change` returns.
  /// - Throws: As ``load()``, or what `change` throws; the file is unchanged then. `fileBusy` if another process
  ///   holds the lock for longer than ``lockTimeout``; `fileFailure` if the folder was replaced meanwhile, too.
  public func update<R>(_ change: (inout KeyStore) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    try path.folder.makeFolder()
    try checkFolders()
    let lock = try path.lock(lockWait)
    try checkFolders()
    var store = try load() ?? KeyStore()
    let result = try change(&store)
    try lock.check()
    try store.text().withBytes { (text) throws(EnvelopeError) in try replace(with: text) }
    return result
  }

  /// The same for a store that may be locked: it is opened with one keyring and sealed again with another.
  ///
  /// It gets a new data key. Other processes wait as long as the keyrings take. Who waits for them leaves the thread to
  /// other tasks, and can be cancelled.
  ///
  /// - Parameters:
  ///   - opening: Opens the store where it is locked.
  ///   - sealing: Seals it again; nil takes its lock off for good.
  ///   - change: Changes the store.
  /// - Throws: As the other method of this name, what the keyrings throw, or `CancellationError`; the file is unchanged
  ///   then.
  public func update<R>(
    unlockingWith opening: some Keyring, lockingWith sealing: (any Keyring)?,
    _ change: (inout KeyStore) throws(EnvelopeError) -> R
  ) async throws -> R {
    try path.folder.makeFolder()
    try checkFolders()
    let lock = try await path.lockLeavingThread(lockWait)
    try checkFolders()
    var store = try await load(unlockingWith: opening) ?? KeyStore()
    let result = try change(&store)
    if let sealing {
      let text = try await LockedKeyStore.seal(store, using: sealing)
      try lock.check()
      try unsafe replace(with: text.span.bytes)
    } else {
      try lock.check()
      try store.text().withBytes { (text) throws(EnvelopeError) in try replace(with: text) }
    }
    return result
  }

  private var lockWait: LockWait { LockWait(limit: lockTimeout, notify: notify) }

  /// What lies at the path.
  private enum Content {
    case nothing
    case store(KeyStore)
    case locked([UInt8])
  }

  private func read() throws(EnvelopeError) -> Content {
    guard path.exists else { return .nothing }
    guard unsafe faccessat(AT_FDCWD, path.string, R_OK, AT_EACCESS) == 0 || errno != EACCES else {
      throw EnvelopeError(
        .filePermissions, "This user may not read the key store \(path)",
        advice: "Run this as its owner, or set ENVELOPE_STORE to a key store of this user's own.")
    }
    // A pipe in its place would be waited for.
    guard try path.kind == .file else { throw noFile }
    let file = try path.openForReading()
    try check(file)
    try checkFolders()
    let limit = max(KeyStore.textByteLimit, LockedKeyStore.textByteLimit)
    return try file.readAll(limit: limit, of: path).withBytes { (text) throws(EnvelopeError) in
      LockedKeyStore.isLocked(text) ? .locked([UInt8](copying: text)) : .store(logging(try KeyStore(text: text)))
    }
  }

  /// Call this with the lock alone.
  private func replace(with text: RawSpan) throws(EnvelopeError) {
    try path.replace(with: text, Replacement(isSecret: true, notify: notify))
  }

  private var noFile: EnvelopeError {
    EnvelopeError(
      .filePermissions, "The key store \(path) is not a file",
      advice: "Set ENVELOPE_STORE to the path of the key store.")
  }

  private var locked: EnvelopeError {
    EnvelopeError(
      .keyStoreLocked, "The key store \(path) is locked",
      advice: "Open it with a keyring for the passphrase or key that it was locked with.")
  }

  /// The log of uses of a store that was loaded from here, beside its file and named like it with `.audit` after; nil
  /// where it keeps none.
  public func auditLog(of store: KeyStore) -> AuditLog? {
    store.auditKey.map { AuditLog(at: auditLogLocation, key: $0, wait: lockWait) }
  }

  /// Where the log lies: beside the file itself, so that uses that come by a link stand in the same log.
  package var auditLogLocation: String { path.resolved.string + ".audit" }

  /// The same store, whose keyrings write the log of uses where it keeps one.
  private func logging(_ store: KeyStore) -> KeyStore {
    guard let log = auditLog(of: store) else { return store }
    var store = store
    store.reportUses { (use) throws(EnvelopeError) in try log.append(use) }
    return store
  }

  private func check(_ file: borrowing Descriptor) throws(EnvelopeError) {
    let status = try file.status(of: path)
    guard status.isRegular else { throw noFile }
    guard status.owner == geteuid() else {
      throw EnvelopeError(
        .filePermissions, "The key store \(path) belongs to another user",
        advice: "Run this as its owner, or set ENVELOPE_STORE to a key store of this user's own.")
    }
    guard status.mode & 0o077 == 0 else {
      // The path may lead to any file, by a wrong variable.
      let beginning = try file.readPart(0..<min(16, status.byteCount), of: path)
      guard ["envelope-keys ", "ek1:"].contains(where: { beginning.starts(with: $0.utf8) }) else {
        throw EnvelopeError(
          .filePermissions, "Other users can use \(path), and it does not begin as a key store does",
          advice: "Set ENVELOPE_STORE to the path of the key store.")
      }
      throw EnvelopeError(
        .filePermissions, "Other users can use the key store \(path)", advice: path.advice(running: "chmod 600"))
    }
  }

  /// Refuses folders in which others could put another store in the place of this one.
  private func checkFolders() throws(EnvelopeError) {
    for file in [path, path.resolved] {
      let folder = file.folder
      let status = try folder.openForReading().status(of: folder)
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

extension KeyStoreFile {
  package var missing: EnvelopeError {
    EnvelopeError(
      .keyNotFound, "There is no key store at \(path)",
      advice: "Copy one there, or set ENVELOPE_STORE to where it is.")
  }
}

extension KeyStore {
  /// Reads a key store from its file.
  ///
  /// - Parameter path: The path; nil takes ``KeyStoreFile/defaultLocation(variables:)``.
  /// - Throws: `keyNotFound` where there is no file, else as ``KeyStoreFile/load()``.
  public static func open(at path: String? = nil) throws(EnvelopeError) -> KeyStore {
    let file = try KeyStoreFile(at: path)
    guard let store = try file.load() else { throw file.missing }
    return store
  }

  /// Reads a key store from its file, opening it first where it is locked.
  ///
  /// - Parameters:
  ///   - path: The path; nil takes ``KeyStoreFile/defaultLocation(variables:)``.
  ///   - keyring: Opens a locked store.
  /// - Throws: `keyNotFound` where there is no file, else as ``KeyStoreFile/load(unlockingWith:)``.
  public static func open(at path: String? = nil, unlockingWith keyring: some Keyring) async throws -> KeyStore {
    let file = try KeyStoreFile(at: path)
    guard let store = try await file.load(unlockingWith: keyring) else { throw file.missing }
    return store
  }
}

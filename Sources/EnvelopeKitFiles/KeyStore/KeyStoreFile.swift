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

/// A key store in a file that nobody but its owner and root can change.
///
/// It is created with mode 0600 in a folder of mode 0700, and changed only while it is like that. To be read, it may also
/// belong to root, and other users may read it if it does or if its mount is read-only: that is how platforms hand a key
/// to a function (`Docs/Deploying.md`). Reading takes no lock and writes nothing. The file is replaced atomically, and two
/// processes that write at once lose nothing.
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
  /// Receives a sentence if a store is read that other users can read too and whose keys are not narrowed to functions.
  public var warn: (@Sendable (_ message: String) -> Void)?

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
  /// - Throws: `filePermissions`, with the command that mends it, if others can write or replace it, or can read this
  ///   user's own in a place that is not mounted read-only; if it belongs neither to this user nor to root, or this user
  ///   may not read it; `keyStoreLocked` where it is sealed itself; `fileFailure`, `keyStoreDamaged`,
  ///   `unsupportedVersion`.
  public func load() throws(EnvelopeError) -> KeyStore? { try load(for: .reading) }

  private func load(for access: Access) throws(EnvelopeError) -> KeyStore? {
    switch try read(for: access) {
    case .nothing: nil
    case .store(let store, let isReadableByOthers): warned(store, isReadableByOthers)
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
    try await load(unlockingWith: keyring, for: .reading)
  }

  private func load(unlockingWith keyring: some Keyring, for access: Access) async throws -> KeyStore? {
    switch try read(for: access) {
    case .nothing: nil
    case .store(let store, let isReadableByOthers): warned(store, isReadableByOthers)
    case .locked(let text): logging(try await LockedKeyStore.open(text, using: keyring))
    }
  }

  /// Reads the store if it is not locked, and if it is, lists the keys that open it, as ``lockingKeys()`` does; both are
  /// nil if there is no file.
  package func loadUnlessLocked() throws(EnvelopeError) -> (store: KeyStore?, lockingKeys: [WrappedDataKey]?) {
    switch try read(for: .reading) {
    case .nothing: (nil, nil)
    case .store(let store, let isReadableByOthers): (warned(store, isReadableByOthers), nil)
    case .locked(let text): (nil, try LockedKeyStore.wrappedKeys(of: text))
    }
  }

  /// The keys that open a locked store, as its header lists them, which nobody has verified; nil where it is not locked
  /// or not there.
  ///
  /// - Throws: As ``load()`` but for `keyStoreLocked`; `malformed`.
  public func lockingKeys() throws(EnvelopeError) -> [WrappedDataKey]? {
    guard case .locked(let text) = try read(for: .reading) else { return nil }
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
    _ = try openFile(for: .changing)
    let lock = try path.lock(lockWait)
    var store = try load(for: .changing) ?? KeyStore()
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
    _ = try openFile(for: .changing)
    let lock = try await path.lockLeavingThread(lockWait)
    var store = try await load(unlockingWith: opening, for: .changing) ?? KeyStore()
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
    case store(KeyStore, isReadableByOthers: Bool)
    case locked([UInt8])
  }

  private func read(for access: Access) throws(EnvelopeError) -> Content {
    guard let file = try openFile(for: access) else { return .nothing }
    let isReadable = try isReadableByOthers(file)
    let limit = max(KeyStore.textByteLimit, LockedKeyStore.textByteLimit)
    return try file.readAll(limit: limit, of: path).withBytes { (text) throws(EnvelopeError) in
      LockedKeyStore.isLocked(text)
        ? .locked([UInt8](copying: text))
        : .store(logging(try store(of: text)), isReadableByOthers: isReadable)
    }
  }

  private func store(of text: RawSpan) throws(EnvelopeError) -> KeyStore {
    do throws(EnvelopeError) {
      return try KeyStore(text: text)
    } catch {
      let beginning = [UInt8](copying: text.extracting(first: min(16, text.byteCount)))
      throw Self.isBeginning(beginning) ? error : isNoStore(error.code, "\(path)")
    }
  }

  /// Warns of a store whose readers can open everything that is sealed under its keys.
  private func warned(_ store: KeyStore, _ isReadableByOthers: Bool) -> KeyStore {
    if isReadableByOthers, !store.isNarrowed {
      warn?(
        "Other users can read the key store \(path), whose keys are not narrowed to functions, and can open everything "
          + "sealed under them. Deploy a narrowed key: envelope keys export KEY --function NAME -o FILE")
    }
    return store
  }

  /// Call this with the lock alone.
  private func replace(with text: RawSpan) throws(EnvelopeError) {
    try path.replace(with: text, Replacement(isSecret: true, notify: notify))
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

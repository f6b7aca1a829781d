// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Synchronization

/// What opened a locked store: a person is asked once in a command, however often it looks into the store.
private let remembered = Mutex<ToolStore.Unlocking?>(nil)
/// What was warned of: a command that looks into the store more than once warns once.
private let warnings = Mutex<Set<String>>([])

/// The key store in its usual place, opened where it is locked.
enum ToolStore {
  /// Reads the store, or returns nil if there is none.
  ///
  /// Reading writes nothing. A key whose deletion is due refuses every use and stays in the file.
  static func load() async throws -> KeyStore? { try await unlock(file())?.store }

  /// Whether the store is locked, and this command has not opened it yet.
  static var isLocked: Bool {
    get throws(EnvelopeError) {
      guard remembered.withLock({ $0?.store == nil }) else { return false }
      return try file().lockingKeys() != nil
    }
  }

  /// The store in its usual place, or at a path, with the command's way to wait for other processes and to warn.
  static func file(at path: String? = nil) throws(EnvelopeError) -> KeyStoreFile {
    var file = try KeyStoreFile(at: path)
    let wait = try LockWait.ofCommand
    (file.lockTimeout, file.notify) = (wait.limit, wait.notify)
    file.warn = { warning in
      if warnings.withLock({ $0.insert(warning).inserted }) { Console.say("Warning: \(warning)") }
    }
    return file
  }

  /// Reads the store, which must be there.
  static func open() async throws -> KeyStore {
    guard let store = try await load() else { throw missing(try KeyStoreFile()) }
    return store
  }

  static func missing(_ file: KeyStoreFile) -> EnvelopeError {
    EnvelopeError(
      .keyNotFound, "There is no key store at \(file.location)",
      advice: "Create one: envelope keys create. Or copy one there, or set ENVELOPE_STORE to where it is.")
  }

  /// Changes the store while other processes wait.
  ///
  /// Keys whose deletion is due stay: see ``updateKeys(_:)``.
  static func update<R>(_ change: (inout KeyStore) throws(EnvelopeError) -> R) async throws -> R {
    let file = try file()
    guard let unlocking = try await unlock(file)?.keyring else { return try file.update(change) }
    let keyring = try MultiKeyring([unlocking.keyring])
    remembered.withLock { $0?.store = nil }
    return try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
      // Now that others wait: somebody may have taken the lock off, or put more keys on it, since it was looked at.
      try checkStaysLocked(file)
      return try change(&store)
    }
  }

  /// Changes keys, and destroys those whose deletion is due, which it reports on standard error.
  ///
  /// - Parameters:
  ///   - prepare: Looks keys up by aliases that the destruction may remove. It runs first.
  ///   - change: Changes the store, in which overdue keys are destroyed already.
  static func updateKeys<P, R>(
    preparing prepare: (borrowing KeyStore) throws(EnvelopeError) -> P,
    _ change: (inout KeyStore, P) throws(EnvelopeError) -> R
  ) async throws -> R {
    var destroyed: [String] = []
    let result = try await update { (store) throws(EnvelopeError) in
      let (prepared, before) = (try prepare(store), store)
      let overdue = try store.destroyOverdue()
      let result = try change(&store, prepared)
      for id in overdue {
        try store.report(KeyUse(.destroy, of: id))
        if let keyset = before[id.string] { destroyed.append(ToolKeys.describe(keyset, in: before)) }
      }
      return result
    }
    for key in destroyed { Console.say("Destroyed the key \(key): its deletion was due.") }
    return result
  }

  static func updateKeys<R>(_ change: (inout KeyStore) throws(EnvelopeError) -> R) async throws -> R {
    try await updateKeys(preparing: { (_) throws(EnvelopeError) in }) { (store, _) throws(EnvelopeError) in
      try change(&store)
    }
  }

  /// Changes one key, and records the change in the log of uses, if the store keeps one, before it takes effect.
  static func change<R>(
    _ key: String, _ operation: String, _ change: (inout KeyStore, Keyset) throws(EnvelopeError) -> R
  ) async throws -> (result: R, keyset: Keyset) {
    try await updateKeys(preparing: { (store) throws(EnvelopeError) in try store.require(key) }) {
      (store, keyset) throws(EnvelopeError) in
      let operation = KeyUse.Operation(rawValue: operation)
      let result: R
      do throws(EnvelopeError) {
        result = try change(&store, keyset)
      } catch {
        try store.report(KeyUse(operation, of: keyset.id, failure: error.code))
        // What is given comes from the command line, where a wrong value is a wrong call.
        throw error.code == .invalidArgument ? EnvelopeError(.usage, error.message, advice: error.advice) : error
      }
      try store.report(KeyUse(operation, of: keyset.id))
      return (result, store[keyset.id.string] ?? keyset)
    }
  }

  /// What opened a locked store, and the store as long as this command has not changed it.
  struct Unlocking: Sendable {
    let keyring: any Keyring
    var store: KeyStore?
  }

  /// Opens the store; the keyring is nil where it is not locked.
  static func unlock(_ file: KeyStoreFile) async throws -> (keyring: Unlocking?, store: KeyStore)? {
    let (store, keys) = try file.loadUnlessLocked()
    guard let keys else { return store.map { (nil, $0) } }
    if let known = remembered.withLock({ $0 }) {
      if let store = known.store { return (known, store) }
      return try await remember(known.keyring, file)
    }
    guard keys.contains(where: { $0.scheme == .passphrase }) else {
      let keyring = try await namedKeyring()
      return try await remember(keyring, file)
    }
    var wait = 1
    while true {
      let keyring = try PassphraseKeyring(Passphrase.read("Passphrase of \(file.location): "))
      do {
        return try await remember(keyring, file)
      } catch let error as EnvelopeError where error.code == .unwrapFailed {
        guard wait <= 4, !Passphrase.isFromDescriptor else {
          throw EnvelopeError(
            .keyStoreLocked, "That is not the passphrase of the key store \(file.location), or the store was altered",
            advice: "Find the passphrase, or restore the store from a backup: without it, no one can open the store.")
        }
        // Whoever guesses at the terminal waits, and longer each time.
        Console.say("That is not the passphrase, or the store was altered.")
        try await Task.sleep(for: .seconds(wait))
        wait *= 2
      }
    }
  }

  private static func remember(
    _ keyring: any Keyring, _ file: KeyStoreFile
  ) async throws -> (keyring: Unlocking?, store: KeyStore)? {
    let store: KeyStore?
    do {
      store = try await file.load(unlockingWith: MultiKeyring([keyring]))
    } catch let error as EnvelopeError where error.code == .keyNotFound {
      throw EnvelopeError(
        .keyStoreLocked, "None of the keys that \(variable) names opens the key store \(file.location)",
        advice: "Name one that it was locked with: an ARN or alias/NAME of AWS KMS, or the path of a key store.")
    }
    guard let store else { return nil }
    let unlocking = Unlocking(keyring: keyring, store: store)
    remembered.withLock { $0 = unlocking }
    return (unlocking, store)
  }

  /// The variable that names what a store is locked with, where that is no passphrase.
  static let variable = "ENVELOPE_STORE_KEY"

  /// The names in the variable: keys of AWS KMS, recipients, and paths of other key stores.
  private static func names() throws(EnvelopeError) -> [String] {
    let names = (ProcessEnvironment.value(of: variable) ?? "").split(separator: ",").map(String.init)
    guard !names.isEmpty else {
      throw EnvelopeError(
        .keyStoreLocked, "The key store is locked with a key, and \(variable) does not name it",
        advice: "Set it to an ARN or alias/NAME of AWS KMS, or to the path of a key store that holds the key.")
    }
    return names
  }

  private static func namedKeyring() async throws -> any Keyring { try await keyring(named: names()) }

  /// A keyring for what a store is or shall be locked with.
  static func keyring(named names: [String]) async throws -> any Keyring {
    var keyrings: [any Keyring] = []
    for name in names {
      if ToolKeys.isKMS(name) {
        keyrings += try ToolKeys.kms([name], KeyServiceSettings())
      } else if Recipient.isNamed(by: name) {
        keyrings.append(try RecipientKeyring([Recipient(name)]))
      } else {
        keyrings.append(try otherStore(at: name).keyring())
      }
    }
    return try MultiKeyring(keyrings)
  }

  /// Another store than the usual one, which must be there and not be locked itself.
  static func otherStore(at path: String) throws(EnvelopeError) -> KeyStore {
    let file = try file(at: path)
    do throws(EnvelopeError) {
      guard let store = try file.load() else {
        throw EnvelopeError(
          .noInput, "There is no key store at \(EnvelopeError.quoted(path))", advice: "Check the path.")
      }
      return store
    } catch {
      guard error.code == .keyStoreLocked else { throw error }
      throw EnvelopeError(
        error.code, error.message,
        advice: "Take its lock off first: ENVELOPE_STORE=\(Path(path).quoted) envelope keys unlock")
    }
  }

  /// Refuses to lock a store that is not locked any more, and to write one that is locked under more keys than are named:
  /// it would be under fewer then.
  private static func checkStaysLocked(_ file: KeyStoreFile) throws(EnvelopeError) {
    guard let keys = try file.lockingKeys() else {
      throw EnvelopeError(
        .fileFailure, "The lock of the key store \(file.location) was taken off meanwhile, and nothing was written",
        advice: "Run the command again.")
    }
    guard !keys.contains(where: { $0.scheme == .passphrase }) else { return }
    let names = try names()
    guard names.count >= keys.count else {
      throw EnvelopeError(
        .keyStoreLocked, "The key store is locked with \(keys.count) keys, and \(variable) names \(names.count)",
        advice: "Name all of them, separated by commas: recipients by their er1:… or er2:… text.")
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Many keysets, by id and by alias, with a default.
///
/// A value without a place of its own: `EnvelopeKitFiles` keeps it in a file. Printing, dumping or reflecting it
/// shows ids and aliases, never a secret.
public struct KeyStore: Sendable {
  /// The keysets in the order in which they were added, destroyed ones among them: at most ``keysetLimit``.
  public internal(set) var keysets: [Keyset] = []
  /// Where each keyset stands among them.
  private(set) var positions: [String: Int] = [:]
  /// The aliases and the keysets that they stand for.
  public internal(set) var aliases: [String: KeyID] = [:]
  /// The keyset that is used where none is named; nil in an empty store.
  public internal(set) var defaultKeyID: KeyID?
  /// What a log of uses is chained with; nil where none is kept.
  package internal(set) var auditKey: WrappingKey?
  // Each keyset has them, too, so that a keyring reports the use of any keyset that was taken from the store.
  private var reporters: [KeyUse.Reporter] = []

  /// How many keysets a store may have.
  public static let keysetLimit = 1024

  static let aliasByteLimit = 64

  /// Makes an empty store.
  public init() {}

  /// Adds a keyset; the first one becomes the default.
  ///
  /// - Parameters:
  ///   - keyset: The keyset; its id must be new.
  ///   - alias: A name for people: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first,
  ///   and not of the form of a key id of AWS KMS.
  /// - Throws: `keyExists` where the id or the alias is taken, `invalidArgument` where the alias is not valid or
  ///   the store is full.
  public mutating func add(_ keyset: Keyset, alias: String? = nil) throws(EnvelopeError) {
    guard keysets.count < Self.keysetLimit else {
      throw EnvelopeError(.invalidArgument, "A key store holds at most \(Self.keysetLimit) keys")
    }
    guard self[keyset.id.string] == nil else {
      throw EnvelopeError(.keyExists, "The key store already has a key or an alias \(keyset.id)")
    }
    if let alias {
      guard alias != keyset.id.string else {
        throw EnvelopeError(.keyExists, "The key's own id cannot be its alias", advice: "Choose another alias.")
      }
      try checkIsNew(alias)
      aliases[alias] = keyset.id
    }
    positions[keyset.id.string] = keysets.count
    keysets.append(keyset)
    keysets[keysets.count - 1].reporters = reporters
    defaultKeyID = defaultKeyID ?? keyset.id
  }

  /// Refuses a name that is taken, or that no alias can have: an id can begin with an underscore, an alias cannot.
  ///
  /// - Parameter isRead: Whether a file has the alias: one that an earlier release created may have the form of an id of AWS
  ///   KMS.
  func checkIsNew(_ alias: String, isRead: Bool = false) throws(EnvelopeError) {
    guard self[alias] == nil else {
      throw EnvelopeError(
        .keyExists, "The key store already has a key \(alias)", advice: "Choose another alias.")
    }
    guard Self.isValidAlias(alias) else {
      throw EnvelopeError(
        .invalidArgument, "\(EnvelopeError.quoted(alias)) cannot be the alias of a key",
        advice: "Use 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first.")
    }
    guard isRead || !KMSKeyID.isOne(alias) else {
      throw EnvelopeError(
        .invalidArgument,
        "\(EnvelopeError.quoted(alias)) cannot be the alias of a key: it has the form of ids of AWS KMS",
        advice: "Choose another alias.")
    }
  }

  private static func isValidAlias(_ alias: String) -> Bool {
    guard (1...aliasByteLimit).contains(alias.utf8.count), let first = alias.utf8.first,
      !"._-".utf8.contains(first)
    else { return false }
    return alias.utf8.allSatisfy { Base64URL.isDigit($0) || $0 == UInt8(ascii: ".") }
  }

  /// Puts together what a file held.
  init(keysets: [Keyset], aliases: [(String, KeyID)], defaultKeyID: KeyID?) throws(EnvelopeError) {
    for keyset in keysets { try add(keyset) }
    for (alias, id) in aliases {
      guard positions[id.string] != nil else { throw .keyStoreDamaged("an alias stands for no key") }
      try checkIsNew(alias, isRead: true)
      self.aliases[alias] = id
    }
    guard keysets.isEmpty ? defaultKeyID == nil : keysets.contains(where: { $0.id == defaultKeyID }) else {
      throw .keyStoreDamaged("its default is none of its keys")
    }
    self.defaultKeyID = defaultKeyID
  }

  /// The keyset with this alias or id, or nil.
  public subscript(aliasOrID: String) -> Keyset? {
    // By bytes: as a string, an alias equals one that has the Kelvin sign for its K.
    guard aliasOrID.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let named = aliases[aliasOrID]
    return positions[named?.string ?? aliasOrID].map { position in
      var keyset = keysets[position]
      keyset.alias = named == nil ? aliases.filter { $0.value == keyset.id }.keys.min() : aliasOrID
      return keyset
    }
  }

  /// The keyset with this alias or id.
  ///
  /// - Throws: `keyNotFound` where there is none.
  public func require(_ aliasOrID: String) throws(EnvelopeError) -> Keyset {
    guard let keyset = self[aliasOrID] else {
      throw EnvelopeError(
        .keyNotFound, "The key store has no key \(EnvelopeError.quoted(aliasOrID))",
        advice: aliases.isEmpty
          ? "No key in it has an alias." : "Its keys are: \(EnvelopeError.listed(aliases.keys.sorted())).")
    }
    return keyset
  }

  /// A keyring that wraps and unwraps with one keyset.
  ///
  /// - Throws: `keyNotFound` where no keyset has this alias or id.
  public func keyring(for aliasOrID: String) throws(EnvelopeError) -> KeysetKeyring {
    KeysetKeyring(try require(aliasOrID))
  }

  /// A keyring that wraps with the default keyset and unwraps with any of the store.
  ///
  /// - Throws: `keyNotFound` where the store is empty.
  public func keyring() throws(EnvelopeError) -> KeysetKeyring {
    guard let id = defaultKeyID, let keyset = self[id.string] else {
      throw EnvelopeError(.keyNotFound, "The key store is empty", advice: "Create a key: envelope keys create")
    }
    var names: [String: String] = [:]
    for (alias, id) in aliases { names[id.string] = min(names[id.string] ?? alias, alias) }
    var others = keysets.filter { $0.id != id }
    for index in others.indices { others[index].alias = names[others[index].id.string] }
    return KeysetKeyring(keyset, alsoUnwrappingWith: others)
  }

  /// Whether the system keeps the secrets out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool {
    WrappingKey.areLocked(keysets.flatMap { $0.versions.flatMap(\.keys) } + (auditKey.map { [$0] } ?? []))
  }

  /// Whether uses are to be logged by whoever keeps the store.
  public var keepsAuditLog: Bool { auditKey != nil }

  /// Has uses be logged from now on: the store gets a random key that the log's entries are chained with.
  ///
  /// `EnvelopeKitFiles` writes the log, beside the store's file, for keyrings of a store that was loaded since.
  ///
  /// - Throws: `keyExists` where a log is kept already, `systemFailure` where there is no memory or randomness.
  public mutating func startAuditLog() throws(EnvelopeError) {
    guard auditKey == nil else { throw EnvelopeError(.keyExists, "The key store already keeps a log of uses") }
    auditKey = try WrappingKey.generate()
  }

  /// Ends the log: its key is let go of, without which it cannot be verified any more.
  public mutating func endAuditLog() { auditKey = nil }

  /// Calls `reporter` before each use of a key returns its result; if it throws, the use fails with that error.
  ///
  /// That holds for keyrings of the store, and of keysets that are taken from it. Those that were taken before report
  /// nothing.
  public mutating func reportUses(to reporter: @escaping KeyUse.Reporter) {
    reporters.append(reporter)
    for index in keysets.indices { keysets[index].reporters = reporters }
  }

  /// Tells the reporters what a host has done, or is about to do, to a key: changes of a store are not told by themselves.
  ///
  /// - Throws: What a reporter throws.
  public func report(_ use: KeyUse) throws(EnvelopeError) {
    for reporter in reporters { try reporter(use) }
  }
}

extension EnvelopeError {
  static func keyStoreDamaged(_ reason: String) -> EnvelopeError {
    EnvelopeError(
      .keyStoreDamaged, "The key store is damaged: \(reason)", advice: "Restore it from a backup.")
  }
}

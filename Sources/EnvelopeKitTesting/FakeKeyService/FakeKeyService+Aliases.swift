// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension FakeKeyService {
  /// How many aliases a key may have.
  public static let aliasLimit = 50

  /// Makes an alias.
  ///
  /// - Parameters:
  ///   - alias: `alias/` and then letters, digits, slashes, underscores and hyphens, at most 256 characters in all;
  ///     `alias/aws/` is reserved.
  ///   - key: The key that it stands for.
  /// - Throws: `invalidArgument`; `keyExists` where the alias is taken; `keyNotFound`; `keyInvalidState` where the key
  ///   is pending deletion; `keyServiceRefused` where it has ``aliasLimit`` of them.
  public func createAlias(_ alias: String, for key: KeyID) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      try state.checkNewAlias(alias)
      try state.check(.createAlias, of: key)
      try state.checkAliasCount(of: key)
      state.aliases[alias] = key
    }
  }

  /// Has an alias stand for another key (UpdateAlias).
  ///
  /// The key that it stood for may be pending deletion.
  ///
  /// - Throws: `keyNotFound` where there is no such alias or key; `keyInvalidState` where the new key is pending
  ///   deletion; `keyServiceRefused` where it has ``aliasLimit`` aliases.
  public func moveAlias(_ alias: String, to key: KeyID) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      let old = try state.key(alias: alias)
      try state.check(.updateAlias, of: key)
      if old != key { try state.checkAliasCount(of: key) }
      state.aliases[alias] = key
    }
  }

  /// Removes an alias; the key stays.
  ///
  /// - Throws: `keyNotFound` where there is none.
  public func removeAlias(_ alias: String) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      _ = try state.key(alias: alias)
      state.aliases[alias] = nil
    }
  }

  /// The id of the key that a name stands for: an alias, the UUID of a key, or the ARN of either.
  ///
  /// - Throws: `keyNotFound`.
  public func keyID(named name: String) throws(EnvelopeError) -> KeyID {
    try manage { (state) throws(Refusal) in try state.key(named: name, prefix: prefix).id }
  }

  /// Whether a name is an alias or the ARN of one.
  func isAlias(_ name: String) -> Bool {
    name.utf8.starts(with: "alias/".utf8) || name.utf8.starts(with: (prefix + "alias/").utf8)
  }
}

extension FakeKeyService.State {
  func checkNewAlias(_ alias: String) throws(FakeKeyService.Refusal) {
    let characters = alias.utf8.dropFirst(6)
    guard alias.utf8.starts(with: "alias/".utf8), (1...250).contains(characters.count),
      characters.allSatisfy({ Base64URL.isDigit($0) || $0 == UInt8(ascii: "/") }),
      !characters.starts(with: "aws/".utf8)
    else {
      throw FakeKeyService.Refusal(.invalidAliasName, "\(EnvelopeError.quoted(alias)) cannot be an alias")
    }
    guard aliases[alias] == nil else {
      throw FakeKeyService.Refusal(.alreadyExists, "The key service has an alias \(alias) already")
    }
  }

  fileprivate func checkAliasCount(of key: KeyID) throws(FakeKeyService.Refusal) {
    guard aliases.count(where: { $0.value == key }) < FakeKeyService.aliasLimit else {
      throw FakeKeyService.Refusal(.limitExceeded, "A key has at most \(FakeKeyService.aliasLimit) aliases")
    }
  }

  fileprivate func key(alias: String) throws(FakeKeyService.Refusal) -> KeyID {
    // By bytes: as a string, an alias equals one that has the Kelvin sign for its K.
    guard alias.utf8.allSatisfy({ $0 < 0x80 }), let id = aliases[alias] else {
      throw FakeKeyService.Refusal(.notFound, "The key service has no alias \(EnvelopeError.quoted(alias))")
    }
    return id
  }

  /// The key that an alias, a UUID or an ARN stands for.
  func key(named name: String, prefix: String) throws(FakeKeyService.Refusal) -> FakeKeyService.Key {
    let isOurs = name.utf8.starts(with: prefix.utf8)
    let short = isOurs ? String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : name
    if short.utf8.starts(with: "alias/".utf8) { return try key(key(alias: short)) }
    guard let id = try? KeyID(isOurs ? name : prefix + "key/" + name) else {
      throw FakeKeyService.Refusal(.notFound, "The key service has no key \(EnvelopeError.quoted(name))")
    }
    return try key(id)
  }
}

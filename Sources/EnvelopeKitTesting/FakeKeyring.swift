// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension FakeKeyService {
  /// A keyring that has this service wrap and unwrap.
  ///
  /// Nothing is looked up now: a name that is no key's is refused when the keyring is used.
  ///
  /// - Parameters:
  ///   - name: The key that wraps and unwraps: an alias, a UUID, or the ARN of either.
  ///   - others: Names of keys that unwrap only.
  ///   - principal: Who the service takes the caller for.
  ///   - grantTokens: Sent with every call; at most 10.
  public func keyring(
    for name: String, alsoUnwrappingWith others: [String] = [], as principal: Principal = .owner,
    grantTokens: [String] = []
  ) -> FakeKeyring {
    FakeKeyring(service: self, names: [name] + others, principal: principal, grantTokens: grantTokens)
  }

  /// A keyring for a key by its id; see the other method of this name.
  public func keyring(
    for key: KeyID, alsoUnwrappingWith others: [KeyID] = [], as principal: Principal = .owner,
    grantTokens: [String] = []
  ) -> FakeKeyring {
    keyring(for: key.string, alsoUnwrappingWith: others.map(\.string), as: principal, grantTokens: grantTokens)
  }
}

/// Wraps and unwraps with keys of a ``FakeKeyService``, one call each, as a keyring of a real service does.
///
/// Its entries have the scheme `other` and the ARN of the key. Printing, dumping or reflecting it shows the names of
/// the keys and nothing else.
public struct FakeKeyring: Keyring {
  let service: FakeKeyService
  let names: [String]
  let principal: FakeKeyService.Principal
  let grantTokens: [String]

  /// Has the service make a data key: one call.
  ///
  /// - Throws: `invalidArgument` for a context that breaks a limit, or what the service refuses with.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let generated = try await service.generateDataKey(request(names[0], context))
    let entry = try WrappedDataKey(
      scheme: .other, keyID: generated.encrypted.key, bytes: generated.encrypted.ciphertext)
    return GeneratedDataKey(dataKey: try DataKey(generated.takePlaintext()), wrapped: [entry])
  }

  /// Has the service wrap a data key: one call.
  ///
  /// - Throws: As for ``generateDataKey(for:)``.
  public func wrap(
    _ dataKey: borrowing DataKey, for context: EncryptionContext
  ) async throws -> [WrappedDataKey] {
    let plaintext = dataKey.withBytes { SecretBytes(copying: $0) }
    let encrypted = try await service.encrypt(plaintext, request(names[0], context))
    return [try WrappedDataKey(scheme: .other, keyID: encrypted.key, bytes: encrypted.ciphertext)]
  }

  /// Has the service unwrap the first entry of a key that the caller named.
  ///
  /// A name that is a key's costs at most one call. What an alias stands for only the service knows, so an alias may
  /// cost one for each key that the entries name; entries of other services cost none.
  ///
  /// - Throws: `keyNotFound` where no entry is of these keys, or a named key is gone; `unwrapFailed` where an entry was
  ///   altered or the context differs; or what else the service refuses with, the first of them.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    var failure: EnvelopeError?
    var asked: Set<String> = []
    for entry in wrapped where entry.scheme == .other && service.mayBeKey(entry.keyID) {
      // An alias may stand for the same key, so none is asked where the key itself is named.
      let names = names.first { service.isName($0, of: entry.keyID) }.map { [$0] } ?? names.filter(service.isAlias)
      for name in names where asked.insert("\(name) \(entry.keyID)").inserted {
        do {
          let decrypted = try await service.decrypt(entry.bytes, request(name, context))
          // The entry's key id comes from outside: it must be the key that unwrapped.
          guard decrypted.key == entry.keyID else { continue }
          return UnwrappedDataKey(dataKey: try Self.dataKey(decrypted), source: entry)
        } catch let error as EnvelopeError {
          if service.isAlias(name), error.serviceError == FakeKeyService.Refusal.Kind.incorrectKey.rawValue { continue }
          // That a key is not there says least.
          if failure == nil || failure?.code == .keyNotFound && error.code != .keyNotFound { failure = error }
        }
      }
    }
    throw failure ?? .keyNotFound(among: wrapped)
  }

  private func request(_ name: String, _ context: EncryptionContext) -> FakeKeyService.Request {
    FakeKeyService.Request(name, as: principal, grantTokens: grantTokens, context: context)
  }

  private static func dataKey(_ decrypted: consuming FakeKeyService.Decrypted) throws(EnvelopeError) -> DataKey {
    let plaintext = decrypted.takePlaintext()
    guard plaintext.byteCount == DataKey.byteCount else {
      throw EnvelopeError(
        .keyServiceAnswerInvalid, "The key service unwrapped \(plaintext.byteCount) bytes, which is no data key")
    }
    return try DataKey(plaintext)
  }
}

extension FakeKeyring: CustomReflectable, CustomStringConvertible {
  /// The names of the keys.
  public var description: String { "FakeKeyring(\(names.map(EnvelopeError.quoted).joined(separator: ", ")))" }

  /// Shows the names of the keys alone.
  public var customMirror: Mirror { Mirror(self, children: ["names": names]) }
}

extension FakeKeyService {
  /// Whether an id is of the form that keys of this service have.
  fileprivate func mayBeKey(_ id: KeyID) -> Bool { id.string.utf8.starts(with: (prefix + "key/").utf8) }

  /// Whether a name, no alias, is that of a key: its UUID or its ARN.
  fileprivate func isName(_ name: String, of id: KeyID) -> Bool {
    name.utf8.elementsEqual(id.string.utf8) || (prefix + "key/" + name).utf8.elementsEqual(id.string.utf8)
  }
}

extension EnvelopeError {
  fileprivate static func keyNotFound(among wrapped: [WrappedDataKey]) -> EnvelopeError {
    let keys = wrapped.map { "\($0.scheme) \($0.keyID)" }.joined(separator: ", ")
    return EnvelopeError(
      .keyNotFound, "The keyring names none of the envelope's keys (\(keys))",
      advice: "Name one of them in keyring(for:alsoUnwrappingWith:).")
  }
}

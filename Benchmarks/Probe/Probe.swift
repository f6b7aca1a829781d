// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What is measured from outside: how long a process takes that opens its environment, and how many bytes secrets take.
@main
struct Probe {
  static func main() async throws {
    switch CommandLine.arguments.dropFirst().first {
    case "start": break
    case "open": try await open()
    case "seal": try await seal()
    case "capacity": try await printCapacity()
    default: print("Probe start | open | seal | capacity")
    }
  }

  private static let function = "checkout"

  /// What a handler does before its first event.
  private static func open() async throws {
    let secrets = try await HandlerSecrets.open()
    for name in values(10).keys { _ = try secrets.require(name) }
  }

  /// Makes the key store that `ENVELOPE_STORE` names, and prints ten sealed variables.
  private static func seal() async throws {
    let keyset = try KeyStoreFile().update { (store) throws(EnvelopeError) in
      let keyset = try Keyset.generate()
      try store.add(keyset, alias: "default")
      return keyset
    }
    let sealed = try await SealedEnvironment.seal(
      values(10), context: ["function": function], using: KeysetKeyring(keyset))
    for (name, value) in sealed.variables { print("\(name)=\(value)") }
  }

  /// Prints how many bytes so many secrets take of what AWS Lambda allows, measured on compact JSON as it does.
  private static func printCapacity() async throws {
    print("form,key,count,bytes")
    let keyrings: [(String, any Keyring)] = [
      ("keyset", KeysetKeyring(try .generate())), ("kms", KeyringOfKMSSize()),
    ]
    for (key, keyring) in keyrings {
      for (name, form) in [("separate", SealedEnvironment.Form.separate), ("packed", .packed)] {
        for count in 0...110 {
          let sealed = try await seal(values(count), as: form, using: keyring)
          // {"K":"V","K":"V"}
          let byteCount = sealed.variables.reduce(1) { $0 + 6 + $1.key.utf8.count + $1.value.utf8.count }
          print("\(name),\(key),\(count),\(byteCount)")
        }
      }
    }
  }

  private static func seal(
    _ values: [String: String], as form: SealedEnvironment.Form, using keyring: some Keyring
  ) async throws -> SealedEnvironment {
    try await SealedEnvironment.seal(values, as: form, context: ["function": function], using: keyring)
  }

  /// Names of twelve characters and values of twenty.
  private static func values(_ count: Int) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: (0..<count).map { ("SECRET_\(10_000 + $0)", "value-\(10_000_000_000_000 + $0)") })
  }
}

/// Wraps to as many bytes as AWS KMS does, under a key id as long as one of its ARNs, and protects nothing.
private struct KeyringOfKMSSize: Keyring {
  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    let arn = try KeyID("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    return [try WrappedDataKey(scheme: .awsKMS, keyID: arn, bytes: [UInt8](repeating: 0, count: 184))]
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    throw EnvelopeError(.unwrapFailed, "This keyring only has the size of one")
  }
}

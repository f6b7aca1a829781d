// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// Some of what `inspect` tells.
struct InspectReport: Decodable {
  struct Key: Decodable { let id: String }

  let keys: [Key]
  let generation: UInt32?
}

extension Sandbox {
  /// Makes a key and returns its id.
  @discardableResult
  func makeKey(_ alias: String, in store: String? = nil) throws -> String {
    let result = try envelope("keys", "create", alias, with: store.map { ["ENVELOPE_STORE": $0] } ?? [:])
    return String(result.succeeded().text.dropLast())
  }

  /// Makes an identity in a store of its own and returns the recipient's text.
  func makeRecipient(_ alias: String, in store: String) throws -> String {
    let result = try envelope("keys", "recipient", alias, with: ["ENVELOPE_STORE": store])
    return String(result.succeeded().text.dropLast())
  }

  /// What `inspect` tells of a file.
  func report(of file: String) throws -> InspectReport {
    try JSONDecoder().decode(InspectReport.self, from: envelope("inspect", file, "--json").succeeded().output)
  }

  /// The key ids that a file lists, in their order.
  func keyIDs(of file: String) throws -> [String] { try report(of: file).keys.map(\.id) }

  /// A keyring of the sandbox's own key store.
  func keyring(for key: String? = nil) throws -> KeysetKeyring {
    let store = try KeyStore.open(at: keyStore)
    return try key.map { try store.keyring(for: $0) } ?? store.keyring()
  }
}

extension Sandbox {
  /// Locks a store under a key of another, so that no passphrase has to be worked on.
  func lock(_ store: KeyStore, at name: String) async throws {
    let other = KeysetKeyring(try Keyset.generate())
    try await KeyStoreFile(at: path(name)).update(unlockingWith: other, lockingWith: other) { $0 = store }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import EnvelopeKitFoundation

struct Credentials: Decodable {
  let user: String
  let password: String
}

@main
struct Values {
  static func main() async {
    await HandlerSecrets.runOrExit {
      try await values(using: KeyStore.open().keyring())
      try await suites(using: KeyStore.open().keyring())
      try await batches(using: KeyStore.open().keyring())
      try await environments(using: KeyStore.open().keyring())
    }
  }

  static func values(using keyring: KeysetKeyring) async throws {
    let sealer = try await Sealer(context: ["table": "tokens"], using: keyring)
    let envelope = try sealer.seal(Array("a token".utf8), authenticating: Array("row 17".utf8))

    let opener = try await Opener(for: envelope, context: ["table": "tokens"], using: keyring)
    let token = try opener.open(envelope, authenticating: Array("row 17".utf8))
    token.withBytes { print("A token of \($0.byteCount) bytes, sealed in \(envelope.count)") }
  }

  static func suites(using keyring: KeysetKeyring) async throws {
    func show(_ envelope: [UInt8]) { print("A token, sealed with AEGIS-256 in \(envelope.count) bytes") }

    if AlgorithmSuite.aegis256.isAvailable {
      let sealer = try await Sealer(context: ["table": "tokens"], suite: .aegis256, using: keyring)
      try show(sealer.seal(Array("a token".utf8), authenticating: Array("row 17".utf8)))
    }
  }

  static func batches(using keyring: KeysetKeyring) async throws {
    let sealer = try await Sealer(context: ["table": "tokens"], using: keyring)
    let (tokens, rows) = ([Array("one".utf8), Array("two".utf8)], [Array("row 1".utf8), Array("row 2".utf8)])

    let envelopes = try sealer.seal(tokens, authenticating: rows)

    let opener = try await Opener(for: envelopes[0], context: ["table": "tokens"], using: keyring)
    try opener.open(envelopes, authenticating: rows) { index, token in
      print("Token \(index) has \(token.byteCount) bytes")
    }
  }

  static func environments(using keyring: KeysetKeyring) async throws {
    let sealed = try await SealedEnvironment.seal(
      ["DATABASE": #"{"user": "shop", "password": "example"}"#, "SIGNING_KEY": "c2lnbmluZyBrZXk"],
      as: .packed, context: ["function": "checkout"], using: keyring)

    // Many handlers may ask at once; the keyring is called once.
    let secrets = HandlerSecrets(
      using: keyring, function: "checkout", minimumGeneration: sealed.generation, variables: sealed.variables)
    let opened = try await secrets.opened()

    let credentials = try opened.require("DATABASE").json(as: Credentials.self)
    let key = try opened.require("SIGNING_KEY").base64URLBytes()
    print("Signing as \(credentials.user) with a key of \(key.byteCount) bytes")
  }
}

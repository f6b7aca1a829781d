// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Crypto
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// Both directions against swift-crypto's HPKE, and both refusing the same.
  @Suite(.timeLimit(.minutes(20))) struct HPKEPeerTests {
    private typealias Peer = Crypto.HPKE
    private typealias PrivateKey = Crypto.Curve25519.KeyAgreement.PrivateKey
    private typealias PublicKey = Crypto.Curve25519.KeyAgreement.PublicKey

    private static let suite = Peer.Ciphersuite.Curve25519_SHA256_ChachaPoly

    private static func message(_ random: inout SplitMix64) -> (text: [UInt8], data: [UInt8], info: [UInt8]) {
      let lengths = [0, 1, 15, 16, 17, 32, 63, 64, 65, 300, 5000]
      func bytes() -> [UInt8] { random.bytes(lengths[Int(random.next() % UInt64(lengths.count))]) }
      return (bytes(), bytes(), bytes())
    }

    private static func seal(
      _ message: (text: [UInt8], data: [UInt8], info: [UInt8]), to publicKey: [UInt8]
    ) throws -> [UInt8] {
      var sender = try Peer.Sender(
        recipientKey: PublicKey(rawRepresentation: publicKey), ciphersuite: suite, info: Data(message.info))
      return try Array(sender.encapsulatedKey) + sender.seal(message.text, authenticating: message.data)
    }

    private static func open(
      _ sealed: [UInt8], data: [UInt8], info: [UInt8], with privateKey: [UInt8]
    ) throws -> [UInt8] {
      var recipient = try Peer.Recipient(
        privateKey: PrivateKey(rawRepresentation: privateKey), ciphersuite: suite, info: Data(info),
        encapsulatedKey: Data(sealed.prefix(32)))
      return try Array(recipient.open(Data(sealed.dropFirst(32)), authenticating: Data(data)))
    }

    @Test(arguments: seeds) func whatIsSealedHereOpensThere(seed: UInt64) throws {
      var random = SplitMix64(seed: seed)
      for _ in 0..<100 {
        let (privateKey, message) = (random.bytes(32), Self.message(&random))
        let publicKey = try X25519.publicKey(of: privateKey)
        #expect(try Array(PrivateKey(rawRepresentation: privateKey).publicKey.rawRepresentation) == publicKey)
        let sealed = try EnvelopeKit.HPKE.seal(
          message.text, authenticating: message.data, info: message.info, to: publicKey)
        #expect(
          try Self.open(sealed, data: message.data, info: message.info, with: privateKey) == message.text)
      }
    }

    @Test(arguments: seeds) func whatIsSealedThereOpensHere(seed: UInt64) throws {
      var random = SplitMix64(seed: seed)
      for _ in 0..<100 {
        let (privateKey, message) = (random.bytes(32), Self.message(&random))
        let sealed = try Self.seal(message, to: X25519.publicKey(of: privateKey))
        let opened = try EnvelopeKit.HPKE.open(
          sealed, authenticating: message.data, info: message.info, with: privateKey)
        #expect(opened == message.text)
      }
    }

    @Test(arguments: seeds) func bothRefuseEveryFlippedByte(seed: UInt64) async throws {
      var random = SplitMix64(seed: seed)
      let privateKey = random.bytes(32)
      let message = (text: random.bytes(5), data: random.bytes(3), info: random.bytes(4))
      let publicKey = try X25519.publicKey(of: privateKey)
      let sealed = [
        try Self.seal(message, to: publicKey),
        try EnvelopeKit.HPKE.seal(message.text, authenticating: message.data, info: message.info, to: publicKey),
      ]
      for sealed in sealed {
        for index in sealed.indices {
          let altered = sealed.flipping(bit: Int(random.next() % 8), of: index)
          #expect(throws: (any Error).self) {
            try Self.open(altered, data: message.data, info: message.info, with: privateKey)
          }
          await expectError(.payloadAltered, at: "byte \(index)") {
            try EnvelopeKit.HPKE.open(
              altered, authenticating: message.data, info: message.info, with: privateKey)
          }
        }
      }
    }

    /// A recipient's entry in a header is one message of HPKE and nothing more.
    @Test func theEntryOfARecipientOpensThere() async throws {
      let identity = try Keyset.generate(.identity)
      let context: EncryptionContext = ["function": "checkout", "stage": "prod"]
      let entry = try identity.recipient().wrap(try DataKey(copying: Planted.dataKey), for: context)
      let privateKey = try identity.versions[0].keys[0].withBytes { [UInt8](copying: $0) }
      let keyID = Array("\(identity.id).1".utf8)
      var data: [UInt8] = [0x02, 0, UInt8(keyID.count)] + keyID
      for (key, value) in [("function", "checkout"), ("stage", "prod")] {
        data += [0, UInt8(key.utf8.count)] + Array(key.utf8) + [0, UInt8(value.utf8.count)] + Array(value.utf8)
      }
      let info = Array("EnvelopeKit v1 recipient".utf8)
      #expect(try Self.open(entry.bytes, data: data, info: info, with: privateKey) == Planted.dataKey)
    }
  }
#endif

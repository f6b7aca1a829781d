// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit

/// Both directions against another implementation of HPKE (`Tests/Python/hpke_peer.py`), and both refusing the same.
@Suite(.timeLimit(.minutes(20))) struct HPKEPythonTests {
  private typealias Message = (text: [UInt8], data: [UInt8], info: [UInt8])

  private let python: PythonPeer

  init() throws { python = try PythonPeer("hpke_peer.py") }

  private static func message(_ random: inout SplitMix64) -> Message {
    let lengths = [0, 1, 15, 16, 17, 32, 63, 64, 65, 300, 5000]
    func bytes() -> [UInt8] { random.bytes(lengths[Int(random.next() % UInt64(lengths.count))]) }
    return (bytes(), bytes(), bytes())
  }

  private func ask(_ command: String, _ key: [String: [UInt8]], _ message: Message) throws -> [UInt8]? {
    let fields = key.merging(["message": message.text, "data": message.data, "info": message.info]) { $1 }
    let answer = try python.ask(command, fields.mapValues { PythonPeer.text(of: $0) })
    guard let text = answer["message"] as? String else {
      #expect(answer["error"] != nil)
      return nil
    }
    return try PythonPeer.bytes(of: text)
  }

  private func sealThere(_ message: Message, to publicKey: [UInt8]) throws -> [UInt8] {
    try #require(try ask("seal", ["public": publicKey], message))
  }

  /// nil if it is refused.
  private func openThere(
    _ sealed: [UInt8], data: [UInt8], info: [UInt8], with privateKey: [UInt8]
  ) throws -> [UInt8]? {
    try ask("open", ["private": privateKey], (sealed, data, info))
  }

  @Test(arguments: seeds) func whatIsSealedHereOpensThere(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let (privateKey, message) = (random.bytes(32), Self.message(&random))
      let publicKey = try X25519.publicKey(of: privateKey)
      let sealed = try HPKE.seal(
        message.text, authenticating: message.data, info: message.info, to: publicKey)
      #expect(
        try openThere(sealed, data: message.data, info: message.info, with: privateKey) == message.text)
    }
  }

  @Test(arguments: seeds) func whatIsSealedThereOpensHere(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let (privateKey, message) = (random.bytes(32), Self.message(&random))
      let sealed = try sealThere(message, to: X25519.publicKey(of: privateKey))
      let opened = try HPKE.open(
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
      try sealThere(message, to: publicKey),
      try HPKE.seal(message.text, authenticating: message.data, info: message.info, to: publicKey),
    ]
    for sealed in sealed {
      for index in sealed.indices {
        let altered = sealed.flipping(bit: Int(random.next() % 8), of: index)
        #expect(
          try openThere(altered, data: message.data, info: message.info, with: privateKey) == nil, "byte \(index)")
        await expectError(.payloadAltered, at: "byte \(index)") {
          try HPKE.open(
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
    #expect(try openThere(entry.bytes, data: data, info: info, with: privateKey) == Planted.dataKey)
  }
}

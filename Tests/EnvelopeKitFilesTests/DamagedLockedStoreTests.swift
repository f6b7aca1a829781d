// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct DamagedLockedStoreTests {
  let folder: TemporaryFolder
  let path: String
  let file: KeyStoreFile
  let keyring: PassphraseKeyring
  let text: [UInt8]

  init() async throws {
    folder = try TemporaryFolder()
    path = folder.path + "/keys"
    file = try KeyStoreFile(at: path)
    let keyring = try cheapKeyring("horse")
    self.keyring = keyring
    try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
      try store.add(Keyset.generate(), alias: "default")
    }
    text = try bytes(of: path)
  }

  private static let refusals: [EnvelopeError.Code] = [
    .malformed, .unsupportedVersion, .unsupportedSuite, .contextDiffers, .headerAltered, .payloadAltered, .keyNotFound,
    .unwrapFailed,
    .keyStoreDamaged,
  ]

  /// Puts another text in its place, and expects that neither reading nor changing takes it, and how that is told.
  private func expectRefusal(
    _ text: some Sequence<UInt8>, at comment: String, _ codes: [EnvelopeError.Code] = refusals,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let text = Array(text)
    try write(text, to: path)
    try folder.setMode(0o600, of: path)
    for isUpdate in [false, true] {
      do {
        if isUpdate {
          try await file.update(unlockingWith: keyring, lockingWith: nil) { _ in }
        } else {
          _ = try await file.load(unlockingWith: keyring)
        }
        Issue.record("\(comment): it opens", sourceLocation: sourceLocation)
      } catch let error as EnvelopeError {
        #expect(codes.contains(error.code), "\(comment): \(error.code.rawValue)", sourceLocation: sourceLocation)
      }
    }
    #expect(try bytes(of: path) == text, "\(comment)", sourceLocation: sourceLocation)
  }

  private func altered(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    var bytes = try Envelope.bytes(ofText: String(decoding: text.dropLast(), as: UTF8.self))
    change(&bytes)
    return Array((Envelope.text(of: bytes) + "\n").utf8)
  }

  @Test func noByteOfItCanBeAltered() async throws {
    let count = try Envelope.bytes(ofText: String(decoding: text.dropLast(), as: UTF8.self)).count
    for offset in 0..<count {
      for mask in [0x01, 0x80] as [UInt8] {
        try await expectRefusal(altered { $0[offset] ^= mask }, at: "byte \(offset), mask \(mask)")
      }
    }
  }

  @Test func noCharacterOfItCanBeAnother() async throws {
    for offset in text.indices {
      for other in [0, 0x0a, 0x20, 0xc3, UInt8(ascii: "=")] where other != text[offset] {
        var changed = text
        changed[offset] = other
        try await expectRefusal(changed, at: "character \(offset), \(other)")
      }
    }
  }

  @Test func noPartOfItOpens() async throws {
    for count in text.indices { try await expectRefusal(text.prefix(count), at: "the first \(count) bytes") }
    for count in 1...4 { try await expectRefusal(text.dropFirst(count), at: "without the first \(count) bytes") }
  }

  @Test func nothingFollowsIt() async throws {
    for rest in ["\n", "x", "end\n", "\r\n"] { try await expectRefusal(text + Array(rest.utf8), at: rest) }
    try await expectRefusal(text + text, at: "twice")
  }

  /// Where the header has the cost of the passphrase: it has no other key, and that has an id of 12 characters.
  private static let costOffset = 26 + 1 + 1 + 12 + 2

  @Test(arguments: [[21, 1], [255, 255], [20, 5], [3, 0], [2, 1], [0, 0], [18, 17]] as [[UInt8]])
  func aHeaderThatAsksForTooMuchIsRefusedBeforeItIsDone(cost: [UInt8]) async throws {
    let whole = try Envelope.bytes(ofText: String(decoding: text.dropLast(), as: UTF8.self))
    try #require(whole[Self.costOffset...].prefix(2) == [3, 1])
    let start = ContinuousClock.now
    try await expectRefusal(
      altered { $0.replaceSubrange(Self.costOffset..<Self.costOffset + 2, with: cost) }, at: "\(cost)", [.malformed])
    #expect(ContinuousClock.now - start < .seconds(1))
  }

  /// What is sealed for something else, even with the same passphrase, is no key store.
  @Test func anotherEnvelopeInItsPlaceIsRefused() async throws {
    for (context, bytes, data, code) in [
      (["purpose": "envelope-keys"], [], [], EnvelopeError.Code.payloadAltered),
      (["purpose": "envelope-keys"], Array("no store".utf8), Array("envelope-keys".utf8), .keyStoreDamaged),
      (["purpose": "envelope-keys"], [], Array("envelope-keys".utf8), .keyStoreDamaged),
      ([:], Array("envelope-keys 1\nend\n".utf8), Array("envelope-keys".utf8), .contextDiffers),
    ] as [(EncryptionContext, [UInt8], [UInt8], EnvelopeError.Code)] {
      let sealed = try await Envelope.seal(bytes, context: context, authenticating: data, using: keyring)
      try await expectRefusal(Array((Envelope.text(of: sealed) + "\n").utf8), at: "\(bytes)", [code, .unwrapFailed])
    }
  }

  /// Whoever can replace the file can put a store of theirs there, but not without the key that locks it.
  @Test func aStoreOfAnothersPassphraseIsRefused() async throws {
    let other = try KeyStoreFile(at: folder.path + "/other")
    try await other.update(unlockingWith: cheapKeyring("other"), lockingWith: cheapKeyring("other")) { _ in }
    try await expectRefusal(bytes(of: other.location), at: "another's", [.unwrapFailed])
  }

  @Test func tooLongAOneIsRefused() async throws {
    try await expectRefusal(
      Array("ek1:".utf8) + [UInt8](repeating: 65, count: 8 << 20) + [10], at: "8 MiB",
      [.fileFailure, .malformed])
  }
}

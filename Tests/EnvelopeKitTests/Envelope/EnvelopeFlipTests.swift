// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// No bit of an envelope can change, and no byte go or come, without being noticed.
@Suite(.timeLimit(.minutes(20))) struct EnvelopeFlipTests {
  private let context: EncryptionContext = ["function": "checkout", "table": "tokens"]
  private let plaintext = Array(Planted.password.utf8)

  @Test(arguments: AlgorithmSuite.here) func everyFlippedBit(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let envelope = try await Envelope.seal(plaintext, context: context, suite: suite, using: keyring)
    let parts = HeaderPart.parts([(.payload, suite.aead.overheadByteCount + plaintext.count)])
    #expect(envelope.count == parts.count)
    var seen: [HeaderPart: Set<EnvelopeError.Code>] = [:]
    for (index, part) in zip(envelope.indices, parts) {
      for bit in 0..<8 {
        let error = await expectError(at: "\(part), byte \(index), bit \(bit)", part.codesWhenFlipped) {
          try await Envelope.open(envelope.flipping(bit: bit, of: index), context: context, using: keyring)
        }
        if let error { seen[part, default: []].insert(error.code) }
      }
    }
    #expect(seen[.kind] == [.unsupportedVersion, .malformed])
    #expect(seen[.keyID] == [.keyNotFound, .malformed])
    #expect(try await Envelope.open(envelope, context: context, using: keyring).copy() == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func everyTruncationAndEveryExtension(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let envelope = try await Envelope.seal(plaintext, context: context, suite: suite, using: keyring)
    let shortest = HeaderPart.headerByteCount + suite.aead.overheadByteCount
    for count in 0..<envelope.count {
      await expectError(at: "\(count) bytes", [count < shortest ? .malformed : .payloadAltered]) {
        try await Envelope.open(Array(envelope[..<count]), context: context, using: keyring)
      }
    }
    for byte in UInt8.min...UInt8.max {
      await expectError(.payloadAltered) {
        try await Envelope.open(envelope + [byte], context: context, using: keyring)
      }
      await expectError(.malformed, .unsupportedVersion) {
        try await Envelope.open([byte] + envelope, context: context, using: keyring)
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func everyFlippedBitOfTheText(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let text = Array(
      Envelope.text(of: try await Envelope.seal(plaintext, context: context, suite: suite, using: keyring)).utf8)
    for index in text.indices {
      for bit in 0..<8 {
        let altered = String(decoding: text.flipping(bit: bit, of: index), as: UTF8.self)
        let error = await expectError(at: "character \(index), bit \(bit)", EnvelopeFlipTests.codes) {
          try await Envelope.open(Envelope.bytes(ofText: altered), context: context, using: keyring)
        }
        if index < 4 { #expect(error?.code == .malformed) }
      }
      let truncated = String(decoding: text[..<index], as: UTF8.self)
      await expectError(at: "\(index) characters", [.malformed, .payloadAltered]) {
        try await Envelope.open(Envelope.bytes(ofText: truncated), context: context, using: keyring)
      }
    }
  }

  /// What altered bytes of a header and its payload may ever lead to.
  static let codes: [EnvelopeError.Code] = [
    .malformed, .unsupportedVersion, .unsupportedSuite, .contextDiffers, .keyNotFound, .unwrapFailed, .headerAltered,
    .payloadAltered,
  ]

  @Test(arguments: ["", "ek1", "ek1:", "EK1:AAAA", "ev1:AAAA", " ek1:AAAA", "ek1: AAAA", "ek1:AAAA\n", "ek1:AA=="])
  func textThatIsNone(text: String) async throws {
    let keyring = KeysetKeyring(try .generate())
    await expectError(.malformed) {
      try await Envelope.open(Envelope.bytes(ofText: text), context: context, using: keyring)
    }
  }

  @Test(arguments: AlgorithmSuite.here) func anotherContext(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let envelope = try await Envelope.seal(plaintext, context: context, suite: suite, using: keyring)
    let others: [EncryptionContext] = [
      [:], ["function": "checkout"], ["function": "checkout", "table": "Tokens"],
      ["function": "checkout", "tables": "tokens"], ["function": "tokens", "table": "checkout"],
      context.adding("1", for: "z"),
    ]
    for other in others {
      await expectError(.contextDiffers) { try await Envelope.open(envelope, context: other, using: keyring) }
    }
    await expectError(.invalidArgument) { try await Envelope.open(envelope, context: ["": ""], using: keyring) }
  }

  @Test(arguments: AlgorithmSuite.here) func anotherAssociatedData(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let envelope = try await Envelope.seal(
      plaintext, context: [:], authenticating: [1, 2], suite: suite, using: keyring)
    for other in [[], [1], [2, 1], [1, 2, 0]] as [[UInt8]] {
      await expectError(.payloadAltered) {
        try await Envelope.open(envelope, context: [:], authenticating: other, using: keyring)
      }
    }
    let opened = try await Envelope.open(envelope, context: [:], authenticating: [1, 2], using: keyring)
    #expect(opened.copy() == plaintext)
  }

  /// Salts, data keys and nonces are fresh, and another envelope's payload does not fit.
  @Test(arguments: AlgorithmSuite.here) func envelopesDoNotMix(suite: AlgorithmSuite) async throws {
    let keyring = KeysetKeyring(try .generate())
    let a = try await Envelope.seal(plaintext, context: [:], suite: suite, using: keyring)
    let b = try await Envelope.seal(plaintext, context: [:], suite: suite, using: keyring)
    let cut = HeaderPart.headerByteCount
    #expect(a[5..<21] != b[5..<21] && a[cut...] != b[cut...])
    await expectError(.payloadAltered) {
      try await Envelope.open(Array(a[..<cut] + b[cut...]), context: [:], using: keyring)
    }
    for part in [5..<21, 21..<25, 44..<116, 116..<148, 148..<164] {
      var mixed = a
      mixed.replaceSubrange(part, with: b[part])
      await expectError(.contextDiffers, .unwrapFailed, .headerAltered) {
        try await Envelope.open(mixed, context: [:], using: keyring)
      }
    }
    // The whole list of keys of another envelope unwraps, to a data key that the header is not committed to.
    var mixed = a
    mixed.replaceSubrange(25..<116, with: b[25..<116])
    await expectError(.headerAltered) { try await Envelope.open(mixed, context: [:], using: keyring) }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// The vectors of RFC 9180, appendix A.2.1: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
@Suite(.timeLimit(.minutes(20))) struct HPKEVectorTests {
  private static let info = hex("4f6465206f6e2061204772656369616e2055726e")
  private static let ikmE = hex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")
  private static let pkEm = hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
  private static let skEm = hex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
  private static let ikmR = hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df")
  private static let pkRm = hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
  private static let skRm = hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
  private static let enc = hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
  private static let sharedSecret = hex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7")
  private static let keyScheduleContext = hex(
    "00431df6cd95e11ff49d7013563baf7f11588c75a6611ee2a4404a49306ae4cfc5b69c5718a60cc5876c358d3f"
      + "7fc31ddb598503f67be58ea1e798c0bb19eb9796")
  private static let secret = hex("5b9cd775e64b437a2335cf499361b2e0d5e444d5cb41a8a53336d8fe402282c6")
  private static let key = hex("ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91")
  private static let baseNonce = hex("5c4d98150661b848853b547f")
  private static let exporterSecret = hex("a3b010d4994890e2c6968a36f64470d3c824c8f5029942feb11e7a74b2921922")
  private static let plaintext = hex("4265617574792069732074727574682c20747275746820626561757479")

  /// Sequence number, associated data, ciphertext.
  private static let messages: [(sequence: UInt64, associatedData: [UInt8], ciphertext: [UInt8])] = [
    (
      0, hex("436f756e742d30"),
      hex(
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")
    ),
    (
      1, hex("436f756e742d31"),
      hex(
        "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c")
    ),
    (
      2, hex("436f756e742d32"),
      hex(
        "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ecac6f48c32f878fae86b")
    ),
    (
      4, hex("436f756e742d34"),
      hex(
        "63357a2aa291f5a4e5f27db6baa2af8cf77427c7c1a909e0b37214dd47db122bb153495ff0b02e9e54a50dbe16")
    ),
    (
      255, hex("436f756e742d323535"),
      hex(
        "18ab939d63ddec9f6ac2b60d61d36a7375d2070c9b683861110757062c52b8880a5f6b3936da9cd6c23ef2a95c")
    ),
    (
      256, hex("436f756e742d323536"),
      hex(
        "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed9e727a5b")
    ),
  ]

  /// Context and what is exported for it.
  private static let exports: [(context: [UInt8], value: [UInt8])] = [
    (hex(""), hex("4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e")),
    (hex("00"), hex("8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69")),
    (hex("54657374436f6e74657874"), hex("5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53")),
  ]

  private static let kemSuite = Array("KEM".utf8) + [0x00, 0x20]

  private static func hex(_ text: String) -> [UInt8] { [UInt8](hex: text) ?? [] }

  /// A typing error in a constant would otherwise make two empty arrays equal.
  @Test func theConstantsAreWhole() {
    for bytes in [
      Self.ikmE, Self.pkEm, Self.skEm, Self.ikmR, Self.pkRm, Self.skRm, Self.enc, Self.sharedSecret, Self.secret,
      Self.key, Self.exporterSecret,
    ] + Self.exports.map(\.value) { #expect(bytes.count == 32) }
    #expect(Self.keyScheduleContext.count == 65 && Self.baseNonce.count == 12)
    #expect(Self.messages.count == 6 && Self.messages.allSatisfy { $0.ciphertext.count == Self.plaintext.count + 16 })
  }

  /// DeriveKeyPair of section 7.1.3.
  @Test(arguments: [(ikmE, skEm, pkEm), (ikmR, skRm, pkRm)])
  func keyPairsAreDerived(inputKey: [UInt8], privateKey: [UInt8], publicKey: [UInt8]) throws {
    let prk = try HPKE.extract(inputKey, "dkp_prk", suite: Self.kemSuite)
    #expect(try HPKE.expand(32, from: prk, "sk", info: [], suite: Self.kemSuite) == privateKey)
    #expect(try X25519.publicKey(of: privateKey) == publicKey)
    #expect(Self.enc == Self.pkEm)
  }

  @Test func bothSidesAgreeOnTheSharedSecret() throws {
    let (enc, recipient) = (Self.enc, Self.pkRm)
    for (privateKey, other) in [(Self.skEm, recipient), (Self.skRm, enc)] {
      let secret = try unsafe HPKE.sharedSecret(
        privateKey: privateKey.span.bytes, otherKey: other.span.bytes, encapsulated: enc,
        recipient: recipient.span.bytes)
      #expect(secret.copy() == Self.sharedSecret)
    }
  }

  private func messageKeys() throws -> (context: [UInt8], secret: [UInt8], key: [UInt8], nonce: [UInt8]) {
    let keys = try unsafe HPKE.MessageKeys(
      sharedSecret: SecretBytes(Self.sharedSecret), info: Self.info.span.bytes, kem: .x25519)
    return (
      keys.context, keys.secret.withBytes { [UInt8](copying: $0) }, keys.key.withBytes { [UInt8](copying: $0) },
      keys.nonce.withBytes { [UInt8](copying: $0) }
    )
  }

  @Test func theKeyScheduleHasEveryPublishedValue() throws {
    let keys = try messageKeys()
    #expect(keys.context == Self.keyScheduleContext)
    #expect(keys.secret == Self.secret)
    #expect(keys.key == Self.key)
    #expect(keys.nonce == Self.baseNonce)
    let exporter = try HPKE.expand(32, from: keys.secret, "exp", info: keys.context, suite: HPKE.suite(of: .x25519))
    #expect(exporter == Self.exporterSecret)
    for export in Self.exports {
      #expect(
        try HPKE.expand(32, from: exporter, "sec", info: export.context, suite: HPKE.suite(of: .x25519)) == export.value
      )
    }
  }

  /// The nonce of a message is the base nonce XOR its number.
  @Test func everyMessageIsSealedAndOpened() throws {
    let keys = try messageKeys()
    for (sequence, associatedData, ciphertext) in Self.messages {
      var nonce = keys.nonce
      for place in 0..<8 { nonce[11 - place] ^= UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(place))) }
      let aead = AEAD.chaCha20Poly1305
      #expect(
        try aead.seal(Self.plaintext, authenticating: associatedData, nonce: nonce, key: keys.key) == ciphertext)
      #expect(
        try aead.open(ciphertext, authenticating: associatedData, nonce: nonce, key: keys.key) == Self.plaintext)
    }
  }

  /// The first message is what one call seals and opens.
  @Test func oneMessageIsTheFirst() throws {
    let first = Self.messages[0]
    let sealed = try HPKE.seal(
      Self.plaintext, authenticating: first.associatedData, info: Self.info, to: Self.pkRm, randomness: Self.skEm)
    #expect(sealed == Self.enc + first.ciphertext)
    let opened = try HPKE.open(
      sealed, authenticating: first.associatedData, info: Self.info, with: Self.skRm)
    #expect(opened == Self.plaintext)
  }
}

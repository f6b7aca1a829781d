// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

// A ciphertext is "FAKEKMS1" ‖ 36 characters of the key's UUID ‖ number of the material, 4 bytes ‖ 24-byte nonce ‖
// sealed bytes ‖ 16-byte tag. Associated data: lp16(key id) ‖ number of the material ‖ canonical context.

extension FakeKeyService.Key {
  private static let magic = Array("FAKEKMS1".utf8)
  private static let uuidByteCount = 36
  private static let headerByteCount = magic.count + uuidByteCount + 4

  private var uuid: [UInt8] { Array(id.string.utf8.suffix(Self.uuidByteCount)) }

  /// Encrypts with the last of the key's material.
  func encrypt(_ plaintext: RawSpan, for context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
    let number = UInt32(material.count - 1)
    let associatedData = try associatedData(number: number, context: context)
    var ciphertext = Self.magic + uuid
    ciphertext.append(bigEndian: number)
    let aead = AEAD.xChaCha20Poly1305
    return ciphertext
      + (try [UInt8].appending(capacity: plaintext.byteCount + aead.overheadByteCount) {
        (output) throws(EnvelopeError) in
        try material[Int(number)].withBytes { (key) throws(EnvelopeError) in
          try unsafe aead.seal(plaintext, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      })
  }

  /// Decrypts with the material that the ciphertext names.
  func decrypt(_ ciphertext: [UInt8], for context: EncryptionContext) throws(FakeKeyService.Refusal) -> SecretBytes {
    guard let uuid = Self.uuid(inCiphertext: ciphertext) else {
      throw FakeKeyService.Refusal(.invalidCiphertext, "The ciphertext is none of this key service's")
    }
    guard uuid.utf8.elementsEqual(self.uuid) else {
      throw FakeKeyService.Refusal(.incorrectKey, "The ciphertext was not made with the key \(id)")
    }
    let number = ciphertext[(Self.headerByteCount - 4)..<Self.headerByteCount].reduce(0 as UInt32) {
      $0 << 8 | UInt32($1)
    }
    let sealed = Array(ciphertext.dropFirst(Self.headerByteCount))
    let aead = AEAD.xChaCha20Poly1305
    do throws(EnvelopeError) {
      guard number < material.count, sealed.count >= aead.overheadByteCount else {
        throw EnvelopeError(.payloadAltered, "The ciphertext names no material, or is too short")
      }
      let associatedData = try associatedData(number: number, context: context)
      return try SecretBytes(byteCount: sealed.count - aead.overheadByteCount) { (output) throws(EnvelopeError) in
        try material[Int(number)].withBytes { (key) throws(EnvelopeError) in
          try unsafe aead.open(
            sealed.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
    } catch {
      throw FakeKeyService.Refusal(
        .invalidCiphertext, "The ciphertext does not decrypt: it was altered, or the encryption context differs")
    }
  }

  /// The UUID of the key that made a ciphertext, or nil where it is none: not verified.
  static func uuid(inCiphertext ciphertext: [UInt8]) -> String? {
    guard (headerByteCount...6144).contains(ciphertext.count), ciphertext.starts(with: magic) else { return nil }
    let uuid = ciphertext[magic.count..<magic.count + uuidByteCount]
    return uuid.allSatisfy(Base64URL.isDigit) ? String(decoding: uuid, as: UTF8.self) : nil
  }

  private func associatedData(number: UInt32, context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(lengthPrefixed16: id.string.utf8)
    bytes.append(bigEndian: number)
    return try bytes + context.canonicalBytes()
  }
}

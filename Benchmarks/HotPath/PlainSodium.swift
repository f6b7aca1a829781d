// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import CSodium

/// The plain calls to libsodium that a piece of work cannot do without, on memory that is there beforehand.
enum PlainSodium {
  static let keyByteCount = 32
  static let tagByteCount = 16

  /// Draws a nonce and seals one value.
  static func seal(_ plaintext: Memory, authenticating associatedData: Memory, key: Memory, into output: Memory) {
    randombytes_buf(output.base, 24)
    _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
      output.base + 24, nil, plaintext.base, UInt64(plaintext.byteCount), associatedData.base,
      UInt64(associatedData.byteCount), nil, output.base, key.base)
  }

  /// Opens one value of nonce ‖ ciphertext ‖ tag.
  static func open(_ sealed: Memory, authenticating associatedData: Memory, key: Memory, into output: Memory) {
    let status = crypto_aead_xchacha20poly1305_ietf_decrypt(
      output.base, nil, nil, sealed.base + 24, UInt64(sealed.byteCount - 24), associatedData.base,
      UInt64(associatedData.byteCount), sealed.base, key.base)
    precondition(status == 0)
  }

  /// Generates a nonce and seals one value with AEGIS-256.
  static func sealAEGIS256(
    _ plaintext: Memory, authenticating associatedData: Memory, key: Memory, into output: Memory
  ) {
    randombytes_buf(output.base, 32)
    let status = crypto_aead_aegis256_encrypt(
      output.base + 32, nil, plaintext.base, UInt64(plaintext.byteCount), associatedData.base,
      UInt64(associatedData.byteCount), nil, output.base, key.base)
    precondition(status == 0)
  }

  /// Opens one value of nonce ‖ ciphertext ‖ tag with AEGIS-256.
  static func openAEGIS256(_ sealed: Memory, authenticating associatedData: Memory, key: Memory, into output: Memory) {
    let status = crypto_aead_aegis256_decrypt(
      output.base, nil, nil, sealed.base + 32, UInt64(sealed.byteCount - 32), associatedData.base,
      UInt64(associatedData.byteCount), sealed.base, key.base)
    precondition(status == 0)
  }

  /// Seals one variable under a nonce that stands at the beginning of the output.
  static func sealVariable(_ plaintext: Memory, name: Memory, key: Memory, into output: Memory) {
    _ = crypto_aead_chacha20poly1305_ietf_encrypt(
      output.base + 12, nil, plaintext.base, UInt64(plaintext.byteCount), name.base, UInt64(name.byteCount), nil,
      output.base, key.base)
  }

  /// Opens one variable of nonce ‖ ciphertext ‖ tag.
  static func openVariable(_ sealed: Memory, name: Memory, key: Memory, into output: UnsafeMutablePointer<UInt8>) {
    let status = crypto_aead_chacha20poly1305_ietf_decrypt(
      output, nil, nil, sealed.base + 12, UInt64(sealed.byteCount - 12), name.base, UInt64(name.byteCount), sealed.base,
      key.base)
    precondition(status == 0)
  }

  /// One keyed hash: a derivation, a check or a tag.
  static func hash(_ message: Memory, _ byteCount: Int, key: Memory, into output: Memory) {
    crypto_generichash_blake2b_salt_personal(
      output.base, byteCount, message.base, UInt64(message.byteCount), key.base, key.byteCount, key.base, key.base)
  }
}

/// Memory that stays where it is for as long as the program runs.
struct Memory: @unchecked Sendable {
  let base: UnsafeMutablePointer<UInt8>
  let byteCount: Int

  static let empty = Memory(0)

  init(_ byteCount: Int) {
    base = .allocate(capacity: max(byteCount, 1))
    self.byteCount = byteCount
    randombytes_buf(base, byteCount)
  }

  init(_ bytes: [UInt8]) {
    self.init(bytes.count)
    for (index, byte) in bytes.enumerated() { base[index] = byte }
  }

  var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }
}

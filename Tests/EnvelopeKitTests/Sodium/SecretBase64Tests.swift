// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct SecretBase64Tests {
  /// The decoder in constant time and the fast one must agree on every text, above all on the ones to refuse.
  @Test func agreesWithTheFastDecoderOnAnyText() throws {
    let seed: UInt64 = 0x5eed_0001
    var random = SplitMix64(seed: seed)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var (accepted, refused) = (0, 0)
    for length in 0...200 {
      for round in 0..<24 {
        var text = (0..<length).map { _ in alphabet[Int(random.next() % 64)] }
        // One in two keeps to the alphabet, the others have any byte at any place.
        if round.isMultiple(of: 2), length > 0 {
          text[Int(random.next() % UInt64(length))] = UInt8(truncatingIfNeeded: random.next())
        }
        let (fast, slow) = (Base64URL.decode(text), try? decode(text))
        #expect(fast == slow, "seed \(seed), \(text.hex)")
        if let fast {
          accepted += 1
          #expect(Array(Base64URL.encode(fast).utf8) == text, "seed \(seed), \(text.hex)")
        } else {
          refused += 1
        }
      }
    }
    #expect(accepted > 500 && refused > 500)
  }

  @Test func everyByteThatIsNotADigitIsRefusedAtEveryPlace() async {
    for byte in UInt8.min...UInt8.max where !Base64URL.isDigit(byte) {
      for place in 0..<4 {
        var text = Array("AAAA".utf8)
        text[place] = byte
        #expect((try? decode(text)) == nil, "byte \(byte) at \(place)")
        #expect(Base64URL.decode(text) == nil, "byte \(byte) at \(place)")
      }
    }
  }

  @Test func encodesAsTheFastEncoder() throws {
    let seed: UInt64 = 0x5eed_0002
    var random = SplitMix64(seed: seed)
    for length in 0...200 {
      let bytes = random.bytes(length)
      // libsodium ends its text with a NUL and wants room for it.
      let text = try [UInt8].appending(capacity: Base64URL.encodedLength(of: length) + 1) {
        (output) throws(EnvelopeError) in
        try unsafe SecretBase64.url.append(encoding: bytes.span.bytes, to: &output)
      }
      #expect(String(decoding: text, as: UTF8.self) == Base64URL.encode(bytes), "seed \(seed), length \(length)")
      #expect(try decode(text) == bytes)
    }
  }

  @Test func buffersWithoutRoomAreRefused() async {
    await expectError(.bufferTooSmall) { try decode(Array("AAAA".utf8), room: 2) }
    await expectError(.bufferTooSmall) {
      try [UInt8].appending(capacity: 4) { (output) throws(EnvelopeError) in
        try unsafe SecretBase64.url.append(encoding: ([1, 2, 3] as [UInt8]).span.bytes, to: &output)
      }
    }
  }

  private func decode(_ text: [UInt8], room: Int? = nil) throws -> [UInt8] {
    try [UInt8].appending(capacity: room ?? text.count * 3 / 4) { (output) throws(EnvelopeError) in
      try unsafe SecretBase64.url.append(decoding: text.span.bytes, to: &output)
    }
  }
}

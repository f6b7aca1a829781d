// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Unpadded base64url (RFC 4648, section 5) for public text: fast, canonical, not in constant time.
///
/// Sixteen digits, which stand for twelve bytes, are translated at once.
package enum Base64URL {
  // Operators between a vector and a number take five times the instructions of those between two vectors.
  private typealias Group = SIMD16<UInt8>
  // The same digits, or the bits of each eight of them.
  private typealias Halves = SIMD2<UInt64>

  package static func isDigit(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  /// How many characters stand for so many bytes.
  package static func encodedLength(of byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

  /// The text that stands for bytes, behind a prefix.
  package static func encode(_ bytes: [UInt8], after prefix: String = "") -> String {
    unsafe encode(bytes.span.bytes, after: prefix)
  }

  /// The text that stands for bytes, behind a prefix.
  package static func encode(_ bytes: RawSpan, after prefix: String = "") -> String {
    unsafe String(unsafeUninitializedCapacity: prefix.utf8.count + encodedLength(of: bytes.byteCount)) { buffer in
      let text = UnsafeMutableRawBufferPointer(buffer)
      var output = unsafe OutputRawSpan(buffer: text, initializedCount: 0)
      prefix.withUTF8Bytes { output.append($0) }
      append(bytes, to: &output)
      return unsafe output.finalize(for: text)
    }
  }

  /// Appends the text that stands for bytes, for which there must be room.
  package static func append(_ bytes: RawSpan, to output: inout OutputRawSpan) {
    var offset = 0
    while bytes.byteCount - offset >= 12 {
      let digits = digits(of: Halves(bytes.eightBytes(at: offset), bytes.eightBytes(at: offset + 4) << 16))
      output.append(bigEndian: digits[0])
      output.append(bigEndian: digits[1])
      offset += 12
    }
    while offset < bytes.byteCount {
      let digits = digits(of: Halves(bytes.eightBytes(at: offset, padding: 0), 0))
      output.append(first: encodedLength(of: min(bytes.byteCount - offset, 6)), of: digits[0])
      offset += 6
    }
  }

  /// The bytes that a text stands for, or nil where it is not canonical: the whole text is consumed, holds
  /// nothing outside the alphabet, and its spare bits are zero.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    // The bytes of strings are contiguous; those of other collections are copied.
    unsafe text.withContiguousStorageIfAvailable { unsafe decode($0.span.bytes) } ?? decode(Array(text).span.bytes)
  }

  private static func decode(_ text: RawSpan) -> [UInt8]? {
    var isCanonical = false
    let bytes = [UInt8].appending(capacity: decodedLength(of: text.byteCount)) { output in
      isCanonical = append(decoding: text, to: &output)
    }
    return isCanonical ? bytes : nil
  }

  /// How many bytes so many characters stand for.
  package static func decodedLength(of characterCount: Int) -> Int { characterCount * 3 / 4 }

  /// Appends the bytes that a text stands for, for which there must be room; returns false if it is not canonical.
  package static func append(decoding text: RawSpan, to output: inout OutputRawSpan) -> Bool {
    guard text.byteCount % 4 != 1 else { return false }
    // Every value is below 64, and that of a character outside the alphabet is not.
    var seen = Group.zero
    var offset = 0
    var spareBits: UInt64 = 0
    while text.byteCount - offset >= 16 {
      let bits = bits(of: Halves(text.eightBytes(at: offset), text.eightBytes(at: offset + 8)), &seen)
      output.append(bigEndian: bits[0] | bits[1] >> 48)
      output.append(bigEndian: UInt32(truncatingIfNeeded: bits[1] >> 16))
      offset += 16
    }
    while offset < text.byteCount {
      // Missing digits count as zero bits, and those of the other half do not count.
      let bits = bits(of: both(text.eightBytes(at: offset, padding: UInt8(ascii: "A"))), &seen)
      let byteCount = decodedLength(of: min(text.byteCount - offset, 8))
      output.append(first: byteCount, of: bits[0])
      spareBits |= bits[0] << (byteCount * 8)
      offset += 8
    }
    return seen.max() < 64 && spareBits == 0
  }

  /// The digits of the upper 48 bits of each half, the first uppermost.
  @inline(__always)
  private static func digits(of bits: Halves) -> Halves {
    // Halves the groups of bits until there are six in each byte.
    var bits = bits &>> both(16)
    bits = (bits & both(0xffff_ff00_0000)) &<< both(8) | bits & both(0xff_ffff)
    bits = (bits & both(0x00ff_f000_00ff_f000)) &<< both(4) | bits & both(0x0fff_0000_0fff)
    bits = (bits & both(0x0fc0_0fc0_0fc0_0fc0)) &<< both(2) | bits & both(0x003f_003f_003f_003f)
    let values = unsafe unsafeBitCast(bits, to: Group.self)
    var digits = values &+ all("A")
    digits.replace(with: values &+ all("a") &- all(26), where: values .>= all(26))
    digits.replace(with: values &+ all("0") &- all(52), where: values .>= all(52))
    digits.replace(with: all("-"), where: values .== all(62))
    digits.replace(with: all("_"), where: values .== all(63))
    return unsafe unsafeBitCast(digits, to: Halves.self)
  }

  /// The 48 bits of each eight digits, uppermost; adds the digits' values to those seen.
  @inline(__always)
  private static func bits(of digits: Halves, _ seen: inout Group) -> Halves {
    let digits = unsafe unsafeBitCast(digits, to: Group.self)
    let (upper, lower, decimal) = (digits &- all("A"), digits &- all("a"), digits &- all("0"))
    var values = all(.max)
    values.replace(with: upper, where: upper .< all(26))
    values.replace(with: lower &+ all(26), where: lower .< all(26))
    values.replace(with: decimal &+ all(52), where: decimal .< all(10))
    values.replace(with: all(62), where: digits .== all("-"))
    values.replace(with: all(63), where: digits .== all("_"))
    seen |= values
    // Joins the six bits of each byte, then of each pair, then of all.
    var bits = unsafe unsafeBitCast(values, to: Halves.self)
    bits = (bits & both(0x3f00_3f00_3f00_3f00)) &>> both(2) | bits & both(0x003f_003f_003f_003f)
    bits = (bits & both(0x0fff_0000_0fff_0000)) &>> both(4) | bits & both(0x0fff_0000_0fff)
    bits = (bits & both(0x00ff_ffff_0000_0000)) &>> both(8) | bits & both(0xff_ffff)
    return bits &<< both(16)
  }

  private static func both(_ value: UInt64) -> Halves { Halves(repeating: value) }

  private static func all(_ value: UInt8) -> Group { Group(repeating: value) }

  private static func all(_ character: Unicode.Scalar) -> Group { all(UInt8(ascii: character)) }
}

extension RawSpan {
  /// Eight bytes, which must be there, as an integer, the first uppermost.
  @inline(__always)
  fileprivate func eightBytes(at offset: Int) -> UInt64 {
    unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// The same, of which one must be there, with padding for those behind the end.
  fileprivate func eightBytes(at offset: Int, padding: UInt8) -> UInt64 {
    let count = byteCount - offset
    guard count < 8 else { return eightBytes(at: offset) }
    let paddings = UInt64(padding) &* 0x0101_0101_0101_0101
    return lastWord(ofBytes: count).byteSwapped | paddings >> UInt64(8 * count)
  }
}

extension OutputRawSpan {
  /// Appends the upper bytes of an integer.
  fileprivate mutating func append(first count: Int, of bytes: UInt64) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: bytes >> (56 - index * 8))) }
  }
}

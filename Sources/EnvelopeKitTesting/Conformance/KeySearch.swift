// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// Looks for a data key in what an error shows.
///
/// No text of the key is ever made: that would lie about in memory afterwards. Instead each form is worked out digit by
/// digit, as it is compared.
enum KeySearch {
  /// All that an error shows when it is printed, dumped and taken apart; the id of its request is a text of its own,
  /// so that what is the same for every request needs to be searched once.
  static func texts(of error: any Error) -> [String] {
    var text = String(describing: error) + "\n" + String(reflecting: error) + "\n"
    dump(error, to: &text)
    guard let error = error as? EnvelopeError else { return [text] }
    text += ([error.message, error.advice, error.serviceError ?? ""] + error.names).joined(separator: "\n")
    guard let requestID = error.requestID, !requestID.isEmpty else { return [text] }
    return [text.replacing(requestID, with: "…"), requestID]
  }

  /// Whether a text shows at least half of a key: in hexadecimal, base64, decimal numbers, or as it is.
  static func shows(_ text: String, _ key: RawSpan) -> Bool {
    let characters = Array(text.utf8)
    return isHexadecimal(characters, key) || isBase64(characters, key) || isNumbers(characters, key)
      || isPlain(text, key)
  }

  /// Eight bytes of the key, from a multiple of eight on, as hexadecimal digits.
  private static func isHexadecimal(_ characters: [UInt8], _ key: RawSpan) -> Bool {
    let digits = characters.map(hexadecimalValue)
    return matches(digits, count: 16, startingAt: [0, 16, 32, 48]) { index in
      let byte = key.byte(at: index / 2)
      return index.isMultiple(of: 2) ? byte >> 4 : byte & 15
    }
  }

  /// Twenty digits of the key's beginning, wherever the base64 text of more bytes than the key begins.
  private static func isBase64(_ characters: [UInt8], _ key: RawSpan) -> Bool {
    let digits = characters.map(base64Value)
    return [0, 2, 4].contains { shift in
      matches(digits, count: 20, startingAt: [0]) { index in
        let bit = index * 6 + shift
        let word = UInt16(key.byte(at: bit / 8)) << 8 | UInt16(key.byte(at: bit / 8 + 1))
        return UInt8(truncatingIfNeeded: word >> UInt16(10 - bit % 8)) & 63
      }
    }
  }

  /// Four bytes of the key, one after the other, as decimal numbers with anything between that is no digit.
  private static func isNumbers(_ characters: [UInt8], _ key: RawSpan) -> Bool {
    let numbers = characters.split { !(0x30...0x39).contains($0) }.map { digits in
      digits.count > 3 ? UInt8?.none : UInt8(exactly: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }
    return matches(numbers, count: 4, startingAt: Array(0...28)) { key.byte(at: $0) }
  }

  /// Eight bytes of the key, from a multiple of eight on, as the characters that have their numbers.
  private static func isPlain(_ text: String, _ key: RawSpan) -> Bool {
    let scalars = text.unicodeScalars.map { UInt8(exactly: $0.value) }
    return matches(scalars, count: 8, startingAt: [0, 8, 16, 24]) { key.byte(at: $0) }
  }

  /// Whether somewhere in a text stand `count` digits of the key, from one of some positions on.
  private static func matches(
    _ text: [UInt8?], count: Int, startingAt positions: [Int], _ digit: (Int) -> UInt8
  ) -> Bool {
    guard text.count >= count else { return false }
    return positions.contains { position in
      let first = digit(position)
      return (0...text.count - count).contains { start in
        text[start] == first && (1..<count).allSatisfy { text[start + $0] == digit(position + $0) }
      }
    }
  }

  private static func hexadecimalValue(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }

  private static func base64Value(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x41...0x5a: character - 0x41
    case 0x61...0x7a: character - 0x61 + 26
    case 0x30...0x39: character - 0x30 + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Searches that read many bytes at once, held against those that read one after the other.
@Suite(.timeLimit(.minutes(20))) struct WordSearchTests {
  @Test func eachByteEndsAStringOrDoesNotAtEachPlace() {
    for byte in UInt8.min...UInt8.max {
      let ends = byte < 0x20 || byte == 0x22 || byte == 0x5c
      for length in 1...75 {
        for place in [0, 1, length / 2, max(length - 9, 0), length - 1] where place < length {
          var text = [UInt8](repeating: 0x41, count: length)
          text[place] = byte
          let end = unsafe text.span.bytes.endOfPlainString(from: 0)
          #expect(end == (ends ? place : length), "\(byte) at \(place) of \(length)")
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3, UInt64.random(in: 4...UInt64.max)]) func findsTheFirstOfSeveralFromAnyStart(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    // Neighbours of what is looked for, and what borrows and carries could confuse with it.
    let bytes: [UInt8] = [0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff]
    for _ in 0..<20_000 {
      let rarity = UInt64.random(in: 1...60, using: &random)
      let text = (0..<Int.random(in: 0...100, using: &random)).map { _ in
        random.next() % rarity == 0 ? bytes.randomElement(using: &random)! : 0x30 + UInt8(random.next() % 32)
      }
      let start = Int.random(in: 0...text.count, using: &random)
      let end = text[start...].firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c } ?? text.count
      let (found, foundASCII) = unsafe (
        text.span.bytes.endOfPlainString(from: start), text.span.bytes.endOfASCII(from: start)
      )
      #expect(found == end, "seed \(seed): \(text.hex) from \(start)")
      let ascii = text[start...].firstIndex { $0 >= 0x80 } ?? text.count
      #expect(foundASCII == ascii, "seed \(seed): \(text.hex) from \(start)")
    }
  }

  @Test(arguments: [1, 2, 3, UInt64.random(in: 4...UInt64.max)]) func judgesTextAsTheStandardLibraryDoes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let characters = Array("aé€😀\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10ffff}\0")
    var (wellFormed, malformed) = (0, 0)
    for round in 0..<20_000 {
      let length = Int.random(in: 0...40, using: &random)
      let plain = String(repeating: "x", count: Int.random(in: 0...40, using: &random))
      var text = Array((plain + String((0..<length).map { _ in characters.randomElement(using: &random)! })).utf8)
      if round % 2 == 1, !text.isEmpty {
        text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let isWellFormed = String(validating: text, as: UTF8.self) != nil
      let offset = unsafe text.span.bytes.firstOffsetOutsideUTF8
      #expect((offset == nil) == isWellFormed, "seed \(seed): \(text.hex)")
      if isWellFormed { wellFormed += 1 } else { malformed += 1 }
    }
    #expect(wellFormed > 1000 && malformed > 1000)
  }
}

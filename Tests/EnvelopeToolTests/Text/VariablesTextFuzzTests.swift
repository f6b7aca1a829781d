// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

extension [UInt8] {
  /// Changes, inserts, removes or repeats a few bytes.
  mutating func mutate(with alphabet: [UInt8], using generator: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !isEmpty {
      let position = Int.random(in: 0..<count, using: &generator)
      let end = Int.random(in: position...Swift.min(position + 8, count), using: &generator)
      let byte = alphabet.randomElement(using: &generator) ?? 0
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1: self[position] = byte
      case 2: insert(byte, at: position)
      case 3: removeSubrange(position..<end)
      case 4: insert(contentsOf: self[position..<end], at: position)
      default: self[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    }
  }
}

/// Whatever the bytes, a reader returns or throws, and what it returns can be written and read again.
@Suite(.timeLimit(.minutes(20))) struct VariablesTextFuzzing {
  private static let alphabet = Array("\"'\\#= \t\n\r{}[]:,$`ABexport01ntufu-+.é🗝\u{feff}\0".utf8) + [0xff, 0xc0, 0xed]

  private static let dotenv = """
    # Comment
    export DATABASE_URL="postgres://u:p\\$@h/db" # c
    KEY='-----BEGIN-----
    MII+/==
    -----END-----'\r
    EMPTY=
    PLAIN = a b#c #d
    ESCAPES="\\n\\t\\r\\\\\\"\\`é"

    """

  private static let json = """
    {"FunctionName": "f", "Layers": [{"a": [1.5e-3, true, null]}], "Environment": {"Variables": {
      "A": "\\ud83d\\udddd\\u00e9\\n", "B": 12, "C": false, "D": ""}}}
    """

  @Test(arguments: seeds)
  func readersTakeAnyBytes(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var valid = 0
    for number in 0..<6_000 {
      var text: [UInt8]
      switch number % 4 {
      case 0:
        text = (0..<Int.random(in: 0...60, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
      case 1:
        text = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
          Self.alphabet.randomElement(using: &generator) ?? 0
        }
      case 2:
        text = Array(Self.dotenv.utf8)
        text.mutate(with: Self.alphabet, using: &generator)
      default:
        text = Array(Self.json.utf8)
        text.mutate(with: Self.alphabet, using: &generator)
      }
      try check(text, &valid) { (text) throws(EnvelopeError) in try Dotenv.values(of: text) }
      try check(text, &valid) { (text) throws(EnvelopeError) in try VariablesJSON.values(of: text) }
    }
    #expect(valid > 100)
  }

  private func check(
    _ text: [UInt8], _ valid: inout Int, _ read: ([UInt8]) throws(EnvelopeError) -> Variables
  ) throws {
    let values: Variables
    do {
      values = try read(text)
    } catch {
      #expect(error.code == .malformed, "\(text)")
      return
    }
    valid += 1
    #expect(try VariablesJSON.values(of: VariablesJSON.written(values)) == values, "\(text)")
    // Changed bytes can happen to make a name that a shell keeps.
    let allowed = values.filter { (try? ShellName.check($0.key, isBare: false)) != nil }
    #expect(try Dotenv.values(of: Dotenv.written(allowed).0) == allowed, "\(text)")
  }
}

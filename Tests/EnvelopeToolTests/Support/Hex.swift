// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How the tests and their Python scripts hand each other bytes.
enum Hex {
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func bytes(_ text: Substring) -> [UInt8] {
    let digits = text.utf8.map { UInt8($0 <= 0x39 ? $0 - 0x30 : $0 - 0x57) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// The words of each line.
  static func lines(_ bytes: [UInt8]) -> [[Substring]] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
  }

  /// Variables out of words `name=value`.
  static func variables(_ pairs: some Sequence<Substring>) -> Variables {
    var values: Variables = [:]
    for pair in pairs {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      values[String(decoding: bytes(parts[0]), as: UTF8.self)] = bytes(parts[1])
    }
    return values
  }
}

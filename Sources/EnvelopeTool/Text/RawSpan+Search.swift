// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension RawSpan {
  /// Whether the bytes occur.
  func contains(_ wanted: [UInt8]) -> Bool { offset(of: wanted, from: 0) != nil }

  /// The offsets at which the bytes occur.
  func offsets(of wanted: [UInt8]) -> [Int] {
    var (offsets, start) = ([Int](), 0)
    while let offset = offset(of: wanted, from: start) {
      offsets.append(offset)
      start = offset + 1
    }
    return offsets
  }

  /// Where the bytes occur first, from an offset on.
  func offset(of wanted: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first, byteCount - start >= wanted.count else { return nil }
    for offset in start...byteCount - wanted.count where byte(at: offset) == first {
      if wanted.indices.allSatisfy({ byte(at: offset + $0) == wanted[$0] }) { return offset }
    }
    return nil
  }
}

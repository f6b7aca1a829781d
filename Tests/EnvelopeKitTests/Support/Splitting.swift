// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// How a stream's bytes arrive.
enum Splitting: CaseIterable {
  case atOnce, byteByByte, atRandom

  /// The pieces in their order, some of them empty if they are random; always the same for the same bytes.
  func pieces<S: Sequence<UInt8>>(of sequence: S) -> [[UInt8]] {
    let bytes = Array(sequence)
    switch self {
    case .atOnce: return [bytes]
    case .byteByByte: return bytes.map { [$0] }
    case .atRandom:
      var random = SplitMix64(seed: UInt64(bytes.count))
      var (pieces, start): ([[UInt8]], Int) = ([], 0)
      while start < bytes.count {
        let length = Int.random(in: 0...(random.next() % 3 == 0 ? 5000 : 40), using: &random)
        let end = min(start + length, bytes.count)
        pieces.append(Array(bytes[start..<end]))
        start = end
      }
      return pieces
    }
  }
}

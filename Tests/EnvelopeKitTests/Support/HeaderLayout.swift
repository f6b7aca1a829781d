// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

/// Where the parts of a header with one keyset entry lie, written down independently of the code under test.
enum HeaderPart {
  case magic, version, kind, suite
  /// Of a file alone.
  case parameters
  case salt, contextCheck, keyCount
  case scheme, keyIDLength, keyID, wrappedLength, wrapped
  case commitment, tag
  /// What follows the header.
  case generation, count, manifest, payload

  /// A part and how many bytes it takes, in order, for a key id "123456789012.1".
  private static let header: [(HeaderPart, Int)] = [
    (.magic, 2), (.version, 1), (.kind, 1), (.suite, 1), (.salt, 16), (.contextCheck, 4), (.keyCount, 1),
    (.scheme, 1), (.keyIDLength, 1), (.keyID, 14), (.wrappedLength, 2), (.wrapped, 72), (.commitment, 32), (.tag, 16),
  ]

  private static let fileHeader = header.prefix(4) + [(.parameters, 1)] + header.dropFirst(4)

  static let headerByteCount = header.reduce(0) { $0 + $1.1 }

  /// The part that each byte belongs to.
  static func parts(_ trailer: [(HeaderPart, Int)]) -> [HeaderPart] {
    (header + trailer).flatMap { Array(repeating: $0.0, count: $0.1) }
  }

  /// The part that each byte of a file belongs to.
  static func partsOfFile(payloadByteCount: Int) -> [HeaderPart] {
    (fileHeader + [(.payload, payloadByteCount)]).flatMap { Array(repeating: $0.0, count: $0.1) }
  }

  /// The codes that a flipped bit may lead to where the context is right and the keyring holds the key.
  var codesWhenFlipped: [EnvelopeError.Code] {
    switch self {
    case .magic, .keyCount, .keyIDLength, .wrappedLength: [.malformed]
    case .version: [.unsupportedVersion]
    // 2^12 and 2^13 differ in one bit of the logarithm.
    case .parameters: [.malformed, .headerAltered]
    // 01 and 02 differ in two bits.
    case .suite: [.unsupportedSuite]
    case .kind: [.unsupportedVersion, .malformed]
    case .salt, .contextCheck: [.contextDiffers]
    // 01 and 05 differ in one bit, and in the length.
    case .scheme: [.keyNotFound, .malformed]
    case .keyID: [.keyNotFound, .malformed]
    case .wrapped: [.unwrapFailed]
    case .commitment, .tag: [.headerAltered]
    case .generation, .manifest: [.variablePutBack]
    case .count: [.variablesAdded, .variablesMissing]
    case .payload: [.payloadAltered]
    }
  }
}

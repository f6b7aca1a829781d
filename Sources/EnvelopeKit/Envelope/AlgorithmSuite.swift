// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The cipher that seals what an envelope holds (`Docs/Format.md`, section Suites).
///
/// The sender chooses it by name, and the header states it for the reader. Environments and key stores are always
/// sealed with ``chaCha20Poly1305``.
public struct AlgorithmSuite: RawRepresentable, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// The byte that stands for it in a header.
  public let rawValue: UInt8
  /// The cipher of values.
  package let aead: AEAD

  private init(_ rawValue: UInt8, _ aead: AEAD) {
    self.rawValue = rawValue
    self.aead = aead
  }

  /// Suite 01, which opens with every libsodium that this library can be built with.
  ///
  /// Values are sealed with XChaCha20-Poly1305: 40 bytes each for nonce and tag.
  public static let chaCha20Poly1305 = AlgorithmSuite(1, .xChaCha20Poly1305)

  /// Suite 02: AEGIS-256, several times as fast on processors with instructions for AES.
  ///
  /// It needs libsodium 1.0.19 or newer, also to open. Each value has 64 bytes for nonce and tag.
  public static let aegis256 = AlgorithmSuite(2, .aegis256)

  /// Both suites, in the order of their numbers.
  public static let allCases = [chaCha20Poly1305, aegis256]

  /// The suite that a byte stands for; nil if this release knows none.
  public init?(rawValue: UInt8) {
    switch rawValue {
    case 1: self = .chaCha20Poly1305
    case 2: self = .aegis256
    default: return nil
    }
  }

  /// Whether libsodium has the cipher, when this was built and as it was loaded.
  ///
  /// If not, sealing with it and opening what was sealed with it throw `unsupportedSuite`.
  public var isAvailable: Bool { aead.isAvailable }

  /// The name of the suite.
  public var description: String { self == .aegis256 ? "AEGIS-256" : "ChaCha20-Poly1305" }
}

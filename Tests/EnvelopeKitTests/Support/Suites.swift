// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

// Tests run with two versions of libsodium, and try what the one at hand has. `SodiumTests` sees to it that it is the one
// that was asked for, and that it has what it must have.

extension AlgorithmSuite {
  /// The suites that can be sealed with here.
  static let here = allCases.filter(\.isAvailable)

  /// The one of most tests, which therefore run over both: with one libsodium it is suite 01, with the other suite 02.
  static let tested = here[here.count - 1]
}

extension AEAD {
  /// The ciphers that libsodium has here.
  static let here = [AEAD.chaCha20Poly1305, .xChaCha20Poly1305, .aegis256].filter(\.isAvailable)
}

extension KEM {
  /// The mechanisms that recipients can have here.
  static let here = XWing.isAvailable ? [KEM.x25519, .xWing] : [.x25519]

  /// The kind of keyset whose public half it is.
  var identity: Keyset.Kind { self == .x25519 ? .identity : .postQuantumIdentity }
}

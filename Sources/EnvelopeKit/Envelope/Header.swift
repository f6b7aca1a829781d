// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What stands before every payload: which keys open it, and what binds the parts together
/// (`Docs/Format.md`, section Header).
package struct Header: Sendable, Hashable {
  /// What the header stands before.
  package enum Kind: UInt8, Sendable {
    case value = 1
    case environment = 2
    case packedEnvironment = 3
  }

  static let magic = Array("EK".utf8)
  static let version: UInt8 = 1
  static let saltByteCount = BLAKE2b.saltByteCount
  static let contextCheckByteCount = 4
  static let commitmentByteCount = 32
  static let tagByteCount = 16
  static let keyCountLimit = 16

  package let kind: Kind
  package let suite: AlgorithmSuite
  let salt: [UInt8]
  let contextCheck: [UInt8]
  /// The wrapped data keys: not verified until the header has been unlocked.
  package let wrappedKeys: [WrappedDataKey]
  let commitment: [UInt8]
  let tag: [UInt8]

  /// The first bytes: magic ‖ version ‖ kind ‖ suite.
  static func prefix(of kind: Kind, _ suite: AlgorithmSuite) -> [UInt8] {
    [UInt8(ascii: "E"), UInt8(ascii: "K"), version, kind.rawValue, suite.rawValue]
  }

  /// The first four bytes of a hash of the context under the salt.
  static func contextCheck(salt: [UInt8], canonicalContext: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe Array(
      BLAKE2b.hash(
        32, salt: salt.span.bytes, personal: "EK context", message: canonicalContext.span.bytes
      ).prefix(contextCheckByteCount))
  }

  /// Whether the header was made for the context of this canonical form, as far as four bytes can tell.
  package func matches(canonicalContext: [UInt8]) throws(EnvelopeError) -> Bool {
    try Self.contextCheck(salt: salt, canonicalContext: canonicalContext) == contextCheck
  }
}

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
    case file = 4
    case records = 5
  }

  /// What the first bytes state: kind, suite and, of a file, the parameters of its chunks.
  package struct Form: Sendable, Hashable {
    package let kind: Kind
    package let suite: AlgorithmSuite
    /// Nil unless the kind is a file.
    package let chunkSize: ChunkSize?

    private init(_ kind: Kind, _ suite: AlgorithmSuite, _ chunkSize: ChunkSize?) {
      self.kind = kind
      self.suite = suite
      self.chunkSize = chunkSize
    }

    static func value(_ suite: AlgorithmSuite) -> Form { Form(.value, suite, nil) }
    static let environment = Form(.environment, .chaCha20Poly1305, nil)
    static let packedEnvironment = Form(.packedEnvironment, .chaCha20Poly1305, nil)
    static func records(_ suite: AlgorithmSuite) -> Form { Form(.records, suite, nil) }
    static func file(_ suite: AlgorithmSuite, _ chunkSize: ChunkSize) -> Form { Form(.file, suite, chunkSize) }

    /// The first bytes: magic ‖ version ‖ kind ‖ suite ‖ parameters.
    var bytes: [UInt8] {
      Header.magic + [Header.version, kind.rawValue, suite.rawValue] + (chunkSize.map { [$0.exponent] } ?? [])
    }
  }

  static let magic = Array("EK".utf8)
  static let version: UInt8 = 1
  static let saltByteCount = BLAKE2b.saltByteCount
  static let contextCheckByteCount = 4
  static let commitmentByteCount = 32
  static let tagByteCount = 16
  static let keyCountLimit = 16

  package let form: Form
  let salt: [UInt8]
  let contextCheck: [UInt8]
  /// The wrapped data keys: not verified until the header has been unlocked.
  package let wrappedKeys: [WrappedDataKey]
  let commitment: [UInt8]
  let tag: [UInt8]

  package var kind: Kind { form.kind }
  package var suite: AlgorithmSuite { form.suite }

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

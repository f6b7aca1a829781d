// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The 32-byte key that seals one payload (NIST SP 800-57 data-encryption key).
///
/// It has one owner, is wiped when that owner lets go of it, and cannot be printed or copied.
public struct DataKey: ~Copyable, Sendable {
  /// The length of every data key in bytes.
  public static let byteCount = 32

  private let bytes: SecretBytes

  /// Takes over the bytes of a key, as a key service unwrapped it.
  ///
  /// - Throws: `invalidArgument` where they are not exactly 32.
  public init(_ bytes: consuming SecretBytes) throws(EnvelopeError) {
    guard bytes.byteCount == Self.byteCount else {
      throw EnvelopeError(.invalidArgument, "A data key must be \(Self.byteCount) bytes")
    }
    self.bytes = bytes
  }

  /// Draws a key from the kernel's randomness.
  ///
  /// - Throws: `systemFailure` where libsodium does not start.
  public static func generate() throws(EnvelopeError) -> DataKey {
    try DataKey(
      SecretBytes(byteCount: byteCount) { (output) throws(EnvelopeError) in
        try Randomness.append(byteCount, to: &output)
      })
  }

  /// Gives access to the 32 bytes, which are valid only inside `body`: for a key service that wraps them.
  public func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try bytes.withBytes(body)
  }

  /// Whether both keys have the same bytes, compared in constant time.
  func equals(_ other: borrowing DataKey) -> Bool {
    withBytes { mine in other.withBytes { mine.equalsInConstantTime($0) } }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// One logical wrapping key: its versions, one of them the primary that new data keys are wrapped with.
///
/// A value; the secrets of all versions lie in guarded memory that copies share. Printing, dumping or
/// reflecting it shows the id and the versions, never a secret.
public struct Keyset: Sendable {
  /// Twelve random base64url characters.
  public let id: KeyID
  /// The versions in ascending order of their numbers; at least one, at most ``versionLimit``.
  public let versions: [Version]
  /// The number of the version that wraps.
  public let primary: UInt32

  /// How many versions a keyset may have.
  public static let versionLimit = 1024

  /// One version of the key.
  public struct Version: Sendable {
    /// Counts from 1.
    public let number: UInt32
    /// When it was made, in seconds since 1970 (UTC).
    public let created: UInt64
    let key: WrappingKey

    package init(number: UInt32, created: UInt64, key: WrappingKey) {
      self.number = number
      self.created = created
      self.key = key
    }
  }

  /// Checks and keeps the parts.
  package init(id: KeyID, versions: [Version], primary: UInt32) throws(EnvelopeError) {
    let numbers = versions.map(\.number)
    guard id.string.utf8.count == Self.idCharacterCount, id.string.utf8.allSatisfy(Base64URL.isDigit),
      (1...Self.versionLimit).contains(versions.count), numbers[0] >= 1,
      zip(numbers, numbers.dropFirst()).allSatisfy(<), numbers.contains(primary)
    else {
      throw EnvelopeError(.keyStoreDamaged, "A keyset has an id, versions or a primary that it cannot have")
    }
    self.id = id
    self.versions = versions
    self.primary = primary
  }

  static let idCharacterCount = 12

  /// Makes a keyset with a random id and one version.
  ///
  /// - Throws: `systemFailure` where there is no memory or randomness.
  public static func generate() throws(EnvelopeError) -> Keyset {
    try Keyset(
      id: KeyID(Base64URL.encode(Randomness.bytes(9))),
      versions: [Version(number: 1, created: Clock.now, key: WrappingKey.generate())], primary: 1)
  }

  /// The same keyset with one more version, which becomes the primary; the older ones still unwrap.
  ///
  /// - Throws: `invalidArgument` where the keyset is full, `systemFailure` as for ``generate()``.
  public func rotated() throws(EnvelopeError) -> Keyset {
    let last = versions[versions.count - 1].number
    guard versions.count < Self.versionLimit, last < .max else {
      throw EnvelopeError(.invalidArgument, "A keyset holds at most \(Self.versionLimit) versions")
    }
    return try Keyset(
      id: id, versions: versions + [Version(number: last + 1, created: Clock.now, key: WrappingKey.generate())],
      primary: last + 1)
  }

  /// The id that a header names a version by: the keyset's id, a dot and the number.
  func keyID(of version: Version) throws(EnvelopeError) -> KeyID {
    try KeyID("\(id).\(version.number)")
  }

  /// The version that a header names so, or nil.
  func version(named keyID: KeyID) -> Version? {
    let name = keyID.string.utf8
    let digits = name.dropFirst(Self.idCharacterCount + 1)
    // A number has one spelling: neither 01 nor +1 is 1.
    guard name.starts(with: id.string.utf8), name.dropFirst(Self.idCharacterCount).first == UInt8(ascii: "."),
      digits.first != UInt8(ascii: "0"),
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = UInt32(Substring(digits))
    else { return nil }
    return versions.first { $0.number == number }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// One logical wrapping key: its versions, one of them the primary that new data keys are wrapped with.
///
/// A value; the secrets of all versions lie in guarded memory that copies share. Printing, dumping or
/// reflecting it shows the id and the versions, never a secret.
public struct Keyset: Sendable {
  /// What the versions are.
  public enum Kind: Sendable, Hashable {
    /// Keys that wrap and unwrap.
    case symmetric
    /// Private halves of key pairs: whoever has the public half, a ``Recipient``, can seal, and these open.
    case identity
    /// Private halves of post-quantum key pairs (X-Wing): they need libsodium 1.0.22 or newer.
    case postQuantumIdentity

    /// The mechanism of an identity; nil if it is none.
    package var kem: KEM? {
      switch self {
      case .symmetric: nil
      case .identity: .x25519
      case .postQuantumIdentity: .xWing
      }
    }

    /// How its entries are marked in a header.
    package var scheme: WrappingScheme { kem?.scheme ?? .keyset }
  }

  /// Twelve random base64url characters.
  public let id: KeyID
  /// What the versions are.
  public let kind: Kind
  /// The versions in ascending order of their numbers, at most ``versionLimit``; none once it is destroyed.
  public internal(set) var versions: [Version]
  /// The number of the version that wraps; 0 once it is destroyed.
  public private(set) var primary: UInt32
  /// Whether it can be used, as the store has it; ``state(at:)`` also looks at the clock.
  public internal(set) var state = State.enabled
  /// The lowest version that still unwraps.
  public internal(set) var minimumVersion: UInt32 = 1
  /// After how many days a version should be followed by another; nil where nothing was stated.
  public internal(set) var rotationPeriod: Int?
  /// Which functions it serves, and for what.
  public internal(set) var policy = KeyPolicy.unrestricted
  /// The reporters of the store that gave it out, which uses are reported to.
  var reporters: [KeyUse.Reporter] = []
  /// The alias that messages name it by; nil if the store that gave it out has none for it.
  var alias: String?
  /// The functions that this copy was narrowed to, in ascending order; nil for the whole key.
  public internal(set) var scopes: [FunctionScope]?

  /// How many versions a keyset may have.
  public static let versionLimit = 1024
  /// How many functions a narrowed copy may be for.
  public static let scopeLimit = 256

  /// One version of the key.
  public struct Version: Sendable {
    /// Counts from 1.
    public let number: UInt32
    /// When it was made, in seconds since 1970 (UTC).
    public let created: UInt64
    // The whole key alone, or one for each scope.
    let keys: [WrappingKey]
    // The functions that a narrowed copy has this version for, in ascending order; nil for all of the keyset's.
    let scopes: [FunctionScope]?

    package init(number: UInt32, created: UInt64, keys: [WrappingKey], scopes: [FunctionScope]? = nil) {
      self.number = number
      self.created = created
      self.keys = keys
      self.scopes = scopes
    }
  }

  /// Checks and keeps the parts.
  package init(
    id: KeyID, kind: Kind = .symmetric, versions: [Version], primary: UInt32, scopes: [FunctionScope]? = nil
  ) throws(EnvelopeError) {
    let numbers = versions.map(\.number)
    guard Self.isValid(id), (1...Self.versionLimit).contains(versions.count), numbers[0] >= 1,
      zip(numbers, numbers.dropFirst()).allSatisfy(<), numbers.contains(primary),
      versions.allSatisfy({ $0.keys.count == ($0.scopes ?? scopes)?.count ?? 1 })
    else {
      throw EnvelopeError(.keyStoreDamaged, "A keyset has an id, versions or a primary that it cannot have")
    }
    if let scopes {
      guard kind == .symmetric, (1...Self.scopeLimit).contains(scopes.count),
        zip(scopes, scopes.dropFirst()).allSatisfy(<), Self.covers(scopes, versions)
      else { throw EnvelopeError(.keyStoreDamaged, "A narrowed keyset has functions that it cannot have") }
    } else if versions.contains(where: { $0.scopes != nil }) {
      throw EnvelopeError(.keyStoreDamaged, "A version of a whole key is narrowed")
    }
    self.id = id
    self.kind = kind
    self.versions = versions
    self.primary = primary
    self.scopes = scopes
  }

  /// Whether versions are for some of these functions each, and for all of them together.
  private static func covers(_ scopes: [FunctionScope], _ versions: [Version]) -> Bool {
    if versions.allSatisfy({ $0.scopes == nil }) { return true }
    var missing = Set(scopes)
    for version in versions {
      let own = version.scopes ?? scopes
      guard !own.isEmpty, zip(own, own.dropFirst()).allSatisfy(<), Set(scopes).isSuperset(of: own) else { return false }
      missing.subtract(own)
    }
    return missing.isEmpty
  }

  /// What is left of a keyset that was destroyed: that there was one.
  init(destroyed id: KeyID, kind: Kind, at time: UInt64) throws(EnvelopeError) {
    guard Self.isValid(id) else {
      throw EnvelopeError(.keyStoreDamaged, "A destroyed keyset has an id that it cannot have")
    }
    (self.id, self.kind, versions, primary) = (id, kind, [], 0)
    state = .destroyed(at: time)
  }

  static let idCharacterCount = 12

  private static func isValid(_ id: KeyID) -> Bool {
    id.string.utf8.count == idCharacterCount && id.string.utf8.allSatisfy(Base64URL.isDigit)
  }

  /// Makes a keyset with a random id and one version.
  ///
  /// - Throws: `unsupportedSuite` for a post-quantum identity if libsodium lacks X-Wing; `systemFailure` where there is no
  ///   memory or randomness.
  public static func generate(_ kind: Kind = .symmetric) throws(EnvelopeError) -> Keyset {
    if kind == .postQuantumIdentity { try XWing.checkIsAvailable() }
    return try Keyset(
      id: makeID(), kind: kind,
      versions: [Version(number: 1, created: Clock.now, keys: [WrappingKey.generate()])], primary: 1)
  }

  /// Nine random bytes as text, but none that a command would take for an option.
  private static func makeID() throws(EnvelopeError) -> KeyID {
    while true {
      let id = Base64URL.encode(try Randomness.bytes(9))
      if id.utf8.first != UInt8(ascii: "-") { return try KeyID(id) }
    }
  }

  /// The same keyset with one more version, which becomes the primary; the older ones still unwrap.
  ///
  /// - Throws: `keyDisabled`, `keyInvalidState` or `keyNotFound` where its state does not allow that;
  ///   `invalidArgument` where the keyset is full or narrowed; `unsupportedSuite` and `systemFailure` as for
  ///   ``generate(_:)``.
  public func rotated() throws(EnvelopeError) -> Keyset {
    try checkState()
    // The public half of the new version could not be computed, and so not be given to senders.
    if kind == .postQuantumIdentity { try XWing.checkIsAvailable() }
    guard scopes == nil else {
      throw EnvelopeError(
        .invalidArgument, "The key \(shown) is narrowed to some functions and cannot be rotated here",
        advice: "Rotate it where the complete key is, and export it again.")
    }
    let last = versions[versions.count - 1].number
    guard versions.count < Self.versionLimit, last < .max else {
      throw EnvelopeError(.invalidArgument, "A keyset holds at most \(Self.versionLimit) versions")
    }
    var rotated = self
    rotated.versions.append(Version(number: last + 1, created: Clock.now, keys: [try WrappingKey.generate()]))
    rotated.primary = last + 1
    return rotated
  }

  /// The secrets are let go of, and what was said of it too.
  mutating func destroy(at time: UInt64) throws(EnvelopeError) {
    let reporters = reporters
    self = try Keyset(destroyed: id, kind: kind, at: time)
    self.reporters = reporters
  }

  /// The key as messages show it: its alias and its id.
  var shown: String { alias.map { "\($0) (\(id))" } ?? "\(id)" }

  /// What a command takes for the key: its alias, or its id if it has none.
  var handle: String { alias ?? id.string }

  /// Whether the system keeps the secrets out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { WrappingKey.areLocked(versions.lazy.flatMap(\.keys)) }

  /// The id that a header names a version by: the keyset's id, a dot and the number.
  package func keyID(of version: Version) throws(EnvelopeError) -> KeyID {
    try KeyID("\(id).\(version.number)")
  }

  /// The version that wraps; nil once it is destroyed.
  package var primaryVersion: Version? { version(numbered: primary) }

  /// The number of the version that a header's key id names, whether it is here or not; nil for another keyset's.
  package func versionNumber(in keyID: KeyID) -> UInt32? {
    keyID.string.withUTF8Bytes { name -> UInt32? in
      let digits = name.extracting(droppingFirst: Self.idCharacterCount + 1)
      // A number has one spelling: neither 01 nor +1 is 1.
      guard name.starts(with: id.string), name.byteIfAny(at: Self.idCharacterCount) == UInt8(ascii: "."),
        let first = digits.byteIfAny(at: 0), first.isDigit, first != UInt8(ascii: "0")
      else { return nil }
      return UInt32(decimal: digits)
    }
  }

  /// The version that a header names so, or nil.
  package func version(named keyID: KeyID) -> Version? {
    versionNumber(in: keyID).flatMap { version(numbered: $0) }
  }

  /// The version of this number, or nil.
  func version(numbered number: UInt32) -> Version? { versions.first { $0.number == number } }
}

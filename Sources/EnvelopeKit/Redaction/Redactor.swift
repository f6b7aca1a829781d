// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Masks secrets wherever they appear in texts.
///
/// Every occurrence is replaced by `[redacted:NAME]`; the text around it stays. A secret is found
/// - as it is, and without the white space around it;
/// - in base64 and base64url, alone or inside longer data, with and without padding, and as the lines of 64 or 76
///   characters that encoders of a secret alone break it into;
/// - in hexadecimal, percent-encoded, and with every byte as `\x41`;
/// - escaped for JSON (also with `\/` and `\u003c`, and in ASCII), for Swift's `debugDescription`, for Python's `repr` and
///   `ascii`, and for shells;
/// - escaped for JSON, and then once more for JSON, Swift or Python;
/// - if it has several lines, as single lines of 16 bytes or more, with all of these escapes but base64 and hexadecimal.
///
/// Searching takes a time that is linear in the length of the text, whatever the text, and that hardly depends on the
/// number of secrets. It is not constant time. The search tables lie in guarded memory, which is wiped with the last
/// copy of the redactor.
///
/// A redactor is a net under a mistake, not a permission to log secrets. It cannot find
/// - parts of a secret, such as the password inside a URL: add them with ``adding(_:named:)``;
/// - secrets shorter than the minimum length, which are listed in ``unmaskedNames``;
/// - what is compressed, encrypted, hashed, reversed, in another case or Unicode normalization, or in another encoding
///   such as UTF-16, base32, Ascii85, XML entities, or hexadecimal with separators;
/// - another encoding of an encoding, such as base64 that is percent-encoded, and base64 of longer data in short lines;
/// - up to four bits at each end of a secret in base64 of longer data, in characters that also depend on its neighbours.
public struct Redactor: Sendable {
  private let storage: Storage

  /// What copies share.
  private final class Storage: Sendable {
    let secrets: [Secret]
    let minimumByteCount: Int
    let automaton: PatternAutomaton?
    let masks: [String]
    let unmaskedNames: [String]

    init(_ secrets: [Secret], minimumByteCount: Int) throws(EnvelopeError) {
      self.secrets = secrets
      self.minimumByteCount = minimumByteCount
      let masked = secrets.filter { $0.byteCount >= minimumByteCount }
      masks = masked.map { "[redacted:\($0.name)]" }
      unmaskedNames = Set(secrets.filter { (1..<minimumByteCount).contains($0.byteCount) }.map(\.name)).sorted()
      var list = PatternList()
      for (number, secret) in masked.enumerated() {
        var forms = SecretForms(secret: number, minimumByteCount: minimumByteCount, list: list)
        secret.withBytes { forms.addAll(of: $0) }
        list = forms.takeList()
      }
      automaton = try PatternAutomaton.build(list)
    }
  }

  var automaton: PatternAutomaton? { storage.automaton }

  /// The masks of the secrets, by number.
  var masks: [String] { storage.masks }

  /// The minimum length of a secret that is masked, in bytes.
  package var minimumByteCount: Int { storage.minimumByteCount }

  /// The names of secrets that are not masked because they are too short, in ascending order.
  ///
  /// Empty secrets are not listed.
  public var unmaskedNames: [String] { storage.unmaskedNames }

  /// Creates a redactor for the secrets of an environment.
  ///
  /// - Parameters:
  ///   - environment: The environment.
  ///   - names: The variables to mask. Defaults to all.
  ///   - minimumByteCount: The minimum length of a secret that is masked, in bytes. It is at least 4: shorter secrets
  ///     occur by chance in most texts.
  /// - Throws: `variableMissing` if the environment lacks one of the variables, `invalidArgument` if the minimum is less
  ///   than 4, `systemFailure` if there is no memory.
  public init(
    _ environment: OpenedEnvironment, names: [String]? = nil, minimumByteCount: Int = 8
  ) throws(EnvelopeError) {
    var secrets = environment.secrets
    if let names {
      secrets = []
      for name in names { secrets.append(try environment.require(name)) }
    }
    try self.init(secrets, minimumByteCount: minimumByteCount)
  }

  /// Creates a redactor for secrets, of which several may have the same name.
  ///
  /// - Throws: `invalidArgument` if the minimum is less than 4, `systemFailure` if there is no memory.
  package init(_ secrets: [Secret], minimumByteCount: Int = 8) throws(EnvelopeError) {
    guard minimumByteCount >= 4 else {
      throw EnvelopeError(
        .invalidArgument, "The minimum length of a masked secret is \(minimumByteCount) bytes",
        advice: "Pass 4 or more.")
    }
    storage = try Storage(secrets, minimumByteCount: minimumByteCount)
  }

  /// Creates a redactor that masks another secret too.
  ///
  /// The bytes are copied to guarded memory; the original is the caller's to wipe.
  ///
  /// - Throws: `invalidArgument` if the name cannot be that of a variable, `systemFailure` if there is no memory.
  public func adding(_ bytes: RawSpan, named name: String) throws(EnvelopeError) -> Redactor {
    let environment = try OpenedEnvironment(capacity: bytes.byteCount) { (output, index) throws(EnvelopeError) in
      output.append(bytes)
      try index.add(name, endingAt: output.byteCount)
    }
    return try adding(environment)
  }

  /// Creates a redactor that masks the secrets of another environment too.
  ///
  /// - Throws: `systemFailure` if there is no memory.
  public func adding(_ environment: OpenedEnvironment) throws(EnvelopeError) -> Redactor {
    try Redactor(storage.secrets + environment.secrets, minimumByteCount: minimumByteCount)
  }

  /// Whether the system keeps the search tables out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { automaton?.isLocked ?? true }
}

extension Redactor: CustomReflectable, CustomStringConvertible {
  /// The number of secrets that are masked.
  public var description: String { "Redactor(\(masks.count) secrets)" }

  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// One secret value of an opened environment: a view of guarded memory that can be passed around and not printed.
public struct Secret: Sendable {
  /// The name of the variable.
  public let name: String
  private let memory: GuardedMemory
  private let range: Range<Int>

  init(name: String, memory: GuardedMemory, range: Range<Int>) {
    self.name = name
    self.memory = memory
    self.range = range
  }

  /// How many bytes there are.
  package var byteCount: Int { range.count }

  /// Gives access to the bytes, which are valid only inside `body` and are copied nowhere.
  public func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try memory.withBytes(in: range, body)
  }

  /// The value as a string, which lies in ordinary memory and is never wiped.
  ///
  /// - Throws: `typeMismatch` where the bytes are not UTF-8.
  public func revealingString() throws(EnvelopeError) -> String {
    let string = withBytes { bytes in
      unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }
    guard let string else { throw mismatch("UTF-8 text") }
    return string
  }

  /// The value as a decimal integer, with an optional sign and nothing around it.
  ///
  /// - Throws: `typeMismatch` where it is anything else or does not fit the type.
  public func integer<T: FixedWidthInteger>(as type: T.Type = Int.self) throws(EnvelopeError) -> T {
    let value = withBytes { bytes in T(decimal: bytes) }
    guard let value else { throw mismatch("a decimal integer that fits \(type)") }
    return value
  }

  /// The value as a Boolean: `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`, in any case of letters.
  ///
  /// - Throws: `typeMismatch` where it is anything else.
  public func bool() throws(EnvelopeError) -> Bool {
    let word = withBytes { bytes in
      bytes.byteCount > 5
        ? nil : unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }?.lowercased()
    }
    switch word {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default: throw mismatch("true or false")
    }
  }

  /// The bytes that the value stands for in unpadded URL-safe base64, decoded in constant time and wiped when
  /// their owner lets go of them.
  ///
  /// - Throws: `typeMismatch` where it is not canonical base64url.
  public func base64URLBytes() throws(EnvelopeError) -> SecretBytes {
    do {
      return try withBytes { (text) throws(EnvelopeError) in
        try SecretBytes(byteCount: text.byteCount * 3 / 4) { (output) throws(EnvelopeError) in
          try SecretBase64.url.append(decoding: text, to: &output)
        }
      }
    } catch {
      throw mismatch("unpadded URL-safe base64")
    }
  }

  private func mismatch(_ type: String) -> EnvelopeError {
    EnvelopeError(
      .typeMismatch, "The variable \(name) is not \(type)", advice: "Seal it again with a value of that form.",
      names: [name])
  }
}

extension Secret: CustomReflectable, CustomStringConvertible {
  /// The name, and that the value is not shown.
  public var description: String { "Secret(\(name), redacted)" }

  /// Shows the name alone.
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

extension Secret? {
  /// Whether two variables have the same value, or neither is there.
  package func isSame(as other: Secret?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.withBytes { a in other.withBytes { b in a.equalsInConstantTime(b) } }
  }
}

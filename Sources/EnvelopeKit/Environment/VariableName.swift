// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What the name of an environment variable may be.
///
/// Valid names are ASCII, so their order as strings is that of their bytes, and two that are equal have the same bytes.
package enum VariableName {
  /// Holds header and trailer of an environment whose variables are sealed one by one.
  package static let header = "ENVELOPE_HEADER"
  /// Holds a packed environment.
  package static let sealed = "ENVELOPE_SEALED"

  package static let byteLimit = 255

  /// Whether a name matches `[A-Za-z_][A-Za-z0-9_]*` and has at most 255 bytes.
  package static func isValid(_ name: String) -> Bool {
    name.withUTF8Bytes { bytes in
      guard (1...byteLimit).contains(bytes.byteCount) else { return false }
      // Nearly all names are valid, and a loop without an early exit checks those in fewer instructions.
      var isValid = !bytes.byte(at: 0).isDigit
      for offset in 0..<bytes.byteCount {
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        isValid = isValid && (byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_"))
      }
      return isValid
    }
  }

  /// Refuses names that are not valid.
  package static func checkValid(
    _ name: String, orThrow code: EnvelopeError.Code = .invalidArgument
  ) throws(EnvelopeError) {
    guard isValid(name) else {
      throw EnvelopeError(
        code, "\(EnvelopeError.quoted(name)) cannot be the name of a variable",
        advice: "Use letters, digits and underscores, a digit not first, at most \(byteLimit) characters.")
    }
  }

  /// Refuses names that are not valid, and those of the sealed forms themselves.
  package static func check(
    _ name: String, orThrow code: EnvelopeError.Code = .invalidArgument
  ) throws(EnvelopeError) {
    try checkValid(name, orThrow: code)
    try checkNotReserved(name, orThrow: code)
  }

  /// Refuses the names of the sealed forms themselves.
  static func checkNotReserved(
    _ name: String, orThrow code: EnvelopeError.Code = .invalidArgument
  ) throws(EnvelopeError) {
    guard name != header, name != sealed else {
      throw EnvelopeError(
        code, "The name \(name) is reserved for sealed environments", advice: "Give the variable another.")
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Variables in a text of either form, told apart by how it begins.
enum VariablesText {
  /// Reads JSON where the first character that is not blank is `{`, else lines `NAME=value`.
  ///
  /// - Throws: What ``VariablesJSON/read(_:)`` and ``Dotenv/read(_:)`` throw.
  static func read(_ text: RawSpan) throws(EnvelopeError) -> OpenedEnvironment {
    try isJSON(text) ? VariablesJSON.read(text) : Dotenv.read(text)
  }

  /// Whether the first character that is not blank is `{`.
  static func isJSON(_ text: RawSpan) -> Bool {
    var offset = text.byteOrderMarkLength
    while let byte = text.byteIfAny(at: offset), byte.isBlank || byte == .lineFeed || byte == .carriageReturn {
      offset += 1
    }
    return text.byteIfAny(at: offset) == UInt8(ascii: "{")
  }

  /// The names in the order to write them in: those of `first` that there are, and the rest, sorted.
  static func order(_ environment: OpenedEnvironment, first: [String]) -> (first: [String], rest: [String]) {
    let names = environment.names
    var missing = Set(names)
    let found = first.filter { missing.remove($0) != nil }
    return (found, names.filter(missing.contains))
  }

  /// Refuses values that no text can hold.
  ///
  /// - Throws: `invalidArgument`, which names the variable.
  static func check(_ secret: Secret) throws(EnvelopeError) {
    let failure: String? = secret.withBytes { value in
      if value.contains(0) { return "has a NUL byte" }
      return value.firstOffsetOutsideUTF8 == nil ? nil : "is not UTF-8"
    }
    guard let failure else { return }
    throw EnvelopeError(
      .invalidArgument, "The value of the variable \(secret.name) \(failure)",
      advice: "Encode it before it is sealed, as base64 say.", names: [secret.name])
  }
}

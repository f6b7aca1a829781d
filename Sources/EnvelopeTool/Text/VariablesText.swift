// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Variables in a text of either form, told apart by how it begins.
enum VariablesText {
  /// Reads JSON where the first character that is not blank is `{`, else lines `NAME=value`.
  ///
  /// - Throws: What ``VariablesJSON/read(_:)`` and ``Dotenv/read(_:)`` throw.
  static func read(_ text: RawSpan) throws(EnvelopeError) -> OpenedEnvironment {
    try checkEncoding(text)
    return try isJSON(text) ? VariablesJSON.read(text) : Dotenv.read(text)
  }

  /// Refuses UTF-16 and UTF-32, as editors and PowerShell on Windows write them.
  ///
  /// Without a byte order mark, the zeros beside the first character show it: no text here has a NUL character.
  ///
  /// - Throws: `malformed`.
  static func checkEncoding(_ text: RawSpan) throws(EnvelopeError) {
    let first = [UInt8](copying: text.extracting(first: 4))
    let encoding: String
    switch first.count > 3 ? (first[0], first[1], first[2], first[3]) : (1, 1, 1, 1) {
    // With a byte order mark, the name without an order.
    case (0xff, 0xfe, 0, 0), (0, 0, 0xfe, 0xff): encoding = "UTF-32"
    case (0xff, 0xfe, _, _), (0xfe, 0xff, _, _): encoding = "UTF-16"
    case (1..., 0, 0, 0): encoding = "UTF-32LE"
    case (0, 0, 0, 1...): encoding = "UTF-32BE"
    case (1..., 0, 1..., 0): encoding = "UTF-16LE"
    case (0, 1..., 0, 1...): encoding = "UTF-16BE"
    default: return
    }
    throw EnvelopeError(
      .malformed, "Line 1 begins a text in \(encoding), not in UTF-8",
      advice: "Save the file as UTF-8, for example with: iconv -f \(encoding) -t UTF-8 FILE > NEW")
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
      if value.contains(0) { return "has a NUL byte, which no process environment can hold" }
      return value.firstOffsetOutsideUTF8 == nil ? nil : "is not UTF-8, which no file of variables can hold"
    }
    guard let failure else { return }
    throw EnvelopeError(
      .invalidArgument, "The value of \(secret.name) \(failure)",
      advice: "Encode the value before it is sealed, for example as base64.", names: [secret.name])
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension VariablesJSON {
  /// What is around the variables.
  enum Form {
    /// One object, `{"NAME": "value"}`.
    case flat
    /// The document `{"Variables": {…}}` that the AWS command line takes for `--environment`.
    case variables
    /// What AWS answers about a function; it is read, and only its variables are written.
    case answer
  }

  /// Writes variables one a line, with as few escapes as JSON allows, so that ``read(_:)`` reads them back.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - form: What is around them.
  ///   - first: The names to begin with, in this order; the rest is sorted.
  /// - Throws: `invalidArgument` where a value has a NUL byte or is not UTF-8.
  static func write(
    _ environment: OpenedEnvironment, as form: Form = .flat, first: [String] = []
  ) throws(EnvelopeError) -> SecretBytes {
    let order = VariablesText.order(environment, first: first)
    let names = order.first + order.rest
    let indent = form == .flat ? 2 : 4
    // The braces and the name around the members, and what is between two of them.
    var capacity = 32
    for name in names {
      let secret = try environment.require(name)
      try VariablesText.check(secret)
      capacity += secret.withBytes { memberByteCount(name, $0) } + indent + 3
    }
    return try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      output.append(form == .flat ? "{" : "{\n  \"Variables\": {")
      for (position, name) in names.enumerated() {
        output.append(position == 0 ? "\n" : ",\n")
        for _ in 0..<indent { output.append(UInt8.space) }
        append(try environment.require(name), to: &output)
      }
      if !names.isEmpty { output.append(form == .flat ? "\n" : "\n  ") }
      output.append(form == .flat ? "}\n" : "}\n}\n")
    }
  }

  private static func append(_ secret: Secret, to output: inout OutputRawSpan) {
    output.append("\"")
    output.append(secret.name)
    output.append("\": \"")
    secret.withBytes { value in
      for offset in 0..<value.byteCount { append(value.byte(at: offset), to: &output) }
    }
    output.append("\"")
  }

  private static func append(_ byte: UInt8, to output: inout OutputRawSpan) {
    if let letter = letter(ofEscaped: byte) {
      output.append(UInt8.backslash)
      output.append(letter)
    } else if byte < 0x20 {
      output.append("\\u00")
      output.append(UInt8(ascii: "0") + byte >> 4)
      let low = byte & 0xf
      output.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    } else {
      output.append(byte)
    }
  }

  /// The character that stands for this one after a backslash, or nil where there is none.
  private static func letter(ofEscaped byte: UInt8) -> UInt8? {
    switch byte {
    case .doubleQuote, .backslash: byte
    case 0x08: UInt8(ascii: "b")
    case .tab: UInt8(ascii: "t")
    case .lineFeed: UInt8(ascii: "n")
    case 0x0c: UInt8(ascii: "f")
    case .carriageReturn: UInt8(ascii: "r")
    default: nil
    }
  }

  private static func byteCount(ofEscaped byte: UInt8) -> Int {
    letter(ofEscaped: byte) != nil ? 2 : byte < 0x20 ? 6 : 1
  }

  /// The length of `"NAME":"value"`.
  private static func memberByteCount(_ name: String, _ value: RawSpan) -> Int {
    var count = name.utf8.count + 5
    for offset in 0..<value.byteCount { count += byteCount(ofEscaped: value.byte(at: offset)) }
    return count
  }
}

/// The measure that a platform's limit is about: the length of `{"NAME":"value",…}`, without blanks.
extension VariablesJSON {
  /// By how many bytes a variable makes the object longer, its comma included.
  static func cost(of secret: Secret) -> Int {
    secret.withBytes { memberByteCount(secret.name, $0) } + 1
  }

  /// The length of the object of all variables whose costs these are.
  static func compactByteCount(costs: some Sequence<Int>) -> Int {
    // Each cost has a comma, the first variable has none; the braces take two.
    max(costs.reduce(1, +), 2)
  }
}

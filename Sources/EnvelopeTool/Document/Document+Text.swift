// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Document {
  /// Reads the variables that a text holds, and how it is laid out.
  init(text: RawSpan) throws(EnvelopeError) {
    let variables = try VariablesText.read(text)
    try self.init(variables, layout: Self.layout(of: text))
  }

  private static func layout(of text: RawSpan) throws(EnvelopeError) -> Layout {
    guard VariablesText.isJSON(text) else { return .dotenv }
    switch try VariablesJSON.form(of: text) {
    case .flat: return .json
    case .variables: return .lambda
    case .answer: return .answer
    }
  }

  /// Writes variables down of which some are sealed.
  ///
  /// - Parameter function: The function that they were sealed for, to write in a comment; nil writes none.
  /// - Throws: As ``text(of:layout:portable:function:)``; `invalidArgument` if the text is longer than any command reads.
  static func sealedText(
    of variables: OpenedEnvironment, layout: Layout, portable: Bool, function: String?
  ) throws(EnvelopeError) -> SecretBytes {
    let text = try text(of: variables, layout: layout, portable: portable, function: function)
    try checkIsReadAgain(text)
    return text
  }

  /// Refuses a text of which no command could read back what is sealed in it.
  ///
  /// - Throws: `invalidArgument`.
  static func checkIsReadAgain(_ text: borrowing SecretBytes) throws(EnvelopeError) {
    guard text.byteCount > byteLimit else { return }
    throw EnvelopeError(
      .invalidArgument,
      "The sealed variables would take \(text.byteCount.grouped) bytes, "
        + "and no command reads more than \(byteLimit.grouped)",
      advice: "Keep large values elsewhere, and seal the key to them.")
  }

  /// Writes variables down, the header first.
  ///
  /// A value that not every reader of dotenv files reads alike is announced on standard error.
  ///
  /// - Throws: `invalidArgument` where there is such a value and the text shall be portable, or where a value
  ///   is not UTF-8 or holds a NUL byte.
  static func text(
    of variables: OpenedEnvironment, layout: Layout, portable: Bool, function: String? = nil
  ) throws(EnvelopeError) -> SecretBytes {
    let first = [VariableName.header, VariableName.sealed]
    switch layout {
    case .json: return try VariablesJSON.write(variables, as: .flat, first: first)
    case .lambda, .answer: return try VariablesJSON.write(variables, as: .variables, first: first)
    case .dotenv:
      let written = try Dotenv.write(variables, first: first, function: function)
      let names = EnvelopeError.listed(written.announced)
      guard !names.isEmpty else { return written.takeText() }
      guard !portable else {
        throw EnvelopeError(
          .invalidArgument, "Not every reader of dotenv files reads these alike: \(names)",
          advice: "Write JSON instead, or encode the values.", names: written.announced)
      }
      Console.say("Read alike by this command and by sh, but not by every reader of dotenv files: \(names)")
      return written.takeText()
    }
  }
}

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
  /// - Throws: As ``text(of:layout:portable:)``; `invalidArgument` if the text is longer than any command reads.
  static func sealedText(
    of variables: OpenedEnvironment, layout: Layout, portable: Bool, function: String?
  ) throws(EnvelopeError) -> SecretBytes {
    let text = try text(of: variables, layout: layout, portable: portable)
    return try finish(text, layout: layout, function: function)
  }

  /// Writes variables down of which some are sealed, where others stand in a text: of dotenv its comments, blank lines,
  /// order and spellings stay.
  ///
  /// - Parameters:
  ///   - model: The text.
  ///   - comments: The comments of it to keep.
  ///   - function: The function that they were sealed for, to write in a comment; nil keeps the one that is there.
  /// - Throws: As ``sealedText(of:layout:portable:function:)``.
  static func sealedText(
    of variables: OpenedEnvironment, layout: Layout, portable: Bool, following model: borrowing SecretBytes,
    comments: DotenvComments = .all, function: String? = nil
  ) throws(EnvelopeError) -> SecretBytes {
    guard layout.hasComments, !model.withBytes({ VariablesText.isJSON($0) }) else {
      return try sealedText(of: variables, layout: layout, portable: portable, function: function)
    }
    let written = try model.withBytes { (model) throws(EnvelopeError) in
      try Dotenv.write(
        variables, first: first, following: model, comments: comments, for: layout == .docker ? .docker : .shell)
    }
    if !written.comments.leftOut.isEmpty {
      Console.say(
        "Left out comments that set variables, for a comment is not sealed: "
          + "\(EnvelopeError.listed(written.comments.leftOut)). Keep them with --keep-all-comments.")
    }
    if !written.quoted.isEmpty {
      Console.say(
        "Written in quotes, which Docker and kubectl keep as part of the value: "
          + "\(EnvelopeError.listed(written.quoted)). For them, seal the source with --format docker.")
    }
    if !comments.keepsAll, written.comments.keptCount > 0 {
      Console.say("Kept \(written.comments.keptCount.counted("comment")), which are not sealed.")
    }
    return try finish(announce(written, portable: portable), layout: layout, function: function)
  }

  /// Adds the function's comment where the layout has comments, and checks that a command can read the text.
  private static func finish(
    _ text: consuming SecretBytes, layout: Layout, function: String?
  ) throws(EnvelopeError) -> SecretBytes {
    let text = if let function, layout.hasComments { FunctionComment.add(function, to: text) } else { text }
    try checkIsReadAgain(text)
    return text
  }

  /// The variables that a text begins with.
  private static let first = [VariableName.header, VariableName.sealed]

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
    of variables: OpenedEnvironment, layout: Layout, portable: Bool
  ) throws(EnvelopeError) -> SecretBytes {
    switch layout {
    case .json: return try VariablesJSON.write(variables, as: .flat, first: first)
    case .lambda, .answer: return try VariablesJSON.write(variables, as: .variables, first: first)
    case .docker: return try Dotenv.write(variables, first: first, for: .docker).takeText()
    case .dotenv: return try announce(Dotenv.write(variables, first: first), portable: portable)
    }
  }

  /// Says, or refuses if the text shall be portable, which variables not every reader reads alike.
  private static func announce(
    _ written: consuming Dotenv.Document, portable: Bool
  ) throws(EnvelopeError) -> SecretBytes {
    let names = EnvelopeError.listed(written.announced)
    guard !names.isEmpty else { return written.takeText() }
    guard !portable else {
      throw EnvelopeError(
        .invalidArgument, "Not every reader of dotenv files reads these alike: \(names)",
        advice: "Write JSON instead, or encode the values.", names: written.announced)
    }
    Console.say("Not every reader of dotenv files reads these alike: \(names)")
    return written.takeText()
  }

  /// Says what readers of dotenv files disagree about in a text that is sealed.
  ///
  /// - Parameter place: The text in words, as ``String/shownInput`` gives them for a file.
  /// - Throws: `invalidArgument` if there is anything and the text shall be portable.
  static func announceDisagreements(
    in text: borrowing SecretBytes, of place: String, portable: Bool
  ) throws(EnvelopeError) {
    let found = try text.withBytes { (text) throws(EnvelopeError) in
      VariablesText.isJSON(text) ? [] : try Dotenv.disagreements(in: text)
    }
    if portable, let first = found.first {
      throw EnvelopeError(
        .invalidArgument, "In \(place): \(first.message)",
        advice: "Save it as UTF-8 with LF alone, and put values in single quotes; or leave out --portable.",
        names: first.names.sorted())
    }
    for one in found { Console.say("In \(place): \(one.message).") }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Dotenv {
  /// Writes variables in the place of those of another text: its comments, blank lines and order stay.
  ///
  /// A variable that has the same value there keeps its line as it is spelled; that of another has a line written as
  /// ``write(_:first:for:)`` writes it, with the comment behind the value on a line above. A variable that is not there
  /// follows the one before it in the order of names if the text is in that order, else stands at the end. Lines end in
  /// LF.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - first: The names that begin the text where it has none of them.
  ///   - model: The text to follow.
  ///   - comments: Which of its comments to keep.
  /// - Throws: `malformed` if the text to follow cannot be read; as ``write(_:first:for:)``; `invalidArgument` if a
  ///   value cannot be read back from the line that Docker's and kubectl's env files need.
  static func write(
    _ environment: OpenedEnvironment, first: [String], following model: RawSpan, comments: DotenvComments,
    for style: Style = .shell
  ) throws(EnvelopeError) -> Document {
    let (before, reader) = try readWithEntries(model)
    let kept = style == .docker ? [] : before.names.filter { before[$0].isSame(as: environment[$0]) }
    var announced: [String] = []
    let capacity = try capacity(of: environment, keeping: Set(kept), announcing: &announced, for: style)
    var layout = DotenvLayout(
      environment, first: first, entries: reader.entries, kept: Set(kept), style: style, comments: comments,
      isFromWindows: reader.isFromWindows)
    let text = try SecretBytes(byteCount: layout.capacity(beside: capacity, of: model)) {
      (output) throws(EnvelopeError) in
      try layout.write(model, to: &output)
    }
    guard isRead(text, as: environment) else {
      // No spelling that was kept may give another value than the one that is authenticated.
      guard style == .docker else { return try write(environment, first: first) }
      let unlike = try namesReadUnlike(dockerLinesOf: environment)
      throw EnvelopeError(
        .invalidArgument,
        "This command would read other values from a sealed file in the format docker: \(EnvelopeError.listed(unlike))",
        advice: "Seal the variables, or write another format.", names: unlike)
    }
    let others = style == .docker ? [] : environment.secrets.filter { !kept.contains($0.name) }
    return Document(
      text: text, announced: announced.sorted(), quoted: others.filter(\.isWrittenInQuotes).map(\.name),
      comments: layout.comments)
  }

  private static func isRead(_ text: borrowing SecretBytes, as environment: OpenedEnvironment) -> Bool {
    guard let again = text.withBytes({ text in try? read(text) }), again.names == environment.names else {
      return false
    }
    return environment.secrets.allSatisfy { again[$0.name].isSame(as: $0) }
  }

  /// The variables that are read otherwise from the lines that Docker needs.
  private static func namesReadUnlike(dockerLinesOf environment: OpenedEnvironment) throws(EnvelopeError) -> [String] {
    var names: [String] = []
    for secret in environment.secrets {
      let one = try OpenedEnvironment(merging: [secret])
      if try !isRead(write(one, for: .docker).takeText(), as: one) { names.append(secret.name) }
    }
    return names
  }
}

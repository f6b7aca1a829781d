// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The text that a user edits: two lines that explain, then the sealed variables, then the plain ones.
///
/// The two lines begin with `#:`. They are also there above JSON, which has no comments, and are taken away before
/// anything is read. Whether a variable is sealed depends on its name alone: no line can be moved or marked so that a
/// sealed variable becomes plain.
struct EditText {
  let file: String
  let isDotenv: Bool
  /// The names of the plain variables.
  let plain: [String]

  init(_ opened: OpenedDocument, of file: String) {
    self.file = file
    isDotenv = opened.document.layout == .dotenv
    plain = opened.document.plain.names
  }

  /// The text for a file that is not there yet.
  init(new file: String) {
    self.file = file
    isDotenv = Document.layout(ofNew: file) == .dotenv
    plain = []
  }

  /// The text without variables.
  func textOfNew() throws(EnvelopeError) -> SecretBytes {
    let body = isDotenv ? "" : "{\n}\n"
    return try withHeader(SecretBytes(byteCount: body.utf8.count) { $0.append(body) })
  }

  /// The text of all variables.
  ///
  /// - Throws: `invalidArgument` if a value cannot be written down as text.
  func text(of opened: OpenedDocument) throws(EnvelopeError) -> SecretBytes {
    // Only the editor and this command read the text, so differences between readers of dotenv are not reported.
    guard isDotenv else { return try withHeader(VariablesJSON.write(opened.variables())) }
    let sealed = try Dotenv.write(opened.secrets, for: .editor).takeText()
    guard !plain.isEmpty else { return try withHeader(sealed) }
    let plain = try Dotenv.write(opened.document.plain, for: .editor).takeText()
    let mark = "\n\(Self.mark) Plain, not sealed, wherever they stand. To seal one: envelope set FILE NAME\n"
    return try withHeader(
      SecretBytes(byteCount: sealed.byteCount + mark.utf8.count + plain.byteCount) { output in
        sealed.withBytes { output.append($0) }
        output.append(mark)
        plain.withBytes { output.append($0) }
      })
  }

  /// What a user wrote, with the reason why it was refused in place of the explanation.
  func text(refused edited: borrowing SecretBytes, because error: EnvelopeError) throws(EnvelopeError) -> SecretBytes {
    let body = edited.withBytes { SecretBytes(copying: $0.extracting(droppingFirst: Self.headerByteCount(in: $0))) }
    var reason = error
    do throws(EnvelopeError) {
      _ = try read(withHeader(body))
    } catch {
      // The same failure, with the number that its line has below the header.
      reason = error
    }
    return try withHeader(body, refusal: reason)
  }

  /// Reads the variables of an edited text.
  ///
  /// - Throws: `malformed`, `invalidArgument` if the text is longer than any command reads.
  func read(_ edited: borrowing SecretBytes) throws(EnvelopeError) -> OpenedEnvironment {
    try Document.checkIsReadAgain(edited)
    // Empty lines in place of the header keep the numbers of the others.
    let text = edited.withBytes { edited in
      SecretBytes(byteCount: edited.byteCount) { output in
        let end = Self.headerByteCount(in: edited)
        for offset in 0..<end {
          let byte = edited.byte(at: offset)
          if byte == .lineFeed || byte == .carriageReturn { output.append(byte) }
        }
        output.append(edited.extracting(droppingFirst: end))
      }
    }
    return try text.withBytes { (text) throws(EnvelopeError) in try VariablesText.read(text) }
  }

  private static let mark = "#:"

  /// Puts the two lines before a text.
  private func withHeader(
    _ body: borrowing SecretBytes, refusal: EnvelopeError? = nil
  ) throws(EnvelopeError) -> SecretBytes {
    let kinds =
      plain.isEmpty
      ? "All are sealed, new ones too." : "Plain, not sealed: \(plain.joined(separator: ", ")). New ones are sealed."
    let lines =
      refusal.map { ["NOT SAVED: \($0)", "Correct the text and save it; or leave it as it is to give up."] }
      ?? ["Variables of \(file.shown). Save to seal them; or leave the text as it is to change nothing.", kinds]
    let header = lines.map { "\(Self.mark) \(EnvelopeError.escaped($0))\n" }.joined()
    return SecretBytes(byteCount: header.utf8.count + body.byteCount) { output in
      output.append(header)
      body.withBytes { output.append($0) }
    }
  }

  /// The length of the lines at the beginning that begin with the mark.
  private static func headerByteCount(in text: RawSpan) -> Int {
    let mark = Array(mark.utf8)
    var (end, offset) = (0, text.byteOrderMarkLength)
    while mark.indices.allSatisfy({ text.byteIfAny(at: offset + $0) == mark[$0] }) {
      while let byte = text.byteIfAny(at: offset), byte != .lineFeed { offset += 1 }
      if text.byteIfAny(at: offset) == .lineFeed { offset += 1 }
      end = offset
    }
    return end
  }
}

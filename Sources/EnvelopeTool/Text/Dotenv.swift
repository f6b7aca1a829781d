// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Variables in a file of lines `NAME=value`, as `sh` and python-dotenv read it.
///
/// What they all read alike is read so here; where they differ, the text is taken literally or refused, and
/// nothing is ever expanded or run:
///
/// - A byte order mark, empty lines, lines that begin with `#`, blanks (spaces and tabs) before a name and around
///   `=`, and `export ` before a name are passed over.
/// - A value without quotes ends with its line or before a `#` that follows a blank; blanks at its end are not part
///   of it. Every other character stands for itself, `$`, quotes and backslashes too. It must not begin with a
///   backquote, and must not be followed by another variable that `sh` would set: ``DotenvEntry`` says where readers
///   differ.
/// - In single quotes every character stands for itself, line ends too; so it is in `sh`, whereas python-dotenv
///   turns `\\` into `\`.
/// - In double quotes `\n`, `\r`, `\t`, `\"`, `\\`, `\$` and `` \` `` stand for one character. A backslash before a
///   line end or one of `'abfv` is refused, for readers disagree about it; before others it stands for itself.
/// - After a closing quote there may be blanks and, after a blank, a comment.
/// - Lines end in LF or CRLF. A text whose every line ends in CRLF comes from an editor on Windows, and the CRLF
///   inside its quotes are read as LF. In any other text what is inside quotes is kept as it is, as `sh` keeps it,
///   so that a value that holds CRLF comes back exactly. Outside of quotes a lone carriage return is refused.
/// - Text that is not UTF-8, NUL bytes, and a name that is there twice are refused.
enum Dotenv {
  /// Reads variables, each value straight into guarded memory.
  ///
  /// - Throws: `malformed`, which names the line and never shows what is in it but for a variable's name.
  static func read(_ text: RawSpan) throws(EnvelopeError) -> OpenedEnvironment {
    try readWithEntries(text).environment
  }

  /// Reads variables, and where each stands.
  ///
  /// - Throws: As ``read(_:)``.
  static func readWithEntries(
    _ text: RawSpan
  ) throws(EnvelopeError) -> (environment: OpenedEnvironment, reader: DotenvReader) {
    if let offset = text.firstOffsetOutsideUTF8 {
      throw .line(at: offset, in: text, "is not UTF-8", advice: "Save the file as UTF-8.")
    }
    var reader = DotenvReader(text)
    // A value is never longer than its text.
    let environment = try OpenedEnvironment(capacity: text.byteCount) { (output, index) throws(EnvelopeError) in
      while try reader.readLine(of: text, into: &output, &index) {}
    }
    return (environment, reader)
  }

  /// Whether a text has comments; false if it cannot be read.
  static func hasComment(_ text: RawSpan) -> Bool { (try? readWithEntries(text))?.reader.hasComment ?? false }
}

extension EnvelopeError {
  /// An error in a line of text, which it does not show.
  static func line(
    at offset: Int, in text: RawSpan, _ failure: String, advice: String, names: [String] = []
  ) -> EnvelopeError {
    EnvelopeError(.malformed, "Line \(text.line(at: offset)) \(failure)", advice: advice, names: names)
  }
}

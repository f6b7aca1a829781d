// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Dotenv {
  /// A text of variables, wiped when its owner lets go of it.
  struct Document: ~Copyable {
    /// Lines `NAME=value`.
    let text: SecretBytes
    /// The names of the variables that python-dotenv reads differently, in ascending order of their bytes.
    let announced: [String]

    /// Gives up the text to a new owner.
    consuming func takeText() -> SecretBytes { text }
  }

  /// Writes variables so that ``read(_:)``, `sh` (`set -a; . ./file`) and python-dotenv (`interpolate=False`) read
  /// the same bytes back, and `sh` runs none of them.
  ///
  /// A value of safe characters is written bare, others in single quotes, or in double quotes where single ones do
  /// not do. Not every value has a spelling that python-dotenv reads as `sh` does: it takes no escape for `$` and
  /// for the backquote, and knows no carriage return in a file. Those are written as `sh` reads them, and announced.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - first: The names to begin with, in this order and followed by an empty line; the rest is sorted.
  ///   - function: The function to name in a comment, the first line.
  /// - Throws: `invalidArgument` where a value has a NUL byte or is not UTF-8, or a shell would not take the variable
  ///   as it is.
  static func write(
    _ environment: OpenedEnvironment, first: [String] = [], function: String? = nil
  ) throws(EnvelopeError) -> Document {
    let comment = function.map(FunctionComment.line) ?? ""
    let order = VariablesText.order(environment, first: first)
    let names = order.first + order.rest
    var announced: [String] = []
    // Quotes, `=` and the line end, every byte escaped, and the empty line.
    var capacity = 1 + comment.utf8.count
    for name in names {
      let secret = try environment.require(name)
      try VariablesText.check(secret)
      let spelling = secret.withBytes { Spelling(for: $0) }
      try ShellName.check(name, isBare: spelling == .bare)
      if secret.withBytes({ !spelling.isCommon(for: $0) }) { announced.append(name) }
      capacity += name.utf8.count + 4 + secret.byteCount * 2
    }
    let text = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      output.append(comment)
      for name in order.first { append(try environment.require(name), to: &output) }
      if !order.first.isEmpty, !order.rest.isEmpty { output.append(UInt8.lineFeed) }
      for name in order.rest { append(try environment.require(name), to: &output) }
    }
    return Document(text: text, announced: announced.sorted())
  }

  private static func append(_ secret: Secret, to output: inout OutputRawSpan) {
    output.append(secret.name)
    output.append(UInt8.equals)
    secret.withBytes { value in
      switch Spelling(for: value) {
      case .bare:
        output.append(value)
      case .singleQuoted:
        output.append(UInt8.singleQuote)
        output.append(value)
        output.append(UInt8.singleQuote)
      case .doubleQuoted:
        output.append(UInt8.doubleQuote)
        for offset in 0..<value.byteCount {
          let byte = value.byte(at: offset)
          if Spelling.escaped.contains(byte) { output.append(UInt8.backslash) }
          output.append(byte)
        }
        output.append(UInt8.doubleQuote)
      }
    }
    output.append(UInt8.lineFeed)
  }
}

extension Dotenv {
  /// How a value is written.
  private enum Spelling {
    case bare, singleQuoted, doubleQuoted

    /// Has a backslash before it in double quotes, without which `sh` would expand or run what follows.
    static let escaped = Set("\\\"$`".utf8)

    init(for value: RawSpan) {
      var (isBare, isSingleQuotable, previous) = (true, true, UInt8.space)
      for offset in 0..<value.byteCount {
        let byte = value.byte(at: offset)
        if !(byte.isLetter || byte.isDigit || Self.safe.contains(byte)) { isBare = false }
        // To python-dotenv `\\` and `\'` are escapes there, and the second would not end the value.
        if byte == .singleQuote || byte == .backslash && previous == .backslash { isSingleQuotable = false }
        previous = byte
      }
      if previous == .backslash { isSingleQuotable = false }
      self = isBare ? .bare : isSingleQuotable ? .singleQuoted : .doubleQuoted
    }

    private static let safe = Set("_./:@%+,=-".utf8)

    /// Whether python-dotenv reads the spelling as `sh` does.
    ///
    /// It opens files so that each carriage return becomes a line feed, and keeps the backslash in `\$` and `` \` ``.
    func isCommon(for value: RawSpan) -> Bool {
      if value.contains(.carriageReturn) { return false }
      return self != .doubleQuoted || !value.contains(UInt8(ascii: "$")) && !value.contains(UInt8(ascii: "`"))
    }
  }
}

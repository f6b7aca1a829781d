// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Dotenv {
  /// A text of variables, wiped when its owner lets go of it.
  struct Document: ~Copyable {
    /// Lines `NAME=value`.
    let text: SecretBytes
    /// The names of the variables that python-dotenv or Node read differently, or a shell does not set, in ascending
    /// order of their bytes.
    let announced: [String]
    /// The names of the plain variables whose values were put in quotes beside a text that was followed.
    var quoted: [String] = []
    /// The comments of the text that was followed.
    var comments = DotenvComments.all

    /// Gives up the text to a new owner.
    consuming func takeText() -> SecretBytes { text }
  }

  /// Writes variables so that ``read(_:)``, `sh` (`set -a; . ./file`) and python-dotenv (`interpolate=False`) read
  /// the same bytes back, and `sh` runs none of them.
  ///
  /// A value of safe characters is written bare, others in single quotes, or in double quotes where single ones do
  /// not do. Not every value has a spelling that python-dotenv and Node read as `sh` does: Node undoes no escape,
  /// python-dotenv not those of `$` and of the backquote, and neither keeps a carriage return. Those are written as `sh`
  /// reads them, and announced.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - first: The names to begin with, in this order and followed by an empty line; the rest is sorted.
  ///   - style: For whom the text is.
  /// - Throws: `invalidArgument` where a value has a NUL byte or is not UTF-8, or a shell would not take the variable
  ///   as it is, or Docker's and kubectl's env files cannot hold it.
  static func write(
    _ environment: OpenedEnvironment, first: [String] = [], for style: Style = .shell
  ) throws(EnvelopeError) -> Document {
    let order = VariablesText.order(environment, first: first)
    var announced: [String] = []
    // The empty line.
    let capacity = try capacity(of: environment, announcing: &announced, for: style) + 1
    let text = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      for name in order.first { append(try environment.require(name), to: &output, for: style) }
      if !order.first.isEmpty, !order.rest.isEmpty { output.append(UInt8.lineFeed) }
      for name in order.rest { append(try environment.require(name), to: &output, for: style) }
    }
    return Document(text: text, announced: announced.sorted())
  }

  /// For whom a text is written.
  enum Style {
    /// For `sh`, python-dotenv and their like.
    case shell
    /// The same for an editor: it may have names that a shell keeps for itself.
    case editor
    /// For the env files of Docker and kubectl, to whom all behind `=` is the value, quotes and blanks too.
    case docker
  }

  /// The room that the lines of variables take.
  ///
  /// - Parameter kept: The names of variables whose spelling stays what it was, which are not announced again.
  /// - Throws: As ``write(_:first:for:)``.
  static func capacity(
    of environment: OpenedEnvironment, keeping kept: Set<String> = [], announcing announced: inout [String],
    for style: Style
  ) throws(EnvelopeError) -> Int {
    var capacity = 0
    for secret in environment.secrets {
      try VariablesText.check(secret)
      switch style {
      case .docker: try checkFitsDocker(secret)
      case .shell, .editor:
        let spelling = secret.withBytes { Spelling(for: $0) }
        // A sealed value is nothing that a shell can run, whatever the name.
        if style == .shell, !secret.looksSealed { try ShellName.check(secret.name, isBare: spelling == .bare) }
        let isCommon = secret.withBytes { spelling.isCommon(for: $0) } && !ShellName.isKept(secret.name)
        if !isCommon, !kept.contains(secret.name), !secret.looksSealed { announced.append(secret.name) }
      }
      // Quotes, `=` and the line end, and every byte escaped.
      capacity += secret.name.utf8.count + 4 + secret.byteCount * 2
    }
    return capacity
  }

  /// The maximum length of a line that Docker reads, in bytes.
  private static let dockerLineLimit = 65_535

  private static func checkFitsDocker(_ secret: Secret) throws(EnvelopeError) {
    let hasLineEnd = secret.withBytes { $0.contains(.lineFeed) || $0.contains(.carriageReturn) }
    let isTooLong = secret.name.utf8.count + 1 + secret.byteCount > dockerLineLimit
    guard hasLineEnd || isTooLong else { return }
    throw EnvelopeError(
      .invalidArgument,
      "The value of \(secret.name) \(hasLineEnd ? "has a line end" : "is longer than a line that Docker reads"), so no "
        + "env file of Docker can hold it",
      advice: "Write another format, or encode the value, for example as base64.", names: [secret.name])
  }

  /// Appends the line of a variable.
  static func append(_ secret: Secret, to output: inout OutputRawSpan, for style: Style) {
    output.append(secret.name)
    output.append(UInt8.equals)
    secret.withBytes { value in
      switch style == .docker ? .bare : Spelling(for: value) {
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

extension Secret {
  /// Whether its line has quotes, which env files of Docker and kubectl take for a part of the value.
  var isWrittenInQuotes: Bool { !looksSealed && withBytes { Dotenv.Spelling(for: $0) != .bare } }
}

extension Dotenv {
  /// How a value is written.
  fileprivate enum Spelling {
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

    /// Whether python-dotenv and Node read the spelling as `sh` does.
    ///
    /// Both drop or change carriage returns. Node keeps the backslashes of double quotes, and ends the value at `\"`.
    /// python-dotenv keeps that of `\$` and `` \` ``; of a value that ends in `\\`, versions before 1.2.3 miss the end.
    func isCommon(for value: RawSpan) -> Bool {
      if value.contains(.carriageReturn) { return false }
      return self != .doubleQuoted || !Self.escaped.contains { value.contains($0) }
    }
  }
}

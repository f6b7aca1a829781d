// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The text of a new `envelope.yaml`, in which comments show what it can say.
struct ConfigurationTemplate {
  /// A function that a file in the folder is of, or may be of.
  struct Suggestion: Equatable {
    let function: String
    let file: String
    /// Whether the file is sealed for that function; it is only suggested otherwise.
    let isProven: Bool
  }

  /// One for each function, in ascending order of the files' names.
  let suggestions: [Suggestion]

  /// Leaves out names that the text would have to quote.
  init(_ suggestions: [Suggestion]) {
    var seen: Set<String> = []
    let plain = suggestions.filter { Self.isPlain($0.function) && Self.isPlain($0.file) }
    self.suggestions = (plain.filter(\.isProven) + plain.filter { !$0.isProven })
      .filter { seen.insert($0.function).inserted }
      .sorted { $0.file.utf8.lexicographicallyPrecedes($1.file.utf8) }
  }

  private static func isPlain(_ name: String) -> Bool {
    let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
    return name.utf8.first.map(isLetter) ?? false && name.utf8.count <= 64
      && name.utf8.allSatisfy { isLetter($0) || "0123456789-_.".utf8.contains($0) }
  }

  var text: String {
    let proven = suggestions.filter(\.isProven)
    let others = suggestions.filter { !$0.isProven }
    var examples = others.map { "#  \($0.function):\n#    file: \($0.file)\n" }
    if suggestions.isEmpty { examples = ["#  checkout:\n#    file: checkout.env\n"] }
    return Self.beginning + (proven.isEmpty ? "#functions:\n" : "functions:\n")
      + proven.map { "  \($0.function):\n    file: \($0.file)\n" }.joined() + examples.joined() + Self.end
  }

  private static let beginning = """
    # Which function has which file, keys, encryption context and plain variables. It holds no secret.
    # Every command in this folder and below finds it; options override it. More: envelope help seal

    # For each function that does not say otherwise:
    #default:
    #  key: default                # alias or id; a recipient er1:... or er2:...; or of AWS KMS an ARN or alias/NAME
    #  plain: [LOG_LEVEL]          # variables to leave as they are
    #  context: {team: payments}   # further pairs of the encryption context

    # A command on the file of a function needs no --function.

    """

  private static let end = """

    # What 'envelope rewrap' and 'envelope reseal' leave out of a folder, in the patterns of .gitignore:
    #rewrap:
    #  exclude: [Tests/Fixtures]

    """
}

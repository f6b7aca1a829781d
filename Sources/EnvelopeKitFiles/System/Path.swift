// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A path as the system takes it, in the few ways that are needed here.
package struct Path: Hashable, Sendable, CustomStringConvertible {
  package let string: String

  package init(_ string: String) { self.string = string }

  package var description: String { string }

  /// The folder that it lies in.
  package var folder: Path {
    guard let slash = string.utf8.lastIndex(of: UInt8(ascii: "/")) else { return Path(".") }
    return slash == string.startIndex ? Path("/") : Path(String(string[..<slash]))
  }

  /// The part after the last slash.
  package var name: String {
    guard let slash = string.utf8.lastIndex(of: UInt8(ascii: "/")) else { return string }
    return String(string[string.utf8.index(after: slash)...])
  }

  package func appending(_ name: String) -> Path { Path(string == "/" ? "/\(name)" : "\(string)/\(name)") }

  /// The first 100 bytes of the name, for names of other files beside it: a name takes at most 255 bytes.
  var keptName: String { String(decoding: name.utf8.prefix(100), as: UTF8.self) }

  /// Advice to run a command on the path.
  ///
  /// If the path has characters that a terminal does not show as they are, the
  /// command is named without it: a copied path would be another.
  package func advice(running command: String) -> String {
    let isShown = string.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    return isShown ? "Run: \(command) \(shellWord)" : "Run on it: \(command)"
  }

  /// The path as one word of a shell command that cannot be taken for an option.
  package var shellWord: String { string.utf8.first == UInt8(ascii: "-") ? Path("./" + string).quoted : quoted }

  /// The path in single quotes, as a shell takes it.
  package var quoted: String {
    "'" + string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

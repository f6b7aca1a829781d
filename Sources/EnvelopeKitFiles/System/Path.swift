// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// A path as the system takes it, in the few ways that are needed here.
package struct Path: Hashable, Sendable, CustomStringConvertible {
  package let string: String
  private let isStream: Bool

  package init(_ string: String) {
    self.string = string
    isStream = false
  }

  private init(stream: String) {
    string = stream
    isStream = true
  }

  /// Names an open file that has no path, for messages.
  package static func stream(_ name: String) -> Path { Path(stream: name) }

  /// The path as messages show it: in quotes and escaped if it has characters that could be mistaken.
  package var description: String { isStream ? string : EnvelopeError.shown(string) }

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

  var isAbsolute: Bool { string.utf8.first == UInt8(ascii: "/") }

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

  /// The path as a shell takes it: in single quotes, or as `$'…'` if it has characters that must not be printed.
  package var quoted: String {
    guard string.unicodeScalars.allSatisfy(\.isPrintable) else {
      let bytes = string.utf8.map { byte in
        let isPlain = (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\")
        let digits = String(byte, radix: 8)
        return isPlain
          ? String(Unicode.Scalar(byte)) : "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
      return "$'\(bytes.joined())'"
    }
    return "'" + string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

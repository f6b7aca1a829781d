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

  /// The path in single quotes, as a shell takes it.
  package var quoted: String {
    "'" + string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

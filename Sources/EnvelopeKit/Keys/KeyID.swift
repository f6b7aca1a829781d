// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Names a wrapping key: 1 to 255 printable ASCII characters without spaces, compared byte by byte.
public struct KeyID: Hashable, Sendable, CustomStringConvertible {
  /// The characters.
  public let string: String

  /// Checks and keeps a key id.
  ///
  /// - Throws: `invalidArgument` where it is empty, longer than 255 bytes, or holds anything but
  ///   the characters U+0021 to U+007E: ids come from outside and are printed.
  public init(_ string: String) throws(EnvelopeError) {
    guard (1...255).contains(string.utf8.count), string.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw EnvelopeError(.invalidArgument, "A key id must be 1 to 255 printable ASCII characters without spaces")
    }
    self.string = string
  }

  /// The characters.
  public var description: String { string }

  /// The characters up to the first dot: of a keyset's version, the keyset's id.
  package var withoutVersion: String {
    string.utf8.firstIndex(of: UInt8(ascii: ".")).map { String(string[..<$0]) } ?? string
  }

  /// The number after the first dot, or nil: of a keyset's version, the version's number.
  package var version: UInt32? { UInt32(string.drop { $0 != "." }.dropFirst()) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The first line of a sealed dotenv file, `# function: NAME`: the function that it was sealed for.
///
/// It is not authenticated, and only spares the user from typing the name where the header proves it.
enum FunctionComment {
  private static let prefix = "# function: "
  private static let byteLimit = 256

  /// The text with the line of a function first, instead of another function's.
  ///
  /// A name with characters that a comment should not have gets no line.
  static func add(_ function: String, to text: consuming SecretBytes) -> SecretBytes {
    let line = isPlain(function.utf8) ? "\(prefix)\(function)\n" : ""
    return text.withBytes { text in
      let end = text.offset(of: [.lineFeed], from: 0).map { $0 + 1 } ?? text.byteCount
      let old = name(in: text) == nil ? 0 : end
      let rest = text.extracting(old..<text.byteCount)
      return SecretBytes(byteCount: line.utf8.count + rest.byteCount) { output in
        output.append(line)
        output.append(rest)
      }
    }
  }

  /// The name in the first line of a text; nil if the line is another.
  static func name(in text: RawSpan) -> String? {
    let start = text.byteOrderMarkLength
    guard prefix.utf8.enumerated().allSatisfy({ text.byteIfAny(at: start + $0) == $1 }) else { return nil }
    var name: [UInt8] = []
    var offset = start + prefix.utf8.count
    while let byte = text.byteIfAny(at: offset), byte != .lineFeed, byte != .carriageReturn, name.count <= byteLimit {
      name.append(byte)
      offset += 1
    }
    return isPlain(name) ? String(decoding: name, as: UTF8.self) : nil
  }

  /// Printable ASCII without a blank at an end: nothing that ends the line or steers a terminal.
  private static func isPlain(_ name: some BidirectionalCollection<UInt8>) -> Bool {
    (1...byteLimit).contains(name.count) && name.first != .space && name.last != .space
      && name.allSatisfy { (0x20...0x7e).contains($0) }
  }
}

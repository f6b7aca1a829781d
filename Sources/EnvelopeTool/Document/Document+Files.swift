// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Reads a file, or standard input where the path is `-`.
  ///
  /// - Throws: `noInput` where there is no such file, `malformed` with the file and the line.
  static func read(_ path: String) throws(EnvelopeError) -> Document {
    let text = try readText(path)
    do throws(EnvelopeError) {
      return try text.withBytes { (text) throws(EnvelopeError) in try Document(text: text) }
    } catch {
      // Of several files that a call is about, it is not plain which one has that line.
      let place = path == "-" ? "standard input" : path
      throw EnvelopeError(error.code, "In \(place): \(error.message)", advice: error.advice, names: error.names)
    }
  }

  /// Reads a file that the next version will take the place of; nil where there is none.
  static func readExisting(_ path: String) throws(EnvelopeError) -> Document? {
    guard try Path(path).isRegularFile else { return nil }
    return try read(path)
  }

  private static func readText(_ path: String) throws(EnvelopeError) -> SecretBytes {
    if path == "-" { return try Console.readInput(limit: byteLimit) }
    let path = Path(path)
    guard path.exists else {
      throw EnvelopeError(.noInput, "There is no file \(path)", advice: "Check the path.")
    }
    return try path.openForReading().readAll(limit: byteLimit, of: path)
  }

  /// Writes to a file, whole or not at all, or to standard output where there is no path or it is `-`.
  ///
  /// - Parameters:
  ///   - revealing: Whether the text shows secrets: a file is then for its owner alone.
  ///   - portable: Whether to refuse values that not every reader of dotenv files reads alike.
  func write(to path: String?, revealing: Bool, portable: Bool = false) throws(EnvelopeError) {
    try Self.write(variables(), as: layout, to: path, revealing: revealing, portable: portable)
  }

  static func write(
    _ variables: OpenedEnvironment, as layout: Layout, to path: String?, revealing: Bool, portable: Bool
  ) throws(EnvelopeError) {
    let text = try text(of: variables, layout: layout, portable: portable)
    try text.withBytes { (text) throws(EnvelopeError) in
      guard let path, path != "-" else { return try Console.write(text) }
      try Path(path).replace(with: text, mode: revealing ? 0o600 : 0o644, keepsMode: !revealing)
    }
  }
}

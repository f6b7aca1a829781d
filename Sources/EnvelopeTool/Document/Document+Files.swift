// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Reads a file, or standard input where the path is `-`.
  ///
  /// - Throws: `noInput` where there is no such file or it cannot be opened, `malformed` with the file and the line.
  static func read(_ path: String) throws(EnvelopeError) -> Document {
    try Document(text: readText(path), of: path)
  }

  /// Reads the text of a file.
  init(text: borrowing SecretBytes, of path: String) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      self = try text.withBytes { (text) throws(EnvelopeError) in try Document(text: text) }
    } catch {
      // Of several files that a call is about, it is not plain which one has that line.
      let place = path == "-" ? "standard input" : path
      throw EnvelopeError(error.code, "In \(place): \(error.message)", advice: error.advice, names: error.names)
    }
  }

  /// Reads a file that the next version will take the place of; nil where there is none.
  ///
  /// - Throws: As ``read(_:)``, with the advice to write elsewhere.
  static func readExisting(_ path: String) throws(EnvelopeError) -> Document? {
    guard try Path(path).kind == .file else { return nil }
    do throws(EnvelopeError) {
      return try read(path)
    } catch {
      throw EnvelopeError(
        error.code, error.message, advice: "It would be written over: write to another file.",
        names: error.names)
    }
  }

  static func readText(_ path: String) throws(EnvelopeError) -> SecretBytes {
    if path == "-" { return try Console.readInput(limit: byteLimit) }
    let path = Path(path)
    guard path.exists else {
      throw EnvelopeError(.noInput, "There is no file \(path)", advice: "Check the path.")
    }
    let file: Descriptor
    do throws(EnvelopeError) {
      file = try path.openForReading()
    } catch {
      throw EnvelopeError(.noInput, error.message, advice: "Check its permissions.")
    }
    return try file.readAll(limit: byteLimit, of: path)
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
    try write(text(of: variables, layout: layout, portable: portable), to: path, revealing: revealing)
  }

  static func write(_ text: borrowing SecretBytes, to path: String?, revealing: Bool) throws(EnvelopeError) {
    try text.withBytes { (text) throws(EnvelopeError) in
      guard let path, path != "-" else { return try Console.write(text) }
      let file = Path(path)
      // An interruption must not leave a half-written file of secrets beside the other; a pipe may be waited for.
      let signals = try file.kind == .other ? nil : SignalPause()
      defer { signals?.end() }
      try file.replace(with: text, replacement(revealing: revealing))
    }
  }

  /// The variable that, set to 1, has sealed files rewritten where they are instead of replaced.
  private static let inPlaceVariable = "ENVELOPE_IN_PLACE"

  private static func replacement(revealing: Bool) throws(EnvelopeError) -> Replacement {
    var replacement = Replacement(isSecret: revealing) { Console.say("envelope: \($0)") }
    let value = ProcessEnvironment.value(of: inPlaceVariable) ?? ""
    guard ["", "0", "1"].contains(value) else {
      throw EnvelopeError(.usage, "\(inPlaceVariable) is neither 0 nor 1", advice: "Unset it, or set it to 1.")
    }
    replacement.isInPlace = value == "1"
    replacement.inPlaceSetting = "\(inPlaceVariable)=1"
    return replacement
  }
}

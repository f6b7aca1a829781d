// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Reads a file, or standard input where the path is `-`.
  ///
  /// - Throws: `noInput` if there is no such file, `fileFailure` if it cannot be opened, `malformed` with the file and the line.
  static func read(_ path: String) throws(EnvelopeError) -> Document {
    try Document(text: readText(path), of: path)
  }

  /// Reads the text of a file.
  init(text: borrowing SecretBytes, of path: String) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      self = try text.withBytes { (text) throws(EnvelopeError) in try Document(text: text) }
    } catch {
      // Of several files that a call is about, it is not plain which one has that line.
      throw EnvelopeError(
        error.code, EnvelopeError.place(path) + error.message, advice: error.advice, names: error.names)
    }
  }

  /// Reads the bytes of a file, or standard input if the path is `-`.
  ///
  /// - Throws: `noInput`, `fileFailure`; `usage` for a sealed file, which has commands of its own.
  static func readText(_ path: String) throws(EnvelopeError) -> SecretBytes {
    if path == "-" {
      let text = try Console.readInput(limit: byteLimit)
      guard text.withBytes({ !Header.isOfFile($0) }) else { throw .isSealedFile(path) }
      return text
    }
    let path = Path(path)
    guard path.exists else {
      throw EnvelopeError(.noInput, "No such file: \(path)", advice: "Check the path.")
    }
    let file: Descriptor
    do throws(EnvelopeError) {
      file = try path.openForReading()
    } catch {
      throw EnvelopeError(.fileFailure, error.message, advice: "Check its permissions.")
    }
    guard !file.beginsAsSealedFile(of: path) else { throw .isSealedFile(path.string) }
    let text = try file.readAll(limit: byteLimit, of: path)
    // Of a pipe, this is known only now.
    guard text.withBytes({ !Header.isOfFile($0) }) else { throw .isSealedFile(path.string) }
    return text
  }

  /// Writes a text to a file, atomically, or to a pipe or device.
  ///
  /// - Parameter revealing: Whether the text shows secrets: a file is then for its owner alone.
  static func write(_ text: borrowing SecretBytes, to path: String, revealing: Bool) throws(EnvelopeError) {
    try text.withBytes { (text) throws(EnvelopeError) in
      let file = Path(path)
      if file.isTerminal { try Console.checkSteersNoTerminal(text) }
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

extension EnvelopeError {
  fileprivate static func place(_ path: String) -> String { "In \(path.shownInput): " }

  /// The same error for a report whose line begins with the path.
  func withoutPlace(_ path: String) -> EnvelopeError {
    let place = Self.place(path)
    guard message.hasPrefix(place) else { return self }
    return EnvelopeError(
      code, String(message.dropFirst(place.count)), advice: advice, names: names, serviceError: serviceError,
      requestID: requestID)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Opens a sealed file, lets `change` make other variables of it, and writes the file under the same data key.
  ///
  /// - Parameter change: Takes the opened document, and returns the sealed and the plain variables that there shall be.
  ///   It is called again if others change the file meanwhile.
  static func update(
    _ file: String, settings: FunctionSettings,
    _ change: (OpenedDocument) throws(EnvelopeError) -> (secrets: OpenedEnvironment, plain: OpenedEnvironment)
  ) async throws {
    var opening = settings
    // Updating refuses an anonymous sender, whose data key must not be used again, with the advice for that.
    opening.anonymousSender = .accepted
    try await rewrite(file) { [opening] document in
      let opened = try await OpenedDocument(document, of: file, opening)
      let (secrets, plain) = try change(opened)
      return try await opened.updated(to: secrets, plain: plain, settings)
    }
  }

  /// Reads a file, lets `change` make another document of it, and writes that, or nothing if it returns nil.
  ///
  /// - Parameter retries: Whether `change` is called again if others change the file meanwhile; they wait then.
  /// - Throws: `changedMeanwhile` if others changed the file and `retries` is false; `invalidArgument` if the text is
  ///   longer than any command reads.
  static func rewrite(
    _ file: String, retries: Bool = true, _ change: (Document) async throws -> Document?
  ) async throws {
    try checkIsFile(file)
    var isOfAnswer = false
    try await exchange(file, revealing: false, retries: retries, reading: readText) { before in
      guard let changed = try await change(Document(text: before, of: file)) else { return nil }
      isOfAnswer = changed.layout == .answer
      return try sealedText(of: changed.variables(), layout: changed.layout, portable: false, following: before)
    }
    if isOfAnswer {
      Console.say("\(file.shown) held an answer of AWS; it now holds the variables alone, as --environment takes them.")
    }
  }

  /// Refuses what cannot be changed: standard input, a pipe, a device, a folder.
  ///
  /// - Throws: `usage`.
  static func checkIsFile(_ file: String) throws(EnvelopeError) {
    guard file != "-", try Path(file).kind != .other else {
      throw EnvelopeError(.usage, "What is changed must be a file", advice: "Give its path.")
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Opens a sealed file, lets `change` make other variables of it, and writes the file anew under the same data key.
  ///
  /// - Parameter change: Takes the document and its opened variables, and returns the sealed and the plain variables
  ///   that there shall be, or nil to leave the file as it is.
  static func update(
    _ file: String, settings: FunctionSettings,
    _ change: (Document, OpenedEnvironment) throws(EnvelopeError) -> (OpenedEnvironment, OpenedEnvironment)?
  ) async throws {
    try await rewrite(file) { document in
      let sealed = try document.requireSealed(in: file)
      let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
      let opened = try await sealed.open(context: settings.context, using: keyring)
      guard let (secrets, plain) = try change(document, opened) else { return nil }
      let updated = Document(
        layout: document.layout,
        sealed: try await sealed.updated(to: secrets, beside: plain, context: settings.context, using: keyring),
        plain: plain)
      if [.lambda, .answer].contains(updated.layout) { try updated.checkStillFitsLambda() }
      return updated
    }
  }

  /// Reads a file, lets `change` make another document of it, and writes that, or nothing where it returns nil.
  ///
  /// - Throws: `changedMeanwhile` where somebody else changed the file: nothing is written over it.
  static func rewrite(_ file: String, _ change: (Document) async throws -> Document?) async throws {
    let path = Path(file)
    guard file != "-", try path.kind != .other else {
      throw EnvelopeError(.usage, "What is changed must be a file", advice: "Give its path.")
    }
    let before = try readText(file)
    guard let changed = try await change(Document(text: before, of: file)) else { return }
    try replace(file, before, with: text(of: changed.variables(), layout: changed.layout, portable: false))
    if changed.layout == .answer {
      Console.say("\(file) held an answer of AWS; it now holds the variables alone, as --environment takes them.")
    }
  }

  /// Writes a file anew that still holds what was read from it.
  ///
  /// - Throws: `changedMeanwhile` where somebody else changed the file: nothing is written over it.
  static func replace(
    _ file: String, _ before: borrowing SecretBytes, with text: borrowing SecretBytes
  ) throws(EnvelopeError) {
    let lock = try Path(file).lock(.ofCommand)
    let now = try readText(file)
    guard before.withBytes({ before in now.withBytes { before.equalsInConstantTime($0) } }) else {
      throw EnvelopeError(
        .changedMeanwhile, "\(file) was changed by somebody else meanwhile, and was left as it is now",
        advice: "Run the command again.")
    }
    try write(text, to: file, revealing: false)
    _ = consume lock
  }
}

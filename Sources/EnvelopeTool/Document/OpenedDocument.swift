// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// A document whose sealed variables have been opened.
struct OpenedDocument {
  let document: Document
  let sealed: SealedEnvironment
  /// What the sealed variables opened to.
  let secrets: OpenedEnvironment
  let keyring: MultiKeyring

  /// Reads a file, or standard input if the path is `-`, and opens it.
  ///
  /// - Throws: As ``Document/read(_:)``; `noHeader` if nothing in it is sealed; what opening throws.
  static func read(_ file: String, _ settings: FunctionSettings) async throws -> OpenedDocument {
    try await OpenedDocument(Document.read(file), of: file, settings)
  }

  init(_ document: Document, of file: String, _ settings: FunctionSettings) async throws {
    self.document = document
    let sealed = try document.requireSealed(in: file).allowing(plain: settings.changeablePlain)
    let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
    secrets = try await EnvelopeError.advisingOptions(opening: sealed.wrappedKeys) {
      try await sealed.open(
        context: settings.context, using: keyring, anonymousSender: settings.anonymousSender)
    }
    self.sealed = sealed
    self.keyring = keyring
  }

  /// All variables: what was sealed, and the plain ones beside it.
  func variables() throws(EnvelopeError) -> OpenedEnvironment {
    try OpenedEnvironment(merging: secrets.secrets + document.plain.secrets)
  }

  /// The same document with other variables, under the same data key.
  ///
  /// - Throws: `invalidArgument` if a new value has a NUL byte; what updating throws.
  func updated(
    to secrets: OpenedEnvironment, plain: OpenedEnvironment, _ settings: FunctionSettings
  ) async throws -> Document {
    try secrets.checkFitsProcess(keeping: self.secrets)
    try plain.checkFitsProcess(keeping: document.plain)
    let updated = Document(
      layout: document.layout,
      sealed: try await sealed.updated(to: secrets, beside: plain, context: settings.context, using: keyring),
      plain: plain)
    if [.lambda, .answer].contains(updated.layout) { try updated.checkStillFitsLambda() }
    return updated
  }
}

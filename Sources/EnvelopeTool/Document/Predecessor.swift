// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The sealed environment that `seal` is about to replace, and what is verified of it.
struct Predecessor {
  private let document: Document
  private let sealed: SealedEnvironment
  /// The names of the sealed variables; nil if they are not known, because it is packed and cannot be opened.
  private let sealedNames: [String]?
  /// Why the sealed variables do not verify; nil if they do.
  private let failure: EnvelopeError?

  /// Opens the sealed variables.
  ///
  /// The plain ones beside them are not compared, because they are replaced too.
  init(_ document: Document, _ sealed: SealedEnvironment, _ settings: FunctionSettings) async throws {
    self.document = document
    self.sealed = sealed
    do {
      let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
      sealedNames = try await sealed.openSealed(context: settings.context, using: keyring).names
      failure = nil
    } catch let error as EnvelopeError {
      sealedNames = sealed.form == .packed ? nil : sealed.names
      failure = error
    }
  }

  /// The names of all variables; nil if they are not known.
  var names: [String]? { sealedNames.map { $0 + document.plain.names } }

  /// Why the names are not known, or not verified; nil if they are.
  var reason: String? { failure?.message }

  /// Whether a key that is held shows that the environment was altered.
  var isAltered: Bool { failure.map { Self.alterations.contains($0.code) } ?? false }

  private static let alterations: Set<EnvelopeError.Code> = [
    .headerAltered, .variablesAltered, .variablesAdded, .variablesMissing, .variablePutBack, .payloadAltered,
    .malformed,
  ]

  /// The given names that may have been sealed: if nothing is verified, all that are not plain now.
  func turnedPlain(_ names: [String]) -> [String] {
    guard failure == nil, let sealedNames else { return names.filter { document.plain[$0] == nil } }
    return names.filter { sealedNames.contains($0) }
  }

  /// The readers of the environment that do not open another.
  func readers(missingFrom successor: SealedEnvironment) -> [String] {
    Set(sealed.wrappedKeys.map(\.reader)).subtracting(successor.wrappedKeys.map(\.reader)).map(\.description).sorted()
  }

  /// The generation that follows; nil if that of the environment does not count.
  ///
  /// A generation that does not verify is reported.
  ///
  /// - Throws: `invalidArgument` after the last number.
  func nextGeneration() throws(EnvelopeError) -> UInt32? {
    if let failure {
      let isCounted = !sealed.hasImplausibleGeneration
      Console.say(
        "The generation \(sealed.generation) of what is replaced does not verify (\(failure.message)). It counts"
          + (isCounted ? " all the same." : " no more: it is more than a day ahead of the clock."))
      guard isCounted else { return nil }
    }
    return try SealedEnvironment.generation(after: sealed.generation)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What a file holds that a command is about to replace with `-o`.
///
/// A command replaces, unless it is told to by name, only what it writes itself there: an older version of the same
/// variables or of the same exported key. Everything else could not be given back.
struct Replaced {
  enum Content {
    case nothing
    case variables(Document)
    /// A key store that is not locked.
    case keyStore(KeyStore)
    /// Something else, in words.
    case other(String)
  }

  let path: String
  let content: Content
  /// Whether the text has comments beside its variables, none of which is sealed.
  private let hasComment: Bool

  init(_ bytes: borrowing SecretBytes, at path: String) {
    self.path = path
    content = bytes.withBytes { Self.content(of: $0) }
    if case .variables(let document) = content, document.sealed == nil, document.layout == .dotenv {
      hasComment = bytes.withBytes { Dotenv.hasComment($0) }
    } else {
      hasComment = false
    }
  }

  private static func content(of bytes: RawSpan) -> Content {
    if bytes.isEmpty { return .nothing }
    if let document = try? Document(text: bytes) { return .variables(document) }
    if let store = try? KeyStore(text: bytes) { return .keyStore(store) }
    let beginning = [UInt8](copying: bytes.extracting(first: 4))
    return .other(
      beginning == Array("ek1:".utf8) || beginning.starts(with: Array("EK".utf8) + [1])
        ? "something that is sealed, such as a value or a locked key store" : "something else than variables")
  }

  /// Refuses to replace it by opened variables.
  ///
  /// - Throws: `outputExists`, unless there is nothing or a file of plain variables that are all among these, and of
  ///   nothing else.
  func checkMayHold(opened names: [String]) throws(EnvelopeError) {
    switch content {
    case .nothing: return
    case .variables(let document) where document.sealed == nil:
      if document.layout == .answer { throw refusal("holds an answer of AWS") }
      if hasComment { throw refusal("holds comments") }
      try checkLoses(Set(document.plain.names).subtracting(names), advice: Self.force)
    case .variables: throw refusal("holds sealed variables")
    case .keyStore: throw refusal("holds a key store")
    case .other(let words): throw refusal("holds \(words)")
    }
  }

  /// Refuses to replace it by an exported key.
  ///
  /// - Throws: `outputExists`, unless there is nothing or an earlier export of the same key, for no other functions and
  ///   of no other versions.
  func checkMayHold(exported: KeyStore) throws(EnvelopeError) {
    switch content {
    case .nothing: return
    case .variables: throw refusal("holds variables")
    case .other(let words): throw refusal("holds \(words)")
    case .keyStore(let store):
      for keyset in store.keysets {
        guard let scopes = keyset.scopes, let new = exported.keysets.first(where: { $0.id == keyset.id }) else {
          throw refusal("holds another key")
        }
        guard Set(scopes).isSubset(of: new.scopes ?? []) else { throw refusal("holds the key for other functions") }
      }
      // Nor may it have another secret, or a version for a function that the new one has it not for.
      var after = exported
      guard let merged = try? after.merge(store), merged.allSatisfy({ [.unchanged, .kept].contains($0.outcome) }) else {
        throw refusal("holds other versions of the key")
      }
    }
  }

  func checkLoses(_ names: Set<String>, advice: String) throws(EnvelopeError) {
    guard !names.isEmpty else { return }
    let names = names.sorted()
    throw EnvelopeError(
      .outputExists, "\(path.shown) has variables that would be lost: \(EnvelopeError.listed(names))",
      advice: advice, names: names)
  }

  func refusal(_ reason: String) -> EnvelopeError {
    EnvelopeError(.outputExists, "\(path.shown) \(reason), which would be lost", advice: Self.force)
  }

  private static let force = "Write to another file; or add --force to replace this one."
}

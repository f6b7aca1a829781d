// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// What a test does to the variables of a sealed environment.
extension [String: String] {
  /// The bytes of a variable's text form.
  func bytes(of name: String) throws -> [UInt8] {
    let text = try #require(self[name])
    return try #require(Base64URL.decode(text.utf8.dropFirst(4)))
  }

  /// The same variables with other bytes in one of them.
  func setting(_ name: String, to bytes: [UInt8]) -> [String: String] {
    var variables = self
    variables[name] = (self[name].map { String($0.prefix(4)) } ?? "ev1:") + Base64URL.encode(bytes)
    return variables
  }

  /// The same variables with another text in one of them, or without it.
  func setting(_ name: String, toText text: String?) -> [String: String] {
    var variables = self
    variables[name] = text
    return variables
  }

  func open(context: EncryptionContext, using keyring: some Keyring) async throws -> OpenedEnvironment {
    try await SealedEnvironment(variables: self).open(context: context, using: keyring)
  }
}

extension OpenedEnvironment {
  /// All values as strings.
  var strings: [String: String] {
    get throws {
      try Dictionary(uniqueKeysWithValues: names.map { ($0, try require($0).revealingString()) })
    }
  }
}

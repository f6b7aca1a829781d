// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

extension Sandbox {
  /// The key store that commands use.
  var storeFile: KeyStoreFile { get throws { try KeyStoreFile(at: keyStore) } }

  /// What stands in it.
  func store() throws -> KeyStore { try KeyStore.open(at: keyStore) }

  /// Changes it by the library.
  func changeStore(_ body: (inout KeyStore) throws(EnvelopeError) -> Void) throws { try storeFile.update(body) }

  /// Runs `envelope keys` to its end.
  @discardableResult
  func keys(_ arguments: String..., with variables: [String: String] = [:], input: String = "") throws -> Outcome {
    try start(["keys"] + arguments, input: Data(input.utf8), with: variables).wait()
  }

  /// Expects that a command of `envelope keys` is refused and that the store stays as it is.
  func refuses(
    _ arguments: String..., with code: Int32, saying part: String = "", _ location: SourceLocation = #_sourceLocation
  ) throws {
    let before = try readBytes(keyStore)
    try start(["keys"] + arguments).wait().failed(code, saying: part, location)
    #expect(try readBytes(keyStore) == before, sourceLocation: location)
  }

  /// Expects that no secret of the store stands in what a command wrote.
  func expectNoSecret(in outcome: Outcome, _ location: SourceLocation = #_sourceLocation) throws {
    let text = try read(keyStore)
    let secrets = text.split(separator: "\n").filter { $0.hasPrefix("version ") || $0.hasPrefix("audit ") }
      .compactMap { $0.split(separator: " ").last }
    try #require(!secrets.isEmpty)
    for secret in secrets {
      #expect(!outcome.text.contains(secret) && !outcome.messages.contains(secret), sourceLocation: location)
    }
  }
}

extension Outcome {
  /// The only line on standard output.
  var line: String {
    get throws {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      try #require(lines.count == 2 && lines[1].isEmpty, "\(text)\(messages)")
      return String(lines[0])
    }
  }
}

/// A keyset whose only version was made some days ago.
func keyset(madeDaysAgo days: UInt64) throws -> Keyset {
  let made = try Keyset.generate()
  let version = Keyset.Version(number: 1, created: Clock.now - days * 86_400, keys: [try WrappingKey.generate()])
  return try Keyset(id: made.id, versions: [version], primary: 1)
}

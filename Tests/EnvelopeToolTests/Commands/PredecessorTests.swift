// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// What `seal -o` takes over from the sealed file that it replaces, and when it refuses to replace it.
@Suite(.timeLimit(.minutes(20))) struct PredecessorTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.write("TOKEN=def\nDB_PASS=xyz\nLOG_LEVEL=debug\n", to: "new.env")
  }

  private static let context: EncryptionContext = ["function": "app"]
  private static let secrets = ["TOKEN": "abc", "DB_PASS": "uvw"]

  private func seal(_ more: [String] = []) throws -> Outcome {
    try sandbox.start(["seal", "new.env", "--function", "app", "-o", "app.env"] + more).wait()
  }

  private static let plain = ["--plain", "LOG_LEVEL"]

  private func generation() throws -> UInt32 { try #require(try sandbox.report(of: "app.env").generation) }

  /// Writes `app.env`, sealed with a generation of choice.
  private func plant(_ generation: UInt32, under keyring: some Keyring, as form: SealedEnvironment.Form) async throws {
    let plain = ["LOG_LEVEL": "info"]
    let sealed = try await SealedEnvironment.seal(
      OpenedEnvironment(Self.secrets), beside: OpenedEnvironment(plain), as: form, context: Self.context,
      using: keyring, generation: generation)
    let lines = sealed.variables.merging(plain) { $1 }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
    try sandbox.write(lines.joined(), to: "app.env")
  }

  private func edit(_ change: (String) -> String) throws {
    try sandbox.write(change(sandbox.read("app.env")), to: "app.env")
  }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func verifiedGenerationCountsBesideAlteredPlainVariables(form: SealedEnvironment.Form) async throws {
    try sandbox.makeKey("default")
    let ahead = UInt32(Date().timeIntervalSince1970) + 100_000_000
    for change in ["LOG_LEVEL=other", "LOG_LEVEL=info\nADDED=1"] {
      try await plant(ahead, under: sandbox.keyring(), as: form)
      try edit { $0.replacingOccurrences(of: "LOG_LEVEL=info", with: change) }
      try seal(Self.plain + ["--allow-removal"] + (form == .packed ? ["--packed"] : [])).succeeded()
      #expect(try generation() == ahead + 1)
    }
  }

  /// Anyone who has the recipient's text could otherwise use up the generations.
  @Test(arguments: [UInt32.max - 1, .max])
  func generationOfAnAnonymousSenderDoesNotCount(planted: UInt32) async throws {
    try sandbox.makeKey("default")
    let text = try sandbox.makeRecipient("me", in: sandbox.keyStore)
    let present = UInt32(Date().timeIntervalSince1970)
    try await plant(planted, under: RecipientKeyring([Recipient(text)]), as: .separate)
    let both = Self.plain + ["--key", "default", "--key", "me"]
    let sealed = try seal(both).succeeded()
    #expect(sealed.messages.contains("counts no more"))
    #expect(try generation() < present + 86_400)
    try seal(both).succeeded()
  }

  @Test func alteredFileIsReplacedOnlyByForce() throws {
    try sandbox.seal("TOKEN=abc\nDB_PASS=uvw\nLOG_LEVEL=info\n", "--plain", "LOG_LEVEL")
    try sandbox.write("functions:\n  app: {plain: [LOG_LEVEL, DB_PASS]}\n", to: "envelope.yaml")
    try seal().failed(64, saying: "would turn from sealed to plain: DB_PASS")
    let intact = try sandbox.read("app.env")
    let lines = intact.split(separator: "\n").map { String($0) }
    for replacement in [[], ["DB_PASS=other"]] {
      let altered = lines.flatMap { $0.hasPrefix("DB_PASS=") ? replacement : [$0] }.joined(separator: "\n") + "\n"
      try sandbox.write(altered, to: "app.env")
      for more in [[], ["--allow-removal"], ["--allow-plain", "DB_PASS"]] {
        try seal(more).failed(73, saying: "was altered")
        #expect(try sandbox.read("app.env") == altered)
      }
    }
    try seal(["--force", "--allow-plain", "DB_PASS"]).succeeded()
  }

  /// Without a key, names are not verified: only what is plain in the file stays plain without being allowed.
  @Test(arguments: [[], ["--packed"]]) func withoutTheKeyNothingNewTurnsPlain(form: [String]) throws {
    try sandbox.makeKey("default")
    let glass = try sandbox.makeRecipient("glass", in: "offline")
    func run(_ more: String...) throws -> Outcome {
      let seal = ["seal", "new.env", "--function", "app", "--key", glass, "-o", "app.env", "--allow-removal"]
      return try sandbox.start(seal + form + more).wait()
    }
    try run("--plain", "LOG_LEVEL").succeeded()
    try run("--plain", "LOG_LEVEL").succeeded()
    try run("--plain", "LOG_LEVEL", "--plain", "DB_PASS").failed(64, saying: "DB_PASS")
    try edit { $0.split(separator: "\n").filter { !$0.hasPrefix("DB_PASS=") }.joined(separator: "\n") + "\n" }
    try run("--plain", "LOG_LEVEL", "--plain", "DB_PASS").failed(64, saying: "DB_PASS")
    try run("--plain", "LOG_LEVEL", "--plain", "DB_PASS", "--allow-plain", "DB_PASS").succeeded()
  }

  @Test(arguments: [[], ["--packed"], ["--format", "json"]]) func readerIsDroppedOnlyIfAllowed(form: [String]) throws {
    try sandbox.makeKey("default")
    let glass = try sandbox.makeRecipient("glass", in: "offline")
    func run(_ more: String...) throws -> Outcome {
      try sandbox.start(["seal", "new.env", "--function", "app", "-o", "app.env"] + form + more).wait()
    }
    try run("--key", "default", "--key", glass).succeeded()
    let before = try sandbox.read("app.env")
    let readers = try sandbox.keyIDs(of: "app.env")
    #expect(readers.count == 2)
    let refused = try run().failed(73, saying: "would not open the result: recipient")
    #expect(refused.messages.contains("--allow-removed-readers"))
    #expect(try sandbox.read("app.env") == before)
    // A newer version of a key is the same reader, and more readers can come.
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try run("--key", "default", "--key", glass).succeeded()
    let other = try sandbox.makeRecipient("other", in: "offline")
    try run("--key", "default", "--key", glass, "--key", other).succeeded()
    try run("--allow-removed-readers").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").count == 1)
  }
}

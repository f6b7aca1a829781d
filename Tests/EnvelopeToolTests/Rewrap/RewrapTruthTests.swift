// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// What `rewrap` counts as right has been verified; everything else is listed, and the exit code tells.
@Suite(.timeLimit(.minutes(20))) struct RewrapTruthTests {
  private let sandbox: Sandbox
  private let key: String

  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder("tree")
    try sandbox.seal("AA=1\n", to: "tree/app.env")
  }

  private func rewrap(_ arguments: String..., with variables: [String: String] = [:]) throws -> Outcome {
    try sandbox.start(["rewrap", "tree", "--function", "app"] + arguments, with: variables).wait()
  }

  @Test func anotherKeyStoreFails() throws {
    try sandbox.makeKey("other", in: "other/keys")
    let elsewhere = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    let result = try rewrap(with: elsewhere).failed(77, saying: "tree/app.env: ")
    #expect(result.messages.contains("1 failed") && !result.messages.contains("as it should be"))
    try rewrap("--dry-run", with: elsewhere).failed(77, saying: "tree/app.env: ")
    try rewrap(with: ["ENVELOPE_STORE": sandbox.path("none/keys")]).failed(77, saying: "tree/app.env: ")
    try rewrap().succeeded()
  }

  @Test func olderCopyOfTheKeyStoreFails() throws {
    try sandbox.makeKey("second")
    try sandbox.shell("cp -p '\(sandbox.keyStore)' old.keys").succeeded()
    let old = ["ENVELOPE_STORE": sandbox.path("old.keys")]
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try rewrap().succeeded()
    let result = try rewrap(with: old).failed(77, saying: "tree/app.env: ")
    #expect(
      result.messages.contains("Under version 2 of default (\(key)), which is newer than this key store has: 1 file."))
    #expect(!result.messages.contains("Still under"))
    // Another of its keys verifies it: it is right, and the newer version is reported.
    try rewrap("--add", "second").succeeded()
    #expect(try rewrap(with: old).succeeded().messages.contains("newer than this key store has: 1 file."))
  }

  @Test func disabledKeyFails() throws {
    try sandbox.envelope("keys", "disable", "default").succeeded()
    try rewrap().failed(77, saying: "is disabled")
    try sandbox.envelope("keys", "enable", "default").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("keys", "disable", "default").succeeded()
    try rewrap().failed(77, saying: "tree/app.env: ")
  }

  @Test(arguments: ["AA", "ENVELOPE_HEADER"]) func alteredFileFails(name: String) throws {
    let sealed = try sandbox.read("tree/app.env")
    let line = try #require(sealed.split(separator: "\n").first { $0.hasPrefix("\(name)=") })
    let end = line.hasSuffix("A") ? "E" : "A"
    try sandbox.write(sealed.replacing(line, with: line.dropLast(5) + "A\(end)AA\(end)".prefix(5)), to: "tree/app.env")
    let result = try rewrap().failed(65, saying: "tree/app.env: ")
    #expect(result.messages.contains("1 failed"))
  }

  /// A header alone would verify though the payload was altered.
  @Test func valueIsVerifiedToItsEnd() async throws {
    func write(_ name: String, authenticating data: [UInt8] = []) async throws -> String {
      let value = try await Envelope.seal(
        Array("marker".utf8), context: ["function": "app"], authenticating: data, using: sandbox.keyring())
      try sandbox.write(Envelope.text(of: value) + "\n", to: name)
      return Envelope.text(of: value)
    }
    let text = try await write("tree/value")
    try rewrap().succeeded()
    let end = text.hasSuffix("AAAA") ? "EEEE" : "AAAA"
    for rotates in [false, true] {
      if rotates { try sandbox.envelope("keys", "rotate", "default").succeeded() }
      try sandbox.write(text.dropLast(4) + end + "\n", to: "tree/value")
      try rewrap().failed(65, saying: "tree/value: ")
      #expect(try sandbox.read("tree/value") == text.dropLast(4) + end + "\n")
    }
    _ = try await write("tree/value", authenticating: Array("row 7".utf8))
    try rewrap().failed(65, saying: "--associated-data TEXT")
    try sandbox.envelope("rewrap", "tree/value", "--function", "app", "--associated-data", "row 7").succeeded()
  }

  /// Of several failures the exit code tells the most important: altered data, then keys.
  @Test func alteredFileDecidesTheExitCode() throws {
    try sandbox.makeKey("other", in: "other/keys")
    let other = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    let arguments = ["seal", "-", "--function", "app", "-o", "tree/a-other.env"]
    try sandbox.start(arguments, input: Data("AA=1\n".utf8), with: other).wait().succeeded()
    try sandbox.makeFolder("tree/locked", mode: 0o000)
    defer { try? sandbox.setMode(0o700, of: "tree/locked") }
    if geteuid() != 0 { try rewrap().failed(77, saying: "tree/locked: ") }
    try rewrap().failed(77, saying: "tree/a-other.env: ")
    try sandbox.write(sandbox.read("tree/app.env") + "ADDED=1\n", to: "tree/b.env")
    let result = try rewrap().failed(65, saying: "tree/b.env: ")
    #expect(result.messages.contains("tree/a-other.env: ") && result.messages.contains("1 file as it should be"))
  }

  @Test(.enabled(if: geteuid() != 0, "Root reads everything")) func unreadableFileFails() throws {
    try sandbox.write("x", to: "tree/unreadable", mode: 0o000)
    try rewrap().failed(74, saying: "tree/unreadable: ")
  }

  /// What to do is printed once for many files with the same failure, and each is named.
  @Test func sameAdviceIsPrintedOnce() throws {
    for number in 0..<5 { try sandbox.write(sandbox.read("tree/app.env"), to: "tree/\(number).env") }
    try sandbox.makeKey("other", in: "other/keys")
    let result = try rewrap(with: ["ENVELOPE_STORE": sandbox.path("other/keys")]).failed(77)
    let lines = result.messages.split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("tree/") } == 6)
    #expect(Set(lines.filter { $0.hasPrefix("tree/") }.dropFirst().map(\.count)).count <= 2)
    #expect(result.messages.contains("6 failed"))
  }

  /// Sealed text that `rewrap` does not change, where somebody could take it for done.
  @Test func valueAmidOtherTextIsReported() async throws {
    let value = Envelope.text(
      of: try await Envelope.seal([1], context: ["function": "app"], using: sandbox.keyring()))
    try sandbox.write("token: \(value)\n", to: "tree/config.yaml")
    try sandbox.write("\n\(value)\n", to: "tree/after-a-line")
    try sandbox.write("TOKEN=\(value)\n", to: "tree/plain.env")
    try sandbox.write("# was \(value)\n" + sandbox.read("tree/app.env"), to: "tree/with-comment.env")
    try sandbox.write("token: ek1:…, or ek1:RUsBAQE, or \(value.prefix(60))\n", to: "tree/page.md")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let result = try rewrap().succeeded()
    let names = ["after-a-line", "config.yaml", "plain.env", "with-comment.env"]
    #expect(
      result.messages.contains(
        "With something sealed amid other text, which stays as it is:\n"
          + names.map { "  tree/\($0)\n" }.joined() + "Rewrapped 2 files, "), "\(result.messages)")
    #expect(try sandbox.read("tree/config.yaml") == "token: \(value)\n")
    // One that is named was meant.
    try sandbox.envelope("rewrap", "tree/config.yaml", "--function", "app").failed(66, saying: "a file of its own")
  }
}

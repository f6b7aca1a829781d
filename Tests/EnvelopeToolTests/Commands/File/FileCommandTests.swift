// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite("file seal, open, verify", .timeLimit(.minutes(20))) struct FileCommandTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private static let suites = AlgorithmSuite.allCases.filter(\.isAvailable).map {
    $0 == .aegis256 ? "aegis-256" : "chacha20-poly1305"
  }

  @Test(arguments: suites, [0, 1, 4095, 4096, 4097, 3 * 4096, 1_000_000])
  func fileRoundTrips(suite: String, byteCount: Int) throws {
    let bytes = try sandbox.makeFile("plain", byteCount: byteCount)
    let sealed = try sandbox.file("seal", "plain", "-o", "sealed", "--suite", suite, "--chunk-size", "4096").succeeded()
    #expect(sealed.output.isEmpty)
    #expect(try sandbox.readBytes("sealed").prefix(6) == Data([0x45, 0x4b, 1, 4, suite == "aegis-256" ? 2 : 1, 12]))
    let verified = try sandbox.file("verify", "sealed").succeeded()
    #expect(verified.output.isEmpty && verified.messages.hasPrefix("sealed verifies: "))
    try sandbox.file("open", "sealed", "-o", "opened").succeeded()
    #expect(try sandbox.readBytes("opened") == bytes)
    #expect(try sandbox.mode(of: "opened") == 0o600)
    try sandbox.expectFiles(["plain", "sealed", "opened"])
  }

  @Test func pipesRoundTrip() throws {
    let bytes = try sandbox.makeFile("plain", byteCount: 500_000)
    let through = try sandbox.shell(
      "set -e; cat plain | \"$ENVELOPE\" file seal - | cat > sealed; cat sealed | \"$ENVELOPE\" file verify -; "
        + "cat sealed | \"$ENVELOPE\" file open | cat"
    ).succeeded()
    #expect(through.output == bytes)
    #expect(through.messages.contains("Sealed standard input (500 kB) under default ("))
    #expect(through.messages.contains("Standard input verifies: 500 kB.\n"))
    #expect(through.messages.contains("Opened standard input (500 kB).\n"))
    // By their names in /dev, with a file behind them, and through a named pipe.
    let named = try sandbox.shell(
      "set -e; \"$ENVELOPE\" file seal /dev/stdin -o sealed.2 < plain; mkfifo pipe; cat sealed.2 > pipe & "
        + "\"$ENVELOPE\" file open pipe -o /dev/stdout | cat")
    #expect(named.succeeded().output == bytes)
    #expect(try sandbox.shell("\"$ENVELOPE\" file open - -o - < sealed | cat").succeeded().output == bytes)
  }

  @Test func messagesNameLengthFunctionAndKeys() throws {
    try sandbox.makeFile("plain", byteCount: 1_234_567)
    try sandbox.makeKey("first")
    try sandbox.makeKey("second")
    let sealed = try sandbox.file(
      "seal", "plain", "-o", "sealed", "--function", "checkout", "--key", "first", "--key", "second")
    let start = "Sealed plain (1.2 MB) for function checkout under first ("
    #expect(sealed.succeeded().messages.hasPrefix(start) && sealed.messages.contains(") and second ("))
    let opened = try sandbox.file("open", "sealed", "-o", "opened", "--function", "checkout").succeeded()
    #expect(opened.messages == "Opened sealed (1.2 MB).\n")
  }

  @Test func anyOfSeveralKeysOpens() throws {
    try sandbox.makeKey("first")
    let recipient = try sandbox.makeRecipient("second", in: sandbox.path("other.keys"))
    let bytes = try sandbox.sealFile("--key", "first", "--key", recipient)
    let other = ["ENVELOPE_STORE": sandbox.path("other.keys")]
    #expect(try sandbox.file("open", "sealed").succeeded().output == bytes)
    try sandbox.file("open", "sealed", with: other).failed(65, saying: "--accept-anonymous-sender")
    #expect(try sandbox.file("open", "sealed", "--accept-anonymous-sender", with: other).succeeded().output == bytes)
    try sandbox.file("verify", "sealed", "--accept-anonymous-sender", with: other).succeeded()
    try sandbox.makeKey("third", in: sandbox.path("third.keys"))
    try sandbox.file("verify", "sealed", with: ["ENVELOPE_STORE": sandbox.path("third.keys")])
      .failed(77, saying: "None of the keys")
  }

  @Test func contextMustBeTheSame() throws {
    let bytes = try sandbox.sealFile("--context", "team=payments")
    try sandbox.file("open", "sealed", "-o", "opened").failed(65)
    try sandbox.file("open", "sealed", "-o", "opened", "--context", "team=orders").failed(65)
    try sandbox.file("verify", "sealed", "--context", "team=payments", "--function", "app").failed(65)
    #expect(!sandbox.exists("opened"))
    #expect(try sandbox.file("open", "sealed", "--context", "team=payments").succeeded().output == bytes)
    try sandbox.file("open", "sealed", "--context", "team").failed(64, saying: "KEY=VALUE")
    try sandbox.file("open", "sealed", "--function", "").failed(64, saying: "No function name")
  }

  @Test func configurationNamesFunctionAndKeys() throws {
    try sandbox.makeFolder(".git")
    try sandbox.makeKey("first")
    try sandbox.makeKey("second")
    try sandbox.write(
      """
      default:
        key: second
        context: {team: payments}
      functions:
        checkout:
          key: first
          file: sealed
      """, to: "envelope.yaml")
    let bytes = try sandbox.makeFile("plain", byteCount: 10)
    let sealed = try sandbox.file("seal", "plain", "-o", "sealed").succeeded()
    #expect(sealed.messages.hasPrefix("Sealed plain (10 bytes) for function checkout under first ("))
    #expect(try sandbox.file("open", "sealed").succeeded().output == bytes)
    try sandbox.shell("cp sealed copy").succeeded()
    let context = ["--function", "checkout", "--context", "team=payments"]
    #expect(try sandbox.start(["file", "open", "copy"] + context).wait().succeeded().output == bytes)
    // A file of no function has the default key, and no context but what is given.
    let other = try sandbox.file("seal", "plain", "-o", "other").succeeded()
    #expect(other.messages.hasPrefix("Sealed plain (10 bytes) under second ("))
    try sandbox.write("", to: "envelope.yaml")
    #expect(try sandbox.file("open", "other").succeeded().output == bytes)
  }

  @Test func attributesAreKeptIfAsked() throws {
    try sandbox.makeFile("plain", byteCount: 5, mode: 0o640)
    let then = Date(timeIntervalSince1970: 1_000_000_000)
    try FileManager.default.setAttributes([.modificationDate: then], ofItemAtPath: sandbox.path("plain"))
    try sandbox.file("seal", "plain", "-o", "sealed", "--keep-attributes").succeeded()
    try sandbox.file("open", "sealed", "-o", "opened", "--keep-attributes").succeeded()
    for name in ["sealed", "opened"] {
      #expect(try sandbox.mode(of: name) == 0o640)
      let attributes = try FileManager.default.attributesOfItem(atPath: sandbox.path(name))
      #expect(attributes[.modificationDate] as? Date == then)
    }
  }

  @Test(.enabled(if: !AlgorithmSuite.aegis256.isAvailable, "libsodium has AEGIS-256"))
  func suiteThatLibsodiumLacksIsRefused() throws {
    try sandbox.makeFile("plain", byteCount: 5)
    try sandbox.file("seal", "plain", "-o", "sealed", "--suite", "aegis-256").failed(69, saying: "1.0.19")
    #expect(!sandbox.exists("sealed"))
  }

  @Test(arguments: ["0", "1000", "2048", "65537", "2097152", "-1", "64k"])
  func chunkSizesThatAreNoneAreRefused(size: String) throws {
    try sandbox.makeFile("plain", byteCount: 5)
    try sandbox.file("seal", "plain", "-o", "sealed", "--chunk-size=\(size)").failed(64, saying: "chunk-size")
    #expect(!sandbox.exists("sealed"))
  }
}

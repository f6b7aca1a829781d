// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite("file list, cat, extract", .timeLimit(.minutes(20))) struct ArchiveCommandTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private static let layer = ["--context", "layer=models", "--context", "layer-version=7"]

  /// Has Python make `layer.zip` by a script, with a zip file `z`, and seals it as `layer.sealed`.
  private func seal(_ script: String) throws {
    let python = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"] ?? ""
    try #require(!python.isEmpty, "ENVELOPE_TEST_PYTHON is not set: run Tests/run")
    try sandbox.write(
      """
      import zipfile
      z = zipfile.ZipFile("layer.zip", "w", zipfile.ZIP_DEFLATED)
      \(script)
      z.close()
      """, to: "make.py")
    try sandbox.shell("\(python) make.py").succeeded()
    try sandbox.start(["file", "seal", "layer.zip", "-o", "layer.sealed", "--force"] + Self.layer).wait().succeeded()
  }

  private func sealLayer() throws {
    try seal(
      """
      z.writestr("models/", b"")
      z.writestr("models/classifier.bin", b"".join(b"%07d " % n for n in range(200000)))
      z.writestr("certificates/ca.pem", "-----BEGIN CERTIFICATE-----\\n")
      i = zipfile.ZipInfo("bin/tool"); i.external_attr = 0o755 << 16; z.writestr(i, b"#!/bin/sh\\n")
      """)
  }

  private func run(_ arguments: String...) throws -> Outcome {
    try sandbox.start(["file"] + arguments + Self.layer).wait()
  }

  @Test func listShowsLengthsAndNames() throws {
    try sealLayer()
    let listed = try run("list", "layer.sealed").succeeded()
    #expect(
      listed.text == """
                   models/
        1,600,000  models/classifier.bin
               28  certificates/ca.pem
               10  bin/tool

        """)
  }

  @Test func listWritesJSON() throws {
    try sealLayer()
    struct Line: Decodable {
      let name: String
      let kind: String
      let byteCount: Int
      let compressedByteCount: Int
      let isExecutable: Bool
    }
    let lines = try JSONDecoder().decode([Line].self, from: run("list", "layer.sealed", "--json").succeeded().output)
    #expect(lines.map(\.name) == ["models/", "models/classifier.bin", "certificates/ca.pem", "bin/tool"])
    #expect(lines.map(\.kind) == ["folder", "file", "file", "file"])
    #expect(lines.map(\.isExecutable) == [false, false, false, true])
    #expect(lines[1].byteCount == 1_600_000 && lines[1].compressedByteCount < 1_000_000)
  }

  @Test func namesThatSteerTerminalsAreEscaped() throws {
    try seal("z.writestr('a\\x1b[2J\\nforged\\u202e\\U000e0001', b'x')")
    let listed = try run("list", "layer.sealed").succeeded()
    #expect(listed.text == "1  'a\\u{1b}[2J\\u{a}forged\\u{202e}\\u{e0001}'\n")
    let json = try run("list", "layer.sealed", "--json").succeeded()
    #expect(json.output.allSatisfy { (0x20...0x7e).contains($0) || $0 == 10 })
    struct Line: Decodable { let name: String }
    #expect(
      try JSONDecoder().decode([Line].self, from: json.output).map(\.name) == ["a\u{1b}[2J\nforged\u{202e}\u{e0001}"])
  }

  @Test func catWritesOneFile() throws {
    try sealLayer()
    #expect(try run("cat", "layer.sealed", "certificates/ca.pem").succeeded().text == "-----BEGIN CERTIFICATE-----\n")
    let weights = (0..<200_000).map { String("\(10_000_000 + $0) ".dropFirst()) }.joined()
    #expect(try run("cat", "layer.sealed", "models/classifier.bin").succeeded().output == Data(weights.utf8))
    try run("cat", "layer.sealed", "models/").failed(66, saying: "is a folder")
    try run("cat", "layer.sealed", "ca.pem").failed(66, saying: "envelope file list")
  }

  @Test func catEndsInAnErrorIfTheArchiveLies() throws {
    try seal("z.writestr('a', b'stored content', zipfile.ZIP_STORED)")
    try sandbox.shell("sed -i 's/stored content/STORED CONTENT/' layer.zip").succeeded()
    try sandbox.start(["file", "seal", "layer.zip", "-o", "layer.sealed", "--force"] + Self.layer).wait().succeeded()
    let outcome = try run("cat", "layer.sealed", "a")
    #expect(outcome.code == 65 && outcome.messages.contains("checksum"))
    try run("extract", "layer.sealed", "--to", "out").failed(65, saying: "checksum")
    #expect(!sandbox.exists("out"))
  }

  @Test func catWritesNoUnverifiedByte() throws {
    try seal("import random; z.writestr('a', random.Random(1).randbytes(500000))")
    try sandbox.flip(300_000, of: "layer.sealed")
    let outcome = try run("cat", "layer.sealed", "a")
    #expect(outcome.code == 65 && outcome.output.count < 300_000)
    try run("extract", "layer.sealed", "--to", "out").failed(65)
    #expect(!sandbox.exists("out"))
  }

  @Test func extractCreatesFolder() throws {
    try sealLayer()
    let outcome = try run("extract", "layer.sealed", "--to", "out").succeeded()
    #expect(outcome.output.isEmpty && outcome.messages == "Extracted layer.sealed to out.\n")
    #expect(try sandbox.names(in: "out") == ["bin", "certificates", "models"])
    #expect(try sandbox.mode(of: "out/bin/tool") & 0o100 != 0)
    try run("extract", "layer.sealed", "--to", "out").failed(74, saying: "not empty")
    try run("extract", "layer.sealed", "certificates", "bin/tool", "--to", "part").succeeded()
    #expect(try sandbox.names(in: "part") == ["bin", "certificates"])
    try run("extract", "layer.sealed", "nothing", "--to", "none").failed(66)
    #expect(!sandbox.exists("none"))
  }

  @Test(arguments: [
    ("z.writestr('../evil', b'x')", "stands for a folder"), ("z.writestr('/evil', b'x')", "absolute"),
    ("i = zipfile.ZipInfo('a'); i.external_attr = 0o120777 << 16; z.writestr(i, b'/etc/passwd')", "symbolic link"),
    ("z.writestr('a', bytes(3 << 20))", "--max-ratio"),
    ("z.writestr('a', b'x'); z.writestr('a', b'y')", "there twice"),
  ])
  func extractRefusesAttacks(script: String, fault: String) throws {
    try seal("import warnings; warnings.simplefilter('ignore')\n" + script)
    try run("extract", "layer.sealed", "--to", "out").failed(65, saying: fault)
    #expect(!sandbox.exists("out") && !sandbox.exists("evil") && !sandbox.exists("../evil"))
  }

  @Test func limitsAreRaisedByOptions() throws {
    try seal("z.writestr('a', bytes(3 << 20)); z.writestr('b', b'')")
    try run("extract", "layer.sealed", "--to", "out", "--max-ratio", "1100").succeeded()
    #expect(try sandbox.readBytes("out/a").count == 3 << 20)
    try run("cat", "layer.sealed", "a").failed(65, saying: "--max-ratio")
    try run("list", "layer.sealed", "--max-entries", "1").failed(65, saying: "--max-entries")
    try run("extract", "layer.sealed", "--to", "other", "--max-ratio", "1100", "--max-bytes", "1000")
      .failed(65, saying: "--max-bytes")
    try run("list", "layer.sealed", "--max-entries", "-1").failed(64)
  }

  @Test func otherFilesAndContextsAreRefused() throws {
    try sealLayer()
    try sandbox.file("list", "layer.sealed", "--context", "layer=models", "--context", "layer-version=8").failed(65)
    try sandbox.file("list", "layer.sealed").failed(65)
    try sandbox.file("list", "-").failed(64, saying: "standard input")
    try sandbox.file("list", "nothere").failed(66)
    try sandbox.sealFile()
    try sandbox.file("list", "sealed").failed(65, saying: "not a zip archive")
    try sandbox.file("list", "layer.zip").failed(65)
  }

  /// The names of what extractions left beside the folder `out`.
  private func leftOver() throws -> [String] { try sandbox.names(in: ".").filter { $0.hasPrefix(".out.") } }

  @Test func killedRunLeavesNothingUnderTheNameAndTheNextRemovesTheRest() throws {
    try seal("import random; z.writestr('a/small', b'x'); z.writestr('b/long', random.Random(1).randbytes(3000000))")
    let extract = "\"$ENVELOPE\" file extract layer.sealed --to out \(Self.layer.joined(separator: " "))"
    // The system kills it when a file grows beyond 1,000 blocks.
    let killed = try sandbox.shell("ulimit -c 0; ulimit -f 1000; exec \(extract)")
    #expect(killed.ending == .signal(SIGXFSZ))
    #expect(!sandbox.exists("out"))
    #expect(try leftOver().count == 1)
    let next = try sandbox.shell("exec \(extract)").succeeded()
    #expect(next.messages.contains("which a command that was killed had left"))
    #expect(try sandbox.names(in: "out") == ["a", "b"])
    #expect(try leftOver().isEmpty)
  }

  @Test func fullDiskLeavesNothing() throws {
    try seal("import random; z.writestr('a/small', b'x'); z.writestr('b/long', random.Random(1).randbytes(3000000))")
    let extract = "\"$ENVELOPE\" file extract layer.sealed --to out \(Self.layer.joined(separator: " "))"
    try sandbox.shell("trap '' XFSZ; ulimit -f 1000; exec \(extract)").failed(74)
    #expect(!sandbox.exists("out"))
    #expect(try leftOver().isEmpty)
  }

  @Test func closedPipeEndsCat() throws {
    try seal("import random; z.writestr('a', random.Random(1).randbytes(3000000))")
    let cat = "\"$ENVELOPE\" file cat layer.sealed a \(Self.layer.joined(separator: " "))"
    let outcome = try sandbox.shell("(\(cat); echo $? > code) | head -c 10 | wc -c").succeeded()
    #expect(outcome.text.contains("10"))
    #expect(try sandbox.read("code") != "0\n")
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// The commands of `Docs/Files.md`, run as they stand there.
@Suite(.timeLimit(.minutes(20))) struct FilesPageTests {
  private let sandbox: Sandbox
  private let sections: [String: String]

  init() throws {
    sandbox = try Sandbox()
    for name in [".git", "models", "photos", "restored", "memory"] { try sandbox.makeFolder(name) }
    try sandbox.makeFile("dump.sql", byteCount: 300_000)
    try sandbox.makeFile("model.bin", byteCount: 2_000_000, seed: 2)
    try sandbox.makeFile("photos/one.jpg", byteCount: 100_000, seed: 3)
    var folder = URL(filePath: #filePath)
    while folder.lastPathComponent != "Tests" { folder.deleteLastPathComponent() }
    let page = folder.deletingLastPathComponent().appending(path: "Docs/Files.md")
    var sections: [String: String] = [:]
    for section in String(decoding: try Data(contentsOf: page), as: UTF8.self).split(separator: "\n## ") {
      sections[String(section.prefix { $0 != "\n" })] = String(section)
    }
    self.sections = sections
  }

  /// Runs the commands that stand by themselves in a section, with the page's paths and recipient replaced.
  private func run(
    _ section: String, count: Int, _ range: Range<Int>? = nil, recipient: String = ""
  ) throws {
    let commands = try #require(sections[section]).split(separator: "\n").filter {
      $0.hasPrefix("    envelope ") || $0.hasPrefix("    tar ")
    }
    try #require(commands.count == count, "\(commands)")
    let lines = commands[range ?? 0..<count].map {
      $0.replacing("envelope ", with: "\"$ENVELOPE\" ").replacing("er1:…", with: recipient)
        .replacing("/mnt/", with: sandbox.folder + "/").replacing("/dev/shm/", with: sandbox.folder + "/memory/")
    }
    try sandbox.shell("set -e\n" + lines.joined(separator: "\n")).succeeded()
  }

  private func expectSame(_ name: String, _ other: String) throws {
    #expect(try sandbox.readBytes(name) == sandbox.readBytes(other))
  }

  @Test func filesAndPipes() throws {
    try run("Seal, open, verify", count: 3)
    try expectSame("restored.sql", "dump.sql")
    try run("Pipes", count: 2)
    try expectSame("restored/photos/one.jpg", "photos/one.jpg")
    try run("Rewrap and reseal", count: 3)
    #expect(try sandbox.keyIDs(of: "photos.tar.sealed").allSatisfy { $0.hasSuffix(".2") })
    try sandbox.file("verify", "photos.tar.sealed").succeeded()
  }

  @Test func keysFunctionsAndContexts() throws {
    try sandbox.makeKey("backup")
    let recipient = try sandbox.makeRecipient("break-glass", in: sandbox.path("safe.keys"))
    try run("Keys, functions and contexts", count: 4, recipient: recipient)
    try expectSame("restored.sql", "dump.sql")
    try sandbox.file(
      "verify", "dump.sql.sealed", "--accept-anonymous-sender", with: ["ENVELOPE_STORE": sandbox.path("safe.keys")]
    ).succeeded()
  }

  @Test(.enabled(if: AlgorithmSuite.aegis256.isAvailable, "libsodium lacks AEGIS-256")) func suites() throws {
    try run("Suites", count: 1)
    try sandbox.file("verify", "dump.sql.sealed").succeeded()
  }

  @Test func sharedMount() async throws {
    try run("Files on a shared mount, step by step", count: 4)
    try expectSame("memory/model.bin", "model.bin")
    // The reader has the narrowed key alone.
    let store = try KeyStore.open(at: sandbox.path("recommender.keys"))
    let model = try await SealedFile(
      at: sandbox.path("models/model-7.sealed"), context: ["function": "recommender", "model": "7"],
      using: store.keyring())
    let layer = try model.read(1_000_000..<1_004_096)
    let bytes = layer.withBytes { [UInt8](copying: $0) }
    #expect(try bytes == Array(sandbox.readBytes("model.bin")[1_000_000..<1_004_096]))
    try sandbox.envelope("keys", "rotate", "models").succeeded()
    try sandbox.envelope("rewrap", "models", "--function", "recommender", "--context", "model=7").succeeded()
    #expect(try sandbox.keyIDs(of: "models/model-7.sealed").allSatisfy { $0.hasSuffix(".2") })
  }
}

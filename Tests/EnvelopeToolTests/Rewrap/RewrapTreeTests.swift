// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// A whole tree after a rotation.
@Suite(.timeLimit(.minutes(20))) struct RewrapTreeTests {
  private let sandbox: Sandbox
  private let key: String
  init() throws {
    sandbox = try Sandbox(isInMemory: true)
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
    try sandbox.write("functions: {f0: {}, f1: {}, f2: {context: {team: payments}}}\n", to: "envelope.yaml")
  }

  private static let folderCount = 100

  private func context(_ number: Int) -> EncryptionContext {
    number % 3 == 2 ? ["function": "f2", "team": "payments"] : ["function": "f\(number % 3)"]
  }

  private func name(_ number: Int) -> String {
    "tree/\(number % Self.folderCount)/\(number).\(number % 10 == 0 ? "env" : "txt")"
  }

  /// Makes files, one in ten an environment, the others values.
  private func makeFiles(_ count: Int) async throws {
    for number in 0..<Self.folderCount { try sandbox.makeFolder("tree/\(number)") }
    let keyring = try sandbox.keyring()
    for number in 0..<count {
      let text: String
      if number % 10 == 0 {
        let sealed = try await SealedEnvironment.seal(["AA": "value"], context: context(number), using: keyring)
        text = sealed.variables.map { "\($0.key)=\($0.value)\n" }.joined()
      } else {
        text = Envelope.text(of: try await Envelope.seal([1, 2, 3], context: context(number), using: keyring)) + "\n"
      }
      try Data(text.utf8).write(to: URL(fileURLWithPath: sandbox.path(name(number))))
    }
  }

  /// Whether a file's header names this version and no other.
  private func isUnder(version: Int, _ number: Int) throws -> Bool {
    let text = try sandbox.read(name(number))
    let line = text.split(separator: "\n").first { $0.contains("ek1:") }.map { $0.drop { $0 != "e" } } ?? ""
    let bytes = try Envelope.bytes(ofText: String(line))
    // magic, version, kind, suite, salt, contextCheck, count, scheme, then the key id after its length.
    return bytes[25] == 1 && bytes[27] == 14 && Array(bytes[28..<42]) == Array("\(key).\(version)".utf8)
  }

  @Test func tenThousandFilesComeToTheNewVersionAndASecondRunFindsNothingToDo() async throws {
    let count = 10_000
    try await makeFiles(count)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let first = try sandbox.envelope("rewrap", "tree").succeeded()
    #expect(first.messages == "Rewrapped 10,000 files.\n" && first.output.isEmpty)
    #expect(try (0..<count).allSatisfy { try isUnder(version: 2, $0) })
    let second = try sandbox.envelope("rewrap", "tree").succeeded()
    #expect(second.messages == "Nothing to do: 10,000 files as they should be.\n")
    for number in [0, 1, 4321, 9_999] where number % 10 != 0 {
      let envelope = try Envelope.bytes(ofText: String(try sandbox.read(name(number)).dropLast()))
      let opened = try await Envelope.open(envelope, context: context(number), using: sandbox.keyring())
      #expect(opened.withBytes { $0.byteCount } == 3)
    }
  }

  @Test func progressIsOneLineOnATerminal() async throws {
    try await makeFiles(200)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let session = try sandbox.terminal(["rewrap", "tree"], steps: [])
    #expect(session.code == 0)
    let lines = session.shown.split(separator: "\r\n")
    #expect(lines.count == 2 && lines.last == "Rewrapped 200 files.")
    #expect(lines.first?.hasPrefix("\r[") == true && lines.first?.hasSuffix("] 200 of 200") == true)
  }

  /// Two people do the same after the same rotation: neither fails for what the other has done.
  @Test func twoAtOnceDoItTogether() async throws {
    let count = 600
    try await makeFiles(count)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let both = try (0..<2).map { _ in try sandbox.start(["rewrap", "tree"]) }
    for running in both { try running.wait().succeeded() }
    #expect(try (0..<count).allSatisfy { try isUnder(version: 2, $0) })
  }

  /// Killed at some file, it leaves complete files, and the next run does the rest.
  @Test func killedRunLeavesCompleteFilesAndNextRunContinues() async throws {
    let count = 2000
    try await makeFiles(count)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    var done = 0
    // The first progress line appears after the first file, and every run shows a second.
    for lines in [1, 2, 2, 2] {
      var steps = Array(repeating: (await: " of 2,000", type: ""), count: lines)
      steps[lines - 1].type = "signal \(SIGKILL)"
      let session = try sandbox.terminal(["rewrap", "tree"], steps: steps)
      // A run with few files left may end before the signal.
      #expect(session.signal == SIGKILL || (lines > 1 && session.code == 0))
      let before = done
      done = try (0..<count).count { try isUnder(version: 2, $0) }
      #expect(done >= before)
      if lines == 1 { #expect(0 < done && done < count) }
    }
    let last = try sandbox.envelope("rewrap", "tree").succeeded()
    #expect(last.messages.hasPrefix("Rewrapped ") || last.messages.hasPrefix("Nothing to do"))
    #expect(try (0..<count).allSatisfy { try isUnder(version: 2, $0) })
    #expect(try sandbox.envelope("rewrap", "tree").succeeded().messages.hasPrefix("Nothing to do: 2,000 files"))
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

/// The commands of `Docs/Keys.md`, run as they stand there.
@Suite(.timeLimit(.minutes(20))) struct KeysPageTests {
  private let sandbox: Sandbox
  private let sections: [String: String]

  init() throws {
    sandbox = try Sandbox()
    try sandbox.makeFolder(".git")
    for name in ["safe", "you"] { try sandbox.makeFolder(name) }
    var folder = URL(filePath: #filePath)
    while folder.lastPathComponent != "Tests" { folder.deleteLastPathComponent() }
    let page = String(
      decoding: try Data(contentsOf: folder.deletingLastPathComponent().appending(path: "Docs/Keys.md")), as: UTF8.self)
    var sections: [String: String] = [:]
    for section in page.split(separator: "\n## ") {
      sections[String(section.prefix { $0 != "\n" })] = String(section)
    }
    self.sections = sections
  }

  /// The commands that stand by themselves in a section.
  private func commands(_ section: String) throws -> [String] {
    let starts = ["    envelope ", "    ENVELOPE_STORE=", "    export "]
    return try #require(sections[section]).split(separator: "\n").filter { line in
      starts.contains { line.hasPrefix($0) }
    }.map { String($0.dropFirst(4)) }
  }

  /// Runs commands with the paths and the recipient of the page replaced by those of the test.
  @discardableResult
  private func run(
    _ commands: [String], recipient: String = "", with variables: [String: String] = [:]
  ) throws -> Outcome {
    let lines = commands.map {
      $0.replacing("envelope ", with: "\"$ENVELOPE\" ").replacing("er1:…", with: recipient)
        .replacing("er2:…", with: recipient)
        .replacing("/media/", with: sandbox.folder + "/")
    }
    return try sandbox.shell("set -e\n" + lines.joined(separator: "\n"), with: variables).succeeded()
  }

  private func get(_ store: String? = nil, _ more: String...) throws -> Outcome {
    let variables = store.map { ["ENVELOPE_STORE": sandbox.path($0)] } ?? [:]
    return try sandbox.start(["get", "checkout.env", "TOKEN", "--function", "checkout"] + more, with: variables).wait()
  }

  private func copyStore(to name: String) throws {
    try sandbox.shell("cp '\(sandbox.keyStore)' '\(name)' && chmod 600 '\(name)'").succeeded()
  }

  @Test(.enabled(if: hasXWing, lacksXWing)) func aSecretForDecades() throws {
    let commands = try commands("Sealed for decades")
    try #require(commands.count == 2, "\(commands)")
    try sandbox.keys("create", "checkout").succeeded()
    let seal = ["seal", "-", "--function", "checkout", "--key", "checkout", "-o", "checkout.env"]
    try sandbox.start(seal, input: Data("TOKEN=of value\n".utf8)).wait().succeeded()
    let recipient = try run(Array(commands[..<1])).text.split(separator: "\n").map(String.init)
    try run(Array(commands[1...]), recipient: try #require(recipient.first))
    #expect(try sandbox.envelope("inspect", "checkout.env").succeeded().text.contains("post-quantum-recipient "))
    #expect(try get().succeeded().text == "of value")
  }

  @Test func aKeysLife() throws {
    let made = try commands("Made")
    try #require(made.count == 7, "\(made)")
    try run(Array(made[0..<3]))
    try sandbox.envelope("keys", "create", "other").succeeded()
    try sandbox.envelope(
      "seal", "-", "--function", "checkout", "--key", "checkout", "-o", "checkout.env", input: "TOKEN=one\n"
    ).succeeded()
    let recipient = try run([made[3]]).line
    try run([made[4]], recipient: recipient)
    try get("safe/keys", "--accept-anonymous-sender").succeeded()
    // The page's envelope.yaml, with that recipient.
    let page = try #require(sections["Made"])
    let yaml = String(try #require(page.split(separator: "```yaml\n").last?.split(separator: "```").first))
    let name = try #require(yaml.firstMatch(of: /er1:[A-Za-z0-9_-]+/)?.output)
    try sandbox.write(yaml.replacing(String(name), with: recipient), to: "envelope.yaml")
    try sandbox.envelope("rewrap", ".", "--configured").succeeded()

    // A server that has a narrowed copy, and a colleague who has all of the store.
    try run([made[5]])
    let server = ["ENVELOPE_STORE": sandbox.path("server.keys")]
    try run([made[6]], with: server)
    try get("server.keys").succeeded()
    try copyStore(to: "colleague.keys")

    let rotated = try commands("Rotated")
    try #require(rotated.count == 4, "\(rotated)")
    try run(Array(rotated[0..<2]))
    #expect(try sandbox.keyIDs(of: "checkout.env").contains { $0.hasSuffix(".2") })
    for store in ["server.keys", "colleague.keys"] { try get(store).failed(77) }
    try run([rotated[2]])
    try get().succeeded()
    try copyStore(to: "you/keys")
    let colleague = ["ENVELOPE_STORE": sandbox.path("colleague.keys")]
    let imported = try run([rotated[3]], with: colleague).messages
    #expect(imported.contains("Updated: checkout (") && imported.contains("Unchanged: other ("))
    try get("colleague.keys").succeeded()
    try run([made[5]])
    #expect(try run([made[6]], with: server).messages.hasPrefix("Updated: checkout ("))
    try get("server.keys").succeeded()

    // Alice leaves.
    try sandbox.envelope("keys", "create", "alice", with: ["ENVELOPE_STORE": sandbox.path("alice.keys")]).succeeded()
    try sandbox.envelope("keys", "import", "alice.keys").succeeded()
    try run(["envelope rewrap . --add alice"])
    try get("alice.keys").succeeded()
    try run(try commands("A user leaves"))
    try get("alice.keys").failed(77)
    try get().succeeded()

    // The store is lost; the page's deletion of another key comes after.
    let lost = try commands("Lost")
    try #require(lost.count == 5, "\(lost)")
    try run(Array(lost[0..<3]))
    try get().failed(77)
    try get("safe/keys").succeeded()
    try run(["envelope keys create old"] + lost[3...])
  }

  /// What is exported for two functions one after the other meets in one store.
  @Test func exportsForTwoFunctionsMeet() throws {
    try sandbox.envelope("keys", "create", "checkout").succeeded()
    let made = try commands("Made")
    let developer = ["ENVELOPE_STORE": sandbox.path("developer.keys")]
    for function in ["checkout", "orders", "checkout", "orders"] {
      let export = made[5].replacing("--function checkout", with: "--function \(function)").replacing(
        "checkout.keys", with: "\(function).keys")
      try run([export])
      try run([made[6].replacing("checkout.keys", with: "\(function).keys")], with: developer)
      let isMixed = try sandbox.envelope("keys", "show", "checkout", with: developer).text.contains(
        "for 'checkout' only")
      #expect(isMixed == (function == "checkout" && sandbox.exists("orders.keys")))
      if function == "orders" { try sandbox.envelope("keys", "rotate", "checkout").succeeded() }
    }
    let shown = try sandbox.envelope("keys", "show", "checkout", with: developer).succeeded().text
    #expect(shown.contains("narrowed to: 'checkout', 'orders'\n"))
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("keys: policies, recipients, exported keys", .timeLimit(.minutes(20))) struct KeySharingCommandsTests {
  let sandbox: Sandbox
  let id: String
  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    id = try sandbox.keys("create", "checkout").succeeded().line
    try sandbox.keys("alias", "payments", "checkout").succeeded()
    for function in ["app", "other"] { try seal(function) }
  }

  private func seal(_ function: String, key: String = "checkout", with variables: [String: String] = [:]) throws {
    let arguments = ["seal", "-", "--function", function, "--key", key, "-o", "\(function).env"]
    try sandbox.start(arguments, input: Data("TOKEN=for \(function)\n".utf8), with: variables).wait().succeeded()
  }

  private func open(_ function: String, store: String? = nil, _ more: String...) throws -> Outcome {
    let variables = store.map { ["ENVELOPE_STORE": sandbox.path($0)] } ?? [:]
    return try sandbox.start(["get", "\(function).env", "TOKEN", "--function", function] + more, with: variables).wait()
  }

  // MARK: Policies

  @Test func aPolicyNamesFunctions() throws {
    #expect(try sandbox.keys("policy", "checkout").text == "functions: any\noperations: wrap, unwrap\n")
    try sandbox.keys("policy", "checkout", "--function", "app", "--function", "app", "--function", "b\"c").succeeded()
    #expect(try open("app").succeeded().text == "for app")
    try open("other").failed(77, saying: "policy")
    try sandbox.envelope("seal", "-", "--function", "other", "--key", "checkout", input: "A=1\n").failed(
      77, saying: "policy")
    #expect(try sandbox.keys("policy", "checkout").text == "functions: 'app', 'b\"c'\noperations: wrap, unwrap\n")
    #expect(try sandbox.keys("list").text.contains("checkout,payments\t\(id)\trestricted\n"))
    #expect(try sandbox.keys("show", "checkout").text.contains("serves: 'app', 'b\"c'\n"))
    // What is stated takes the place of all that was.
    try sandbox.keys("policy", "checkout", "--no-function").succeeded()
    try open("app").failed(77, saying: "policy")
    #expect(try sandbox.keys("policy", "checkout").text.hasPrefix("functions: no function\n"))
    try sandbox.keys("policy", "checkout", "--unrestricted").succeeded()
    for function in ["app", "other"] { try open(function).succeeded() }
    #expect(try !sandbox.keys("list").text.contains("restricted"))
  }

  @Test func aPolicyNamesOperations() throws {
    try sandbox.keys("policy", "checkout", "--operation", "unwrap").succeeded()
    try open("app").succeeded()
    try sandbox.envelope("seal", "-", "--function", "app", "--key", "checkout", input: "A=1\n").failed(
      77, saying: "wrap")
    #expect(try sandbox.keys("show", "checkout").text.contains("serves to: unwrap\n"))
    try sandbox.keys("policy", "checkout", "--operation", "wrap").succeeded()
    try open("app").failed(77, saying: "unwrap")
    try seal("app")
    try sandbox.keys("policy", "checkout", "--operation", "wrap", "--operation", "unwrap").succeeded()
    try open("app").succeeded()
  }

  @Test func aPolicyThatCannotBeIsRefused() throws {
    try sandbox.refuses("policy", "checkout", "--operation", "read", with: 64)
    try sandbox.refuses("policy", "checkout", "--function", "", with: 64)
    try sandbox.refuses("policy", "checkout", "--function", String(repeating: "a", count: 1025), with: 64)
    try sandbox.refuses("policy", "checkout", "--unrestricted", "--function", "app", with: 64, saying: "excludes")
    try sandbox.refuses("policy", "checkout", "--unrestricted", "--operation", "wrap", with: 64)
    let many = (0..<257).flatMap { ["--function", "f\($0)"] }
    try sandbox.start(["keys", "policy", "checkout"] + many).wait().failed(64, saying: "256")
  }

  @Test func aFunctionsNameIsShownHarmless() throws {
    try sandbox.keys("policy", "checkout", "--function", "a\u{1b}[31m\nstate: enabled\u{7f}é").succeeded()
    for command in ["policy", "show"] {
      let text = try sandbox.keys(command, "checkout").succeeded().text
      #expect(text.contains("'a\\u{1b}[31m\\u{a}state: enabled\\u{7f}é'"))
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
      #expect(text.split(separator: "\n").filter { $0.hasPrefix("state:") }.count == (command == "show" ? 1 : 0))
    }
  }

  // MARK: Recipients

  @Test func whatIsSealedToARecipientOpensWhereItsIdentityIs() throws {
    let safe = ["ENVELOPE_STORE": sandbox.path("safe/keys")]
    let recipient = try sandbox.keys("recipient", "glass", with: safe).succeeded().line
    try seal("glass", key: recipient, with: ["ENVELOPE_STORE": sandbox.path("none/keys")])
    #expect(!sandbox.exists("none/keys"))
    try open("glass").failed(77)
    try open("glass", store: "safe/keys").failed(65, saying: "--accept-anonymous-sender")
    let opened = try open("glass", store: "safe/keys", "--accept-anonymous-sender").succeeded()
    #expect(opened.text == "for glass")
    #expect(try sandbox.keys("list", with: safe).text.contains("default, recipient\n"))
    try sandbox.keys("export", "glass", "--function", "glass", "-o", "x.keys", with: safe).failed(
      64, saying: "recipient")
  }

  @Test func execTakesWhatHasNoSenderOnlyWhereItIsTold() throws {
    let recipient = try sandbox.keys("recipient", "glass").succeeded().line
    try seal("glass", key: recipient)
    let exec = ["exec", "glass.env", "--function", "glass"]
    let command = ["--", "sh", "-c", "echo $TOKEN"]
    let refused = try sandbox.start(exec + command).wait().failed(65)
    #expect(refused.messages.contains("--accept-anonymous-sender"))
    for flags in [["--accept-anonymous-sender"], ["--accept-anonymous-sender", "--pristine"]] {
      #expect(try sandbox.start(exec + flags + command).wait().succeeded().text == "for glass\n")
    }
    // What has a sender needs no flag, and takes it.
    for flags in [[], ["--accept-anonymous-sender"]] {
      let result = try sandbox.start(["exec", "app.env", "--function", "app"] + flags + command).wait()
      #expect(result.succeeded().text == "for app\n")
    }
    // Under a key beside the recipient, that key shows the sender.
    let both = ["seal", "-", "--function", "both", "--key", "checkout", "--key", recipient, "-o", "both.env"]
    try sandbox.start(both, input: Data("TOKEN=x\n".utf8)).wait().succeeded()
    try sandbox.start(["exec", "both.env", "--function", "both"] + command).wait().succeeded()
  }

  // MARK: Exported keys

  @Test func anExportedKeyOpensItsFunctionsFilesAndNoOthers() throws {
    let result = try sandbox.keys("export", "checkout", "--function", "app", "-o", "app.keys").succeeded()
    #expect(result.output.isEmpty && result.messages.contains("'app'"))
    #expect(try sandbox.mode(of: "app.keys") == 0o600)
    #expect(try open("app", store: "app.keys").succeeded().text == "for app")
    try open("other", store: "app.keys").failed(77, saying: "narrowed")
    let narrowed = ["ENVELOPE_STORE": sandbox.path("app.keys")]
    let exec = ["exec", "app.env", "--function", "app", "--", "sh", "-c", "echo $TOKEN"]
    #expect(try sandbox.start(exec, with: narrowed).wait().succeeded().text == "for app\n")
    try sandbox.envelope("seal", "-", "--function", "other", input: "A=1\n", with: narrowed).failed(
      77, saying: "narrowed")
    // It seals for its function, under the same key as the whole one.
    try seal("app", key: "payments", with: narrowed)
    #expect(try open("app").succeeded().text == "for app")
    let listed = try sandbox.keys("list", with: narrowed).succeeded()
    #expect(listed.text == "checkout,payments\t\(id)\tdefault, narrowed\n")
    #expect(try sandbox.keys("show", with: narrowed).text.contains("narrowed to: 'app'\n"))
    try sandbox.keys("rotate", "checkout", with: narrowed).failed(64, saying: "narrowed")
    // None of the whole key's secrets stands in it.
    let whole = try sandbox.read(sandbox.keyStore).split(separator: "\n").filter { $0.hasPrefix("version") }
    let text = try sandbox.read("app.keys")
    for secret in whole.compactMap({ $0.split(separator: " ").last }) { #expect(!text.contains(secret)) }
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("keyset") }.count == 1)
  }

  @Test func oneForSeveralIsNarrowedFurtherAndNotWidened() throws {
    try sandbox.keys("export", "checkout", "--function", "app", "--function", "other", "--no-function", "-o", "a.keys")
      .succeeded()
    let wide = ["ENVELOPE_STORE": sandbox.path("a.keys")]
    for function in ["app", "other"] { try open(function, store: "a.keys").succeeded() }
    try sandbox.keys("export", "checkout", "--function", "other", "-o", "b.keys", with: wide).succeeded()
    try open("other", store: "b.keys").succeeded()
    try open("app", store: "b.keys").failed(77)
    let narrow = ["ENVELOPE_STORE": sandbox.path("b.keys")]
    for scope in [["--function", "app"], ["--no-function"], ["--function", "other", "--function", "app"]] {
      let arguments = ["keys", "export", "checkout", "-o", "c.keys"] + scope
      try sandbox.start(arguments, with: narrow).wait().failed(77, saying: "narrowed")
      #expect(!sandbox.exists("c.keys"))
    }
  }

  @Test func anExportThatCannotBeIsRefused() throws {
    try sandbox.refuses("export", "checkout", with: 64, saying: "No functions to narrow the key to")
    try sandbox.refuses("export", "checkout", "--function", "", with: 64)
    try sandbox.refuses("export", "checkout", "--function", "app", "-o", "none/app.keys", with: 74)
    let many = (0..<257).flatMap { ["--function", "f\($0)"] }
    try sandbox.start(["keys", "export", "checkout"] + many).wait().failed(64, saying: "256")
  }

  @Test(arguments: ["keys", "./keys", "link", "../store/keys"]) func anExportDoesNotTakeTheStoresPlace(path: String)
    throws
  {
    try sandbox.makeFolder("store")
    let store = ["ENVELOPE_STORE": "keys"]
    try sandbox.start(["keys", "create", "checkout"], with: store, in: sandbox.path("store")).wait().succeeded()
    try sandbox.shell("ln -s keys store/link").succeeded()
    let before = try sandbox.readBytes("store/keys")
    let export = ["keys", "export", "checkout", "--function", "app", "-o", path]
    try sandbox.start(export, with: store, in: sandbox.path("store")).wait().failed(73, saying: "write over")
    #expect(try sandbox.readBytes("store/keys") == before)
  }

  @Test func aKeyIsNotShownOnATerminal() throws {
    let session = try sandbox.terminal(["keys", "export", "checkout", "--function", "app"], steps: [])
    #expect(session.code == 64 && session.shown.contains("-o FILE") && !session.shown.contains("version"))
  }

  @Test func whatIsWrittenToStandardOutputIsTheStore() throws {
    let result = try sandbox.keys("export", "checkout", "--function", "app").succeeded()
    #expect(result.text.hasPrefix("envelope-keys 2\nkeyset \(id) 1\n") && result.text.hasSuffix("end\n"))
    try sandbox.shell("\"$ENVELOPE\" keys export checkout --function app > to.keys").succeeded()
    // A shell makes files that others can use; the error has the command that mends it.
    try sandbox.setMode(0o664, of: "to.keys")
    try open("app", store: "to.keys").failed(77, saying: "chmod 600")
  }

  /// What is sealed to an identity has no sender: it is not what somebody gets who names no key.
  @Test func anIdentityIsNoDefaultToSealUnder() throws {
    let sandbox = try Sandbox()
    try sandbox.keys("recipient", "me").succeeded()
    let sealed = try sandbox.seal("AA=1\n")
    #expect(sealed.messages.contains("Created the default key in \(sandbox.keyStore).\n"))
    #expect(try sandbox.envelope("exec", "app.env", "--function", "app", "--", "sh", "-c", "echo $AA").text == "1\n")
    #expect(try sandbox.keys("list").text.contains("default\t"))
    #expect(try !sandbox.seal("AA=1\n").messages.contains("Made"))
  }
}

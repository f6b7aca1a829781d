// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import Foundation
  import Testing

  @testable import EnvelopeTool

  @Suite("init", .timeLimit(.minutes(20))) struct InitCommandTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.makeFolder(".git")
    }

    private func seal(_ function: String, _ name: String, _ arguments: String...) throws {
      let words = ["seal", "-", "--function", function, "-o", name] + arguments
      try sandbox.start(words, input: Data("AA=1\n".utf8)).wait().succeeded()
    }

    @Test func writesAFileThatSaysNothingYet() throws {
      let result = try sandbox.envelope("init").succeeded()
      #expect(result.messages == "Wrote envelope.yaml.\n" && result.output.isEmpty)
      #expect(try sandbox.mode(of: "envelope.yaml") & 0o022 == 0)
      var configuration = try Configuration(yaml: sandbox.read("envelope.yaml"))
      #expect(configuration == Configuration())
      // Every line that is commented out can be taken in.
      let lines = try sandbox.read("envelope.yaml").split(separator: "\n").filter { !$0.contains(/^# [^ ]/) }
        .map { $0.trimmingPrefix("#") }
      configuration = try Configuration(yaml: lines.joined(separator: "\n"))
      #expect(configuration.functions["checkout"]?.file == "checkout.env")
      #expect(configuration.fallback.keys == ["default"] && configuration.excluded == ["Tests/Fixtures"])
      #expect(configuration.fallback.plain == ["LOG_LEVEL"] && configuration.fallback.context?.count == 1)
    }

    @Test func namesTheFunctionsThatAreSealedHere() throws {
      try seal("checkout", "checkout.env")
      try seal("app", "production.env")
      try seal("pairs", "pairs.env", "--context", "team=x")
      try sandbox.write("AA=1\n", to: "orders.env")
      try sandbox.write("AA=1\n", to: ".env")
      let result = try sandbox.envelope("init").succeeded()
      #expect(result.messages == "Wrote envelope.yaml with the functions that are sealed here: checkout.\n")
      let configuration = try Configuration(yaml: sandbox.read("envelope.yaml"))
      #expect(configuration.functions.mapValues(\.file) == ["checkout": "checkout.env"])
      let text = try sandbox.read("envelope.yaml")
      #expect(text.contains("#  orders:\n#    file: orders.env\n") && text.contains("#  pairs:\n"))
      // The text of another function's file may have been put there, and `open` follows what is written here.
      #expect(text.contains("#  app:\n#    file: production.env\n"))
      try sandbox.envelope("open", "production.env").failed(64, saying: "--function")
      #expect(try sandbox.envelope("open", "checkout.env").succeeded().text == "AA=1\n")
      try sandbox.envelope("seal", "orders.env", "-o", "orders.sealed").failed(64)
    }

    /// Not even an empty one, or a link that leads nowhere.
    @Test(arguments: [
      "printf x > envelope.yaml", ": > envelope.yaml", "ln -s /nowhere envelope.yaml", "mkdir envelope.yaml",
    ])
    func replacesNothing(command: String) throws {
      try sandbox.shell(command).succeeded()
      let before = try sandbox.shell("ls -l envelope.yaml").text
      let result = try sandbox.envelope("init")
      #expect(result.code == 73 || result.code == 78)
      #expect(try sandbox.shell("ls -l envelope.yaml").text == before)
    }

    @Test func oneAboveIsNamed() throws {
      try sandbox.envelope("init").succeeded()
      try sandbox.makeFolder("below")
      let result = try sandbox.envelope("init", in: sandbox.path("below")).succeeded()
      #expect(
        result.messages.contains("\(sandbox.path("envelope.yaml")) no longer applies in this folder and below.\n"))
    }

    /// Whoever can write a file here chooses its name and its comment.
    @Test func namesThatYAMLCouldTakeForMoreAreLeftOut() throws {
      try sandbox.makeKey("default")
      for name in ["a: b", "x\ny", "- a", "&a", "{a}", "é", "a#b", "\"", "*a", " a", "1a"] {
        try sandbox.write("AA=1\n", to: "\(name).env")
      }
      try sandbox.write("# function: evil:\n#default: {key: evil}\nAA=1\n", to: "evil.env")
      try sandbox.shell("mkfifo pipe.env && ln -s /dev/zero zero.env").succeeded()
      try sandbox.envelope("init").succeeded()
      #expect(try Configuration(yaml: sandbox.read("envelope.yaml")) == Configuration())
      #expect(try !sandbox.read("envelope.yaml").contains("evil"))
    }

    @Test func oneFunctionIsNamedOnce() {
      let template = ConfigurationTemplate([
        .init(function: "a", file: "a.env", isProven: false), .init(function: "a", file: "b.env", isProven: true),
        .init(function: "a", file: "c.env", isProven: true),
      ])
      #expect(template.suggestions == [.init(function: "a", file: "b.env", isProven: true)])
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@testable import EnvelopeTool

/// The function that a sealed file is for, as far as the file itself tells.
@Suite(.timeLimit(.minutes(20))) struct FunctionNamesTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
  }

  private func seal(_ function: String, _ name: String, _ arguments: String...) throws {
    let words = ["seal", "-", "--function", function, "-o", name] + arguments
    try sandbox.start(words, input: Data("AA=1\nBB=2\n".utf8)).wait().succeeded()
  }

  private func candidates(_ text: String, _ path: String) throws -> [String] {
    unsafe SecretBytes(copying: Array(text.utf8).span.bytes).withBytes { FunctionNames.candidates(in: $0, of: path) }
  }

  @Test func namesAreThoseOfCommentAnswerAndFile() throws {
    #expect(try candidates("# function: a b\nA=1\n", "x/checkout.env") == ["a b", "checkout"])
    #expect(try candidates("\u{feff}# function: app\r\n", "checkout.prod.env") == ["app", "checkout.prod", "checkout"])
    let answer = #"{"FunctionName": "orders", "FunctionArn": "a", "Environment": {"Variables": {}}}"#
    #expect(try candidates(answer, "answer.json") == ["orders", "answer"])
    #expect(try candidates("", ".env") == [] && candidates("", "a/b/Dockerfile") == [] && candidates("", "-") == [])
    #expect(try candidates("# function: app", "app.env") == ["app"])
  }

  static let noComments = [
    "A=1\n# function: app\n", " # function: app\n", "#function: app\n", "# function:app\n", "# function: \n",
    "# function:  app\n", "# function: app \n", "# function: a\u{1b}[31m\n", "# function: é\n", "# Function: app\n",
    "# function: " + String(repeating: "a", count: 257) + "\n", "", "# function: ", "# function: a\tb\n",
    "# function: a\u{0}b\n",
  ]

  @Test(arguments: noComments) func otherTextIsNoComment(text: String) throws {
    #expect(try candidates(text, "-") == [])
  }

  // MARK: The comment

  @Test func sealedFileNamesItsFunctionFirst() throws {
    for format in [["--format", "dotenv"], ["--packed"]] {
      try sandbox.start(
        ["seal", "-", "--function", "my app", "-o", "a.env", "--force"] + format, input: Data("AA=1\n".utf8)
      )
      .wait().succeeded()
      #expect(try sandbox.read("a.env").hasPrefix("# function: my app\nENVELOPE_"))
    }
    for format in ["json", "lambda"] {
      try seal("app", "\(format).json", "--format", format)
      #expect(try !sandbox.read("\(format).json").contains("function"))
    }
    #expect(try sandbox.envelope("open", "a.env", "--function", "my app").succeeded().text == "AA=1\n")
  }

  /// A name could end the comment and begin a variable, or steer a terminal: such a name is not written.
  @Test(arguments: ["a\nLD_PRELOAD=x", "a\r", "é", "a\u{1b}[2J", " a", "a ", String(repeating: "a", count: 257)])
  func nameThatNoCommentShouldHaveIsNotWritten(name: String) throws {
    try seal(name, "x.env")
    #expect(try sandbox.read("x.env").hasPrefix("ENVELOPE_HEADER="))
    #expect(try sandbox.envelope("open", "x.env", "--function", name).succeeded().text == "AA=1\nBB=2\n")
  }

  @Test func commentStaysWhenTheFileIsChanged() throws {
    try seal("app", "x.env")
    try sandbox.envelope("set", "x.env", "CC", "--function", "app", input: "3").succeeded()
    #expect(try sandbox.read("x.env").hasPrefix("# function: app\nENVELOPE_HEADER="))
    try sandbox.envelope("unset", "x.env", "AA", "--function", "app").succeeded()
    for command in ["rewrap", "reseal"] {
      try sandbox.envelope("keys", "rotate", "default").succeeded()
      try sandbox.envelope(command, "x.env").succeeded()
    }
    #expect(try sandbox.read("x.env").hasPrefix("# function: app\nENVELOPE_HEADER="))
    #expect(try sandbox.read("x.env").matches(of: /# function/).count == 1)
  }

  // MARK: Where it counts

  @Test func commandsThatHandOutNothingFindTheFunction() throws {
    try seal("app", "other.env")
    try seal("checkout", "checkout.json", "--format", "json")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    #expect(try sandbox.envelope("rewrap", ".").succeeded().messages == "Rewrapped 2 files.\n")
    #expect(try sandbox.envelope("reseal", "other.env", "checkout.json").succeeded().messages == "Resealed 2 files.\n")
    let explained = try sandbox.envelope("explain", "other.env").succeeded().text
    #expect(explained.contains("context: as the file itself says, for 'app'\n"))
    try sandbox.envelope("accept", "checkout.json").succeeded()
    try sandbox.write(sandbox.read("other.env") + "NEW=1\n", to: "other.env")
    // Without a terminal it cannot ask; who agrees unseen says the function.
    let asked = try sandbox.envelope("accept", "other.env")
    #expect(asked.messages.contains("Sealed for the function app.\n") && asked.messages.contains("NEW=1 (added)"))
    try sandbox.envelope("accept", "other.env", "--yes").failed(64, saying: "--function")
    try sandbox.envelope("accept", "other.env", "--yes", "--function", "app").succeeded()
    // With further pairs of the context it is the flags that say them.
    try seal("app", "pairs.env", "--context", "team=x")
    try sandbox.envelope("rewrap", "pairs.env").failed(65, saying: "pairs.env")
    try sandbox.envelope("rewrap", "pairs.env", "--context", "team=x").succeeded()
  }

  @Test func answerOfAWSNamesTheFunction() throws {
    try seal("checkout", "variables.json", "--format", "lambda")
    let variables = try sandbox.read("variables.json")
    let answer = "{\"FunctionName\": \"checkout\", \"FunctionArn\": \"arn:x\", \"Environment\": \(variables)}"
    try sandbox.write(answer, to: "answer.json")
    #expect(try sandbox.envelope("explain", "answer.json").succeeded().text.contains("says, for 'checkout'"))
    try sandbox.envelope("rewrap", "answer.json").succeeded()
  }

  /// The writer of the file would choose which function's secrets a reader gets.
  @Test func commandsThatHandOutSecretsDoNotAskTheFile() throws {
    try seal("app", "app.env")
    for words in [
      ["open", "app.env"], ["get", "app.env", "AA"], ["exec", "app.env", "--", "true"], ["set", "app.env", "CC"],
      ["unset", "app.env", "AA"],
    ] {
      try sandbox.start(words).wait().failed(64, saying: "--function")
    }
    // Nor is the only function of envelope.yaml taken for a file that it does not name.
    try sandbox.write("functions: {app: {file: other.env}}\n", to: "envelope.yaml")
    try sandbox.envelope("open", "app.env").failed(64, saying: "--function")
    try sandbox.write("functions: {app: {}}\n", to: "envelope.yaml")
    try sandbox.envelope("exec", "app.env", "--", "true").failed(64, saying: "--function")
    try sandbox.write("functions: {app: {file: app.env}}\n", to: "envelope.yaml")
    try sandbox.envelope("open", "app.env").succeeded()
  }

  /// With another function's text in the file of one, its writer would get that function's secrets for a new reader.
  @Test func fileDoesNotChooseWhoseSecretsANewReaderGets() throws {
    let id = try sandbox.keys("create", "contractor").succeeded().line
    for words in [["rewrap", "--add"], ["rewrap", "--to"], ["reseal", "--to"]] {
      try? FileManager.default.removeItem(atPath: sandbox.path("production.env"))
      try seal("production", "production.env")
      let text = try sandbox.read("production.env")
      for configuration in [
        nil, "functions: {production: {}, staging: {}}\n",
        "functions: {production: {}, staging: {file: staging.env}}\n",
      ] {
        if let configuration { try sandbox.write(configuration, to: "envelope.yaml") }
        try sandbox.write(text, to: "staging.env")
        let call = [words[0], "staging.env", words[1], id]
        try sandbox.start(call).wait().failed(65, saying: "Sealed for another function")
        #expect(try sandbox.read("staging.env") == text)
      }
      // The name of the file counts, and what is given.
      try sandbox.start([words[0], "production.env", words[1], id]).wait().succeeded()
      try sandbox.start([words[0], "staging.env", words[1], id, "--function", "production"]).wait().succeeded()
      try FileManager.default.removeItem(atPath: sandbox.path("envelope.yaml"))
    }
  }

  /// What does not open for the function that envelope.yaml names is not called right.
  @Test(arguments: ["rewrap", "reseal", "explain", "accept"]) func fileOfAnotherFunctionIsNotRight(command: String)
    throws
  {
    try seal("orders", "checkout.env")
    try sandbox.write("functions: {checkout: {file: checkout.env}, orders: {file: orders.env}}\n", to: "envelope.yaml")
    #expect(try sandbox.envelope(command, "checkout.env").code == 65)
    try sandbox.envelope("open", "checkout.env").failed(65)
  }

  @Test func severalFunctionsOfOneFileAreNamed() throws {
    try seal("app", "app.env")
    try sandbox.write("functions: {a: {file: app.env}, app: {file: ./app.env}}\n", to: "envelope.yaml")
    try sandbox.envelope("open", "app.env").failed(78, saying: "names app.env for several functions: a, app")
    try sandbox.envelope("open", "app.env", "--function", "app").succeeded()
  }

  /// A name that the header does not prove counts for nothing, and no name goes before those that are given.
  @Test func wrongNamesAreNotTaken() throws {
    try seal("app", "other.env")
    let sealed = try sandbox.read("other.env")
    try sandbox.write(sealed.replacing("# function: app", with: "# function: evil"), to: "other.env")
    try sandbox.envelope("rewrap", "other.env").failed(65, saying: "other.env")
    #expect(try sandbox.envelope("explain", "other.env").code == 64)
    try sandbox.envelope("accept", "other.env", "--yes").failed(64, saying: "--function")
    try sandbox.write(sealed, to: "other.env")
    try sandbox.envelope("rewrap", "other.env", "--function", "evil").failed(65, saying: "other.env")
    try sandbox.envelope("rewrap", "other.env", "--no-function").failed(65, saying: "other.env")
    try sandbox.envelope("accept", "other.env", "--yes", "--function", "evil").failed(65)
    // A file of another function in the place of this one's is what it is, whatever it says.
    try seal("evil", "evil.env")
    try sandbox.write(sandbox.read("evil.env"), to: "other.env")
    #expect(try sandbox.envelope("explain", "other.env").succeeded().text.contains("for 'evil'"))
    try sandbox.envelope("open", "other.env", "--function", "app").failed(65)
  }

  @Test func configuredFunctionGoesBeforeTheFilesNames() throws {
    let second = try sandbox.makeKey("second")
    try seal("app", "app.env", "--context", "team=x")
    try sandbox.write("functions: {app: {context: {team: x}, key: second}}\n", to: "envelope.yaml")
    try sandbox.envelope("rewrap", "app.env", "--configured").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(second).1"])
  }

  @Test func candidatesOfASearchAreOnlyThoseThatFit() async throws {
    var search = try ContextSearch(
      function: nil, isForNoFunction: false, context: [], keyService: KeyServiceSettings(),
      configuration: Configuration())
    let value = try await Envelope.seal([1], context: ["function": "app"], using: sandbox.keyring())
    let header = try Envelope.header(of: value)
    #expect(try search.index(for: header, in: "x", naming: ["a", "b", "c", "d", "app"]) == nil)
    #expect(search.candidates.isEmpty)
    #expect(try search.index(for: header, in: "x", naming: ["", "b", "app"]) == 0)
    #expect(try search.index(for: header, in: "y", naming: ["app"]) == 0 && search.candidates.count == 1)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct EditCommandTests {
  let sandbox: Sandbox
  let before: String
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=abc\nLEVEL=debug\n", "--plain", "LEVEL")
    before = try sandbox.read("app.env")
  }

  private func edit(_ script: String, _ variable: String = "EDITOR") throws -> Outcome {
    try sandbox.write(script, to: "editor")
    let result = try sandbox.envelope("edit", "app.env", "--function", "app", with: [variable: "sh editor"])
    #expect(try sandbox.names(in: sandbox.privatePlace) == [], "nothing private may be left")
    return result
  }

  @Test func unchangedLeavesTheFileAsItIs() throws {
    #expect(try edit("cat \"$1\" > seen").succeeded().messages.contains("Nothing was changed"))
    #expect(try sandbox.read("app.env") == before)
    #expect(try sandbox.read("seen") == "LEVEL=debug\nTOKEN=abc\n")
  }

  @Test(arguments: ["VISUAL", "EDITOR"]) func changesAreSealed(variable: String) throws {
    try edit("printf 'TOKEN=def\\nLEVEL=info\\nNEW=\"two\nlines\"\\n' > \"$1\"", variable).succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def", "LEVEL": "info", "NEW": "two\nlines"])
    let text = try sandbox.read("app.env")
    #expect(text.contains("LEVEL=info\n") && text.contains("NEW=ev1:"))
  }

  @Test func aChangeBySomebodyElseIsNotWrittenOver() throws {
    let tool = try #require(Tool.path)
    let script = "echo other | '\(tool)' set app.env OTHER --function app && echo 'TOKEN=mine' > \"$1\""
    try edit(script).failed(74, saying: "changed by somebody else")
    #expect(try sandbox.opened() == ["TOKEN": "abc", "LEVEL": "debug", "OTHER": "other"])
  }

  /// Names that shells keep for themselves cannot stand in a dotenv file; in JSON they can.
  @Test(arguments: ["json", "lambda"]) func aJSONFileIsEditedAsJSON(format: String) throws {
    try sandbox.write(#"{"UID_": "1", "SECONDS": "2", "TEXT": "a\"b"}"#, to: "in.json")
    try sandbox.envelope("seal", "in.json", "--function", "app", "--format", format, "-o", "app.env").succeeded()
    try edit("sed -i s/2/3/ \"$1\" && case $1 in *.json) ;; *) exit 1 ;; esac").succeeded()
    #expect(try sandbox.opened() == ["UID_": "1", "SECONDS": "3", "TEXT": "a\"b"])
    #expect(try sandbox.read("app.env").contains("Variables") == (format == "lambda"))
  }

  @Test func removedVariablesAreGone() throws {
    try edit("echo 'TOKEN=abc' > \"$1\"").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "abc"])
  }

  @Test func anEditorMayPutAnotherFileInThePlace() throws {
    try edit("echo 'TOKEN=def' > \"$1.new\" && mv \"$1.new\" \"$1\"").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def"])
  }

  @Test func theFileIsPrivate() throws {
    try edit("stat -c %a \"$1\" \"$(dirname \"$1\")\" > seen").succeeded()
    #expect(try sandbox.read("seen") == "600\n700\n")
  }

  @Test func anUnreadableLineLeavesTheFileAsItIs() throws {
    let result = try edit("printf 'TOKEN=def\\nmarker secret\\n' > \"$1\"").failed(65, saying: "ine 2")
    #expect(!result.messages.contains("marker"))
    #expect(result.messages.split(separator: "\n").count == 1, "it is told once: \(result.messages)")
    #expect(try sandbox.read("app.env") == before)
  }

  @Test(arguments: ["ENVELOPE_HEADER=x", "TOKEN=1\nTOKEN=2", "1=2"])
  func namesThatCannotBeLeaveTheFileAsItIs(text: String) throws {
    try edit("cat > \"$1\" <<'E'\n\(text)\nE").failed(65)
    #expect(try sandbox.read("app.env") == before)
  }

  @Test(arguments: ["exit 1", "kill -9 $$", "rm \"$1\"", "echo X=1 > \"$1\"; exit 3"])
  func aFailingEditorLeavesTheFileAsItIs(script: String) throws {
    try edit(script).failed(74)
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func ofTheTextForTheEditorNothingIsAnnounced() throws {
    try sandbox.envelope("set", "app.env", "ODD", "--function", "app", input: "it's $5").succeeded()
    #expect(try edit("true").succeeded().messages == "Nothing was changed.\n")
  }

  @Test func anEditorThatIsNotThereIsTold() throws {
    let result = try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "no-such-editor"])
    result.failed(74, saying: "EDITOR")
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }

  @Test(arguments: [
    "cp \"$1\" \"$1~\"", "cp \"$1\" \"$(dirname \"$1\")/.variables.env.swp\"",
    "ln -s nowhere \"$(dirname \"$1\")/.#lock\"",
    "ln -s \"$PWD/kept\" \"$(dirname \"$1\")/link\"", "ln \"$1\" \"$1.hard\"",
    "mkdir -p \"$(dirname \"$1\")/undo/deep\" && cp \"$1\" \"$(dirname \"$1\")/undo/deep/copy\"",
    "mkfifo \"$1.pipe\"",
  ])
  func whatAnEditorLeavesIsRemoved(script: String) throws {
    try sandbox.write("must stay", to: "kept")
    try edit(script).succeeded()
    #expect(try sandbox.read("kept") == "must stay")
    #expect(try sandbox.read("app.env") == before)
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGINT]) func aSignalMeanwhileChangesNothing(signal: Int32) throws {
    try sandbox.makePipe("ready")
    try sandbox.makePipe("go")
    try sandbox.write("echo > ready; read line < go; echo TOKEN=def > \"$1\"; cp \"$1\" \"$1~\"", to: "editor")
    let running = try sandbox.start(["edit", "app.env", "--function", "app"], with: ["EDITOR": "sh editor"])
    try sandbox.waitForPipe("ready")
    running.send(signal)
    try sandbox.openPipe("go")
    #expect(try running.wait().ending == .signal(signal))
    #expect(try sandbox.read("app.env") == before)
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }

  @Test func theEditorFindsSignalsAsTheyWere() throws {
    let program = "import signal as s; print(s.pthread_sigmask(0, []), s.getsignal(s.SIGINT) == s.default_int_handler)"
    try edit("'\(Tool.python)' -c '\(program)' > seen").succeeded()
    #expect(try sandbox.read("seen") == "set() True\n")
  }

  @Test func aPlaceThatCannotBeUsedIsPassedOver() throws {
    try sandbox.write("cat \"$1\" > seen", to: "editor")
    let variables = ["EDITOR": "sh editor", "XDG_RUNTIME_DIR": sandbox.path("none")]
    try sandbox.envelope("edit", "app.env", "--function", "app", with: variables).succeeded()
    #expect(try sandbox.read("seen").contains("TOKEN=abc"))
  }

  /// SIGKILL cannot be put off, so the next edit removes what was left, and only that.
  @Test func nextEditWipesWhatKilledEditLeft() throws {
    for name in ["ready", "go"] { try sandbox.makePipe(name) }
    try sandbox.write("echo > ready; read line < go", to: "editor")
    func start() throws -> Running {
      try sandbox.start(["edit", "app.env", "--function", "app"], with: ["EDITOR": "sh editor"])
    }
    let killed = try start()
    try sandbox.waitForPipe("ready")
    killed.send(SIGKILL)
    #expect(try killed.wait().ending == .signal(SIGKILL))
    let left = try sandbox.names(in: sandbox.privatePlace)
    try #require(left.count == 1)
    // The editor lives on.
    try sandbox.openPipe("go")

    let open = try start()
    try sandbox.waitForPipe("ready")
    let inUse = try sandbox.names(in: sandbox.privatePlace)
    #expect(inUse.count == 1 && inUse != left)
    let other = try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "true"]).succeeded()
    #expect(!other.messages.contains(inUse[0]))
    #expect(try sandbox.names(in: sandbox.privatePlace) == inUse)
    try sandbox.openPipe("go")
    let outcome = try open.wait().succeeded()
    #expect(outcome.messages.contains("removed \(sandbox.privatePlace)/\(left[0])"))
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }
}

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
    let lines = try sandbox.read("seen").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 7 && lines[0].hasPrefix("#: Variables of app.env."))
    #expect(lines[1] == "#: Plain, not sealed: LEVEL. New ones are sealed.")
    #expect(lines[2...3] == ["TOKEN=abc", ""])
    #expect(lines[4].hasPrefix("#: Plain, not sealed") && lines[5...6] == ["LEVEL=debug", ""])
  }

  @Test(arguments: ["VISUAL", "EDITOR"]) func changesAreSealed(variable: String) throws {
    try edit("printf 'TOKEN=def\\nLEVEL=info\\nNEW=\"two\nlines\"\\n' > \"$1\"", variable).succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def", "LEVEL": "info", "NEW": "two\nlines"])
    let text = try sandbox.read("app.env")
    #expect(text.contains("LEVEL=info\n") && text.contains("NEW=ev1:"))
  }

  @Test func changeToAnotherVariableIsKept() throws {
    let tool = try #require(Tool.path)
    let script = "echo other | '\(tool)' set app.env OTHER --function app && echo 'TOKEN=mine' > \"$1\""
    try edit(script).succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "mine", "OTHER": "other"])
  }

  /// The editor opens again with the user's text; as the script changes nothing more, both changes are as they were.
  @Test func changesToOneVariableAreNotWrittenOver() throws {
    let tool = try #require(Tool.path)
    let script = """
      cat "$1" >> seen; echo theirs | '\(tool)' set app.env TOKEN --function app; echo TOKEN=mine > "$1"
      """
    let result = try edit(script).failed(74, saying: "in variables that you changed as well: TOKEN")
    #expect(result.messages.contains("app.env was not changed: "))
    #expect(try sandbox.opened() == ["TOKEN": "theirs", "LEVEL": "debug"])
    let seen = try sandbox.read("seen")
    #expect(seen.contains("#: NOT SAVED: app.env was changed by another command") && seen.hasSuffix("\nTOKEN=mine\n"))
  }

  @Test func changeBesideTheSameVariableIsKeptByAnotherGo() throws {
    let tool = try #require(Tool.path)
    let script = """
      if [ -e again ]; then printf 'TOKEN=both\\n' > "$1"; exit; fi; touch again
      echo theirs | '\(tool)' set app.env TOKEN --function app; echo 5 | '\(tool)' set app.env NEW --function app
      echo TOKEN=mine > "$1"
      """
    try edit(script).succeeded()
    // NEW was there when the editor opened again, so the text without it removes it.
    #expect(try sandbox.opened() == ["TOKEN": "both"])
  }

  /// What was typed is there again with the reason, and is corrected.
  @Test(arguments: ["dotenv", "json", "lambda"]) func refusedTextIsGivenBackWithTheReason(format: String) throws {
    let text = format == "dotenv" ? "TOKEN=typed\nbroken line\n" : "{\"TOKEN\": \"typed\",\n\"XX\": [1]}\n"
    try sandbox.envelope("open", "app.env", "--function", "app", "-o", "plain.env").succeeded()
    try sandbox.envelope(
      "seal", "plain.env", "--function", "app", "--plain", "LEVEL", "--format", format, "-o", "app.env"
    ).succeeded()
    try sandbox.write(text, to: "typed")
    let script = """
      if [ -e again ]; then cp "$1" seen; sed -i -e '/broken/d' -e 's/\\[1\\]/"1"/' "$1"; else touch again; cat typed > "$1"; fi
      """
    try edit(script).succeeded()
    let seen = try sandbox.read("seen")
    #expect(seen.hasPrefix("#: NOT SAVED: Line 4 ") && seen.hasSuffix(text), "\(seen)")
    #expect(try sandbox.opened()["TOKEN"] == "typed")
  }

  /// Refusals that come later than reading give another go, too.
  @Test func refusalOfThePlatformGivesAnotherGo() throws {
    try sandbox.seal("TOKEN=abc\n", "--format", "lambda", to: "fn.json")
    let script = """
      if [ -e again ]; then cp "$1" seen; sed -i s/AWS_REGION/MY_REGION/ "$1"; else
      touch again; echo '{"AWS_REGION": "x", "TOKEN": "abc"}' > "$1"; fi
      """
    try sandbox.write(script, to: "editor")
    try sandbox.envelope("edit", "fn.json", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try sandbox.read("seen").hasPrefix("#: NOT SAVED: AWS Lambda keeps these names for itself: AWS_REGION"))
    #expect(try sandbox.opened("fn.json") == ["MY_REGION": "x", "TOKEN": "abc"])
  }

  @Test func scriptThatNeverWritesTheSameEnds() throws {
    try edit("echo broken >> \"$1\"; echo go >> goes").failed(65, saying: "Line ")
    #expect(try sandbox.read("goes").split(separator: "\n").count == 10)
    #expect(try sandbox.read("app.env") == before)
  }

  @Test(arguments: [": > \"$1\"", "echo '# nothing' > \"$1\"", "sed -i '/^[^#]/d' \"$1\""])
  func emptiedTextRemovesNothing(script: String) throws {
    try edit("cat \"$1\" > seen; \(script)").failed(66, saying: "--allow-empty")
    #expect(try sandbox.read("app.env") == before)
    let seen = try sandbox.read("seen")
    #expect(seen.hasPrefix("#: NOT SAVED: The text has no variables") && seen.contains("TOKEN=abc\n"))
    try sandbox.write(script, to: "editor")
    let edit = ["edit", "app.env", "--function", "app", "--allow-empty"]
    try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait().succeeded()
    #expect(try sandbox.opened() == [:])
  }

  /// Sealed or plain depends on the name alone: no line that is moved, marked or unmarked makes a secret plain.
  @Test(arguments: [
    "printf 'LEVEL=info\\n#: Plain, not sealed\\nTOKEN=def\\nNEW=1\\n' > \"$1\"",
    "sed -i -e 's/^#: Plain, not sealed: LEVEL/#: Plain, not sealed: LEVEL, TOKEN, NEW/' -e s/abc/def/ -e s/debug/info/ \"$1\"; echo NEW=1 >> \"$1\"",
    "printf 'TOKEN=def # plain\\nNEW=1 # plain\\nLEVEL=info\\n' > \"$1\"",
  ])
  func noMarkMakesASecretPlain(script: String) throws {
    try edit(script).succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def", "LEVEL": "info", "NEW": "1"])
    let text = try sandbox.read("app.env")
    #expect(text.contains("LEVEL=info\n") && text.contains("TOKEN=ev1:") && text.contains("NEW=ev1:"))
  }

  @Test func whatAnAnonymousSenderSealedIsRefusedBeforeEditing() throws {
    let store = ["ENVELOPE_STORE": sandbox.root + "/glass"]
    let recipient = try sandbox.envelope("keys", "recipient", "glass", with: store).succeeded().text
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try sandbox.seal("A=1\n", "--key", recipient, to: "glass.env")
    try sandbox.write("touch opened", to: "editor")
    let edit = ["edit", "glass.env", "--function", "app"]
    try sandbox.start(edit, with: store.merging(["EDITOR": "sh editor"]) { $1 }).wait().failed(65)
    #expect(!sandbox.exists("opened"))
  }

  /// Names that shells keep for themselves cannot stand in a dotenv file; in JSON they can.
  @Test(arguments: ["json", "lambda"]) func aJSONFileIsEditedAsJSON(format: String) throws {
    try sandbox.write(#"{"UID_": "1", "SECONDS": "2", "TEXT": "a\"b"}"#, to: "in.json")
    try sandbox.envelope("seal", "in.json", "--function", "app", "--format", format, "-o", "app.env", "--force")
      .succeeded()
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

  @Test(arguments: [SIGTERM, SIGHUP]) func aSignalMeanwhileChangesNothing(signal: Int32) throws {
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
    let program =
      "import signal as s; print(s.pthread_sigmask(0, []), s.getsignal(s.SIGINT) == s.default_int_handler, "
      + "s.getsignal(s.SIGQUIT) == s.SIG_DFL)"
    try edit("'\(Tool.python)' -c '\(program)' > seen").succeeded()
    #expect(try sandbox.read("seen") == "set() True True\n")
  }

  /// Runs `edit` with a line of `sh` as the editor, in the shell that `envelope` itself starts: `$PPID` is `envelope`.
  private func editInShell(_ line: String) throws -> Outcome {
    let running = try sandbox.start(["edit", "app.env", "--function", "app"], with: ["EDITOR": "\(line); sh editor"])
    let outcome = try running.wait()
    #expect(try sandbox.names(in: sandbox.privatePlace) == [], "nothing private may be left")
    return outcome
  }

  /// A terminal sends these to its whole process group, and editors such as vi and emacs handle or ignore them.
  @Test(arguments: ["INT", "QUIT", "INT $PPID; kill -QUIT"]) func editorThatIgnoresInterruptSaves(signals: String)
    throws
  {
    try sandbox.write("echo TOKEN=def > \"$1\"", to: "editor")
    try editInShell("kill -\(signals) $PPID").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def"])
  }

  @Test func interruptsDuringEachRunOfTheEditorAreDropped() throws {
    try sandbox.write(
      "if [ -e again ]; then echo TOKEN=def > \"$1\"; else touch again; echo broken > \"$1\"; fi", to: "editor")
    try editInShell("kill -INT $PPID").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def"])
  }

  @Test func editorThatInterruptEndsEndsTheCommand() throws {
    try sandbox.write("echo TOKEN=def > \"$1\"; kill -INT $$", to: "editor")
    #expect(try editInShell("kill -INT $PPID").ending == .signal(SIGINT))
    #expect(try sandbox.read("app.env") == before)
  }

  @Test(arguments: ["TERM", "HUP"]) func interruptDoesNotHideTermination(signal: String) throws {
    try sandbox.write("echo TOKEN=def > \"$1\"", to: "editor")
    let ending = try editInShell("kill -\(signal) $PPID; kill -INT $PPID; kill -QUIT $PPID").ending
    #expect(ending == .signal(signal == "TERM" ? SIGTERM : SIGHUP))
    #expect(try sandbox.read("app.env") == before)
  }

  /// As under `nohup`: what is ignored stays so for the editor, and its failure is an error.
  @Test func ignoredInterruptStaysIgnored() throws {
    try sandbox.write("echo TOKEN=def > \"$1\"; kill -INT $$; exit 130", to: "editor")
    let edit = "trap '' INT; EDITOR='sh editor' \"$ENVELOPE\" edit app.env --function app"
    try sandbox.shell(edit).failed(74, saying: "status 130")
    #expect(try sandbox.read("app.env") == before)
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

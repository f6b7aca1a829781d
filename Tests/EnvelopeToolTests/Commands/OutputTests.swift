// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("What is written, and where", .timeLimit(.minutes(20))) struct OutputTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=marker-secret\nLEVEL=debug\n", "--plain", "LEVEL")
  }

  @Test func openedVariablesAreForTheirOwnerAlone() throws {
    for mode in [0o644, 0o666] {
      try sandbox.write("", to: "out.env", mode: mode)
      try sandbox.envelope("open", "app.env", "--function", "app", "-o", "out.env").succeeded()
      #expect(try sandbox.mode(of: "out.env") == 0o600)
      #expect(try sandbox.read("out.env") == "LEVEL=debug\nTOKEN=marker-secret\n")
    }
    try sandbox.shell("umask 000; \"$ENVELOPE\" open app.env --function app -o new.env").succeeded()
    #expect(try sandbox.mode(of: "new.env") == 0o600)
  }

  @Test(arguments: [0o600, 0o640, 0o664]) func aSealedFileKeepsItsPermissions(mode: Int) throws {
    try sandbox.setMode(mode, of: "app.env")
    try sandbox.envelope("set", "app.env", "BB", "--function", "app", input: "2").succeeded()
    #expect(try sandbox.mode(of: "app.env") == mode)
  }

  @Test func aLinkIsFollowed() throws {
    try sandbox.makeFolder("deploy")
    try sandbox.shell("mv app.env deploy/real.env && ln -s deploy/real.env app.env").succeeded()
    try sandbox.envelope("set", "app.env", "BB", "--function", "app", input: "2").succeeded()
    #expect(try sandbox.opened("deploy/real.env")["BB"] == "2")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: sandbox.path("app.env")) == "deploy/real.env")
    #expect(try sandbox.names(in: "deploy") == ["real.env"])
  }

  @Test func standardOutputByItsPath() throws {
    let piped = try sandbox.shell("\"$ENVELOPE\" open app.env --function app -o /dev/stdout | cat")
    #expect(piped.succeeded().text == "LEVEL=debug\nTOKEN=marker-secret\n")
    let toFile = try sandbox.shell("\"$ENVELOPE\" open app.env --function app -o /dev/stdout > out")
    toFile.succeeded()
    #expect(try sandbox.read("out") == "LEVEL=debug\nTOKEN=marker-secret\n")
    let dash = try sandbox.envelope("open", "app.env", "--function", "app", "-o", "-")
    #expect(dash.succeeded().text == "LEVEL=debug\nTOKEN=marker-secret\n")
  }

  @Test func aPipeIsWrittenTo() throws {
    try sandbox.makePipe("pipe")
    let result = try sandbox.shell("cat pipe & \"$ENVELOPE\" open app.env --function app -o pipe; wait")
    #expect(result.succeeded().text == "LEVEL=debug\nTOKEN=marker-secret\n")
    let input = try sandbox.shell("cat app.env > pipe & \"$ENVELOPE\" get pipe TOKEN --function app; wait")
    #expect(input.succeeded().text == "marker-secret")
  }

  @Test(arguments: ["open app.env", "get app.env TOKEN", "inspect app.env", "budget app.env", "keys list", "keys show"])
  func outputThatCannotBeWrittenIsToldOf(command: String) throws {
    let function = command.hasPrefix("open") || command.hasPrefix("get") ? "--function app" : ""
    try sandbox.shell("\"$ENVELOPE\" \(command) \(function) > /dev/full").failed(74, saying: "No space left")
    try sandbox.shell("\"$ENVELOPE\" \(command) \(function) >&-").failed(74, saying: "standard output")
  }

  @Test(arguments: ["/dev/full", "none/out.env", "folder", "app.env/out"])
  func aFileThatCannotBeWrittenIsToldOf(path: String) throws {
    try sandbox.makeFolder("folder")
    let result = try sandbox.envelope("open", "app.env", "--function", "app", "-o", path)
    result.failed(74, saying: path)
    #expect(!result.messages.contains("marker"))
  }

  @Test func aDiskThatIsFullLeavesTheOldFile() throws {
    let before = try sandbox.readBytes("app.env")
    // No file may grow beyond 512 bytes, and the signal for that is ignored: writing fails as on a full disk.
    let result = try sandbox.shell(
      "trap '' XFSZ; ulimit -f 1; head -c 5000 /dev/zero | tr '\\0' a | \"$ENVELOPE\" set app.env BIG --function app")
    result.failed(74, saying: "app.env")
    #expect(try sandbox.readBytes("app.env") == before)
    #expect(try sandbox.names(in: ".") == ["app.env"])
  }

  @Test func aProcessThatIsKilledLeavesTheOldOrTheNewFile() throws {
    let old = try sandbox.read("app.env")
    try sandbox.makePipe("value")
    for delay in 0..<12 {
      let arguments = ["set", "app.env", "BIG", "--function", "app"]
      let running = try sandbox.start(arguments, inputPath: sandbox.path("value"))
      // The pipe lets the command go on; what this process does meanwhile varies the moment.
      try sandbox.shell("head -c 300000 /dev/zero | tr '\\0' a > value").succeeded()
      for _ in 0..<delay { try sandbox.shell(":") }
      running.send(SIGKILL)
      _ = try running.wait()
      let values = try sandbox.opened()
      #expect(values["TOKEN"] == "marker-secret")
      #expect(values["BIG"] == nil || values["BIG"]?.utf8.count == 300_000)
      try sandbox.write(old, to: "app.env")
    }
  }

  @Test func messagesAreKeptApartFromData() throws {
    let sealed = try sandbox.envelope("seal", "-", "--function", "app", input: "AA=1\n").succeeded()
    #expect(sealed.text.hasPrefix("# function: app\nENVELOPE_HEADER=ek1:") && sealed.text.hasSuffix("\n"))
    #expect(!sealed.messages.contains("ek1:"))
    let id = try sandbox.envelope("keys", "create", "more").succeeded()
    #expect(id.text.utf8.count == 13)
    #expect(id.messages.contains("Created the key more"))
  }
}

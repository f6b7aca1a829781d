// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("What file commands write over", .timeLimit(.minutes(20))) struct FileOutputTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.sealFile()
  }

  @Test func olderVersionOfSealedFileIsReplaced() throws {
    let bytes = try sandbox.makeFile("plain", byteCount: 70_000, seed: 2)
    try sandbox.file("seal", "plain", "-o", "sealed").succeeded()
    #expect(try sandbox.file("open", "sealed").succeeded().output == bytes)
    try sandbox.write("", to: "empty")
    try sandbox.file("seal", "plain", "-o", "empty").succeeded()
    #expect(try sandbox.file("open", "empty").succeeded().output == bytes)
  }

  @Test func sealingRefusesToReplaceAnythingElse() throws {
    try sandbox.seal("TOKEN=marker\n")
    try sandbox.shell("\"$ENVELOPE\" file seal plain --context a=b > other; head -c 40 sealed > cut").succeeded()
    let outputs = [
      "plain": "not a sealed file", "app.env": "not a sealed file", "other": "another function or context",
      "cut": "damaged",
    ]
    for (output, reason) in outputs {
      let before = try sandbox.readBytes(output)
      let refused = try sandbox.file("seal", "plain", "-o", output).failed(73, saying: reason)
      #expect(refused.messages.contains("--force"))
      #expect(try sandbox.readBytes(output) == before)
    }
    for output in outputs.keys where output != "plain" {
      try sandbox.file("seal", "plain", "-o", output, "--force").succeeded()
      try sandbox.file("verify", output).succeeded()
    }
    try sandbox.file("seal", "plain", "-o", "plain", "--force").succeeded()
    try sandbox.file("verify", "plain").succeeded()
  }

  @Test func openingReplacesNothing() throws {
    let before = try sandbox.makeFile("there", byteCount: 9)
    for output in ["there", "sealed"] {
      try sandbox.file("open", "sealed", "-o", output).failed(73, saying: "--force")
    }
    #expect(try sandbox.readBytes("there") == before)
    try sandbox.setMode(0o644, of: "there")
    try sandbox.file("open", "sealed", "-o", "there", "--force").succeeded()
    #expect(try sandbox.readBytes("there") == sandbox.readBytes("plain"))
    #expect(try sandbox.mode(of: "there") == 0o600)
    try sandbox.write("", to: "empty")
    try sandbox.file("open", "sealed", "-o", "empty").succeeded()
  }

  @Test func placesWhereNoFileCanBeAreRefused() throws {
    try sandbox.makeFolder("folder")
    try sandbox.shell("ln -s nowhere link").succeeded()
    for command in [["seal", "plain"], ["open", "sealed"]] {
      func refuses(_ output: String, _ code: Int32, _ part: String) throws {
        try sandbox.start(["file"] + command + ["-o", output, "--force"]).wait().failed(code, saying: part)
      }
      try refuses("folder", 74, "it is a folder")
      try refuses("none/out", 74, "there is no such folder")
      try refuses("plain/out", 74, "plain")
      try refuses("link", 73, "symbolic link")
      try refuses(sandbox.keyStore, 73, "key store")
      try refuses("/dev/full", 74, "No space left")
    }
    try sandbox.expectFiles(["folder", "link", "plain", "sealed"])
  }

  @Test func sealedFileIsNotSealedTwice() throws {
    let before = try sandbox.readBytes("sealed")
    try sandbox.file("seal", "sealed", "-o", "sealed").failed(65, saying: "is a sealed file already")
    #expect(try sandbox.readBytes("sealed") == before)
    try sandbox.file("seal", "sealed", "-o", "twice", "--force").succeeded()
    #expect(try sandbox.file("open", "twice").succeeded().output == before)
  }

  @Test func linkIsFollowedAndStays() throws {
    try sandbox.shell("ln -s sealed link").succeeded()
    try sandbox.makeFile("plain", byteCount: 30, seed: 3)
    try sandbox.file("seal", "plain", "-o", "link").succeeded()
    let type = try FileManager.default.attributesOfItem(atPath: sandbox.path("link"))[.type] as? FileAttributeType
    #expect(type == .typeSymbolicLink)
    #expect(try sandbox.file("open", "sealed").succeeded().output == sandbox.readBytes("plain"))
  }

  @Test func terminalGetsNoBytes() throws {
    for command in [["seal", "plain"], ["open", "sealed"]] {
      let session = try sandbox.terminal(["file"] + command, steps: [])
      #expect(session.code == 64 && session.shown.contains("The output would go to a terminal"))
      let named = try sandbox.terminal(["file"] + command + ["-o", "/dev/tty"], steps: [])
      #expect(named.code == 64)
    }
  }

  @Test func commandsForVariablesNameTheOnesForFiles() throws {
    try sandbox.makeFolder(".git")
    // Longer than any file of variables, too.
    try sandbox.makeFile("long", byteCount: 17 << 20)
    try sandbox.file("seal", "long", "-o", "long.sealed").succeeded()
    let function = ["--function", "app"]
    for file in ["sealed", "long.sealed"] {
      for command in [
        ["open", file], ["get", file, "A"], ["seal", file], ["set", file, "A"], ["unset", file, "A"],
        ["exec", file, "--", "true"], ["accept", file], ["migrate", file],
      ] {
        let options = command.contains("--") ? Array(command[..<2]) + function + command[2...] : command + function
        let refused = try sandbox.start(options).wait().failed(64, saying: "is a sealed file")
        #expect(refused.messages.contains("envelope file open '\(file)' -o FILE"), "\(command)")
      }
      try sandbox.start(["budget", file]).wait().failed(64, saying: "is a sealed file")
      try sandbox.seal("A=1\n")
      let before = try sandbox.readBytes(file)
      try sandbox.envelope("open", "app.env", "--function", "app", "-o", file).failed(73, saying: "a sealed file")
      try sandbox.envelope("seal", "-", "--function", "app", "-o", file, input: "A=1\n")
        .failed(73, saying: "a sealed file")
      #expect(try sandbox.readBytes(file) == before)
    }
    try sandbox.shell("cat sealed | \"$ENVELOPE\" open - --function app").failed(64, saying: "is a sealed file")
  }

  @Test func otherFilesAreNoSealedFiles() throws {
    try sandbox.seal("TOKEN=marker\n")
    try sandbox.makeFile("short", byteCount: 3)
    try sandbox.write("", to: "empty")
    for name in ["plain", "app.env", "short", "empty"] {
      for command in ["open", "verify"] {
        let refused = try sandbox.file(command, name).failed(65)
        #expect(!refused.messages.contains("marker"))
      }
    }
    try sandbox.file("open", "none").failed(66, saying: "No such file: none")
    try sandbox.file("seal", "none").failed(66, saying: "No such file: none")
  }
}

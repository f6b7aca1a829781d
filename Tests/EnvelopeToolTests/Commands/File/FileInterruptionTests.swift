// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What an interrupted command leaves: the old file or none, and no temporary file after the next run.
@Suite("Interrupted file commands", .timeLimit(.minutes(20))) struct FileInterruptionTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.sealFile(byteCount: 3_000_000)
    try sandbox.makePipe("pipe")
  }

  /// Starts a command that reads the pipe, hands it some bytes of a file, and ends it.
  private func interrupt(
    _ arguments: [String], after byteCount: Int, of file: String, by signal: Int32
  ) throws -> Outcome {
    let running = try sandbox.start(arguments)
    let pipe = try #require(FileHandle(forWritingAtPath: sandbox.path("pipe")))
    // When this returns, the command has read all but what the pipe holds.
    try pipe.write(contentsOf: sandbox.readBytes(file).prefix(byteCount))
    running.send(signal)
    let outcome = try running.wait()
    try pipe.close()
    return outcome
  }

  @Test(arguments: [SIGKILL, SIGINT, SIGTERM, SIGHUP], [0, 100_000, 2_500_000])
  func signalLeavesNoPartialOutput(signal: Int32, byteCount: Int) throws {
    for (command, input) in [("seal", "plain"), ("open", "sealed")] {
      let arguments = ["file", command, "pipe", "-o", "new"]
      let outcome = try interrupt(arguments, after: byteCount, of: input, by: signal)
      #expect(outcome.ending == .signal(signal))
      #expect(!sandbox.exists("new"))
      // An older version stays.
      let before = try sandbox.makeFile("old", byteCount: 10)
      let replacing = ["file", command, "pipe", "-o", "old", "--force"]
      _ = try interrupt(replacing, after: byteCount, of: input, by: signal)
      #expect(try sandbox.readBytes("old") == before)
      // The next run to the same places leaves nothing else.
      try sandbox.file(command, input, "-o", "old", "--force").succeeded()
      try sandbox.file(command, input, "-o", "new").succeeded()
      try sandbox.expectFiles(["new", "old", "pipe", "plain", "sealed"])
      for name in ["new", "old"] { try FileManager.default.removeItem(atPath: sandbox.path(name)) }
    }
  }

  /// What a command leaves that could not write without a name, and was killed.
  @Test func nextRunRemovesTemporaryFile() throws {
    for (command, input) in [("seal", "plain"), ("open", "sealed")] {
      try sandbox.makeFile(".new.AAAAbbbbCCCC.new", byteCount: 100)
      try sandbox.makeFile(".another.AAAAbbbbCCCC.new", byteCount: 100)
      let outcome = try sandbox.file(command, input, "-o", "new", "--force").succeeded()
      #expect(outcome.messages.contains("which a command that was killed had left"))
      try sandbox.expectFiles([".another.AAAAbbbbCCCC.new", "new", "pipe", "plain", "sealed"])
    }
  }

  @Test(arguments: [1, 100, 2000, 5000]) func fullDiskLeavesNothing(blocks: Int) throws {
    // No file may grow beyond so many blocks of 512 bytes, and the signal for that is ignored: as on a full disk.
    let limit = "trap '' XFSZ; ulimit -f \(blocks); \"$ENVELOPE\" file"
    let before = try sandbox.makeFile("old", byteCount: 10)
    for command in ["seal plain", "open sealed"] {
      try sandbox.shell("\(limit) \(command) -o new").failed(74, saying: "new")
      try sandbox.shell("\(limit) \(command) -o old --force").failed(74, saying: "old")
      try sandbox.shell("cat \(command.split(separator: " ")[1]) | (\(limit) \(command.prefix(5)) - -o new)").failed(74)
      #expect(try sandbox.readBytes("old") == before)
      try sandbox.expectFiles(["old", "pipe", "plain", "sealed"])
    }
  }

  @Test(arguments: ["seal plain", "open sealed", "seal - < plain", "open - < sealed"])
  func fullDeviceIsReported(command: String) throws {
    try sandbox.shell(
      "\"$ENVELOPE\" file \(command.replacing(" <", with: " > /dev/full <"))"
        + (command.contains("<") ? "" : " > /dev/full")
    )
    .failed(74, saying: "No space left")
    try sandbox.shell("\"$ENVELOPE\" file \(command) >&-").failed(74, saying: "standard output")
  }

  @Test(arguments: [0, 1, 1000, 65_536, 1_500_000]) func closedPipeEndsCommand(byteCount: Int) throws {
    for command in ["seal plain", "open sealed", "seal - < plain", "open - < sealed"] {
      let outcome = try sandbox.shell(
        "{ \"$ENVELOPE\" file \(command); echo \"ended with $?\" >&2; } | head -c \(byteCount) > part; wait")
      // SIGPIPE ends it, or the error of writing.
      let isEnded = ["ended with 141", "ended with 74"].contains { outcome.messages.contains($0) }
      #expect(isEnded, "\(outcome.messages)")
      #expect(try sandbox.readBytes("part").count == byteCount)
      try sandbox.expectFiles(["part", "pipe", "plain", "sealed"])
    }
  }

  @Test func interruptedResealingLeavesOldFile() throws {
    try sandbox.makeFile("plain", byteCount: 30_000_000)
    try sandbox.file("seal", "plain", "-o", "sealed").succeeded()
    let before = try sandbox.readBytes("sealed")
    for command in ["reseal", "rewrap"] {
      try sandbox.envelope("keys", "rotate", "default").succeeded()
      try sandbox.shell("trap '' XFSZ; ulimit -f 10000; \"$ENVELOPE\" \(command) sealed --no-function").failed(74)
      #expect(try sandbox.readBytes("sealed") == before)
    }
    try sandbox.envelope("rewrap", "sealed").succeeded()
    #expect(try sandbox.file("open", "sealed").succeeded().output == sandbox.readBytes("plain"))
    try sandbox.expectFiles(["pipe", "plain", "sealed"])
  }
}

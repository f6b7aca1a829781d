// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("What file commands read", .timeLimit(.minutes(20))) struct FileInputTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @Test func foldersAreRefused() throws {
    try sandbox.makeFolder("folder")
    for command in ["seal", "open", "verify"] {
      try sandbox.file(command, "folder").failed(64, saying: "folder is a folder")
    }
  }

  @Test func devicesAreRead() throws {
    try sandbox.file("seal", "/dev/null", "-o", "empty").succeeded()
    #expect(try sandbox.file("open", "empty").succeeded().output.isEmpty)
    try sandbox.shell("head -c 1000000 /dev/zero | \"$ENVELOPE\" file seal - -o zeros").succeeded()
    #expect(try sandbox.file("open", "zeros").succeeded().output == Data(count: 1_000_000))
    // A device without an end fills the disk; then nothing is left.
    try sandbox.shell("trap '' XFSZ; ulimit -f 20000; \"$ENVELOPE\" file seal /dev/zero -o endless").failed(74)
    try sandbox.expectFiles(["empty", "zeros"])
  }

  @Test func holesReadAsZeros() throws {
    try sandbox.write("begin", to: "plain")
    try sandbox.resize("plain", to: 20 << 20)
    try sandbox.file("seal", "plain", "-o", "sealed").succeeded()
    #expect(try sandbox.file("open", "sealed").succeeded().output == sandbox.readBytes("plain"))
  }

  /// The output is a pipe that nobody reads until the input has changed, so the command is in the middle of it.
  @Test(arguments: [10 << 20, 64 << 20 | 1]) func inputThatChangesItsLengthIsRefused(byteCount: Int) throws {
    try sandbox.write("begin", to: "plain")
    try sandbox.resize("plain", to: 64 << 20)
    try sandbox.makePipe("pipe")
    let running = try sandbox.start(["file", "seal", "plain", "-o", "pipe"])
    let pipe = try #require(FileHandle(forReadingAtPath: sandbox.path("pipe")))
    try #require(pipe.read(upToCount: 1000)?.count == 1000)
    try sandbox.resize("plain", to: byteCount)
    _ = try pipe.readToEnd()
    let outcome = try running.wait()
    outcome.failed(74, saying: "plain")
  }

  @Test func alteredFileOpensToNothing() throws {
    let bytes = try sandbox.sealFile(byteCount: 1_000_000)
    let sealed = try sandbox.readBytes("sealed")
    func restore() throws { try sealed.write(to: URL(fileURLWithPath: sandbox.path("sealed"))) }
    for offset in [0, 10, 24, 80, 66_000, 500_000, -1] {
      try restore()
      try sandbox.flip(offset, of: "sealed")
      try sandbox.file("open", "sealed", "-o", "opened").failed(65)
      try sandbox.file("verify", "sealed").failed(65)
    }
    for byteCount in [0, 3, 100, 300, 66_000, 500_000, sealed.count - 1, sealed.count + 1] {
      try restore()
      try sandbox.resize("sealed", to: byteCount)
      try sandbox.file("open", "sealed", "-o", "opened").failed(65)
      try sandbox.file("verify", "sealed").failed(65)
    }
    try sandbox.expectFiles(["plain", "sealed"])
    // A pipe gets the beginning of what was sealed, and the exit code says that it is not all of it.
    try restore()
    try sandbox.flip(500_000, of: "sealed")
    for line in ["\"$ENVELOPE\" file open sealed", "cat sealed | \"$ENVELOPE\" file open"] {
      let outcome = try sandbox.shell("\(line) > part; code=$?; cat part; exit $code")
      #expect(outcome.code == 65 && outcome.messages.contains("was altered"))
      #expect(outcome.output.count < 500_000 && bytes.starts(with: outcome.output))
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@Suite("Following logs", .timeLimit(.minutes(20))) struct LogsFollowTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.makePipe("pipe")
  }

  private func append(_ lines: [String], to name: String = "shop.log", feed: String = "\n") throws {
    let file = try #require(FileHandle(forUpdatingAtPath: sandbox.path(name)))
    try file.seekToEnd()
    try file.write(contentsOf: Data(lines.map { $0 + feed }.joined().utf8))
    try file.close()
  }

  /// Waits for so many lines of the command's output.
  private func read(_ count: Int, _ pipe: FileHandle) throws -> [String] {
    var bytes = Data()
    while bytes.count(where: { $0 == 10 }) < count {
      let byte = try #require(try pipe.read(upToCount: 1))
      try #require(!byte.isEmpty)
      bytes += byte
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func start() throws -> (Running, FileHandle) {
    // Opened first, so that the command need not wait for a reader.
    let number = unsafe open(sandbox.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    try #require(number >= 0)
    let running = try sandbox.start(
      ["logs", "open", "shop.log", "--context", "service=shop", "--follow"], outputPath: sandbox.path("pipe"))
    try #require(fcntl(number, F_SETFL, 0) == 0)
    return (running, FileHandle(fileDescriptor: number, closeOnDealloc: true))
  }

  @Test(arguments: [SIGINT, SIGTERM]) func fileThatGrowsAndIsRotated(signal: Int32) async throws {
    var lines = try await sandbox.sealedLines()
    for index in 0..<6 { try lines.log("m\(index)") }
    try lines.end()
    let all = lines.lines
    try sandbox.write(lines: Array(all[..<3]))
    let (running, pipe) = try start()
    #expect(try read(1, pipe)[0].contains("\"m0\""))
    try append([all[3]])
    #expect(try read(1, pipe)[0].contains("\"m1\""))
    // A line that is written in two parts.
    try append([String(all[4].prefix(50))], feed: "")
    try append([String(all[4].dropFirst(50))])
    #expect(try read(1, pipe)[0].contains("\"m2\""))
    try FileManager.default.moveItem(atPath: sandbox.path("shop.log"), toPath: sandbox.path("shop.log.1"))
    try append([all[5]], to: "shop.log.1")
    try sandbox.write(lines: [all[0], all[6]])
    let rotated = try read(2, pipe)
    #expect(rotated[0].contains("\"m3\"") && rotated[1].contains("\"m4\""))
    // The file is cut, as by copytruncate.
    try sandbox.shell(": > shop.log").succeeded()
    try append(["hello"])
    #expect(try read(1, pipe) == ["{\"unauthenticated\":\"hello\"}"])
    running.send(signal)
    let outcome = try running.wait()
    #expect(outcome.ending == .exit(0), "\(outcome.messages)")
    #expect(outcome.messages.contains("has no end after record 5"))
  }

  @Test func findingsOfAFollowedFile() async throws {
    let log = try await sandbox.sealedLog("one", "two", "three")
    try sandbox.write(lines: Array(log[..<3]))
    let (running, pipe) = try start()
    _ = try read(1, pipe)
    try append([log[4]])
    #expect(try read(1, pipe)[0].contains("three"))
    running.send(SIGTERM)
    try running.wait().found("shop.log:4: record 2 of segment", "1 finding (1 missing)")
  }

  @Test func lostReaderEndsIt() async throws {
    try sandbox.write(lines: try await sandbox.sealedLog("one"))
    let (running, pipe) = try start()
    _ = try read(1, pipe)
    try pipe.close()
    #expect(try running.wait().ending == .exit(0))
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@Suite("Rewrapping logs", .timeLimit(.minutes(20))) struct RewrapLogsTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @discardableResult
  private func rewrap(_ arguments: String...) throws -> Outcome {
    try sandbox.start(["rewrap", "shop.log", "--context", "service=shop"] + arguments).wait()
  }

  /// A log of two segments with foreign lines, a header that is repeated, and a trace.
  private func makeLog() async throws -> [String] {
    var first = try await sandbox.sealedLines()
    try first.log("one")
    first.writeHeader()
    try first.log("two")
    try first.end()
    var second = try await sandbox.sealedLines(after: (first.salt, 3))
    try second.log("three")
    try second.trace("checkout", id: "a", payload: "{\"name\":\"checkout\"}")
    try second.end()
    return ["Listening ek1:AAAA", ""] + first.lines + ["{\"header\":\"x\"}"] + second.lines
  }

  private func lines() throws -> [String] {
    try sandbox.read("shop.log").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// What is left of lines without the headers.
  private func withoutHeaders(_ lines: [String]) -> [String] {
    lines.map { $0.replacing(#/ek1:[A-Za-z0-9_-]{40,}/#, with: "ek1:") }
  }

  private func headers(_ lines: [String]) -> [Substring] {
    lines.flatMap { $0.matches(of: #/ek1:[A-Za-z0-9_-]{40,}/#).map(\.output) }
  }

  @Test func headersAreReplacedAndNothingElse() async throws {
    let log = try await makeLog()
    try sandbox.write(lines: log)
    try sandbox.setMode(0o640, of: "shop.log")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    #expect(try rewrap("--dry-run").succeeded().text.hasPrefix("shop.log\t"))
    #expect(try lines() == log + [""])
    try rewrap().succeeded()
    let now = try lines()
    #expect(withoutHeaders(now) == withoutHeaders(log + [""]))
    let (old, new) = (headers(log), headers(now))
    #expect(old.count == 4 && new.count == 4 && new[0] == new[1] && new[2] == new[3] && Set(old).isDisjoint(with: new))
    #expect(try sandbox.mode(of: "shop.log") == 0o640)
    #expect(try sandbox.logs("open", "shop.log").succeeded().records.compactMap(\.message) == ["one", "two", "three"])
    #expect(try sandbox.traces("open", "shop.log").succeeded().lines == ["{\"name\":\"checkout\"}"])
    let again = try rewrap().succeeded()
    #expect(again.messages.contains("Nothing to do"))
    #expect(try lines() == now)
    // The older version of the key is no longer needed.
    #expect(try sandbox.envelope("inspect", "shop.log", "--json").succeeded().text.contains(".2\""))
    try sandbox.expectFiles(["shop.log"])
  }

  @Test func foldersAreSearched() async throws {
    try sandbox.write(lines: try await makeLog(), to: "shop.log.1")
    try sandbox.write("Listening\n", to: "other.log")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let outcome = try sandbox.envelope("rewrap", ".", "--context", "service=shop").succeeded()
    #expect(outcome.messages.contains("Rewrapped 1 file, 1 not sealed"), "\(outcome.messages)")
    try sandbox.logs("open", "shop.log.1").succeeded()
  }

  @Test func readersAreAddedAndRemoved() async throws {
    let log = try await makeLog()
    try sandbox.write(lines: log)
    try sandbox.makeKey("other")
    try rewrap("--no-function", "--add", "other").succeeded()
    let both = try lines()
    let refused = try rewrap("--no-function", "--remove", "default")
    #expect(refused.code == 65 && refused.messages.contains("--keep-data-key"), "\(refused.messages)")
    #expect(try lines() == both)
    try rewrap("--no-function", "--remove", "default", "--keep-data-key").succeeded()
    #expect(try sandbox.logs("verify", "shop.log").succeeded().text.contains("segments: 2"))
    #expect(withoutHeaders(try lines()) == withoutHeaders(log + [""]))
    let resealed = try sandbox.envelope("reseal", "shop.log", "--context", "service=shop")
    #expect(resealed.code == 64 && resealed.messages.contains("cannot be resealed"), "\(resealed.messages)")
  }

  @Test func damagedHeaderStaysAndIsReported() async throws {
    var log = try await makeLog()
    // One copy of the first segment's header, and the only one of another segment.
    log[5] = log[5].replacing("\"header\"", with: "\"header\":\"\",\"header\"")
    var third = try await sandbox.sealedLines()
    try third.log("lost")
    log += [third.lines[0].replacing("ek1:RUsBBQ", with: "ek1:RUsBBA")] + third.lines[1...]
    try sandbox.write(lines: log)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let outcome = try rewrap()
    #expect(outcome.code == 65 && outcome.messages.contains("Line 6 has a damaged header"), "\(outcome.messages)")
    let now = try lines()
    #expect(now[5] == log[5] && now[2] != log[2] && now[2].contains("ek1:"))
    #expect(withoutHeaders(now) == withoutHeaders(log + [""]))
    let opened = try sandbox.logs("open", "shop.log").found("shop.log:6")
    #expect(try opened.records.compactMap(\.message) == ["one", "two", "three"])
  }

  @Test func alteredHeaderIsNotRewrapped() async throws {
    let log = try await makeLog()
    var altered = log
    // The wrapped key of one copy.
    let header = try #require(headers(log).first)
    altered[2] = altered[2].replacing(header, with: header.dropLast(60) + "AAAA" + header.suffix(56))
    altered[5] = altered[2]
    try sandbox.write(lines: altered)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let outcome = try rewrap()
    #expect(outcome.code == 65, "\(outcome.messages)")
    #expect(try headers(lines())[0] == headers(altered)[0])
    #expect(try headers(lines())[2] != headers(altered)[2])
  }

  @Test func otherContextsAndKeysAreLeftAlone() async throws {
    let log = try await makeLog()
    try sandbox.write(lines: log)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let outcome = try sandbox.envelope("rewrap", "shop.log", "--context", "service=other")
    #expect(outcome.code == 65 && outcome.messages.contains("another function or context"))
    let other = try await sandbox.sealedLines(["service": "other"])
    try sandbox.write(lines: log + other.lines)
    let some = try rewrap()
    #expect(some.code == 65 && some.messages.contains("Some segments were sealed for another"), "\(some.messages)")
    let now = try lines()
    #expect(now.contains(other.lines[0]) && !now.contains(log[2]))
    try sandbox.write(lines: log)
    try FileManager.default.removeItem(atPath: sandbox.keyStore)
    try sandbox.makeKey("default")
    let missing = try rewrap()
    #expect(missing.code == 77, "\(missing.messages)")
    #expect(try lines() == log + [""])
  }

  @Test func inspectAndExplainNameTheLog() async throws {
    try sandbox.write(lines: try await makeLog())
    let id = try sandbox.keyring().keyset.id.string
    let text = try sandbox.envelope("inspect", "shop.log").succeeded().text
    #expect(
      text.hasPrefix("A sealed log, format 1\n") && text.contains("segments: 2\n") && text.contains(id), "\(text)")
    let json = try sandbox.envelope("inspect", "shop.log", "--json").succeeded().text
    #expect(json.contains("\"form\" : \"log\"") && json.contains("\"segments\" : 2"))
    let explained = try sandbox.envelope("explain", "shop.log", "--context", "service=shop").succeeded().text
    #expect(explained.contains("a log of 2 segments") && explained.hasSuffix("It opens.\n"), "\(explained)")
    let other = try sandbox.envelope("explain", "shop.log", "--context", "service=other", "--no-function")
    #expect(other.code == 65 && other.text.contains("because of its context"))
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

@Suite("Extracting lines of logs", .timeLimit(.minutes(20))) struct LogInputTests {
  /// What comes out of a text that arrives in parts of a length.
  private func lines(of text: [UInt8], parts: Int = .max) -> [(LogInput.Line, String)] {
    var input = LogInput()
    var (found, rest) = ([(LogInput.Line, String)](), text[...])
    func drain(_ input: inout LogInput) {
      while let line = input.next() {
        found.append((line, input.withLine { String(decoding: [UInt8](copying: $0), as: UTF8.self) }))
      }
    }
    while !rest.isEmpty {
      let part = Array(rest.prefix(parts))
      rest = rest.dropFirst(part.count)
      unsafe input.append(part.span.bytes)
      drain(&input)
    }
    input.finish()
    drain(&input)
    return found
  }

  /// Expects lines, however the text arrives.
  private func expect(_ text: String, _ expected: [String], _ location: SourceLocation = #_sourceLocation) {
    for parts in [1, 2, 3, 7, 64, .max] {
      let found = lines(of: Array(text.utf8), parts: parts)
      #expect(found.map(\.1) == expected, "parts of \(parts)", sourceLocation: location)
      #expect(found.allSatisfy { $0.0.form == .line }, sourceLocation: location)
    }
  }

  private static let sealed = "{\"level\":\"info\",\"segment\":\"AbCdEfGhIjKl\",\"sequence\":17,\"sealed\":\"AA\"}"
  private static let quoted = SealedLines.quoted(sealed)

  @Test func linesAreLines() {
    expect("", [])
    expect("\n", [""])
    expect("a", ["a"])
    expect("a\n\nb\r\n c \r\r\n", ["a", "", "b", " c \r"])
    expect("\u{feff}a\nb", ["a", "b"])
    expect("   {\"a\":1}\n[x]\n", ["   {\"a\":1}", "[x]"])
    let numbers = lines(of: Array("a\nb\n\nc".utf8), parts: 1).map(\.0.number)
    #expect(numbers == [1, 2, 3, 4])
  }

  @Test func prefixesAreOmitted() {
    let sealed = Self.sealed
    expect("2026-11-27T03:12:05.123Z \(sealed)\n", [sealed])
    expect("2026-11-27T03:12:05 group/stream \(sealed)\r\nhello {\"a\":1}\n", [sealed, "hello {\"a\":1}"])
    expect("EVENTS\t3\t1700000000\t\(sealed)\n\(sealed)", [sealed, sealed])
  }

  @Test func linesOfContainersAreTakenOut() {
    let (sealed, quoted) = (Self.sealed, SealedLines.quoted(Self.sealed + "\n"))
    expect("{\"log\":\(quoted),\"stream\":\"stdout\",\"time\":\"2026\"}\n", [sealed])
    expect("{\"container_id\":\"x\",\"log\":\(Self.quoted),\"source\":\"stdout\"}\n", [sealed])
    expect("{\"log\":\"hello\\u0021\\n\",\"stream\":\"stderr\"}\n{\"log\":\"a\"}", ["hello!", "a"])
    expect("{\"timestamp\":1,\"message\":\(Self.quoted)}\n", [sealed])
    expect("{\"@message\":\(Self.quoted.replacing("\\\"", with: "\\u0022"))}\n", [sealed])
    // A sealed line with a clear member that looks like another.
    let clear = "{\"message\":\(Self.quoted),\"segment\":\"AbCdEfGhIjKl\",\"sequence\":1,\"sealed\":\"AA\"}"
    expect(clear, [clear])
    for line in [
      "{\"log\":7}", "{\"log\":\"a\"", "{\"log\":\"\\ud800\"}", "{\"other\":\(Self.quoted)}", "{\"log\":\"\\x\"}",
    ] {
      expect(line, [line])
    }
  }

  @Test func linesThatDriversCutAreJoined() {
    let long =
      "{\"time\":\"2026\",\"segment\":\"AbCdEfGhIjKl\",\"sealed\":\"\(String(repeating: "A", count: 40_000))\"}"
    func cut(_ text: String) -> [String] {
      stride(from: 0, to: text.utf8.count, by: 16_384).map { start in
        let part = String(decoding: Array(text.utf8)[start..<min(start + 16_384, text.utf8.count)], as: UTF8.self)
        return "{\"log\":\(SealedLines.quoted(part)),\"stream\":\"stdout\"}\n"
      }
    }
    let text = cut(long + "\n").joined()
    for parts in [5, 16_000, .max] { #expect(lines(of: Array(text.utf8), parts: parts).map(\.1) == [long]) }
    // What is not continued is passed on as it is.
    let broken = cut(long)[0] + "{\"log\":\(SealedLines.quoted(Self.sealed + "\n"))}\n"
    #expect(lines(of: Array(broken.utf8)).map(\.1) == [String(long.prefix(16_384)), Self.sealed])
    #expect(lines(of: Array(cut(long)[0].utf8)).map(\.1) == [String(long.prefix(16_384))])
  }

  @Test func exportsOfEvents() {
    let (sealed, quoted) = (Self.sealed, Self.quoted)
    expect("{\"events\":[]}", [])
    expect("{\"events\":[{\"timestamp\":1,\"message\":\(quoted),\"ingestionTime\":2}],\"nextToken\":\"x\"}", [sealed])
    expect(
      "{\n    \"events\": [\n        {\n            \"message\": \(quoted),\n            \"eventId\": \"1\"\n        },\n"
        + "        {\"message\": \"START\\n\\u00e9\\ud83d\\ude00\\n\"}\n    ],\n    \"searchedLogStreams\": []\n}\n",
      [sealed, "START", "é😀"])
    expect("{\"searchedLogStreams\":[{\"logStreamName\":\"a\"}],\"events\":[{\"message\":\(quoted)}]}", [sealed])
    expect("[{\"timestamp\":1,\"message\":\(quoted)}]", [sealed])
    expect("[\(quoted),\(quoted)]\n", [sealed, sealed])
    expect("[\n  \"START\",\n  \(quoted)\n]", ["START", sealed])
    expect("[[\(quoted)],[\(quoted)]]", [sealed, sealed])
    // Two documents, and lines after one.
    expect("{\"events\":[{\"message\":\"a\"}]}\n{\"events\":[{\"message\":\"b\"}]}\n", ["a", "b"])
    expect("{\"events\":[{\"message\":\"a\"}]}\n\(sealed)\nb", ["a", sealed, "b"])
    let events = lines(of: Array("{\"events\":[{\"message\":\"a\\nb\"},{\"message\":\"c\"}]}\n\nd".utf8)).map(\.0)
    #expect(events.map(\.number) == [1, 1, 2, 2, 3] && events.map(\.isEvent) == [true, true, true, false, false])
  }

  @Test func exportsOfQueries() {
    let (sealed, quoted) = (Self.sealed, Self.quoted)
    let row =
      "[{\"field\":\"@timestamp\",\"value\":\"2026\"},{\"field\":\"@message\",\"value\":\(quoted)},{\"field\":\"@ptr\",\"value\":\"x\"}]"
    expect(
      "{\"results\":[\(row),\(row)],\"statistics\":{\"recordsMatched\":2.0e0},\"status\":\"Complete\"}",
      [sealed, sealed])
    expect("{\"queryLanguage\":\"CWLI\",\"results\":[[{\"value\":\(quoted),\"field\":\"@message\"}]]}", [sealed])
    expect("[\(row)]", [sealed])
    expect("[{\"field\":\"message\",\"value\":\"x\"},{\"field\":7,\"value\":\"@message\"}]", [])
  }

  @Test func exportsOfTraces() {
    let document = "{\n\"name\":\"a\"}"
    expect(
      "{\"Traces\":[{\"Id\":\"1\",\"Segments\":[{\"Id\":\"2\",\"Document\":\(SealedLines.quoted(document))}]}],\"UnprocessedTraceIds\":[]}",
      ["{ \"name\":\"a\"}"])
  }

  @Test(arguments: [
    "{\"events\":[", "{\"events\":[{\"message\":\"a", "{\"events\":[{\"message\":\"a\\", "{\"events\":[}",
    "{\"events\":]",
    "{\"events\":[{\"message\":\"\\x\"}]}", "{\"events\":[{\"message\" \"a\"}]}", "{\"events\":[]} x",
    "{\"events\":[],}",
    "{\"events\":[1 2]}", "{\"events\":\(String(repeating: "[", count: 70))", "{\"events\":[{\"message\":\"\\u12",
    "{\"events\":[{\"message\":\"\\u12x4\"}]}", "[\"{\"", "{\"events\":}", "{\"events\":[\"a\"]]",
    "{\"events\":{\"a\"}}",
  ]) func exportsThatAreCutOrNoJSON(text: String) {
    for parts in [1, 5, .max] {
      let found = lines(of: Array((text + "\n" + Self.sealed + "\nnext\n").utf8), parts: parts)
      #expect(found.count { $0.0.form == .malformed } == 1, "\(found)")
      #expect(lines(of: Array(text.utf8), parts: parts).count { $0.0.form == .malformed } == 1)
      // A line of another origin that begins as an export hides no more than the line after it.
      #expect(found.last?.1 == "next" || text.hasSuffix("["), "\(found)")
    }
  }

  @Test func strayExportInLogHidesNothing() {
    expect("{\"events\":[]}\n\(Self.sealed)\n", [Self.sealed])
    expect("hello\n{\"events\":[\n\(Self.sealed)\n", ["hello", "{\"events\":[", Self.sealed])
    expect("[INFO] hello\n\(Self.sealed)", ["[INFO] hello", Self.sealed])
    expect("{\"status\": ok}\n\(Self.sealed)".replacing("status", with: "state"), ["{\"state\": ok}", Self.sealed])
  }

  @Test func longLinesAreCut() {
    let limit = LogInput.byteLimit
    let line = [UInt8](repeating: UInt8(ascii: "x"), count: limit)
    for (more, form) in [(0, LogInput.Form.line), (1, .tooLong), (limit * 3, .tooLong)] {
      let text = line + [UInt8](repeating: UInt8(ascii: "x"), count: more) + Array("\nnext".utf8)
      for parts in [100_000, .max] {
        let found = lines(of: text, parts: parts)
        #expect(found.map(\.0.form) == [form, .line] && found.map(\.0.number) == [1, 2])
        #expect(found[0].1.utf8.count == limit && found[1].1 == "next")
      }
    }
    let export = Array("{\"events\":[{\"message\":\"".utf8) + line + Array("xx\"},{\"message\":\"next\"}]}".utf8)
    let found = lines(of: export, parts: 100_000)
    #expect(found.map(\.0.form) == [.tooLong, .line] && found[0].1.utf8.count == limit && found[1].1 == "next")
  }

  @Test func compressedDataIsRecognized() {
    let found = lines(of: [0x1f, 0x8b, 8, 0, 10, 10])
    #expect(found.map(\.0.form) == [.compressed])
  }

  @Test func subsegmentsAreFound() {
    func documents(_ text: String) -> [String] {
      text.withUTF8Bytes { bytes in
        TraceDocuments.ranges(in: bytes).map { range in
          String(decoding: [UInt8](copying: bytes.extracting(range)), as: UTF8.self)
        }
      }
    }
    func sealed(_ name: String, _ more: String = "") -> String {
      "{\"name\":\"\(name)\"\(more),\"metadata\":{\"envelope\":{\"sequence\":1}}}"
    }
    let (c, d) = (sealed("c"), sealed("d"))
    let b = sealed("b", ",\"subsegments\":[\(c)]")
    let text = "{\"name\":\"a\",\"subsegments\":[{\"name\":\"x\",\"subsegments\":[ \(b) , 7]},\(d),[]]}"
    #expect(documents(text) == [text, b, c, d])
    for text in ["", "x", "{", "{\"subsegments\":[}", "{\"subsegments\":[\(c)", "[\(c)]", "{\"subsegments\":\(c)}"] {
      #expect(documents(text) == [text])
    }
    let deep = String(repeating: "{\"subsegments\":[", count: 200) + c + String(repeating: "]}", count: 200)
    #expect(documents(deep) == [deep])
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// Lines that common readers take for different values are refused or announced, or have the value that `sh` gives them.
@Suite(.timeLimit(.minutes(20))) struct DotenvDisagreements {
  private static func differences(in text: String) throws -> [String: DotenvDifferences] {
    let bytes = Array(text.utf8)
    let entries = try unsafe Dotenv.readWithEntries(bytes.span.bytes).reader.entries
    return Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.differences) })
  }

  private static func disagreements(in text: String) throws(EnvelopeError) -> [Dotenv.Disagreement] {
    let bytes = Array(text.utf8)
    return try unsafe Dotenv.disagreements(in: bytes.span.bytes)
  }

  @Test(arguments: [
    "A=", "A=  ", "A=''", "A=b", "  A=b", "export A=b", "A=b  ", "A=b # c", "A='b' # c", "A=\"b\"",
    "A=/a:b@c%d+e,f=g-h",
    "A=a$", "A=a$/b$", "A=\"a$\"", "A=\"a$ b\"", "A='$B `c` \"d\" e\\nf'", "A='x\ny'", "A=\"x\ny\"", "A=\"it's\"",
    "A=\"a\\db\"", "A=*?[x]{a,b}!", "A=é\u{a0}b", "A=x~", "A=\"#\"",
  ]) func commonLinesHaveNone(_ text: String) throws {
    #expect(try Self.differences(in: text) == ["A": []])
    #expect(try Self.disagreements(in: text + "\n").isEmpty)
  }

  @Test(arguments: [
    "A=${B}", "A=$B", "A=x$1", "A=$(id)", "A=a`id`", "A=\"$B\"", "A=\"${B}\"", "A=\"x $(id)\"", "A=\"`id`\"", "A=$$",
    "A=a$?b", "A=\"$@\"", "A=$[1+1]", "A=\"\\\\$B\"", "export A=$B",
  ]) func substitutionsAreNamed(_ text: String) throws {
    #expect(try Self.differences(in: text)["A"]?.contains(.substitutes) == true)
    let found = try Self.disagreements(in: "Z=1\n\(text)\nY=2\n")
    #expect(
      found.count == 1 && found[0].names == ["A"]
        && found[0].message.hasSuffix("would put in a variable or what a command writes: A"))
  }

  @Test(arguments: [
    "A=My App", "A=a\tb", "A=it's", "A=a\"b\"", "A=a'b'c", "A={\"a\": 1}", "A=a\\b", "A=a\\", "A=x;y", "A=x&y", "A=x|y",
    "A=x>y", "A=x<y", "A=(x)", "A=~", "A=x:~/y", "A = b", "A =b", "A= b", "A\t=b", "A= 'b'", "A = ", "A=\"\\n\"",
    "A=\"a\\tb\\r\"", "A=1 B=2", "A=1;B=2", "export A={a,b}", "export A=*", "export A=x=~", "UID=1", "PS1='x'",
    "RANDOM=1", "BASH_ENV=x",
  ]) func whatShellReadsOtherwiseIsNamed(_ text: String) throws {
    let name = try #require(Self.differences(in: text).first)
    #expect(name.value.contains(.shell))
    let found = try Self.disagreements(in: "Z=1\n\(text)\nY=2\n")
    #expect(found.count == 1 && found[0].names == [name.key] && found[0].message.contains("sh reads other values"))
  }

  @Test(arguments: [
    "A=b#c", "A=#c", "A= # c", "A=\"a\\\"b\"", "A=\"a\\\\b\"", "A=\"a\\\\\"", "A='a\\'", "A='a\\\\b'", "A=\"\\$B\"",
    "A=\"\\`id\\`\"", "A='x\ry'", "A=b\t", "A= \t", "\tA=b", "export\tA=b", "export  A=b", "A=\u{a0}b", "A=b\u{2003}",
  ]) func whatOthersReadOtherwiseIsNamed(_ text: String) throws {
    #expect(try Self.differences(in: text) == ["A": .others])
    let found = try Self.disagreements(in: "Z=1\n\(text)\nY=2\n").filter { !$0.names.isEmpty }
    #expect(found.count == 1 && found[0].names == ["A"] && found[0].message.hasPrefix("Taken as sh reads them"))
  }

  @Test(arguments: [
    ("\u{feff}A=1\n", "byte order mark"), ("A=1\r\nB=2\r\n", "The lines end in CRLF"),
    ("A=1\r\nB=2\nC=3\r\n", "Mixed line ends: lines 1, 3 in CRLF"), ("A=1\nB=2\r\n", "Mixed line ends: line 2 in CRLF"),
  ]) func formOfTheTextIsNamed(_ text: String, _ message: String) throws {
    let found = try Self.disagreements(in: text)
    #expect(found.count == 1 && found[0].names.isEmpty && found[0].message.contains(message))
  }

  @Test(
    arguments: [
      ([0xff, 0xfe] + "A=1\n".utf16Bytes(isBig: false), "UTF-16,"),
      ([0xfe, 0xff] + "A=1\n".utf16Bytes(isBig: true), "UTF-16,"),
      ("AB=hunter2\n".utf16Bytes(isBig: false), "UTF-16LE,"),
      ("{\"A\": \"hunter2\"}".utf16Bytes(isBig: true), "UTF-16BE,"),
      ([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0], "UTF-32"), ([0, 0, 0xfe, 0xff, 0, 0, 0, 0x41], "UTF-32"),
      ([0x41, 0, 0, 0, 0x3d, 0, 0, 0], "UTF-32"),
    ] as [([UInt8], String)]) func otherEncodingsAreNamed(_ text: [UInt8], _ encoding: String)
  {
    expect(.malformed, saying: "Line 1 begins a text in \(encoding)") {
      _ = try unsafe VariablesText.read(text.span.bytes)
    }
  }

  @Test(arguments: [[0x41, 0, 0x3d], [0, 0, 0, 0], [0x41, 0x3d, 0, 0], [0xff], []] as [[UInt8]])
  func otherBytesAreNoOtherEncoding(_ text: [UInt8]) throws {
    try unsafe VariablesText.checkEncoding(text.span.bytes)
  }

  private static let pieces = [
    "a", "b c", "1", "é", "x=y", "$", "$x", "${x}", "$(x)", "`", "{\"a\":1}", "it's", " ", "  ", "\t", "#", " # c", "'",
    "'",
    "\"", "\"", "\\n", "\\t", "\\\"", "\\d", "\\\\", "\\", "'x y'", "\"x y\"", "'x\ny'", "\"x\ny\"", "~", ":~", ";",
    "&",
    "|", "<", ">", "(", ")", "*", "?", "[", "]", "{a,b}", "!", "!!", "\\$", "\\`", "$/", "$'", "$\"", "\u{1}", "\u{7f}",
    "\u{b}", "\u{a0}", "^", "%", ",", "=", "b=~", "export", "; x=1",
  ]

  /// Whatever is not announced has the value that dash and bash give it, and nothing runs.
  @Test(arguments: seeds) func whatIsNotAnnouncedIsReadAsShellDoes(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var (text, values): (String, Variables) = ("", [:])
    for number in 0..<20_000 {
      let name = "V\(number)"
      var line = ["", "export ", "  "].randomElement(using: &generator) ?? ""
      line += name + (["=", "=", "=", "='", "=\"", "= "].randomElement(using: &generator) ?? "")
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        line += Self.pieces.randomElement(using: &generator) ?? ""
      }
      line += ["", "'", "\""].randomElement(using: &generator) ?? ""
      guard let differences = try? Self.differences(in: line), differences.count == 1, let one = differences[name],
        one.isSubset(of: .others)
      else { continue }
      text += line + "\n"
      values[name] = try Dotenv.values(of: line)[name]
    }
    try #require(values.count > 1000)
    let folder = try TemporaryFolder()
    try folder.write(Array(text.utf8), to: "variables.env")
    for shell in [["/bin/dash"], ["/bin/bash"], ["/bin/bash", "--posix"]] {
      let script = "PATH=; LC_ALL=C.UTF-8; set -a; . ./variables.env && exec /usr/bin/env -0"
      let read = EnvelopeToolTests.values(
        ofNULTerminated: try folder.run(shell[0], shell.dropFirst() + ["-c", script])
      ) { values[$0] != nil }
      let unlike = values.keys.filter { read[$0] != values[$0] }.sorted()
      #expect(unlike.isEmpty, "\(shell): \(unlike.prefix(3).map { ($0, values[$0], read[$0]) })")
    }
    #expect(try folder.files == ["variables.env"])
  }
}

extension String {
  fileprivate func utf16Bytes(isBig: Bool) -> [UInt8] {
    utf16.flatMap { isBig ? [UInt8($0 >> 8), UInt8($0 & 0xff)] : [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  }
}

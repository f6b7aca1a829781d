// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct DotenvWriting {
  @Test(
    arguments: [
      ("", "", false),
      ("azAZ09_./:@%+,=-", "azAZ09_./:@%+,=-", false),
      ("~", "'~'", false),
      ("a b", "'a b'", false),
      (" ", "' '", false),
      ("#", "'#'", false),
      ("$(touch x)", "'$(touch x)'", false),
      ("`x`", "'`x`'", false),
      ("a\nb", "'a\nb'", false),
      ("a\\b", "'a\\b'", false),
      ("a\"b", "'a\"b'", false),
      ("é", "'é'", false),
      ("a\\\\b", "\"a\\\\\\\\b\"", true),
      ("a\\", "\"a\\\\\"", true),
      ("it's", "\"it's\"", false),
      ("'\"\n", "\"'\\\"\n\"", true),
      ("it's $x", "\"it's \\$x\"", true),
      ("it's `x`", "\"it's \\`x\\`\"", true),
      ("\\\\$x", "\"\\\\\\\\\\$x\"", true),
      ("a\r\nb", "'a\r\nb'", true),
      ("\r", "'\r'", true),
      ("'\r", "\"'\r\"", true),
    ])
  func spells(_ value: String, _ spelling: String, isAnnounced: Bool) throws {
    let (text, announced) = try Dotenv.written(["A": Array(value.utf8)])
    #expect(text == Array("A=\(spelling)\n".utf8))
    #expect(announced == (isAnnounced ? ["A"] : []))
    #expect(try Dotenv.values(of: text) == ["A": value].bytes)
  }

  @Test func writesInOrder() throws {
    let values = ["B": "2", "A": "1", "H": "h", "a": "3"].bytes
    func text(first: [String]) throws -> String {
      String(decoding: try Dotenv.written(values, first: first).0, as: UTF8.self)
    }
    #expect(try text(first: []) == "A=1\nB=2\nH=h\na=3\n")
    #expect(try text(first: ["H"]) == "H=h\n\nA=1\nB=2\na=3\n")
    #expect(try text(first: ["a", "missing", "H", "a"]) == "a=3\nH=h\n\nA=1\nB=2\n")
    #expect(try text(first: ["H", "B", "a", "A"]) == "H=h\nB=2\na=3\nA=1\n")
    #expect(try Dotenv.written([:], first: ["H"]).0.isEmpty)
  }

  @Test func announcesInOrder() throws {
    #expect(try Dotenv.written(["B": [0x0d], "A": [0x0d], "C": []], first: ["B"]).1 == ["A", "B"])
  }

  @Test func refusesWhatNoFileCanHold() {
    let secret = Array(marker.utf8)
    expect(.invalidArgument, saying: "value of A has a NUL byte", names: ["A"]) {
      _ = try Dotenv.written(["A": secret + [0]])
    }
    expect(.invalidArgument, saying: "value of A is not UTF-8", names: ["A"]) {
      _ = try Dotenv.written(["A": secret + [0xff], "B": []])
    }
  }

  @Test(arguments: ["RANDOM", "OPTIND", "UID", "_", "PS4", "PROMPT_COMMAND", "BASH_ENV", "BASH_X"])
  func refusesNamesThatAShellKeeps(_ name: String) {
    expect(.invalidArgument, saying: "the variable \(name) for itself", names: [name]) {
      _ = try Dotenv.written([name: Array("$(\(marker))".utf8)])
    }
  }

  @Test(arguments: ["PROMPT_COMMAND", "BASH_ENV", "BASH_X"])
  func refusesNamesWhoseValueAShellRunsWhateverItIs(_ name: String) {
    expect(.invalidArgument, saying: "the variable \(name) for itself", names: [name]) {
      _ = try Dotenv.written([name: Array(marker.utf8)])
    }
  }

  @Test(arguments: ["RANDOM", "UID", "PS1", "SECONDS"])
  func announcesNamesThatAShellKeeps(_ name: String) throws {
    #expect(try Dotenv.written([name: Array("1000".utf8)]) == (Array("\(name)=1000\n".utf8), [name]))
  }

  /// What is sealed is nothing that a shell could run.
  @Test(arguments: ["UID", "PS1", "PROMPT_COMMAND", "BASH_ENV"])
  func writesSealedValuesUnderAnyName(_ name: String) throws {
    let sealed = Array("ev1:SM0tH09iFYHiyyr34nhHDVi6".utf8)
    #expect(try Dotenv.written([name: sealed]) == (Array("\(name)=".utf8) + sealed + [0x0a], []))
  }

  @Test func takesTheNameENVForValuesInWhichNothingIsExpanded() throws {
    #expect(try Dotenv.written(["ENV": Array("production".utf8)]).0 == Array("ENV=production\n".utf8))
    expect(.invalidArgument, saying: "the variable ENV for itself", names: ["ENV"]) {
      _ = try Dotenv.written(["ENV": Array("$(hunter2)".utf8)])
    }
  }
}

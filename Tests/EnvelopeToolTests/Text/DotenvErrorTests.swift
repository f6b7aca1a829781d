// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct DotenvErrors {
  @Test(
    arguments: [
      ("hunter2", 1, "is not of the form"),
      ("A=1\n\nhunter2\n", 3, "is not of the form"),
      ("A=1\r\n# c\r\nhunter2 # A=\r\n", 3, "is not of the form"),
      ("=hunter2", 1, "is not of the form"),
      ("A=1\n = hunter2", 2, "is not of the form"),
      ("export\n", 1, "is not of the form"),
      ("export hunter2\n", 1, "is not of the form"),
      ("export =hunter2\n", 1, "is not of the form"),
      ("export export A=hunter2\n", 1, "is not of the form"),
      ("1A=hunter2\n", 1, "is not of the form"),
      ("A-B=hunter2\n", 1, "is not of the form"),
      ("A.B=hunter2\n", 1, "is not of the form"),
      ("A B=hunter2\n", 1, "is not of the form"),
      ("'A'=hunter2\n", 1, "is not of the form"),
      ("é=hunter2\n", 1, "is not of the form"),
      ("A+=hunter2\n", 1, "is not of the form"),
      ("A: hunter2\n", 1, "is not of the form"),
      ("A=-----BEGIN\nhunter2/+\n", 2, "is not of the form"),
      ("<<<<<<< hunter2\nA=1\n", 1, "is where git"),
      ("A=1\n||||||| hunter2\n", 2, "is where git"),
      ("A=1\n=======\nA=hunter2\n", 2, "is where git"),
      ("A=1\n>>>>>>> hunter2", 2, "is where git"),
      ("<<<<<<", 1, "is not of the form"),
      ("A='hunter2", 1, "opens a quote"),
      ("A=1\nB=\"hunter2\n\nC=1\n", 2, "opens a quote"),
      ("A=\"hunter2\\\"", 1, "opens a quote"),
      ("A=\"hunter2\\", 1, "opens a quote"),
      ("A='", 1, "opens a quote"),
      ("A='hunter2'x", 1, "goes on after"),
      ("A='hunter2'#c", 1, "goes on after"),
      ("A='a'\\''hunter2'", 1, "goes on after"),
      ("A='a''hunter2'", 1, "goes on after"),
      ("A='a\n\nb' hunter2\n", 3, "goes on after"),
      ("B=1\nA=\"hunter2\" \"x\"\n", 2, "goes on after"),
      ("A=\"hunter2\\'\"", 1, "has a backslash"),
      ("A=\"\nhunter2\\a\"", 2, "has a backslash"),
      ("A=\"hunter2\\b\"", 1, "has a backslash"),
      ("A=\"hunter2\\f\"", 1, "has a backslash"),
      ("A=\"hunter2\\v\"", 1, "has a backslash"),
      ("A=\"hunter2\\\nx\"", 1, "has a backslash"),
      ("A=\"hunter2\\\r\nx\"\r\n", 1, "has a backslash"),
      ("A=hunter2\rB=1\n", 1, "has a carriage return"),
      ("A=1\nB=hunter2\r", 2, "has a carriage return"),
      ("A=hunter2\r\r\n", 1, "has a carriage return"),
      ("A=1\n# hunter2\rB=1\n", 2, "has a carriage return"),
      ("A='hunter2' \rB=1\n", 1, "has a carriage return"),
      ("\r", 1, "has a carriage return"),
      ("A=hunter2\0\n", 1, "has a NUL byte"),
      ("A=1\nB='hunter2\n\0'\n", 3, "has a NUL byte"),
      ("A=\"hunter2\\\0\"\n", 1, "has a NUL byte"),
      ("A=1\n#\0hunter2\n", 2, "has a NUL byte, which no process environment can hold"),
      ("A=`hunter2`\n", 1, "begins a value with a backquote"),
      ("A=1\nB = `hunter2 2`\n", 2, "begins a value with a backquote"),
      ("A=`hunter2\nB=1`\n", 1, "begins a value with a backquote"),
      ("A=`", 1, "begins a value with a backquote"),
      ("export A=hunter2; export B=2\n", 1, "sets more than one variable"),
      ("A=hunter2;export\tB=2\n", 1, "sets more than one variable"),
      ("A=hunter2 && export B=2\n", 1, "sets more than one variable"),
      ("A=hunter2;;  export   B=2\n", 1, "sets more than one variable"),
      ("Z=1\nexport A=hunter2 B=2\n", 2, "sets more than one variable"),
      ("export A=hunter2 \t x B=2\n", 1, "sets more than one variable"),
    ] as [(String, Int, String)])
  func refuses(_ text: String, line: Int, _ failure: String) {
    expect(.malformed, saying: "Line \(line) \(failure)") { _ = try Dotenv.values(of: text) }
  }

  @Test(arguments: [
    [0xff], [0x80], [0xc3], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x28, 0xa1],
    [0xf0, 0x9f, 0x97],
  ])
  func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
    for (before, line) in [("A=1\nB=hunter2", 2), ("A='hunter2\n\n", 3), ("#", 1)] {
      expect(.malformed, saying: "Line \(line) is not UTF-8") {
        _ = try Dotenv.values(of: Array(before.utf8) + bytes + Array("'\n".utf8))
      }
      expect(.malformed, saying: "Line \(line) is not UTF-8") {
        _ = try Dotenv.values(of: Array(before.utf8) + bytes)
      }
    }
  }

  @Test func refusesANameThatIsThereTwice() {
    expect(.malformed, saying: "Line 4 sets 'A' a second time", names: ["A"]) {
      _ = try Dotenv.values(of: "A='hunter2\n'\nB=1\nA=hunter2\n")
    }
    expect(.malformed, saying: "Line 2 sets 'A' a second time", names: ["A"]) {
      _ = try Dotenv.values(of: "A=\nexport A='\n\n'\n")
    }
  }

  @Test func refusesANameThatIsTooLong() {
    expect(.malformed, saying: "Line 2 is not of the form") {
      _ = try Dotenv.values(of: "A=1\n\(String(repeating: "N", count: 256))=hunter2\n")
    }
  }

  /// Were anything quadratic, a mebibyte would take minutes.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "\n", " ", "#", "=", "A", "A=\n", "export ", "A= #", "A='", "A=\"\\", " # ", "\r\n", "\r", "A=b \t",
      "A=1\r\n'", "A=\"\n", " a", ";", "; export ", "&export a", "$", "`", "~:",
    ])
  func takesBoundedTime(_ piece: String) {
    for prefix in ["", "A=", "A='", "A=\"", "A=x", "export A=x"] {
      _ = try? Dotenv.values(of: prefix + String(repeating: piece, count: (1 << 20) / piece.utf8.count))
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct DotenvReading {
  @Test(
    arguments: [
      ("", [:]),
      ("\n \n\t\n", [:]),
      ("\u{feff}A=1\n", ["A": "1"]),
      ("A=1", ["A": "1"]),
      ("A=1\r\nB=2\r\n", ["A": "1", "B": "2"]),
      ("A=1\r\nB=2\n\r\nC=3", ["A": "1", "B": "2", "C": "3"]),
      ("# A=0\n \t# B=0\n#\nA=1\n", ["A": "1"]),
      ("#", [:]),
      ("export A=1\nexport\t B=2\n  export C = 3\n", ["A": "1", "B": "2", "C": "3"]),
      ("export=1\n", ["export": "1"]),
      ("exported=1\n", ["exported": "1"]),
      ("export export=1\n", ["export": "1"]),
      ("_a9=1\na=2\nZ_=3\n", ["_a9": "1", "a": "2", "Z_": "3"]),
      ("A=\nB=  \nC=''\nD=\"\"\nE=\r\n", ["A": "", "B": "", "C": "", "D": "", "E": ""]),
      ("  A = 1\nB =2\nC= 3\n", ["A": "1", "B": "2", "C": "3"]),
      ("A='x' \nB = \"y\"\t\n", ["A": "x", "B": "y"]),
      ("A=x # c\nB=x#y\nC=#x\nD= # c\nE=x\t#c\nF=#", ["A": "x", "B": "x#y", "C": "#x", "D": "", "E": "x", "F": "#"]),
      ("A='x' # c\nB=\"x\"\t#c 'y'\nC='#'\n", ["A": "x", "B": "x", "C": "#"]),
      ("A=a b  c \t\n", ["A": "a b  c"]),
      ("A=a=b==\n", ["A": "a=b=="]),
      (
        "A=a`b`\nB=x;B=2\nC=1 C=2\nD=x; exports E=1\n",
        ["A": "a`b`", "B": "x;B=2", "C": "1 C=2", "D": "x; exports E=1"]
      ),
      ("export A=x -Db=c\nexport B='1; export C=2'\n", ["A": "x -Db=c", "B": "1; export C=2"]),
      ("A=$B ${C} $(d) `e`\n", ["A": "$B ${C} $(d) `e`"]),
      ("A=it's\nB=a\"b\"\nC=a\\nb\\\n", ["A": "it's", "B": "a\"b\"", "C": "a\\nb\\"]),
      ("A={\"a\": 1}\n", ["A": "{\"a\": 1}"]),
      ("A='\\n\\'\nB='a\"b$c`d#e'\n", ["A": "\\n\\", "B": "a\"b$c`d#e"]),
      ("A=\"\\n\\r\\t\\\"\\\\\\$\\`\"\n", ["A": "\n\r\t\"\\$`"]),
      ("A=\"\\d\\ \\.\\é\"\n", ["A": "\\d\\ \\.\\é"]),
      ("A=\"$B $(c) 'd' #e\"\n", ["A": "$B $(c) 'd' #e"]),
      ("A='x\n\ny'\nB=\"x\ny\n\"\n", ["A": "x\n\ny", "B": "x\ny\n"]),
      ("A='\n'", ["A": "\n"]),
      ("A=é\nB='日本'\nC=\"🗝\"\n", ["A": "é", "B": "日本", "C": "🗝"]),
      ("A=x\u{a0}\n", ["A": "x\u{a0}"]),
    ] as [(String, [String: String])])
  func readsAsDocumented(_ text: String, _ variables: [String: String]) throws {
    #expect(try Dotenv.values(of: text) == variables.bytes)
  }

  @Test func readsANameOfTheGreatestLength() throws {
    let name = String(repeating: "N", count: 255)
    #expect(try Dotenv.values(of: "export \(name)=1") == [name: [0x31]])
  }

  @Test func readsAKeyOfSeveralLines() throws {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/=\nabc==\n-----END PRIVATE KEY-----\n"
    for quote in ["'", "\""] {
      #expect(try Dotenv.values(of: "KEY=\(quote)\(key)\(quote)\nA=1\n") == ["KEY": key, "A": "1"].bytes)
    }
  }

  @Test func takesLineEndsOfWindowsForLineFeedsOnlyWhereAllAre() throws {
    #expect(try Dotenv.values(of: "A='x\r\ny\r\n'\r\nB=\"\r\n\"\r\n") == ["A": "x\ny\n", "B": "\n"].bytes)
    #expect(try Dotenv.values(of: "A='x\r\ny'\r\n\n") == ["A": "x\r\ny"].bytes)
    #expect(try Dotenv.values(of: "A='x\r\ny'\n") == ["A": "x\r\ny"].bytes)
    // One that ends no line is kept in both.
    #expect(try Dotenv.values(of: "A='x\ry\r\r\n'\r\n") == ["A": "x\ry\r\n"].bytes)
    #expect(try Dotenv.values(of: "A='x\ry'\n") == ["A": "x\ry"].bytes)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct VariablesJSONErrors {
  @Test(
    arguments: [
      ("", 1, 1, "is not an object"),
      ("\n [\"hunter2\"]", 2, 3, "is not an object"),
      ("\"hunter2\"", 1, 1, "is not an object"),
      ("{", 1, 2, "has no name in double quotes"),
      ("{hunter2:1}", 1, 2, "has no name in double quotes"),
      ("{'A':'hunter2'}", 1, 2, "has no name in double quotes"),
      ("{\"A\" \"hunter2\"}", 1, 6, "lacks a colon"),
      ("{\"A\":\"hunter2\"", 1, 15, "lacks a comma, or a brace"),
      ("{\"A\":\"hunter2\" \"B\":1}", 1, 16, "lacks a comma, or a brace"),
      ("{\"A\":\"hunter2\",}", 1, 16, "has a comma before the closing brace"),
      ("{,\"A\":1}", 1, 2, "has no name in double quotes"),
      ("{\"A\":[1,]}", 1, 9, "is not a value"),
      ("{\"A\":[1 2]}", 1, 9, "lacks a comma, or a bracket"),
      ("{\"A\":[", 1, 7, "is not a value"),
      ("{\"A\":}", 1, 6, "is not a value"),
      ("{\"A\":hunter2}", 1, 6, "is not a value"),
      ("{\"A\":tru}", 1, 6, "is not a value"),
      ("{\"A\":True}", 1, 6, "is not a value"),
      ("{\"A\":NaN}", 1, 6, "is not a value"),
      ("{\"A\":Infinity}", 1, 6, "is not a value"),
      ("{\"A\":01}", 1, 6, "is not a value"),
      ("{\"A\":-}", 1, 6, "is not a value"),
      ("{\"A\":+1}", 1, 6, "is not a value"),
      ("{\"A\":.5}", 1, 6, "is not a value"),
      ("{\"A\":1.}", 1, 6, "is not a value"),
      ("{\"A\":1e}", 1, 6, "is not a value"),
      ("{\"A\":1e+}", 1, 6, "is not a value"),
      ("{\"A\":0x1}", 1, 7, "lacks a comma, or a brace"),
      ("{\"A\":trues}", 1, 10, "lacks a comma, or a brace"),
      ("{\"A\":1}hunter2", 1, 8, "goes on after"),
      ("{\"A\":1}\n{}", 2, 9, "goes on after"),
      ("{\"A\":1}\0", 1, 8, "goes on after"),
      ("{\"A\":1 // hunter2\n}", 1, 8, "lacks a comma, or a brace"),
      ("{\"A\":\"hunter2", 1, 6, "opens a string"),
      ("{\"A\":\"hunter2\\\"", 1, 6, "opens a string"),
      ("{\"A", 1, 2, "opens a string"),
      ("{\"A\":\"hunter2\n\"}", 1, 14, "has a control character"),
      ("{\"A\":\"\t\"}", 1, 7, "has a control character"),
      ("{\"A\":\"\0\"}", 1, 7, "has a control character"),
      ("{\"A\":\"\u{1f}\"}", 1, 7, "has a control character"),
      ("{\"A\":\"hunter2\\x41\"}", 1, 14, "has an unknown escape"),
      ("{\"A\":\"\\'\"}", 1, 7, "has an unknown escape"),
      ("{\"A\":\"\\", 1, 7, "has an unknown escape"),
      ("{\"A\":\"hunter2\\u12\"}", 1, 14, "has an escape that"),
      ("{\"A\":\"\\u00g0\"}", 1, 7, "has an escape that"),
      ("{\"A\":\"\\u", 1, 7, "has an escape that"),
      ("{\"A\":\"\\ud83d\"}", 1, 7, "has an escape that"),
      ("{\"A\":\"\\ud83d\\n\"}", 1, 7, "has an escape that"),
      ("{\"A\":\"\\ud83d\\u0041\"}", 1, 7, "has an escape that"),
      ("{\"A\":\"\\ud83d\\ud83d\"}", 1, 7, "has an escape that"),
      ("{\"A\":\"x\\udddd\"}", 1, 8, "has an escape that"),
      ("{\"A\":\"\\ud83d\\udd", 1, 7, "has an escape that"),
      ("{\"x\":[\"\\ud83d\"],\"Environment\":{\"Variables\":{}}}", 1, 8, "has an escape that"),
      ("{\n\"A B\":\"hunter2\"}", 2, 3, "is not the name"),
      ("{\"\":\"hunter2\"}", 1, 2, "is not the name"),
      ("{\"1A\":\"hunter2\"}", 1, 2, "is not the name"),
      ("{\"é\":\"hunter2\"}", 1, 2, "is not the name"),
      ("{\"A\\u0000\":\"hunter2\"}", 1, 2, "is not the name"),
      ("{\"Environment\":{\"Error\":{\"Message\":\"hunter2\"}}}", 1, 16, "is an environment without"),
      ("{\"Environment\":{\"Variables\":null}}", 1, 16, "is an environment without"),
      ("{\"Environment\":{},\"Environment\":{}}", 1, 19, "sets \"Environment\" a second"),
      ("{\"Variables\":{},\n\"Variables\":{}}", 2, 18, "sets \"Variables\" a second"),
      ("{\"Environment\":{\"Variables\":{},\"Variables\":{}}}", 1, 32, "sets \"Variables\" a second"),
      ("{\"Variables\":{},\"B\":\"hunter2\"}", 1, 1, "has other members"),
      ("{\"Variables\":{\"Variables\":{}}}", 1, 27, "gives the variable 'Variables' an object"),
    ] as [(String, Int, Int, String)])
  func refuses(_ text: String, line: Int, byte: Int, _ failure: String) {
    let names = failure.contains("gives") ? ["Variables"] : []
    expect(.malformed, saying: "Line \(line) of the JSON, at byte \(byte), \(failure)", names: names) {
      _ = try VariablesJSON.values(of: text)
    }
  }

  @Test(arguments: [
    ("null", "null"), ("[\"hunter2\"]", "an array"), ("{\"x\":\"hunter2\"}", "an object"),
    ("\"hunter2\\u0000\"", "a NUL character"),
  ])
  func refusesValuesThatNoVariableCanHave(_ value: String, _ failure: String) {
    expect(.malformed, saying: "Line 3 of the JSON, at byte 17, gives the variable 'A' \(failure)", names: ["A"]) {
      _ = try VariablesJSON.values(of: "{\n\"B\":\"1\",\n\"A\": \(value)}")
    }
    expect(.malformed, saying: "gives the variable 'A' \(failure)", names: ["A"]) {
      _ = try VariablesJSON.values(of: "{\"Variables\":{\"A\":\(value)}}")
    }
  }

  @Test func refusesANameThatIsThereTwice() {
    for name in ["A", "\\u0041"] {
      expect(.malformed, saying: "Line 2 of the JSON, at byte 17, sets 'A' a second time", names: ["A"]) {
        _ = try VariablesJSON.values(of: "{\"A\":\"hunter2\",\n\"\(name)\":\"hunter2\"}")
      }
    }
  }

  @Test func refusesANameThatIsTooLong() throws {
    let name = String(repeating: "N", count: 255)
    #expect(try VariablesJSON.values(of: "{\"\(name)\":\"1\"}") == [name: [0x31]])
    expect(.malformed, saying: "is not the name of a variable") {
      _ = try VariablesJSON.values(of: "{\"\(name)N\":\"hunter2\"}")
    }
  }

  @Test(arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]])
  func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
    expect(.malformed, saying: "Line 2 of the JSON, at byte 15, is not UTF-8") {
      _ = try VariablesJSON.values(of: Array("{\n\"A\":\"hunter2".utf8) + bytes + Array("\"}".utf8))
    }
  }

  /// Were anything quadratic, a mebibyte would take minutes.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      " ", "\"", "\\", "[", "{", "{\"a\":", "[],", "0", "1,", "\"a\":1,", "\"Variables\":{},", "\\u0041", "\\ud83d",
    ])
  func takesBoundedTime(_ piece: String) {
    for prefix in ["{", "{\"A\":", "{\"A\":\"", "{\"A\":["] {
      _ = try? VariablesJSON.values(of: prefix + String(repeating: piece, count: (1 << 20) / piece.utf8.count))
    }
  }
}

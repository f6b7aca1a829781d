// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct VariablesJSONWriting {
  private let values = ["B": "2", "A": "é\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}", "H": "h"].bytes

  @Test func writesAFlatObject() throws {
    #expect(
      String(decoding: try VariablesJSON.written(values, first: ["H"]), as: UTF8.self) == """
        {
          "H": "h",
          "A": "é\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}",
          "B": "2"
        }

        """)
    #expect(String(decoding: try VariablesJSON.written([:]), as: UTF8.self) == "{}\n")
  }

  @Test func writesTheDocumentOfTheAWSCommandLine() throws {
    #expect(
      String(decoding: try VariablesJSON.written(["B": "2", "A": "1"].bytes, as: .variables), as: UTF8.self) == """
        {
          "Variables": {
            "A": "1",
            "B": "2"
          }
        }

        """)
    #expect(
      String(decoding: try VariablesJSON.written([:], as: .variables), as: UTF8.self) == "{\n  \"Variables\": {}\n}\n")
  }

  @Test func readsBackWhatItWrites() throws {
    for form in [VariablesJSON.Form.flat, .variables] {
      #expect(try VariablesJSON.values(of: VariablesJSON.written(values, as: form)) == values)
      #expect(try VariablesJSON.values(of: VariablesJSON.written([:], as: form)) == [:])
    }
  }

  /// Names that make a flat object look like another document.
  @Test func readsBackNamesOfOtherDocuments() throws {
    let values = ["Variables": "{", "Environment": "{"].bytes
    for form in [VariablesJSON.Form.flat, .variables] {
      #expect(try VariablesJSON.values(of: VariablesJSON.written(values, as: form)) == values)
    }
  }

  @Test func refusesWhatNoTextCanHold() {
    let secret = Array(marker.utf8)
    expect(.invalidArgument, saying: "value of A has a NUL byte", names: ["A"]) {
      _ = try VariablesJSON.written(["A": secret + [0]])
    }
    expect(.invalidArgument, saying: "value of A is not UTF-8", names: ["A"]) {
      _ = try VariablesJSON.written(["A": secret + [0xff]])
    }
  }

  @Test(
    arguments: [
      ([:], "{}"),
      (["A": ""], "{\"A\":\"\"}"),
      (["A": "1", "B": "2"], "{\"A\":\"1\",\"B\":\"2\"}"),
      (["A": "é\"\\\n\u{1}\u{7f}"], "{\"A\":\"é\\\"\\\\\\n\\u0001\u{7f}\"}"),
    ])
  func measuresTheCompactObject(_ variables: [String: String], _ object: String) throws {
    #expect(try VariablesJSON.compactByteCount(of: OpenedEnvironment(variables)) == object.utf8.count)
  }
}

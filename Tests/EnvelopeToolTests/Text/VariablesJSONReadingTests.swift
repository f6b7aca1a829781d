// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct VariablesJSONReading {
  @Test(
    arguments: [
      ("{}", [:]),
      (" \t\r\n{ \n } \n", [:]),
      ("\u{feff}{\"A\":\"1\"}", ["A": "1"]),
      ("{\"A\":\"1\",\"B\":\"\"}", ["A": "1", "B": ""]),
      ("{ \"A\" : \"1\" , \"B\" : \"2\" }", ["A": "1", "B": "2"]),
      ("{\"A\":0,\"B\":-1.50e+3,\"C\":true,\"D\":false}", ["A": "0", "B": "-1.50e+3", "C": "true", "D": "false"]),
      ("{\"A\":123456789012345678901234567890,\"B\":1E5}", ["A": "123456789012345678901234567890", "B": "1E5"]),
      ("{\"A\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", ["A": "\"\\/\u{8}\u{c}\n\r\t"]),
      ("{\"A\":\"\\u0041\\u00e9\\u65E5\\ud83d\\uddDD\\u0001\"}", ["A": "Aé日🗝\u{1}"]),
      ("{\"A\":\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"}", ["A": "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}"]),
      ("{\"A\":\"é日🗝\u{7f}\"}", ["A": "é日🗝\u{7f}"]),
      ("{\"\\u0041\":\"1\"}", ["A": "1"]),
      ("{\"Variables\":{\"A\":\"1\"}}", ["A": "1"]),
      ("{\"\\u0056ariables\":{\"A\":\"1\"}}", ["A": "1"]),
      ("{\"Variables\":{}}", [:]),
      ("{\"Variables\":{\"Variables\":\"1\",\"Environment\":\"2\"}}", ["Variables": "1", "Environment": "2"]),
      ("{\"Variables\":\"1\",\"Environment\":\"2\"}", ["Variables": "1", "Environment": "2"]),
      ("{\"Environment\":{\"Variables\":{\"A\":\"1\"}}}", ["A": "1"]),
      ("{\"FunctionName\":\"f\",\"FunctionArn\":\"a\",\"Timeout\":3}", [:]),
      ("{\"FunctionName\":\"f\",\"FunctionArn\":\"a\",\"Environment\":null}", [:]),
      ("{\"FunctionName\":\"f\"}", ["FunctionName": "f"]),
      (
        "{\"Code\":{\"A\":[1]},\"Configuration\":{\"Environment\":{\"Variables\":{\"A\":\"1\"}}},\"Tags\":{}}",
        ["A": "1"]
      ),
      ("{\"Configuration\":{\"FunctionName\":\"f\",\"FunctionArn\":\"a\"}}", [:]),
      ("{\"Configuration\":\"c\",\"A\":\"1\"}", ["Configuration": "c", "A": "1"]),
    ])
  func readsAsDocumented(_ text: String, _ variables: [String: String]) throws {
    #expect(try VariablesJSON.values(of: text) == variables.bytes)
  }

  @Test func readsWhatAWSAnswersAboutAFunction() throws {
    let text = """
      {
        "FunctionName": "checkout",
        "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:checkout",
        "Runtime": "provided.al2023",
        "CodeSize": 7654321,
        "Layers": [{"Arn": "x", "CodeSize": 1e3}, [], {}, [[null, true, false, -0.5]]],
        "VpcConfig": {"SubnetIds": [], "Ipv6AllowedForDualStack": false},
        "Description": "\\u0000\\ud83d\\udddd \\"Environment\\"",
        "Environment": {
          "Error": null,
          "Variables": {
            "DATABASE_URL": "postgres://x",
            "LOG_LEVEL": "debug"
          }
        },
        "TracingConfig": {"Variables": {"B": "2"}, "Environment": {"Variables": {}}}
      }
      """
    #expect(
      try VariablesJSON.values(of: text) == ["DATABASE_URL": "postgres://x", "LOG_LEVEL": "debug"].bytes)
  }

  @Test func nestsToTheLimit() throws {
    func text(depth: Int) -> String {
      "{\"Environment\":{\"Variables\":{}},\"x\":\(String(repeating: "[", count: depth - 1))"
        + "\(String(repeating: "]", count: depth - 1))}"
    }
    #expect(try VariablesJSON.values(of: text(depth: 64)) == [:])
    expect(.malformed, saying: "is nested deeper than 64") { _ = try VariablesJSON.values(of: text(depth: 65)) }
    expect(.malformed, saying: "is nested deeper than 64") {
      _ = try VariablesJSON.values(of: String(repeating: "{\"a\":", count: 100_000))
    }
  }

  @Test func tellsTheFormsApart() throws {
    func values(_ text: String) throws -> Variables {
      try unsafe VariablesText.read(Array(text.utf8).span.bytes).values
    }
    #expect(try values("\u{feff} \t\r\n{\"A\":\"1\"}") == ["A": "1"].bytes)
    #expect(try values("\u{feff} \r\nA={\n") == ["A": "{"].bytes)
    #expect(try values("# {\nA=1\n") == ["A": "1"].bytes)
    #expect(try values("") == [:])
    #expect(try values(" \n") == [:])
    expect(.malformed, saying: "Line 1 is not of the form") { _ = try values("[\"hunter2\"]") }
    expect(.malformed, saying: "Line 2 of the JSON") { _ = try values("\n{hunter2=}") }
  }
}

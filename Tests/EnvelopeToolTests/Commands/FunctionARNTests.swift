// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// `--function` takes what AWS's own commands take for a function.
@Suite(.timeLimit(.minutes(20))) struct FunctionARNTests {
  let sandbox: Sandbox
  static let arn = "arn:aws:lambda:eu-west-1:123456789012:function:app"

  init() throws { sandbox = try Sandbox() }

  @Test(arguments: [arn, arn + ":PROD", "123456789012:function:app", arn + ":7"]) func commandsTakeARN(text: String)
    throws
  {
    let result = try sandbox.envelope("seal", "-", "--function", text, "-o", "app.env", input: "AA=1\n")
    #expect(result.succeeded().messages.contains("for function app under"))
    #expect(try sandbox.opened() == ["AA": "1"])
    for arguments in [
      ["open", "app.env"], ["get", "app.env", "AA"], ["inspect", "app.env"], ["explain", "app.env"], ["rewrap", "."],
      ["exec", "app.env"],
    ] {
      let command = arguments[0] == "exec" ? ["--", "true"] : []
      try sandbox.start(arguments + ["--function", text] + command).wait().succeeded()
    }
    #expect(try sandbox.envelope("inspect", "app.env", "--function", text).text.contains("context: matches"))
    try sandbox.keys("export", "default", "--function", text, "-o", "app.keys").succeeded()
    let store = ["ENVELOPE_STORE": sandbox.path("app.keys")]
    try sandbox.envelope("get", "app.env", "AA", "--function", "app", with: store).succeeded()
    try sandbox.keys("policy", "default", "--function", text).succeeded()
    #expect(try sandbox.keys("policy", "default").text.contains("functions: 'app'\n"))
  }

  @Test func otherARNIsRefused() throws {
    try sandbox.seal("AA=1\n")
    let arn = "arn:aws:lambda:eu-west-1:123456789012:layer:app"
    for arguments in [
      ["open", "app.env"], ["exec", "app.env"], ["explain", "app.env"], ["rewrap", "."], ["seal", "app.env"],
      ["keys", "policy", "default"],
    ] {
      let command = arguments[0] == "exec" ? ["--", "true"] : []
      try sandbox.start(arguments + ["--function", arn] + command).wait().failed(64, saying: "is not the ARN")
    }
  }

  @Test(arguments: ["täst", "a.b", String(repeating: "a", count: 65)])
  func nameThatLambdaDoesNotTakeIsRefusedWithItsFormat(name: String) throws {
    let seal = ["seal", "-", "--function", name, "--allow-empty"]
    try sandbox.start(seal + ["--format", "lambda"]).wait().failed(64, saying: "No Lambda function can have the name")
    try sandbox.start(seal).wait().succeeded()
  }
}

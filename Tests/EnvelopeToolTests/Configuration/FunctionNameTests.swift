// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct FunctionNameTests {
  @Test(arguments: [
    "arn:aws:lambda:eu-west-1:123456789012:function:checkout",
    "arn:aws:lambda:eu-west-1:123456789012:function:checkout:PROD",
    "arn:aws:lambda:eu-west-1:123456789012:function:checkout:17",
    "arn:aws:lambda:eu-west-1:123456789012:function:checkout:$LATEST",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:checkout",
    "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:checkout:live",
    "123456789012:function:checkout", "123456789012:function:checkout:PROD", "checkout",
  ]) func nameIsTakenFromARN(text: String) throws {
    #expect(try FunctionName.name(in: text) == "checkout")
  }

  @Test(arguments: [
    "arn:aws:lambda:eu-west-1:123456789012:layer:checkout", "arn:aws:s3:::bucket",
    "arn:aws:kms:eu-west-1:123456789012:key/1234", "arn:aws:lambda:eu-west-1:12345678901:function:checkout",
    "arn:aws:lambda:eu-west-1:12345678901x:function:checkout", "arn:aws:lambda::123456789012:function:checkout",
    "arn:aws:lambda:eu-west-1:123456789012:function:", "arn:aws:lambda:eu-west-1:123456789012:function",
    "arn:aws:lambda:eu-west-1:123456789012:function:check out", "arn:aws:lambda:eu-west-1:123456789012:function:a:b:c",
    "arn:aws:lambda:eu-west-1:123456789012:function:a:b c", "arn:other:lambda:eu-west-1:123456789012:function:a",
    "arn:", "arn:aws", "arn:foo", "arn:a:b:c",
  ]) func otherARNsAreRefused(text: String) {
    expect(.usage, saying: "is not the ARN of a Lambda function") { _ = try FunctionName.name(in: text) }
  }

  /// Outside AWS Lambda, a function may have any name.
  @Test(arguments: [
    "", "checkout:PROD", "checkout:$LATEST", "api:8080", "function:a", "123456789012:a", "täst", "a b", "a/b", "a.b",
    "a:b:c", ":a", "a:", "a:b c", "a.b:c", "12345678901:function:a",
    "123456789012:layer:a", "123456789012:function:a:b:c", String(repeating: "a", count: 65), "arn", "::::::",
  ]) func otherTextsAreNames(text: String) throws {
    #expect(try FunctionName.name(in: text) == text)
  }

  @Test(arguments: ["a", "a-b_C9", String(repeating: "a", count: 64)]) func lambdaTakesName(name: String) throws {
    try FunctionName.checkIsLambda(name)
  }

  @Test(arguments: ["", "täst", "a b", "a.b", "a:b", "a/b", "a\n", String(repeating: "a", count: 65)])
  func lambdaDoesNotTakeName(name: String) {
    expect(.usage, saying: "No Lambda function can have the name") { try FunctionName.checkIsLambda(name) }
  }
}

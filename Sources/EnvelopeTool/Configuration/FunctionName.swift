// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The name of a function in the forms that AWS's own commands take.
enum FunctionName {
  /// The name in an ARN of an AWS Lambda function, whole or from the account on, without its version or alias.
  ///
  /// Any other text is a name itself: outside AWS Lambda, it may be anything.
  ///
  /// - Throws: `usage` for an ARN of something else.
  static func name(in text: String) throws(EnvelopeError) -> String {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    // Not NAME:ALIAS, which may be the whole name elsewhere: two such names must not become one.
    if let last = parts.last, isQualifier(last), parts.count == 8 || parts.count == 4 && isAccount(parts[0]) {
      parts.removeLast()
    }
    if parts.count == 3, isAccount(parts[0]), parts[1] == "function", isLambda(parts[2]) { return parts[2] }
    guard parts.count > 1, parts[0] == "arn" else { return text }
    guard parts.count == 7, parts[1].hasPrefix("aws"), parts[2] == "lambda", !parts[3].isEmpty, isAccount(parts[4]),
      parts[5] == "function", isLambda(parts[6])
    else {
      throw EnvelopeError(
        .usage, "\(EnvelopeError.quoted(text)) is not the ARN of a Lambda function",
        advice: "Give the function's name, or an ARN such as arn:aws:lambda:eu-west-1:123456789012:function:checkout")
    }
    return parts[6]
  }

  /// Refuses a name that no function of AWS Lambda can have.
  ///
  /// - Throws: `usage`.
  static func checkIsLambda(_ name: String) throws(EnvelopeError) {
    guard !isLambda(name) else { return }
    throw EnvelopeError(
      .usage, "No Lambda function can have the name \(EnvelopeError.quoted(name))",
      advice: "Give the name that it has there: 1 to 64 letters, digits, hyphens and underscores.")
  }

  private static func isLambda(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(Base64URL.isDigit)
  }

  private static func isQualifier(_ text: String) -> Bool {
    text == "$LATEST" || (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(Base64URL.isDigit)
  }

  private static func isAccount(_ text: String) -> Bool {
    text.utf8.count == 12 && text.utf8.allSatisfy(\.isDigit)
  }
}

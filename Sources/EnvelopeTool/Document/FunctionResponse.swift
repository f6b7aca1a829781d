// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The function that a response of get-function-configuration or get-function is about.
struct FunctionResponse {
  let name: String
  let account: String
  let region: String

  /// Reads `FunctionArn`.
  ///
  /// - Returns: nil if the text is not such a response.
  /// - Throws: `malformed` if it is one, and its ARN is not a function's.
  init?(_ text: borrowing SecretBytes, of file: String) throws(EnvelopeError) {
    let found = try text.withBytes { (text) throws(EnvelopeError) in
      VariablesText.isJSON(text) ? try VariablesJSON.functionARN(in: text) : nil
    }
    guard let arn = found else { return nil }
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and a version perhaps.
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (7...8).contains(parts.count), let name = try? FunctionName.name(in: arn), name == parts[6] else {
      throw EnvelopeError(
        .malformed, "In \(file.shownInput), \(EnvelopeError.quoted(arn)) is not the ARN of a Lambda function",
        advice: "Give the file as AWS's command line wrote it.")
    }
    (self.name, region, account) = (name, parts[3], parts[4])
  }
}

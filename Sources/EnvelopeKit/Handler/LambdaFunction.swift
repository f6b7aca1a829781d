// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The function that a process of AWS Lambda runs.
package enum LambdaFunction {
  private static let nameVariable = "AWS_LAMBDA_FUNCTION_NAME"
  /// Variables that AWS Lambda sets for every function and reserves: no function's configuration can set them.
  private static let reserved = [
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_RUNTIME_API",
  ]

  /// Returns the name that AWS Lambda gives the function.
  ///
  /// Outside AWS Lambda, an attacker who sets the process's variables can set this one, too, and put another function's
  /// environment beside it. So it counts only beside the other variables that AWS Lambda sets and reserves.
  ///
  /// - Throws: `functionUnknown` if it does not count, is not set, or is empty.
  package static func name(in variables: [String: String]) throws(EnvelopeError) -> String {
    guard let name = variables[nameVariable], !name.isEmpty else {
      throw EnvelopeError(
        .functionUnknown, "No function name: \(nameVariable) is not set, or empty", advice: "Pass the function's name.")
    }
    let missing = reserved.filter { variables[$0]?.isEmpty ?? true }
    guard missing.isEmpty else {
      throw EnvelopeError(
        .functionUnknown,
        "No function name: \(nameVariable) is set, but not \(missing.joined(separator: ", ")), which AWS Lambda sets too",
        advice: "Pass the function's name: outside AWS Lambda it is not taken from the environment.")
    }
    return name
  }
}

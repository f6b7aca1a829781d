// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What AWS Lambda asks of a function's environment variables.
enum LambdaLimits {
  /// How many bytes all variables may take together, measured on their JSON.
  static let byteLimit = 4096

  /// Whether the platform keeps the name for itself.
  ///
  /// AWS_LAMBDA_EXEC_WRAPPER is the owner's to set.
  static func isReserved(_ name: String) -> Bool {
    if name == "AWS_LAMBDA_EXEC_WRAPPER" { return false }
    return reserved.contains(name) || name.hasPrefix("AWS_LAMBDA_") || name.hasPrefix("AWS_ACCESS_KEY")
  }

  private static let reserved: Set<String> = [
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
  ]

  /// Whether the platform takes the name: a letter, then at least one letter, digit or underscore.
  static func isValid(_ name: String) -> Bool {
    name.utf8.count >= 2 && name.utf8.first != UInt8(ascii: "_")
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Document {
  /// Refuses names as when it was sealed, and tells of too many bytes: those that were there may have been meant.
  func checkStillFitsLambda() throws(EnvelopeError) {
    try checkFitsLambda(allowingOversize: true)
    let byteCount = try Budget(self).byteCount
    guard byteCount > LambdaLimits.byteLimit else { return }
    Console.say(
      "The variables now take \(byteCount) of the \(LambdaLimits.byteLimit) bytes that AWS Lambda has for them.")
  }

  /// Refuses names that the platform keeps or does not take, and more bytes than it takes.
  func checkFitsLambda(allowingOversize: Bool) throws(EnvelopeError) {
    let budget = try Budget(self)
    let names = budget.costs.map(\.name).filter { $0 != VariableName.header && $0 != VariableName.sealed }
    let reserved = names.filter(LambdaLimits.isReserved)
    guard reserved.isEmpty else {
      throw EnvelopeError(
        .invalidArgument, "AWS Lambda keeps these names for itself: \(EnvelopeError.listed(reserved))",
        advice: "Leave them out, or give them other names.", names: reserved)
    }
    let invalid = names.filter { !LambdaLimits.isValid($0) }
    guard invalid.isEmpty else {
      throw EnvelopeError(
        .invalidArgument, "AWS Lambda does not take these names: \(EnvelopeError.listed(invalid))",
        advice: "A name there begins with a letter and has two characters or more.", names: invalid)
    }
    guard budget.freeByteCount >= 0 || allowingOversize else {
      throw EnvelopeError(
        .invalidArgument,
        "The variables take \(budget.byteCount) bytes of the \(LambdaLimits.byteLimit) that AWS Lambda has for them",
        advice: budget.isPacked
          ? "Leave some out; --allow-oversize writes them all the same."
          : "Add --packed, which takes less; --allow-oversize writes them all the same.")
    }
  }
}

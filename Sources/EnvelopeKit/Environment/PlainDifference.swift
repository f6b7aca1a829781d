// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How the plain variables of a document differ from those that were sealed with it.
public struct PlainDifference: Sendable, Equatable {
  /// The names of variables that were not there, in ascending order.
  public let added: [String]
  /// The names of variables that had another value, in ascending order.
  public let changed: [String]
  /// How many variables were there and are not now; their names are not stored.
  public let missingCount: Int

  /// Whether the variables are those that were sealed with the document.
  public var isEmpty: Bool { added.isEmpty && changed.isEmpty && missingCount == 0 }
}

extension PlainDifference: CustomStringConvertible {
  /// One clause for each kind of difference, such as `added: LD_PRELOAD; changed: LOG_LEVEL; 1 missing`.
  ///
  /// Each clause shows at most 20 names, and counts the rest.
  public var description: String {
    var clauses: [String] = []
    if !added.isEmpty { clauses.append("added: \(EnvelopeError.listed(added))") }
    if !changed.isEmpty { clauses.append("changed: \(EnvelopeError.listed(changed))") }
    if missingCount > 0 { clauses.append("\(missingCount) missing") }
    return clauses.isEmpty ? "no difference" : clauses.joined(separator: "; ")
  }
}

extension EnvelopeError {
  static let plainVariablesUnknown = EnvelopeError(
    .invalidArgument, "The environment was not read as a document, so its plain variables are not known",
    advice: "Read it as a document.")

  /// The error for more plain variables than can have been sealed with the document.
  static func tooManyPlainVariables(_ count: Int) -> EnvelopeError {
    EnvelopeError(
      .plainVariablesAltered,
      "The document has \(count) plain variables, and at most \(PlainTags.countLimit) can have been sealed with it",
      advice: "Restore the document from where it was sealed.")
  }

  static func plainVariablesAltered(_ difference: PlainDifference) -> EnvelopeError {
    EnvelopeError(
      .plainVariablesAltered,
      "The plain variables differ from those that were sealed with the document (\(difference))",
      advice: "Restore the document from where it was sealed, or allow by name the variables that may differ.",
      names: (difference.added + difference.changed).sorted())
  }
}

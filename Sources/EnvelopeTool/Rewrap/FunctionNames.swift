// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The names of functions that a file itself gives: its comment, the member of an answer of AWS, and its own name.
enum FunctionNames {
  /// The most names that one file gives.
  static let limit = 4

  /// The names in the order in which to try them.
  static func candidates(in text: RawSpan, of path: String) -> [String] {
    var names: [String] = []
    if let name = FunctionComment.name(in: text) { names.append(name) }
    if VariablesText.isJSON(text), let name = try? VariablesJSON.functionName(in: text) { names.append(name) }
    return distinct(names + candidates(ofPath: path))
  }

  /// The names in the name of a file: `checkout` of `checkout.env`, and also of `checkout.prod.env`.
  static func candidates(ofPath path: String) -> [String] {
    let name = Path(path).name
    return distinct(
      [name.lastIndex(of: "."), name.firstIndex(of: ".")].compactMap { $0.map { String(name[..<$0]) } })
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { !$0.isEmpty && $0.utf8.count <= FunctionScope.byteLimit && seen.insert($0).inserted }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension OpenedDocument {
  /// The variables that there shall be after a user edited an earlier state of the document: the user's changes, and
  /// those that others made to other variables meanwhile.
  ///
  /// A plain variable stays plain; a new one is sealed, unless `envelope.yaml` names it plain.
  ///
  /// - Parameters:
  ///   - edited: All variables as the user left them.
  ///   - base: The document that the user was shown.
  ///   - names: The variables that are to be plain.
  /// - Throws: `changedMeanwhile` with the names of variables that both changed.
  func merging(
    _ edited: OpenedEnvironment, madeOf base: OpenedDocument, leavingPlain names: [String], in file: String
  ) throws(EnvelopeError) -> (secrets: OpenedEnvironment, plain: OpenedEnvironment) {
    let (before, now) = (try base.variables(), try variables())
    var (secrets, plain, conflicts): ([Secret], [Secret], [String]) = ([], [], [])
    for name in Set(before.names + now.names + edited.names).sorted() {
      let isChangedHere = !edited[name].isSame(as: before[name])
      let isChangedThere =
        !now[name].isSame(as: before[name]) || (document.plain[name] == nil) != (base.document.plain[name] == nil)
      if isChangedHere, isChangedThere, !edited[name].isSame(as: now[name]) { conflicts.append(name) }
      guard let secret = isChangedHere ? edited[name] : now[name] else { continue }
      // A variable that is sealed stays sealed: only `set --plain` makes it plain.
      let isPlain = document.plain[name] != nil || self.secrets[name] == nil && names.contains(name)
      if isPlain { plain.append(secret) } else { secrets.append(secret) }
    }
    guard conflicts.isEmpty else {
      throw EnvelopeError(
        .changedMeanwhile,
        "\(file.shown) was changed by another command meanwhile, in variables that you changed as well: "
          + EnvelopeError.listed(conflicts),
        advice: "Look at the file; what you save now replaces the other change.", names: conflicts)
    }
    return (try OpenedEnvironment(merging: secrets), try OpenedEnvironment(merging: plain))
  }
}

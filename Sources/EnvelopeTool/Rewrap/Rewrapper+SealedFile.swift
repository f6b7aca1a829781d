// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Rewrapper {
  /// Rewraps or reseals a sealed file of any length, which is never read into memory.
  ///
  /// A file that is under the right keys is opened for reading, which verifies its header and its last chunk, as is one
  /// that is rewrapped. The rest is verified only when the file is resealed: to rewrap many long files after a rotation
  /// must not take as long as to read them.
  mutating func rewrapSealedFile(at path: String, _ state: inout FileState) async throws {
    let header = try SealedFile.header(of: path)
    state.entries = header.wrappedKeys
    state.outcome = .unmatched
    let names = FunctionNames.candidates(ofPath: path)
    guard let index = try keys.search.index(for: header, in: path, naming: names, addsReaders: keys.wish.addsReaders)
    else { return }
    let plan = try await keys.plan(header.wrappedKeys, index, header.kind.use)
    let context = keys.search.candidates[index].context
    let opening = try await keys.opening(index, plan.entries)
    let isUnchanged = plan.isNothing && !options.reseals
    // A removed reader knows the data key, and could forge what the others accept.
    let reseals = options.reseals || !plan.lost.isEmpty && !options.keepsDataKey
    let sealing = reseals ? try await keys.sealing(plan, index) : nil
    try await EnvelopeError.advisingOptions(opening: plan.entries) {
      _ = try await SealedFile(at: path, context: context, using: opening, anonymousSender: sender)
      guard !isUnchanged, !options.isDryRun else { return }
      let lock = try Path(path).lock(.ofCommand)
      guard try SealedFile.header(of: path) == header else { throw EnvelopeError.fileChanged(path) }
      if let sealing {
        let progress = ByteProgress()
        defer { progress.clear() }
        var fileOptions = FileOptions(progress)
        fileOptions.isLockedByCaller = true
        try await SealedFile.reseal(
          at: path, context: context, options: fileOptions, using: opening, sealingWith: sealing,
          anonymousSender: sender)
      } else {
        var fileOptions = FileOptions(nil)
        fileOptions.isLockedByCaller = true
        try await SealedFile.rewrap(
          at: path, plan.rewrapping(), context: context, options: fileOptions, using: opening,
          anonymousSender: sender, allowingFormerReadersToForge: options.keepsDataKey)
      }
      _ = consume lock
    }
    state.outcome = isUnchanged ? .unchanged : reseals ? .resealed(plan) : .rewrapped(plan)
    if !options.isDryRun { state.entries = try SealedFile.header(of: path).wrappedKeys }
  }
}

extension EnvelopeError {
  fileprivate static func fileChanged(_ path: String) -> EnvelopeError {
    EnvelopeError(
      .changedMeanwhile, "\(path.shown) was changed by another command meanwhile, and was left as it is now",
      advice: "Run the command again.")
  }
}

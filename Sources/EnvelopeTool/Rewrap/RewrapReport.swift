// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What became of the files of a call, and what is still under older versions of the store's keys.
struct RewrapReport {
  /// The store as far as it was opened.
  var store: KeyStore
  private let options: Rewrapper.Options
  private var counts = (unchanged: 0, older: 0, rewrapped: 0, resealed: 0, notSealed: 0)
  private var unmatched: [String] = []
  private var keyStores: [String] = []
  private var failures: [(path: String, error: EnvelopeError)] = []
  /// The files that have something sealed amid other text, which is left alone.
  var sealedAmidText: [String] = []
  /// The files and folders that were left out.
  var leftOut: [String] = []
  /// By key, in the words of ``ToolKeys``, and version: the files that are still under it.
  private var remaining: [String: [String]] = [:]
  /// The same of versions that are newer than the store's.
  private var newer: [String: [String]] = [:]
  private var droppedReaders = 0
  /// What a dry run would change: path and change.
  private(set) var changes: [(path: String, change: String)] = []

  init(store: KeyStore, options: Rewrapper.Options) {
    self.store = store
    self.options = options
  }

  /// Notes what became of a file.
  ///
  /// - Parameter entries: The entries of its header as it is now.
  mutating func add(_ path: String, _ outcome: Rewrapper.Outcome, _ entries: [WrappedDataKey]) {
    switch outcome {
    case .notSealed: counts.notSealed += 1
    case .unchanged: if isUnderOlder(entries) { counts.older += 1 } else { counts.unchanged += 1 }
    case .rewrapped(let plan):
      counts.rewrapped += 1
      changes.append((path, "rewrap\(plan.description)"))
      if !plan.lost.isEmpty { droppedReaders += 1 }
    case .resealed(let plan):
      counts.resealed += 1
      changes.append((path, "reseal\(plan.description)"))
    case .unmatched: unmatched.append(path)
    case .keyStore: keyStores.append(path)
    case .failed(let error): failures.append((path, error))
    }
    for keyset in store.keysets {
      for entry in entries {
        guard keyset.owns(entry), let number = keyset.versionNumber(in: entry.keyID), number != keyset.primary else {
          continue
        }
        let version = "version \(number) of \(ToolKeys.describe(keyset, in: store))"
        if number < keyset.primary { remaining[version, default: []].append(path) }
        if number > keyset.primary, keyset.primary > 0 { newer[version, default: []].append(path) }
      }
    }
  }

  /// Whether one of the entries is under an older version of a key than the store has.
  private func isUnderOlder(_ entries: [WrappedDataKey]) -> Bool {
    entries.contains { entry in
      store.keysets.contains { keyset in
        keyset.owns(entry) && keyset.versionNumber(in: entry.keyID).map { $0 < keyset.primary } ?? false
      }
    }
  }

  /// The failure that the exit code tells; nil if every file is as it should be.
  ///
  /// Altered data goes before a missing or refusing key, and both before all others, of which the first counts.
  var failure: EnvelopeError.Code? {
    let codes = failures.map(\.error.code)
    return codes.first { ExitStatus($0) == .dataError } ?? codes.first { ExitStatus($0) == .noPermission } ?? codes
      .first
      ?? (unmatched.isEmpty ? nil : .contextDiffers)
  }

  /// Prints all of it on standard error.
  func say() {
    var advised: Set<String> = []
    for (path, failure) in failures {
      // What to do is said once, not for each of many files.
      let error = failure.withoutPlace(path)
      let isNew = advised.insert(error.advice).inserted
      Console.say("\(path.shown): \(isNew || error.advice.isEmpty ? error.sentences : "\(error.message).")")
    }
    if !unmatched.isEmpty {
      Console.say("Sealed for another function or context, and left alone:")
      for path in unmatched { Console.say("  \(path.shown)") }
      Console.say(
        "Name the function in envelope.yaml, or give it: --function NAME --context KEY=VALUE, or --no-function")
    }
    for path in keyStores {
      Console.say("\(path.shown): a locked key store, left alone. Lock it anew: envelope keys lock")
    }
    if !sealedAmidText.isEmpty {
      Console.say("With something sealed amid other text, which stays as it is:")
      list(sealedAmidText, all: true)
    }
    Console.say(summary)
    if droppedReaders > 0 {
      Console.say(
        "Removed readers may have kept the data keys: they can read values set later there, and forge what the others "
          + "accept.")
    }
    for (key, paths) in remaining.sorted(by: { $0.key < $1.key }) {
      Console.say("Still under \(key): \(files(paths.count)).")
      list(paths)
    }
    for (key, paths) in newer.sorted(by: { $0.key < $1.key }) {
      Console.say("Under \(key), which is newer than this key store has: \(files(paths.count)). Import that version.")
      list(paths)
    }
    if !leftOut.isEmpty {
      Console.say(
        "Left out, because .gitignore or envelope.yaml names \(leftOut.count == 1 ? "it" : "them") (search there, too: "
          + "--ignored):")
      list(leftOut, all: true)
    }
  }

  /// Prints paths: all of those that nobody looked into, or at most 20.
  private func list(_ paths: [String], all: Bool = false) {
    for path in all ? paths[...] : paths.prefix(20) { Console.say("  \(path.shown)") }
    if !all, paths.count > 20 { Console.say("  and \((paths.count - 20).grouped) more") }
  }

  private var summary: String {
    var parts: [String] = []
    let would = options.isDryRun
    if counts.rewrapped > 0 { parts.append("\(would ? "would rewrap" : "rewrapped") \(files(counts.rewrapped))") }
    if counts.resealed > 0 { parts.append("\(would ? "would reseal" : "resealed") \(files(counts.resealed))") }
    if counts.unchanged > 0 {
      parts.append("\(files(counts.unchanged)) as \(counts.unchanged == 1 ? "it" : "they") should be")
    }
    if counts.older > 0 { parts.append("\(files(counts.older)) left under an older version of a key") }
    if !unmatched.isEmpty { parts.append("\(unmatched.count.grouped) of another context") }
    if !failures.isEmpty { parts.append("\(failures.count.grouped) failed") }
    if counts.notSealed > 0 { parts.append("\(counts.notSealed.grouped) not sealed") }
    let text = parts.isEmpty ? "no files" : parts.joined(separator: ", ")
    let nothing = counts.rewrapped + counts.resealed == 0 && failures.isEmpty && unmatched.isEmpty
    return (nothing ? "Nothing to do: " : "") + (nothing ? text : text.prefix(1).uppercased() + text.dropFirst()) + "."
  }

  private func files(_ count: Int) -> String { "\(count.grouped) \(count == 1 ? "file" : "files")" }
}

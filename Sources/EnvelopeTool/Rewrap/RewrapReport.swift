// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What became of the files of a call, and what is still under older versions of the store's keys.
struct RewrapReport {
  private let store: KeyStore
  private let options: Rewrapper.Options
  private var counts = (unchanged: 0, unverified: 0, rewrapped: 0, resealed: 0, notSealed: 0)
  private var unmatched: [String] = []
  private var keyStores: [String] = []
  private var failures: [(path: String, error: EnvelopeError)] = []
  private var unreadable: [(path: String, error: EnvelopeError)] = []
  /// By key, in the words of ``ToolKeys``, and version: the files that are still under it.
  private var remaining: [String: [String]] = [:]
  private var keptDataKeys = 0
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
    case .unreadable(let error): unreadable.append((path, error))
    case .unchanged: counts.unchanged += 1
    case .unverified: counts.unverified += 1
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
        remaining["version \(number) of \(ToolKeys.describe(keyset, in: store))", default: []].append(path)
      }
    }
  }

  /// The first failure, for the exit code; nil where every file is as it shall be.
  var failure: EnvelopeError.Code? { failures.first?.error.code ?? (unmatched.isEmpty ? nil : .contextDiffers) }

  /// Tells all of it.
  func say() {
    for (path, error) in failures { Console.say("\(path.shown): \(error.withoutPlace(path))") }
    if !unmatched.isEmpty {
      Console.say("Of a context that is not known, and left alone:")
      for path in unmatched { Console.say("  \(path.shown)") }
      Console.say("Give it with --function and --context, or put it into envelope.yaml.")
    }
    for path in keyStores {
      Console.say("\(path.shown): a locked key store, left alone. Lock it anew: envelope keys lock")
    }
    for (path, error) in unreadable { Console.say("\(path.shown): not read: \(error.withoutPlace(path).message).") }
    Console.say(summary)
    if droppedReaders > 0 {
      Console.say(
        "Removed readers may have kept the data keys: they can read values set later there, and forge what the others "
          + "accept.")
    }
    for (key, paths) in remaining.sorted(by: { $0.key < $1.key }) {
      Console.say("Still under \(key): \(paths.count.grouped) \(paths.count == 1 ? "file" : "files").")
      for path in paths.prefix(20) { Console.say("  \(path.shown)") }
      if paths.count > 20 { Console.say("  and \((paths.count - 20).grouped) more") }
    }
  }

  private var summary: String {
    var parts: [String] = []
    let would = options.isDryRun
    if counts.rewrapped > 0 { parts.append("\(would ? "would rewrap" : "rewrapped") \(files(counts.rewrapped))") }
    if counts.resealed > 0 { parts.append("\(would ? "would reseal" : "resealed") \(files(counts.resealed))") }
    if counts.unchanged > 0 {
      parts.append("\(files(counts.unchanged)) as \(counts.unchanged == 1 ? "it" : "they") should be")
    }
    if counts.unverified > 0 {
      parts.append("\(files(counts.unverified)) not verified, because none of the keys is here")
    }
    if !unmatched.isEmpty { parts.append("\(unmatched.count.grouped) of another context") }
    if !failures.isEmpty { parts.append("\(failures.count.grouped) failed") }
    if !unreadable.isEmpty { parts.append("\(unreadable.count.grouped) not read") }
    if counts.notSealed > 0 { parts.append("\(counts.notSealed.grouped) not sealed") }
    let text = parts.isEmpty ? "no files" : parts.joined(separator: ", ")
    let nothing = counts.rewrapped + counts.resealed == 0 && failures.isEmpty && unmatched.isEmpty
    return (nothing ? "Nothing to do: " : "") + (nothing ? text : text.prefix(1).uppercased() + text.dropFirst()) + "."
  }

  private func files(_ count: Int) -> String { "\(count.grouped) \(count == 1 ? "file" : "files")" }
}

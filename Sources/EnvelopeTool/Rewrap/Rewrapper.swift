// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Brings files under other keys, one after the other, and keeps account.
struct Rewrapper {
  /// How a call wants it.
  struct Options {
    /// Whether nothing is written.
    var isDryRun = false
    /// Whether everything gets a new data key.
    var reseals = false
    /// Whether the data key stays if a reader is removed, who then can forge what the others accept.
    var keepsDataKey = false
    var acceptsAnonymousSender = false
    /// What a value was authenticated with, to seal it anew.
    var associatedData: [UInt8] = []
  }

  /// What became of a file.
  enum Outcome {
    case notSealed
    /// It looks as if something in it were sealed, as a page about that does, and cannot be read.
    case unreadable(EnvelopeError)
    case unchanged
    case rewrapped(RewrapPlan)
    case resealed(RewrapPlan)
    /// No context that is known is its own.
    case unmatched
    /// It is a key store that is locked, which has a command of its own.
    case keyStore
    case failed(EnvelopeError)
  }

  let options: Options
  private(set) var keys: RewrapKeys
  private(set) var report: RewrapReport

  init(_ options: Options, _ keys: RewrapKeys) {
    self.options = options
    self.keys = keys
    report = RewrapReport(store: keys.store, options: options)
  }

  /// Does one file, which is written whole or not at all.
  ///
  /// - Throws: What would befall every other file, too: an unreachable key service, say.
  mutating func rewrap(_ file: FileTree.Entry) async throws {
    var entries: [WrappedDataKey] = []
    do {
      let outcome: Outcome
      do {
        outcome = try await rewrap(file, &entries)
      } catch let error as EnvelopeError where error.code == .changedMeanwhile {
        // Somebody who does the same to the same tree has been here, and there may be nothing left to do.
        outcome = try await rewrap(file, &entries)
      }
      report.add(file.path, outcome, entries)
    } catch let error as EnvelopeError where !Self.befallsAll.contains(error.code) {
      report.add(file.path, .failed(error), entries)
    }
  }

  /// Notes a file or folder that could not be looked at.
  mutating func addFailure(_ path: String, _ error: EnvelopeError) { report.add(path, .failed(error), []) }

  private static let befallsAll: Set<EnvelopeError.Code> = [
    .keyServiceUnavailable, .keyServiceNotTrusted, .credentialsMissing, .credentialsRefused, .keyStoreLocked,
    .keyStoreDamaged, .filePermissions,
  ]

  private mutating func rewrap(_ file: FileTree.Entry, _ entries: inout [WrappedDataKey]) async throws -> Outcome {
    guard let bytes = try read(file) else { return .notSealed }
    let before: SealedFile
    do throws(EnvelopeError) {
      if file.isNamed {
        before = try SealedFile.require(bytes, of: file.path)
      } else {
        guard let sealed = try SealedFile(bytes, of: file.path) else { return .notSealed }
        before = sealed
      }
    } catch {
      // A page may show how something sealed looks: that is told, and no failure.
      guard !file.isNamed, error.code == .noVariables else { throw error }
      return .unreadable(error)
    }
    let header = try before.header()
    entries = header.wrappedKeys
    guard try !LockedKeyStore.isOf(header) else { return .keyStore }
    guard let index = try keys.search.index(for: header, in: file.path) else { return .unmatched }
    let plan = try await keys.plan(entries, index)
    guard options.reseals || !plan.isNothing else { return .unchanged }

    let (after, isNew) = try await change(before, plan, index)
    if !options.isDryRun { try Document.replace(file.path, bytes, with: after.text(replacing: before, in: bytes)) }
    entries = try after.header().wrappedKeys
    return isNew ? .resealed(plan) : .rewrapped(plan)
  }

  private mutating func change(
    _ before: SealedFile, _ plan: RewrapPlan, _ index: Int
  ) async throws -> (SealedFile, isNew: Bool) {
    let opening = try await keys.opening(index, plan.entries)
    let context = keys.search.candidates[index].context
    let sender: AnonymousSender = options.acceptsAnonymousSender ? .accepted : .refused
    // A removed reader knows the data key, and could forge what the others accept.
    let reseals = options.reseals || !plan.lost.isEmpty && !options.keepsDataKey
    switch before {
    case .value(let envelope, let form):
      guard reseals else {
        let rewrapped = try await Envelope.rewrap(
          [envelope], plan.rewrapping(), context: context, using: opening, anonymousSender: sender,
          allowingFormerReadersToForge: options.keepsDataKey)
        return (.value(rewrapped[0], form), false)
      }
      let resealed = try await Envelope.reseal(
        envelope, context: context, authenticating: options.associatedData, using: opening,
        sealingWith: keys.sealing(plan, index), anonymousSender: sender)
      return (.value(resealed, form), true)
    case .environment(let document, let sealed):
      guard reseals else {
        let rewrapped = try await sealed.rewrapped(
          plan.rewrapping(), context: context, using: opening, anonymousSender: sender,
          allowingFormerReadersToForge: options.keepsDataKey)
        return (.environment(document, rewrapped), false)
      }
      let resealed = try await sealed.resealed(
        context: context, using: opening, sealingWith: keys.sealing(plan, index), anonymousSender: sender)
      return (.environment(document, resealed), true)
    }
  }

  /// The file's bytes; nil where it is too long for anything sealed, and none was meant by naming it.
  private func read(_ file: FileTree.Entry) throws(EnvelopeError) -> SecretBytes? {
    let path = Path(file.path)
    if !file.isNamed {
      guard try path.openForReading().status(of: path).byteCount <= Document.byteLimit else { return nil }
    }
    return try Document.readText(file.path)
  }
}

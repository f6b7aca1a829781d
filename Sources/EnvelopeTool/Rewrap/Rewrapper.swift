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
    /// The names of plain variables that may differ from those that were sealed with a file.
    var changeablePlain: Set<String> = []
    /// What values were authenticated with, to verify them and to seal them anew.
    var associatedData: [UInt8] = []
  }

  /// What became of a file.
  enum Outcome {
    case notSealed
    /// It is under the right keys, and verifies.
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
  var keys: RewrapKeys
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
    var state = FileState()
    do {
      try await rewrap(file, &state)
      report.store = keys.store
      report.add(file.path, state.outcome, state.entries)
      if state.holdsMore { report.sealedAmidText.append(file.path) }
    } catch let error as EnvelopeError where !Self.befallsAll.contains(error.code) {
      report.store = keys.store
      report.add(file.path, .failed(error), state.entries)
    }
  }

  /// Notes what was left out of the folders.
  mutating func addLeftOut(_ paths: [String]) { report.leftOut += paths }

  /// Notes a file or folder that could not be looked at.
  mutating func addFailure(_ path: String, _ error: EnvelopeError) { report.add(path, .failed(error), []) }

  static let befallsAll: Set<EnvelopeError.Code> = [
    .keyServiceUnavailable, .keyServiceNotTrusted, .credentialsMissing, .credentialsRefused, .keyStoreLocked,
    .keyStoreDamaged, .filePermissions,
  ]

  /// How far the work on a file has come.
  struct FileState {
    var outcome = Outcome.notSealed
    /// The entries of its header as far as it was read, or as it is now.
    var entries: [WrappedDataKey] = []
    /// Whether something is sealed in it beside what was looked at.
    var holdsMore = false
  }

  private mutating func rewrap(_ file: FileTree.Entry, _ state: inout FileState) async throws {
    if Path(file.path).beginsAsSealedFile { return try await rewrapSealedFile(at: file.path, &state) }
    if LogFile.isLog(at: file.path) { return try await rewrapLog(at: file.path, &state) }
    guard try file.isNamed || !isTooLong(file) else { return }
    try await Document.exchange(file.path, revealing: false, reading: Document.readText) { bytes in
      try await rewrap(file, bytes, &state)
    }
  }

  /// Returns a file's new text; nil to leave it as it is.
  private mutating func rewrap(
    _ file: FileTree.Entry, _ bytes: borrowing SecretBytes, _ state: inout FileState
  ) async throws -> SecretBytes? {
    state = FileState()
    let before: SealedContent
    if file.isNamed {
      before = try SealedContent.require(bytes, of: file.path)
    } else {
      guard let sealed = try SealedContent(bytes, of: file.path) else {
        state.holdsMore = bytes.withBytes { $0.holdsEnvelope(orHeader: true) || $0.holdsHeaderLine }
        return nil
      }
      before = sealed
    }
    if case .environment = before { state.holdsMore = bytes.withBytes { $0.holdsEnvelope(orHeader: false) } }
    let header = try before.header()
    state.entries = header.wrappedKeys
    state.outcome = .keyStore
    guard try !LockedKeyStore.isOf(header) else { return nil }
    state.outcome = .unmatched
    let names = bytes.withBytes { FunctionNames.candidates(in: $0, of: file.path) }
    guard
      let index = try keys.search.index(for: header, in: file.path, naming: names, addsReaders: keys.wish.addsReaders)
    else { return nil }
    let plan = try await keys.plan(state.entries, index, header.kind.use)
    guard options.reseals || !plan.isNothing else {
      try await verify(before, plan, index)
      state.outcome = .unchanged
      return nil
    }

    let (after, isNew) = try await change(before, plan, index)
    state.entries = try after.header().wrappedKeys
    state.outcome = isNew ? .resealed(plan) : .rewrapped(plan)
    guard !options.isDryRun else { return nil }
    let text = try after.text(replacing: before, in: bytes)
    try Document.checkIsReadAgain(text)
    return text
  }

  var sender: AnonymousSender { options.acceptsAnonymousSender ? .accepted : .refused }

  /// Opens a file that is under the right keys: it is as it should be only if all of it verifies.
  ///
  /// - Throws: What opening throws, also if none of its keys is here.
  private mutating func verify(_ file: SealedContent, _ plan: RewrapPlan, _ index: Int) async throws {
    let context = keys.search.candidates[index].context
    let opening = try await keys.opening(index, plan.entries)
    try await EnvelopeError.advisingOptions(opening: plan.entries) {
      switch file {
      case .value(let envelope, _): try await verify(envelope, context, opening)
      case .environment(_, let sealed):
        _ = try await sealed.allowing(plain: options.changeablePlain).open(
          context: context, using: opening, anonymousSender: sender)
      }
    }
  }

  private func verify(_ envelope: [UInt8], _ context: EncryptionContext, _ opening: MultiKeyring) async throws {
    let opener = try await Opener(for: envelope, context: context, using: opening, anonymousSender: sender)
    try await SealedContent.advisingAssociatedData {
      _ = try opener.open(envelope, authenticating: options.associatedData)
    }
  }

  private mutating func change(
    _ before: SealedContent, _ plan: RewrapPlan, _ index: Int
  ) async throws -> (SealedContent, isNew: Bool) {
    let opening = try await keys.opening(index, plan.entries)
    let context = keys.search.candidates[index].context
    // A removed reader knows the data key, and could forge what the others accept.
    let reseals = options.reseals || !plan.lost.isEmpty && !options.keepsDataKey
    switch before {
    case .value(let envelope, let form):
      guard reseals else {
        // Rewrapping does not look at the payload.
        try await EnvelopeError.advisingOptions { try await verify(envelope, context, opening) }
        let rewrapped = try await Envelope.rewrap(
          [envelope], plan.rewrapping(), context: context, using: opening, anonymousSender: sender,
          allowingFormerReadersToForge: options.keepsDataKey)
        return (.value(rewrapped[0], form), false)
      }
      let resealed = try await EnvelopeError.advisingOptions {
        try await SealedContent.advisingAssociatedData {
          try await Envelope.reseal(
            envelope, context: context, authenticating: options.associatedData, using: opening,
            sealingWith: keys.sealing(plan, index), anonymousSender: sender)
        }
      }
      return (.value(resealed, form), true)
    case .environment(let document, let environment):
      let sealed = environment.allowing(plain: options.changeablePlain)
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

  /// Whether a file is too long for anything sealed.
  ///
  /// - Throws: `fileFailure` if it is too long and may hold something sealed all the same.
  private func isTooLong(_ file: FileTree.Entry) throws(EnvelopeError) -> Bool {
    let path = Path(file.path)
    let descriptor = try path.openForReading()
    let byteCount = try descriptor.status(of: path).byteCount
    guard byteCount > Document.byteLimit else { return false }
    guard try !LongFile.mayHoldSealed(descriptor, byteCount: byteCount, of: path) else {
      throw EnvelopeError(
        .fileFailure,
        "It is longer than \(Document.byteLimit.grouped) bytes and seems to hold something sealed, so it was not looked at",
        advice: "Take it from where it was sealed, or remove it.")
    }
    return true
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Why a file opens or does not, step by step, without a secret.
struct Explanation {
  /// What is asked.
  struct Question {
    let file: String
    let search: ContextSearch
    /// Contexts that are tried when none of those fits: the same functions without their further pairs, and others'.
    let guesses: ContextSearch
    /// The keys of AWS KMS that are named.
    let named: [String]
    let minimumGeneration: UInt32
    let associatedData: [UInt8]
    let acceptsAnonymousSender: Bool

    fileprivate var anonymousSender: AnonymousSender { acceptsAnonymousSender ? .accepted : .refused }
  }

  private var lines: [String] = []
  /// Why it does not open; nil where it does.
  private(set) var failure: EnvelopeError?
  /// What is to blame, where the failure's code alone does not tell.
  private var cause: Cause?

  init(_ question: Question) async throws {
    do {
      try await look(question)
    } catch let error as EnvelopeError {
      failure = error
    }
  }

  /// One line for each step, and the outcome.
  var text: String {
    guard let failure else { return Self.text(lines + ["It opens."]) }
    let cause = cause ?? Cause(failure.code)
    var lines = lines
    lines.append("It does not open, because of \(cause.rawValue) (\(failure.code.rawValue)): \(failure.message).")
    if let service = failure.serviceError { lines.append("The key service calls it \(service).") }
    if !failure.advice.isEmpty { lines.append("What to do: \(failure.advice)") }
    return Self.text(lines)
  }

  /// One line each, also if text from outside was not quoted.
  private static func text(_ lines: [String]) -> String { lines.map { EnvelopeError.escaped($0) + "\n" }.joined() }

  private mutating func look(_ question: Question) async throws {
    if LogFile.isLog(at: question.file) { return try await look(LogFile(at: question.file), question) }
    let input = try SealedInput.read(question.file)
    switch consume input {
    case .file(let stream): return try await look(stream, question)
    case .text(let bytes): try await look(bytes, question)
    }
  }

  private mutating func look(_ bytes: borrowing SecretBytes, _ question: Question) async throws {
    let sealed: SealedContent
    do throws(EnvelopeError) {
      sealed = try SealedContent.require(bytes, of: question.file)
    } catch {
      // It is not damaged: it never was sealed.
      if error == Document.nothingSealed(in: question.file) { cause = .call }
      throw error
    }
    let names = bytes.withBytes { FunctionNames.candidates(in: $0, of: question.file) }
    let header = try sealed.header()
    lines.append("\(sealed.description), suite \(header.suite)")
    if try LockedKeyStore.isOf(header) {
      lines.append("context: a locked key store's")
      throw EnvelopeError(
        .keyStoreLocked, "It is a key store that is locked",
        advice: "Set ENVELOPE_STORE to it, and see: envelope keys list")
    }
    let candidate = try findContext(of: header, naming: names, question)
    try await open(sealed, candidate, question)
  }

  private mutating func look(_ stream: borrowing SealedFileStream, _ question: Question) async throws {
    let (header, chunkByteCount) = (stream.header, stream.header.form.chunkSize?.byteCount ?? 0)
    lines.append("a sealed file in chunks of \(chunkByteCount.grouped) bytes, suite \(header.suite)")
    let names = FunctionNames.candidates(ofPath: question.file)
    let candidate = try findContext(of: header, naming: names, question)
    let keyring = try await findKeys(of: header, candidate, question)
    var opener = try await EnvelopeError.advisingOptions(opening: header.wrappedKeys) {
      try await StreamOpener(
        header: header.bytes, context: candidate.context, using: keyring, anonymousSender: question.anonymousSender)
    }
    lines.append("header: verifies")
    var (byteCount, chunkCount) = (0, 0)
    let count = { (chunk: RawSpan) throws(EnvelopeError) in
      byteCount += chunk.byteCount
      chunkCount += 1
    }
    do throws(EnvelopeError) {
      while case let part = try stream.next(), !part.isEmpty { try unsafe opener.append(part.span.bytes, count) }
      try opener.finish(count)
    } catch {
      if error.code == .payloadAltered || error.code == .malformed {
        lines.append(
          "chunks: \(chunkCount.grouped) verified; the next one, from byte \(byteCount.grouped) on, does not, or the file "
            + "was cut after it")
      }
      throw error
    }
    lines.append("payload: \(byteCount.grouped) bytes in \(chunkCount.counted("chunk")) verified")
  }

  /// Looks at the segments of a log; ``LogsCommand/Verify`` looks at the records.
  private mutating func look(_ log: borrowing LogFile, _ question: Question) async throws {
    let segments = log.segments
    lines.append("a log of \(segments.count.counted("segment")) and \(log.recordCount.counted("record"))")
    guard let first = segments.first?.headers.first else {
      throw EnvelopeError(
        .noHeader, "No segment has a header that is not damaged", advice: "Take the log from where it was written.")
    }
    let names = FunctionNames.candidates(ofPath: question.file)
    let candidate = try findContext(of: first, naming: names, question)
    let keyring = try await findKeys(of: first, candidate, question)
    var count = 0
    for header in segments.map(\.headers[0]) where try header.matches(canonicalContext: candidate.canonical) {
      try await EnvelopeError.advisingOptions(opening: header.wrappedKeys) {
        try await RecordSegment.verify(
          header.bytes, context: candidate.context, using: keyring, anonymousSender: question.anonymousSender)
      }
      count += 1
    }
    lines.append("headers: \(count == segments.count ? "all" : "\(count)") verify")
    if count < segments.count { lines.append("segments of other contexts: \(segments.count - count)") }
    lines.append("records: not verified; see envelope logs verify FILE")
    guard log.damagedLines.isEmpty else {
      throw EnvelopeError(
        .headerAltered, "Line \(log.damagedLines[0]) has a damaged header",
        advice: "Find out what else is damaged: envelope logs verify FILE")
    }
  }

  private mutating func findContext(
    of header: Header, naming names: [String], _ question: Question
  ) throws(EnvelopeError) -> ContextSearch.Candidate {
    var search = question.search
    if let index = try search.index(for: header, in: question.file, naming: names) {
      let candidate = search.candidates[index]
      let isGiven = question.search.candidates.indices.contains(index)
      lines.append(
        isGiven || candidate.function != nil
          ? "context: \(isGiven ? "as given" : "as the file itself says,") for \(candidate.name)"
          : "context: none but what is given, for no function")
      return candidate
    }
    guard !question.search.candidates.isEmpty else {
      throw EnvelopeError(
        .usage, "It is not known which function or context it was sealed for",
        advice: "Give it: --function NAME --context KEY=VALUE, or --no-function.")
    }
    let names = question.search.candidates.map(\.name).joined(separator: ", ")
    lines.append("context: differs from \(names)")
    var advice = "Give the same function name and context as when it was sealed."
    if let index = try question.guesses.index(for: header, in: question.file) {
      let guess = question.guesses.candidates[index]
      let others = guess.context.pairs.filter { $0.key != "function" }.map { "\($0.key.shown)=\($0.value.shown)" }
      let pairs = others.isEmpty ? "no further pairs" : others.joined(separator: ", ")
      lines.append("context: fits \(guess.name) with \(pairs)")
      advice = "It was sealed for \(guess.name) with \(pairs): give these."
    }
    throw EnvelopeError(
      .contextDiffers, "It was sealed for another context, or its header was altered", advice: advice)
  }

  /// Shows whose key each entry of a header is under, and returns a keyring that opens with them.
  private mutating func findKeys(
    of header: Header, _ candidate: ContextSearch.Candidate, _ question: Question
  ) async throws -> MultiKeyring {
    let entries = header.wrappedKeys
    let kms = (question.named + candidate.keys).filter(ToolKeys.isKMS)
    let store: KeyStore?
    do {
      // A locked store is opened only if no named key of AWS KMS opens, and nothing of AWS KMS alone needs it.
      let isLeft = try entries.allSatisfy { $0.scheme == .awsKMS } || !kms.isEmpty && ToolStore.isLocked
      store = isLeft ? nil : try await ToolStore.load()
    } catch let error as EnvelopeError {
      // The file may be as it should be.
      if [.unsupportedVersion, .unsupportedSuite, .malformed, .fileFailure].contains(error.code) { cause = .keyStore }
      throw error
    }
    let keyring: MultiKeyring
    do {
      keyring = try await ToolKeys.opening(entries, kms: kms, candidate.keyService)
    } catch {
      for entry in entries { lines.append("key \(entry.scheme) \(entry.keyID): not here") }
      throw error
    }
    let keyringContext = try candidate.context.forKeyrings(header.kind.use)
    // Those of AWS KMS first: if one unwraps, a locked store stays closed.
    var isOpened = false
    for entry in entries where entry.scheme == .awsKMS {
      if await tell(entry, keyringContext, store ?? KeyStore(), keyring) { isOpened = true }
    }
    for entry in entries where entry.scheme != .awsKMS {
      guard try store != nil || !isOpened || !ToolStore.isLocked else {
        lines.append("key \(entry.scheme) \(entry.keyID): the key store is locked, and not needed")
        continue
      }
      await tell(entry, keyringContext, store ?? KeyStore(), keyring)
    }
    return keyring
  }

  private mutating func open(
    _ sealed: SealedContent, _ candidate: ContextSearch.Candidate, _ question: Question
  ) async throws {
    let header = try sealed.header()
    let entries = header.wrappedKeys
    let keyring = try await findKeys(of: header, candidate, question)
    let sender = question.anonymousSender
    switch sealed {
    case .environment(let document, let environment):
      let opened = try await EnvelopeError.advisingOptions(opening: entries) {
        try await environment.open(
          context: candidate.context, using: keyring, minimumGeneration: question.minimumGeneration,
          anonymousSender: sender)
      }
      lines.append("variables: \(opened.names.count) verified")
      let plain = document.plain.names
      if !plain.isEmpty { lines.append("plain variables: \(plain.count) verified: \(plain.joined(separator: ", "))") }
    case .value(let envelope, _):
      let opener = try await EnvelopeError.advisingOptions(opening: entries) {
        try await Opener(for: envelope, context: candidate.context, using: keyring, anonymousSender: sender)
      }
      lines.append("header: verifies")
      try await SealedContent.advisingAssociatedData {
        _ = try opener.open(envelope, authenticating: question.associatedData)
      }
    }
  }

  /// Adds a line about an entry: whose key it is under, and whether it unwraps.
  ///
  /// - Returns: Whether it unwraps.
  @discardableResult
  private mutating func tell(
    _ entry: WrappedDataKey, _ context: EncryptionContext, _ store: KeyStore, _ keyring: MultiKeyring
  ) async -> Bool {
    var unwraps = false
    var line = "key \(entry.scheme) \(entry.keyID): "
    if let keyset = store.keysets.first(where: { $0.owns(entry) }) {
      line += "\(ToolKeys.describe(keyset, in: store)) of the key store"
      let numbers = keyset.versions.map(\.number)
      if let number = keyset.versionNumber(in: entry.keyID), let last = numbers.last, !numbers.contains(number) {
        line += ", which has no version \(number) here, the newest is \(last)"
      }
      line += ": "
    }
    do {
      _ = try await keyring.unwrap([entry], for: context)
      line += "unwraps"
      unwraps = true
    } catch let error as EnvelopeError where error.code == .keyNotFound && error.serviceError == nil {
      line += store.keysets.contains { $0.owns(entry) } ? "\(error.message)" : "not here"
    } catch let error as EnvelopeError {
      line += "\(error.message)"
    } catch {
      line += "\(error)"
    }
    lines.append(line)
    return unwraps
  }
}

extension SealedContent: CustomStringConvertible {
  /// What it is in words.
  var description: String {
    switch self {
    case .environment(_, let sealed) where sealed.form == .packed:
      "a packed environment, generation \(sealed.generation)"
    case .environment(_, let sealed):
      "an environment of \(sealed.names.count.counted("variable")), generation \(sealed.generation)"
    case .value(let envelope, _): "a value of \(envelope.count.grouped) bytes, sealed"
    }
  }
}

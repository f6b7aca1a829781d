// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// Verifies the whole environment and opens it, with one call to the keyring.
  ///
  /// - Parameters:
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - minimumGeneration: The lowest generation to accept; 0 accepts any.
  ///   - sender: Whether to accept an environment that was opened through the entry of a recipient.
  /// - Returns: The sealed variables. Those of ``plain`` have been verified if the environment was read from a document.
  /// - Throws: `contextDiffers`, `headerAltered`, `anonymousSender`; `variablesAltered`, `variablesAdded`,
  ///   `variablesMissing`, `variablePutBack` or (packed) `payloadAltered`, `malformed`; `plainVariablesAltered` if it was
  ///   read from a document; `staleGeneration`; `invalidArgument` for a context that breaks a limit; or what the keyring
  ///   throws.
  public func open(
    context: EncryptionContext, using keyring: some Keyring, minimumGeneration: UInt32 = 0,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> OpenedEnvironment {
    try await openReporting(
      context: context, using: keyring, minimumGeneration: minimumGeneration, anonymousSender: sender
    ).secrets
  }

  /// Opens it and reports the result to the keyring's observer; the tags are those of the plain variables as sealed.
  func openReporting(
    context: EncryptionContext, using keyring: some Keyring, minimumGeneration: UInt32 = 0,
    anonymousSender sender: AnonymousSender
  ) async throws -> (secrets: OpenedEnvironment, tags: PlainTags) {
    do {
      let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring, anonymousSender: sender)
      let opened = try open(with: unlocked)
      guard generation >= minimumGeneration else {
        throw EnvelopeError(
          .staleGeneration,
          "The environment's generation \(generation) is lower than the required \(minimumGeneration)",
          advice: "Deploy the variables that were sealed last.")
      }
      keyring.observer?.observe(EnvelopeEvent(.opened, source: opened.secrets.source))
      return opened
    } catch {
      keyring.observer?.observe(EnvelopeEvent(.openFailed, failure: error))
      throw error
    }
  }

  /// Opens the sealed variables and compares no plain ones; an anonymous sender is refused.
  ///
  /// - Throws: What ``open(context:using:minimumGeneration:anonymousSender:)`` throws, but for `plainVariablesAltered`.
  package func openSealed(
    context: EncryptionContext, using keyring: some Keyring
  ) async throws -> OpenedEnvironment {
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring, anonymousSender: .refused)
    return try openSealed(with: unlocked).secrets
  }

  /// Verifies everything, and opens the variables; the tags of the plain ones are those that were sealed.
  func open(
    with unlocked: borrowing UnlockedHeader
  ) throws(EnvelopeError) -> (secrets: OpenedEnvironment, tags: PlainTags) {
    let (secrets, tags) = try openSealed(with: unlocked)
    guard let plain else { return (secrets, tags) }
    let count = plain.names.count { !allowedPlain.contains($0) }
    // More variables than tags: one of them cannot match. No tag is computed for what an attacker may have made long.
    guard count <= PlainTags.countLimit else { throw .tooManyPlainVariables(count) }
    let difference = try tags.difference(from: plain, allowing: allowedPlain, keys: unlocked.keys)
    // Sealing refuses a name that is plain and sealed at once: such a variable counts as added, even if it may differ.
    let both = Set(plain.names.filter { secrets[$0] != nil })
    guard difference.isEmpty, both.isEmpty else {
      throw .plainVariablesAltered(
        PlainDifference(
          added: both.union(difference.added).sorted(), changed: difference.changed.filter { !both.contains($0) },
          missingCount: difference.missingCount))
    }
    return (secrets, tags)
  }

  /// Verifies and opens the sealed variables; the plain ones are not compared.
  func openSealed(
    with unlocked: borrowing UnlockedHeader
  ) throws(EnvelopeError) -> (secrets: OpenedEnvironment, tags: PlainTags) {
    switch payload {
    case .separate(let trailer, let entries): (try open(entries, trailer, with: unlocked), trailer.plain)
    case .packed(let sealed): try Self.unpack(sealed, generation: generation, with: unlocked)
    }
  }

  private func open(
    _ entries: [Entry], _ trailer: Trailer, with unlocked: borrowing UnlockedHeader
  ) throws(EnvelopeError) -> OpenedEnvironment {
    let opened = try Self.openEach(entries, generation: generation, with: unlocked)
    let expected = try Self.manifest(
      generation: generation, plain: trailer.plain, entries: entries, keys: unlocked.keys)
    // The manifest covers both, but a count that differs can be reported more exactly.
    guard entries.count == Int(trailer.count) else {
      var replacements: [String] = []
      if let plain, entries.count < Int(trailer.count), plain.names.count <= PlainTags.countLimit {
        replacements = try trailer.plain.difference(from: plain, allowing: [], keys: unlocked.keys).added
      }
      throw .miscounted(entries.count, of: Int(trailer.count), replacements: replacements)
    }
    guard expected.equalsInConstantTime(trailer.manifest) else {
      throw EnvelopeError(
        .variablePutBack,
        "Each variable verifies, but not all together: one was rolled back to an earlier value, or the trailer was "
          + "altered",
        advice: "Restore all variables from where they were sealed; after a merge of two edits: envelope accept FILE")
    }
    return opened
  }

  /// Opens every entry, and tells the names of all that do not verify; the manifest is not looked at.
  static func openEach(
    _ entries: [Entry], generation: UInt32, with unlocked: borrowing UnlockedHeader
  ) throws(EnvelopeError) -> OpenedEnvironment {
    let aead = AEAD.chaCha20Poly1305
    let key = try unlocked.keys.key(.payload)
    var opened: [OpenedEnvironment.Entry] = []
    opened.reserveCapacity(entries.count)
    var altered: [String] = []
    let capacity = entries.reduce(0) { $0 + $1.sealed.count - aead.overheadByteCount }
    // A span lends its elements; an array's would be copied.
    let entries = entries.span
    let memory = try GuardedMemory(capacity: capacity) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        for index in entries.indices {
          let start = output.byteCount
          do throws(EnvelopeError) {
            try entries[index].name.withUTF8Bytes { (name) throws(EnvelopeError) in
              try unsafe aead.open(entries[index].sealed.span.bytes, authenticating: name, key: key, into: &output)
            }
          } catch {
            guard error.code == .payloadAltered else { throw error }
            altered.append(entries[index].name)
          }
          opened.append(OpenedEnvironment.Entry(name: entries[index].name, range: start..<output.byteCount))
        }
      }
    }
    guard altered.isEmpty else {
      throw EnvelopeError(
        .variablesAltered,
        (altered.count == 1 ? "The variable \(altered[0]) was" : "Variables were") + " altered, swapped or renamed"
          + (altered.count == 1 ? "" : ": \(EnvelopeError.listed(altered))"),
        advice: "Restore \(altered.count == 1 ? "it" : "them") from where the environment was sealed.", names: altered)
    }
    return OpenedEnvironment(opened, in: memory, generation: generation, source: unlocked.source)
  }

  private static func unpack(
    _ sealed: [UInt8], generation: UInt32, with unlocked: borrowing UnlockedHeader
  ) throws(EnvelopeError) -> (OpenedEnvironment, PlainTags) {
    var associatedData: [UInt8] = []
    associatedData.append(bigEndian: generation)
    let aead = AEAD.xChaCha20Poly1305
    let key = try unlocked.keys.key(.payload)
    let plaintext = try SecretBytes(byteCount: sealed.count - aead.overheadByteCount) {
      (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe aead.open(
          sealed.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
      }
    }
    var tags = PlainTags.none
    let opened = try OpenedEnvironment(
      capacity: plaintext.byteCount, generation: generation, source: unlocked.source
    ) { (output, index) throws(EnvelopeError) in
      try plaintext.withBytes { (bytes) throws(EnvelopeError) in
        var reader = PackedReader(end: bytes.byteCount)
        let plainRange = try reader.take(reader.takeUInt16(of: bytes))
        tags = try PlainTags([UInt8](copying: bytes.extracting(plainRange)))
        var previous = ""
        for _ in 0..<(try reader.takeUInt16(of: bytes)) {
          let nameRange = try reader.take(reader.takeUInt16(of: bytes))
          let name = String(decoding: [UInt8](copying: bytes.extracting(nameRange)), as: UTF8.self)
          // The name is plaintext, and where lengths are off even part of a value: it is not told.
          guard (try? VariableName.check(name)) != nil, previous < name else {
            throw PackedReader.miswritten
          }
          let valueRange = try reader.take(reader.takeUInt16(of: bytes))
          output.append(bytes.extracting(valueRange))
          try index.add(name, endingAt: output.byteCount)
          previous = name
        }
        guard reader.position == bytes.byteCount else { throw PackedReader.miswritten }
      }
    }
    return (opened, tags)
  }
}

/// Walks through the plaintext of a packed environment, which verified and still may have been written wrongly.
private struct PackedReader {
  private(set) var position = 0
  private let end: Int

  init(end: Int) { self.end = end }

  static let miswritten = EnvelopeError(
    .malformed, "The packed environment is invalid: its lengths, its names or their order are wrong")

  mutating func take(_ count: UInt16) throws(EnvelopeError) -> Range<Int> {
    guard Int(count) <= end - position else { throw Self.miswritten }
    defer { position += Int(count) }
    return position..<position + Int(count)
  }

  mutating func takeUInt16(of bytes: RawSpan) throws(EnvelopeError) -> UInt16 {
    let range = try take(2)
    return unsafe UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: UInt16.self))
  }
}

extension EnvelopeError {
  /// - Parameter replacements: Plain variables of the document that were not plain when it was sealed.
  fileprivate static func miscounted(_ found: Int, of count: Int, replacements: [String]) -> EnvelopeError {
    let difference = abs(found - count)
    let variables = difference == 1 ? "variable was" : "variables were"
    guard replacements.isEmpty else {
      return EnvelopeError(
        .variablesMissing,
        "\(difference) sealed \(variables) removed since sealing, and plain ones were added: a sealed variable may have "
          + "been replaced by a plain one (\(listed(replacements)))",
        advice: "Restore the document from where it was sealed.", names: replacements)
    }
    return found > count
      ? EnvelopeError(
        .variablesAdded, "\(difference) sealed \(variables) added since sealing",
        advice: "Remove what was added; after a merge of two edits: envelope accept FILE")
      : EnvelopeError(
        .variablesMissing, "\(difference) sealed \(variables) removed since sealing",
        advice: "Restore what was removed; after a merge of two edits: envelope accept FILE")
  }
}

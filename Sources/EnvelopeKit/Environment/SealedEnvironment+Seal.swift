// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// Seals variables under a new data key.
  ///
  /// - Parameters:
  ///   - values: Names to values; at most 65,535, in the packed form each at most 65,535 bytes long.
  ///   - plain: The plain variables that will stand beside them in a document, which are authenticated; at most 4,095,
  ///     each adding 16 bytes. Nil for none.
  ///   - form: How to lay the sealed variables out.
  ///   - context: Pairs that must be given again to open; a handler expects `function`, the function's name.
  ///   - keyring: Wraps the data key.
  ///   - previous: The environment that this one replaces: the new generation follows its generation, which is not
  ///     verified.
  /// - Throws: `invalidArgument` for a name, a value or a context that breaks a limit, a name that is both sealed and
  ///   plain, or a previous generation more than a day ahead of the clock: resealing verifies it and then counts on
  ///   it. Else what the keyring throws.
  public static func seal(
    _ values: OpenedEnvironment, beside plain: OpenedEnvironment? = nil, as form: Form = .separate,
    context: EncryptionContext, using keyring: some Keyring, after previous: SealedEnvironment? = nil
  ) async throws -> SealedEnvironment {
    if let previous, previous.hasImplausibleGeneration {
      throw EnvelopeError(
        .invalidArgument,
        "The generation \(previous.generation) of the environment to replace is more than a day ahead of the clock",
        advice: "Reseal that environment, which verifies the generation, or seal without it.")
    }
    var next: UInt32?
    if let previous { next = try generation(after: previous.generation) }
    return try await seal(values, beside: plain, as: form, context: context, using: keyring, generation: next)
  }

  /// Seals strings under a new data key; see the other method of this name.
  public static func seal(
    _ values: [String: String], beside plain: [String: String] = [:], as form: Form = .separate,
    context: EncryptionContext, using keyring: some Keyring, after previous: SealedEnvironment? = nil
  ) async throws -> SealedEnvironment {
    try await seal(
      OpenedEnvironment(values), beside: plain.isEmpty ? nil : OpenedEnvironment(plain), as: form, context: context,
      using: keyring, after: previous)
  }

  /// Seals variables under a new data key with a generation that has been decided on; nil takes the time now.
  package static func seal(
    _ values: OpenedEnvironment, beside plain: OpenedEnvironment?, as form: Form, context: EncryptionContext,
    using keyring: some Keyring, generation: UInt32?
  ) async throws -> SealedEnvironment {
    try checkLimits(of: values, beside: plain, as: form)
    let header: Header.Form = form == .packed ? .packedEnvironment : .environment
    let unlocked = try await UnlockedHeader.make(header, context: context, using: keyring)
    let tags = try plain.map { (plain) throws(EnvelopeError) in try PlainTags(of: plain, keys: unlocked.keys) }
    return try seal(
      values, as: form, under: unlocked, generation: generation ?? UInt32(clamping: Clock.now), tags: tags ?? .none,
      keeping: [:]
    ).with(plain: plain, allowing: [])
  }

  /// The same environment as a document with these plain variables.
  func with(plain: OpenedEnvironment?, allowing allowed: Set<String>) -> SealedEnvironment {
    SealedEnvironment(header: header, generation: generation, payload: payload, plain: plain, allowedPlain: allowed)
  }

  static func checkLimits(
    of values: OpenedEnvironment, beside plain: OpenedEnvironment?, as form: Form
  ) throws(EnvelopeError) {
    for plain in plain?.secrets ?? [] {
      try VariableName.checkNotReserved(plain.name)
      guard values[plain.name] == nil else {
        throw EnvelopeError(
          .invalidArgument, "The variable \(plain.name) is both sealed and plain", advice: "Remove one of the two.",
          names: [plain.name])
      }
      guard !plain.looksSealed else {
        throw EnvelopeError(
          .invalidArgument, "The plain variable \(plain.name) begins like a sealed one",
          advice: "Give it another value.",
          names: [plain.name])
      }
    }
    guard values.entries.count <= countLimit else {
      throw EnvelopeError(.invalidArgument, "An environment holds at most \(countLimit) variables")
    }
    for entry in values.entries {
      let name = entry.name
      try VariableName.checkNotReserved(name)
      guard entry.range.count <= sealedByteLimit - AEAD.chaCha20Poly1305.overheadByteCount else {
        throw EnvelopeError(.invalidArgument, "The variable \(name) is longer than 4 GiB", names: [name])
      }
      guard form == .separate || entry.range.count <= Int(UInt16.max) else {
        throw EnvelopeError(
          .invalidArgument, "The variable \(name) is longer than the 65,535 bytes that a packed environment takes",
          advice: "Seal the variables separately.", names: [name])
      }
    }
  }

  /// Seals variables whose limits have been checked under a header that is there, keeping the sealed bytes of those
  /// that are named.
  static func seal(
    _ values: OpenedEnvironment, as form: Form, under unlocked: borrowing UnlockedHeader, generation: UInt32,
    tags: PlainTags, keeping kept: [String: Entry]
  ) throws(EnvelopeError) -> SealedEnvironment {
    let payload: Payload
    switch form {
    case .separate:
      let entries = try sealEntries(values, keys: unlocked.keys, keeping: kept)
      let manifest = try manifest(generation: generation, plain: tags, entries: entries, keys: unlocked.keys)
      payload = .separate(Trailer(count: UInt16(entries.count), manifest: manifest, plain: tags), entries)
    case .packed:
      payload = .packed(try pack(values, tags: tags, keys: unlocked.keys, generation: generation))
    }
    return SealedEnvironment(header: unlocked.header, generation: generation, payload: payload)
  }

  private static func sealEntries(
    _ values: OpenedEnvironment, keys: borrowing KeySchedule, keeping kept: [String: Entry]
  ) throws(EnvelopeError) -> [Entry] {
    let aead = AEAD.chaCha20Poly1305
    let key = try keys.key(.payload)
    // One draw for the nonces of all.
    let variables = values.entries
    let nonces = try Randomness.bytes(variables.count { kept[$0.name] == nil } * aead.nonceByteCount)
    var position = 0
    let capacity = variables.reduce(0) {
      $0 + (kept[$1.name]?.sealed.count ?? $1.range.count + aead.overheadByteCount)
    }
    return try entries(of: variables.count, capacity: capacity) { (index, output) throws(EnvelopeError) in
      let variable = variables[index]
      if let entry = kept[variable.name] {
        unsafe output.append(entry.sealed.span.bytes)
        return variable.name
      }
      let nonce = unsafe nonces.span.bytes.extracting(position..<position + aead.nonceByteCount)
      position += aead.nonceByteCount
      output.append(nonce)
      try values.withBytes { (values) throws(EnvelopeError) in
        try variable.name.withUTF8Bytes { (name) throws(EnvelopeError) in
          try key.withBytes { (key) throws(EnvelopeError) in
            try aead.seal(
              values.extracting(variable.range), authenticating: name, nonce: nonce, key: key, into: &output)
          }
        }
      }
      return variable.name
    }
  }

  /// Seals lp16(tags) ‖ count ‖ (lp16(name) ‖ lp16(value))…, the generation as associated data.
  private static func pack(
    _ values: OpenedEnvironment, tags: PlainTags, keys: borrowing KeySchedule, generation: UInt32
  ) throws(EnvelopeError) -> [UInt8] {
    let secrets = values.secrets
    let capacity = secrets.reduce(4 + tags.bytes.count) { $0 + 4 + $1.name.utf8.count + $1.byteCount }
    let plaintext = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      unsafe output.append(lengthPrefixed16: tags.bytes.span.bytes)
      output.append(bigEndian: UInt16(secrets.count))
      for secret in secrets {
        output.append(lengthPrefixed16: secret.name)
        secret.withBytes { output.append(lengthPrefixed16: $0) }
      }
    }
    var associatedData: [UInt8] = []
    associatedData.append(bigEndian: generation)
    let key = try keys.key(.payload)
    let aead = AEAD.xChaCha20Poly1305
    return try [UInt8].appending(capacity: capacity + aead.overheadByteCount) { (output) throws(EnvelopeError) in
      try plaintext.withBytes { (plaintext) throws(EnvelopeError) in
        try key.withBytes { (key) throws(EnvelopeError) in
          try unsafe aead.seal(plaintext, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
    }
  }
}

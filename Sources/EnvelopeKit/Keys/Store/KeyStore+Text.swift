// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// The text of a key store, one item a line, ended by a line feed (`Docs/Format.md`, section Key store):
//
//   envelope-keys 2
//   KIND ID PRIMARY | destroyed ID KIND SECONDS   (KIND is keyset, identity or xwing-identity)
//   state disabled | state pending SECONDS        (for the keyset above, as are the lines up to its versions)
//   minimum NUMBER
//   rotation DAYS
//   operations wrap|unwrap
//   function SCOPE                    (of the policy)
//   narrowed SCOPE
//   version NUMBER CREATED SECRET [FUNCTIONS]     (once or more)
//   audit SECRET
//   alias ALIAS ID
//   default ID
//   end
//
// What needs none of the second version's lines is written as the first, so that the first release reads it. Secrets
// are decoded from the text straight into one guarded arena, and never stand in a String.

extension KeyStore {
  /// The longest text that is read, in bytes.
  package static let textByteLimit = 1 << 22

  /// Reads the text of a store.
  ///
  /// - Throws: `keyStoreDamaged` with the line, `unsupportedVersion`, `systemFailure` where there is no memory.
  package init(text: RawSpan) throws(EnvelopeError) {
    guard text.byteCount <= Self.textByteLimit else { throw .keyStoreDamaged("it is too long") }
    var parser = KeyStoreParser()
    // Every secret is shorter in the arena than in the text.
    let arena = try GuardedMemory(capacity: text.byteCount) { (output) throws(EnvelopeError) in
      try parser.parse(text, secrets: &output)
    }
    self = try parser.store(secrets: arena)
  }

  /// Writes the text of the store.
  ///
  /// - Throws: `invalidArgument` where it is longer than what is read.
  package func text() throws(EnvelopeError) -> SecretBytes {
    let capacity = keysets.reduce(512 + aliases.count * 128) { $0 + $1.textCapacity }
    let text = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      let needsSecond = auditKey != nil || keysets.contains(where: \.needsSecondTextVersion)
      output.append("envelope-keys \(needsSecond ? 2 : 1)\n")
      for keyset in keysets { try keyset.append(to: &output) }
      if let auditKey {
        output.append("audit ")
        try auditKey.withBytes { (key) throws(EnvelopeError) in
          try SecretBase64.url.append(encoding: key, to: &output)
        }
        output.append("\n")
      }
      for (alias, id) in aliases.sorted(by: { $0.key < $1.key }) { output.append("alias \(alias) \(id)\n") }
      if let defaultKeyID { output.append("default \(defaultKeyID)\n") }
      output.append("end\n")
    }
    guard text.byteCount <= Self.textByteLimit else {
      throw EnvelopeError(
        .invalidArgument, "The key store is longer than \(Self.textByteLimit) bytes",
        advice: "Keep some of its keys in a store of their own.")
    }
    return text
  }
}

extension Keyset {
  /// More bytes than its lines take, and a NUL's room.
  fileprivate var textCapacity: Int {
    let scopes = (policy.functions ?? []) + (self.scopes ?? [])
    let keyCount = self.scopes?.count ?? 1
    let versionLine = 64 + keyCount + Base64URL.encodedLength(of: WrappingKey.byteCount * keyCount)
    return scopes.reduce(512 + versions.count * versionLine) {
      $0 + 32 + Base64URL.encodedLength(of: $1.function?.utf8.count ?? 0)
    }
  }

  fileprivate var needsSecondTextVersion: Bool {
    kind != .symmetric || state != .enabled || minimumVersion != 1 || rotationPeriod != nil || policy != .unrestricted
      || scopes != nil
  }

  fileprivate func append(to output: inout OutputRawSpan) throws(EnvelopeError) {
    if case .destroyed(let time) = state { return output.append("destroyed \(id) \(kind.word) \(time)\n") }
    output.append("\(kind.word) \(id) \(primary)\n")
    if state == .disabled { output.append("state disabled\n") }
    if case .pendingDeletion(let time) = state { output.append("state pending \(time)\n") }
    if minimumVersion != 1 { output.append("minimum \(minimumVersion)\n") }
    if let rotationPeriod { output.append("rotation \(rotationPeriod)\n") }
    if policy.operations.count == 1, let operation = policy.operations.first {
      output.append("operations \(operation.rawValue)\n")
    }
    for scope in policy.functions ?? [] { output.append("function \(scope.word)\n") }
    for scope in scopes ?? [] { output.append("narrowed \(scope.word)\n") }
    for version in versions {
      output.append("version \(version.number) \(version.created) ")
      // The keys one after the other, in the order of the functions.
      let keys = try SecretBytes(byteCount: version.keys.count * WrappingKey.byteCount) {
        (output) throws(EnvelopeError) in
        for key in version.keys { try key.withBytes { (key) throws(EnvelopeError) in output.append(key) } }
      }
      try keys.withBytes { (keys) throws(EnvelopeError) in
        try SecretBase64.url.append(encoding: keys, to: &output)
      }
      if let scopes, let own = version.scopes.map(Set.init) {
        output.append(" " + scopes.map { own.contains($0) ? "1" : "0" }.joined())
      }
      output.append("\n")
    }
  }
}

extension Keyset.Kind {
  /// The word of the text.
  fileprivate var word: String {
    switch self {
    case .symmetric: "keyset"
    case .identity: "identity"
    case .postQuantumIdentity: "xwing-identity"
    }
  }

  init?(word: String?) {
    switch word {
    case "keyset": self = .symmetric
    case "identity": self = .identity
    case "xwing-identity": self = .postQuantumIdentity
    default: return nil
    }
  }
}

extension FunctionScope {
  /// The name's bytes in base64url, or a hyphen, which no bytes are.
  fileprivate var word: String { function.map { Base64URL.encode(Array($0.utf8)) } ?? "-" }

  init?(word: String) {
    if word == "-" {
      self = .noFunction
      return
    }
    guard let bytes = Base64URL.decode(word.utf8) else { return nil }
    let name = String(decoding: bytes, as: UTF8.self)
    guard Array(name.utf8) == bytes, let scope = try? FunctionScope(function: name) else { return nil }
    self = scope
  }
}

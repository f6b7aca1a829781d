// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Reads line by line; what is secret goes to the arena, what is not is kept here until the arena is made.
struct KeyStoreParser {
  /// A keyset as far as it has been read.
  struct PendingKeyset {
    let id: KeyID
    let kind: Keyset.Kind
    let primary: UInt32
    /// The lines of a keyset have one order; this is where it has come to.
    var rank = 0
    var state = Keyset.State.enabled
    var minimum: UInt32 = 1
    var rotation: Int?
    /// The only permitted operation, or nil if all are.
    var operation: KeyPolicy.Operation?
    var functions: [FunctionScope] = []
    var scopes: [FunctionScope] = []
    var versions: [Version] = []

    struct Version {
      let number: UInt32
      let created: UInt64
      /// Where its keys begin among the secrets.
      let offset: Int
      let scopes: [FunctionScope]?
    }
  }

  // To look up the type of an array of ranges takes as long as to read a store.
  /// A part of a line.
  private struct Field {
    let start: Int
    let end: Int

    var count: Int { end - start }
    var range: Range<Int> { start..<end }
  }

  private var version = 1
  private var keysets: [PendingKeyset] = []
  private var auditOffset: Int?
  private var aliases: [(String, KeyID)] = []
  private var defaultKeyID: KeyID?

  mutating func parse(_ text: RawSpan, secrets: inout OutputRawSpan) throws(EnvelopeError) {
    var (lineNumber, start, isEnded) = (0, 0, false)
    for end in 0..<text.byteCount where text.byte(at: end) == .lineFeed {
      lineNumber += 1
      guard !isEnded else { throw .keyStoreDamaged("something follows its end") }
      let line = text.extracting(start..<end)
      start = end + 1
      if lineNumber == 1 {
        switch Self.word(line, limit: Self.longestWord) {
        case "envelope-keys 1": version = 1
        case "envelope-keys 2": version = 2
        default:
          throw EnvelopeError(
            .unsupportedVersion, "The key store's first line is neither 'envelope-keys 1' nor 'envelope-keys 2'",
            advice: "Check that it is a key store, and that this release is new enough for it.")
        }
      } else {
        isEnded = try parseLine(line, number: lineNumber, secrets: &secrets)
      }
    }
    guard isEnded, start == text.byteCount else { throw .keyStoreDamaged("its end is missing") }
  }

  /// Returns whether the line is the last.
  private mutating func parseLine(
    _ line: RawSpan, number: Int, secrets: inout OutputRawSpan
  ) throws(EnvelopeError) -> Bool {
    let fields = Self.fields(of: line)
    // The fourth field is the secret one, and of some lines the second.
    let words = fields.prefix(3).map { Self.word(line.extracting($0.range), limit: Self.longestWord) }
    switch (words.first, fields.count) {
    case ("keyset", 3), ("identity", 3), ("xwing-identity", 3):
      guard auditOffset == nil, aliases.isEmpty, defaultKeyID == nil, let kind = Keyset.Kind(word: words[0]),
        version == 2 || kind == .symmetric, let id = try? KeyID(words[1]), let primary: UInt32 = Self.number(words[2])
      else { break }
      keysets.append(PendingKeyset(id: id, kind: kind, primary: primary))
      return false
    case ("destroyed", 4) where version == 2:
      let last = Self.word(line.extracting(fields[3].range), limit: Self.longestWord)
      guard auditOffset == nil, aliases.isEmpty, defaultKeyID == nil, let id = try? KeyID(words[1]),
        let kind = Keyset.Kind(word: words[2]), let time: UInt64 = Self.number(last)
      else { break }
      keysets.append(PendingKeyset(id: id, kind: kind, primary: 0))
      keysets[keysets.count - 1].state = .destroyed(at: time)
      keysets[keysets.count - 1].rank = .max
      return false
    case ("version", 4...5):
      let functions = fields.dropFirst(4).first.map { Self.word(line.extracting($0.range), limit: Keyset.scopeLimit) }
      guard !keysets.isEmpty, auditOffset == nil, aliases.isEmpty, defaultKeyID == nil,
        let number: UInt32 = Self.number(words[1]), let created: UInt64 = Self.number(words[2]),
        keysets[keysets.count - 1].advance(to: 7),
        let scopes = keysets[keysets.count - 1].scopes(marked: functions),
        fields[3].count == Base64URL.encodedLength(of: WrappingKey.byteCount * max(scopes.count, 1))
      else { break }
      keysets[keysets.count - 1].versions.append(
        .init(number: number, created: created, offset: secrets.byteCount, scopes: functions == nil ? nil : scopes))
      guard (try? SecretBase64.url.append(decoding: line.extracting(fields[3].range), to: &secrets)) != nil else {
        break
      }
      return false
    case ("audit", 2) where version == 2:
      guard auditOffset == nil, aliases.isEmpty, defaultKeyID == nil,
        fields[1].count == Base64URL.encodedLength(of: WrappingKey.byteCount)
      else { break }
      auditOffset = secrets.byteCount
      guard (try? SecretBase64.url.append(decoding: line.extracting(fields[1].range), to: &secrets)) != nil else {
        break
      }
      return false
    case ("alias", 3):
      guard defaultKeyID == nil, let id = try? KeyID(words[2]) else { break }
      aliases.append((Self.word(line.extracting(fields[1].range), limit: KeyStore.aliasByteLimit), id))
      return false
    case ("default", 2):
      guard defaultKeyID == nil, let id = try? KeyID(words[1]) else { break }
      defaultKeyID = id
      return false
    case ("end", 1):
      return true
    default:
      guard version == 2, !keysets.isEmpty, auditOffset == nil, aliases.isEmpty, defaultKeyID == nil,
        (2...3).contains(fields.count),
        parseAttribute(words, longWord: { Self.word(line.extracting(fields[1].range), limit: Self.longestScope) })
      else { break }
      return false
    }
    throw .keyStoreDamaged("its line \(number) cannot be read")
  }

  /// Reads what stands between a keyset's line and its versions; false where it cannot be read.
  ///
  /// The second word in its whole length is made only where it is a function: in a damaged line it may be a secret.
  private mutating func parseAttribute(_ words: [String], longWord: () -> String) -> Bool {
    let last = keysets.count - 1
    switch (words[0], words.count) {
    case ("state", 2) where words[1] == "disabled" && keysets[last].advance(past: 1):
      keysets[last].state = .disabled
    case ("state", 3) where words[1] == "pending" && keysets[last].advance(past: 1):
      guard let time: UInt64 = Self.number(words[2]) else { return false }
      keysets[last].state = .pendingDeletion(at: time)
    case ("minimum", 2) where keysets[last].advance(past: 2):
      guard let number: UInt32 = Self.number(words[1]), number > 1 else { return false }
      keysets[last].minimum = number
    case ("rotation", 2) where keysets[last].advance(past: 3):
      guard let days: Int = Self.number(words[1]), Keyset.rotationDays.contains(days) else { return false }
      keysets[last].rotation = days
    case ("operations", 2) where keysets[last].advance(past: 4):
      guard let operation = KeyPolicy.Operation(rawValue: words[1]) else { return false }
      keysets[last].operation = operation
    case ("function", 2) where keysets[last].advance(to: 5):
      guard let scope = FunctionScope(word: longWord()), keysets[last].functions.last.map({ $0 < scope }) ?? true else {
        return false
      }
      keysets[last].functions.append(scope)
    case ("narrowed", 2) where keysets[last].advance(to: 6):
      guard let scope = FunctionScope(word: longWord()), keysets[last].scopes.count < Keyset.scopeLimit else {
        return false
      }
      keysets[last].scopes.append(scope)
    default: return false
    }
    return true
  }

  /// The most bytes of a word that is no alias and no function: a number.
  private static let longestWord = 20
  private static let longestScope = Base64URL.encodedLength(of: FunctionScope.byteLimit)

  /// A word as a string, or an empty one where it is too long: in a damaged line it may be a secret.
  private static func word(_ bytes: RawSpan, limit: Int) -> String {
    bytes.byteCount <= limit ? String(decoding: [UInt8](copying: bytes), as: UTF8.self) : ""
  }

  /// A decimal number without a sign or leading zeros.
  private static func number<T: FixedWidthInteger>(_ text: String) -> T? {
    T(text).flatMap { String($0) == text ? $0 : nil }
  }

  /// The parts between single spaces, at most five.
  private static func fields(of line: RawSpan) -> [Field] {
    var (fields, start) = ([Field](), 0)
    for index in 0..<line.byteCount where line.byte(at: index) == .space {
      fields.append(Field(start: start, end: index))
      start = index + 1
      if fields.count == 4 { break }
    }
    return fields + [Field(start: start, end: line.byteCount)]
  }

  func store(secrets: GuardedMemory) throws(EnvelopeError) -> KeyStore {
    var result: [Keyset] = []
    for keyset in keysets { result.append(try keyset.keyset(secrets: secrets)) }
    do throws(EnvelopeError) {
      var store = try KeyStore(keysets: result, aliases: aliases, defaultKeyID: defaultKeyID)
      store.auditKey = try auditOffset.map { (offset) throws(EnvelopeError) in try WrappingKey(in: secrets, at: offset)
      }
      return store
    } catch {
      throw error.code == .keyStoreDamaged
        ? error : .keyStoreDamaged("it has a key or an alias twice, or a wrong alias")
    }
  }
}

extension KeyStoreParser.PendingKeyset {
  /// Whether a line of this rank may come here, again or for the first time.
  mutating func advance(to rank: Int) -> Bool {
    defer { self.rank = max(rank, self.rank) }
    return rank >= self.rank
  }

  /// The functions that a version is for: those whose place has a 1; all of them if nothing says otherwise.
  ///
  /// - Returns: Nil if that is not one mark for each function, or does not say less than nothing would.
  func scopes(marked marks: String?) -> [FunctionScope]? {
    guard let marks else { return scopes }
    guard marks.utf8.count == scopes.count, marks.utf8.allSatisfy({ "01".utf8.contains($0) }),
      marks.utf8.contains(UInt8(ascii: "0")), marks.utf8.contains(UInt8(ascii: "1"))
    else { return nil }
    return zip(scopes, marks.utf8).filter { $1 == UInt8(ascii: "1") }.map(\.0)
  }

  private var policy: KeyPolicy {
    get throws(EnvelopeError) {
      let functions = functions.isEmpty ? nil : functions
      // Nearly every key may be used for all, and to look up the type of a set takes longer than to read the store.
      guard let operation else { return functions == nil ? .unrestricted : try KeyPolicy(functions: functions) }
      return try KeyPolicy(functions: functions, operations: [operation])
    }
  }

  /// Whether a line of this rank, which comes once, may come here.
  mutating func advance(past rank: Int) -> Bool { rank > self.rank && advance(to: rank) }

  func keyset(secrets: GuardedMemory) throws(EnvelopeError) -> Keyset {
    if case .destroyed(let time) = state { return try Keyset(destroyed: id, kind: kind, at: time) }
    var versions: [Keyset.Version] = []
    for version in self.versions {
      var keys: [WrappingKey] = []
      for index in 0..<max((version.scopes ?? scopes).count, 1) {
        keys.append(try WrappingKey(in: secrets, at: version.offset + index * WrappingKey.byteCount))
      }
      versions.append(
        Keyset.Version(number: version.number, created: version.created, keys: keys, scopes: version.scopes))
    }
    var keyset = try Keyset(
      id: id, kind: kind, versions: versions, primary: primary, scopes: scopes.isEmpty ? nil : scopes)
    guard minimum <= primary,
      let policy = try? policy
    else { throw .keyStoreDamaged("a key has a minimum version or a policy that it cannot have") }
    (keyset.state, keyset.minimumVersion, keyset.rotationPeriod, keyset.policy) = (state, minimum, rotation, policy)
    return keyset
  }
}

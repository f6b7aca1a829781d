// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// The text of a key store, one item a line, ended by a line feed (`Docs/Format.md`, section Key store):
//
//   envelope-keys 1
//   keyset ID PRIMARY
//   version NUMBER CREATED SECRET     (once or more, for the keyset above)
//   alias ALIAS ID
//   default ID
//   end
//
// Secrets are decoded from the text straight into one guarded arena, and never stand in a String.

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
    let versionCount = keysets.reduce(0) { $0 + $1.versions.count }
    // No line is longer than this: a version with two numbers of 20 digits and 43 characters, or an alias.
    let capacity = (4 + keysets.count + versionCount + aliases.count) * 128
    let text = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      output.append("envelope-keys 1\n")
      for keyset in keysets {
        output.append("keyset \(keyset.id) \(keyset.primary)\n")
        for version in keyset.versions {
          output.append("version \(version.number) \(version.created) ")
          try version.key.withBytes { (secret) throws(EnvelopeError) in
            try SecretBase64.url.append(encoding: secret, to: &output)
          }
          output.append("\n")
        }
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

/// Reads line by line; what is secret goes to the arena, what is not is kept here until the arena is made.
private struct KeyStoreParser {
  private struct PendingKeyset {
    let id: KeyID
    let primary: UInt32
    var versions: [(number: UInt32, created: UInt64, offset: Int)] = []
  }

  private var keysets: [PendingKeyset] = []
  private var aliases: [(String, KeyID)] = []
  private var defaultKeyID: KeyID?

  mutating func parse(_ text: RawSpan, secrets: inout OutputRawSpan) throws(EnvelopeError) {
    var (lineNumber, start, isEnded) = (0, 0, false)
    for end in 0..<text.byteCount where unsafe text.unsafeLoad(fromByteOffset: end, as: UInt8.self) == 10 {
      lineNumber += 1
      guard !isEnded else { throw .keyStoreDamaged("something follows its end") }
      let line = text.extracting(start..<end)
      start = end + 1
      if lineNumber == 1 {
        guard line.byteCount <= Self.longestWord, [UInt8](copying: line) == Array("envelope-keys 1".utf8) else {
          throw EnvelopeError(
            .unsupportedVersion, "The key store's first line is not 'envelope-keys 1'",
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
    // The fourth field is the secret one.
    let words = fields.prefix(3).map { Self.word(line.extracting($0), limit: Self.longestWord) }
    switch (words.first, fields.count) {
    case ("keyset", 3):
      guard aliases.isEmpty, defaultKeyID == nil, let id = try? KeyID(words[1]),
        let primary: UInt32 = Self.number(words[2])
      else { break }
      keysets.append(PendingKeyset(id: id, primary: primary))
      return false
    case ("version", 4):
      guard !keysets.isEmpty, aliases.isEmpty, defaultKeyID == nil,
        let number: UInt32 = Self.number(words[1]), let created: UInt64 = Self.number(words[2]),
        fields[3].count == Base64URL.encodedLength(of: WrappingKey.byteCount)
      else { break }
      keysets[keysets.count - 1].versions.append((number, created, secrets.byteCount))
      guard (try? SecretBase64.url.append(decoding: line.extracting(fields[3]), to: &secrets)) != nil else { break }
      return false
    case ("alias", 3):
      guard defaultKeyID == nil, let id = try? KeyID(words[2]) else { break }
      aliases.append((Self.word(line.extracting(fields[1]), limit: KeyStore.aliasByteLimit), id))
      return false
    case ("default", 2):
      guard defaultKeyID == nil, let id = try? KeyID(words[1]) else { break }
      defaultKeyID = id
      return false
    case ("end", 1):
      return true
    default:
      break
    }
    throw .keyStoreDamaged("its line \(number) cannot be read")
  }

  /// The most bytes of a word that is no alias: a number.
  private static let longestWord = 20

  /// A word as a string, or an empty one where it is too long: in a damaged line it may be a secret.
  private static func word(_ bytes: RawSpan, limit: Int) -> String {
    bytes.byteCount <= limit ? String(decoding: [UInt8](copying: bytes), as: UTF8.self) : ""
  }

  /// A decimal number without a sign or leading zeros.
  private static func number<T: FixedWidthInteger>(_ text: String) -> T? {
    T(text).flatMap { String($0) == text ? $0 : nil }
  }

  /// The parts between single spaces, at most five.
  private static func fields(of line: RawSpan) -> [Range<Int>] {
    var (fields, start) = ([Range<Int>](), 0)
    for index in 0..<line.byteCount where unsafe line.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 32 {
      fields.append(start..<index)
      start = index + 1
      if fields.count == 4 { break }
    }
    return fields + [start..<line.byteCount]
  }

  func store(secrets: GuardedMemory) throws(EnvelopeError) -> KeyStore {
    var result: [Keyset] = []
    for keyset in keysets {
      var versions: [Keyset.Version] = []
      for (number, created, offset) in keyset.versions {
        versions.append(
          Keyset.Version(number: number, created: created, key: try WrappingKey(in: secrets, at: offset)))
      }
      result.append(try Keyset(id: keyset.id, versions: versions, primary: keyset.primary))
    }
    do throws(EnvelopeError) {
      return try KeyStore(keysets: result, aliases: aliases, defaultKeyID: defaultKeyID)
    } catch {
      throw error.code == .keyStoreDamaged
        ? error : .keyStoreDamaged("it has a key or an alias twice, or a wrong alias")
    }
  }
}

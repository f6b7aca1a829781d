// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import EnvelopeKit

/// One file of Tests/Vectors: lines of `key: text`, read strictly so that nothing in a file goes unused.
struct VectorFile {
  enum Kind: String {
    case value
    case environment
    case packed
    case file
    case records
    case recipient
  }

  struct Unreadable: Error, CustomStringConvertible {
    let description: String
  }

  private static let once: Set = [
    "comment", "kind", "expect", "minimum-generation", "store-hex", "associated-data", "envelope", "plaintext",
    "generation", "keyId", "canonical", "wrappingCanonical", "contextCheck", "narrowed", "dataKey", "okm",
    "payloadKey", "headerKey", "manifestKey", "plainKey", "headerTag", "manifest", "plainTags", "passphrase",
    "passphraseKey", "sharedSecret", "hpkeKey", "hpkeNonce", "recipient", "publicKey", "reader", "sender", "file",
    "byte-count", "verified",
  ]
  private static let many: Set = [
    "store", "context", "allow", "variable", "variable-hex", "name", "plain", "needs", "line", "line-hex", "event",
  ]
  private static let always: Set = ["comment", "kind", "expect"]
  private static let intermediate: Set = [
    "keyId", "canonical", "wrappingCanonical", "contextCheck", "dataKey", "okm", "payloadKey", "headerKey",
    "manifestKey", "plainKey", "headerTag",
  ]
  /// The intermediate values of each way to wrap.
  private static let ofSchemes: [Set] = [["narrowed"], ["sharedSecret", "hpkeKey", "hpkeNonce"], ["passphraseKey"]]

  let kind: Kind
  /// The outcome with the libsodium of these tests.
  let expected: String
  private let fields: [String: [String]]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Vectors")

  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".txt") }.sorted()

  init(named name: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    var fields: [String: [String]] = [:]
    guard text.utf8.last == 10 else { throw Unreadable(description: "\(name) does not end with a line feed") }
    for line in text.utf8.dropLast().split(separator: 10, omittingEmptySubsequences: false) {
      let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      guard let key = parts.first.map({ String(decoding: $0, as: UTF8.self) }),
        Self.many.contains(key) || Self.once.contains(key) && fields[key] == nil,
        parts.count == 1 || parts[1].first == 32
      else { throw Unreadable(description: "\(name): \(String(decoding: line, as: UTF8.self))") }
      fields[key, default: []].append(
        parts.count == 1 ? "" : String(decoding: parts[1].dropFirst(), as: UTF8.self))
    }
    guard let kind = fields["kind"].flatMap({ Kind(rawValue: $0[0]) }), let expected = fields["expect"]?[0] else {
      throw Unreadable(description: "\(name) has no kind or outcome")
    }
    guard Self.hasItsFields(Set(fields.keys), kind: kind, succeeds: expected == "success") else {
      throw Unreadable(description: "\(name) has a field too many or too few")
    }
    self.kind = kind
    let needs = fields["needs"] ?? []
    guard needs.allSatisfy(["aegis-256", "x-wing"].contains) else {
      throw Unreadable(description: "\(name) needs something that is not known")
    }
    let isHere =
      (AEAD.aegis256.isAvailable || !needs.contains("aegis-256")) && (XWing.isAvailable || !needs.contains("x-wing"))
    self.expected = isHere ? expected : "unsupportedSuite"
    self.fields = fields
  }

  private static func hasItsFields(_ names: Set<String>, kind: Kind, succeeds: Bool) -> Bool {
    guard kind != .recipient else {
      return names == always.union(["recipient"]).union(succeeds ? ["keyId", "publicKey"] : [])
    }
    guard kind != .records else {
      let mayHave: Set = [
        "store", "store-hex", "passphrase", "context", "sender", "needs", "line", "line-hex", "event",
      ]
      return names.intersection(["line", "line-hex"]).count == 1 && names.isSuperset(of: always)
        && names.intersection(["store", "store-hex", "passphrase"]).count == 1
        && names.isSubset(of: mayHave.union(always))
    }
    let hasVariables = kind == .environment || kind == .packed
    var mustHave = always.union(kind == .value ? ["associated-data", "envelope"] : kind == .file ? ["file"] : [])
    var mayHave: Set = ["store", "store-hex", "passphrase", "context", "sender", "needs"]
    guard names.intersection(["store", "store-hex", "passphrase"]).count == 1 else { return false }
    if hasVariables { mayHave.formUnion(["variable", "variable-hex", "minimum-generation", "reader"]) }
    if names.contains("reader") { mayHave.insert("allow") }
    if succeeds {
      mustHave.formUnion(intermediate)
      let ofSchemes = ofSchemes.filter { !$0.isDisjoint(with: names) }
      guard ofSchemes.count == 1 else { return false }
      mustHave.formUnion(ofSchemes[0])
      if kind == .environment { mustHave.formUnion(["manifest", "plainTags"]) }
      mustHave.insert(kind == .value ? "plaintext" : kind == .file ? "byte-count" : "generation")
      if hasVariables { mayHave.insert("plain") }
    } else if kind == .file {
      mustHave.insert("verified")
    } else {
      mayHave.insert("name")
    }
    return mustHave.isSubset(of: names) && mayHave.union(mustHave).isSuperset(of: names)
  }

  func text(_ key: String) throws -> String {
    guard let text = fields[key]?.first else { throw Unreadable(description: "no field \(key)") }
    return text
  }

  func bytes(_ key: String) throws -> [UInt8] { try Self.bytes(ofHex: text(key)) }

  var names: [String] { fields["name"] ?? [] }

  var minimumGeneration: UInt32 {
    get throws { try fields["minimum-generation"] == nil ? 0 : number("minimum-generation") }
  }

  func number(_ key: String) throws -> UInt32 {
    guard let number = UInt32(try text(key)) else { throw Unreadable(description: "\(key) is no number") }
    return number
  }

  var store: [UInt8] {
    get throws {
      guard let lines = fields["store"] else { return try bytes("store-hex") }
      return Array(lines.map { $0 + "\n" }.joined().utf8)
    }
  }

  /// The lines of a sealed log.
  var lines: [[UInt8]] {
    get throws {
      try fields["line"].map { $0.map { Array($0.utf8) } } ?? (fields["line-hex"] ?? []).map(Self.bytes(ofHex:))
    }
  }

  /// What a reader of the lines reports, in order.
  var events: [String] { fields["event"] ?? [] }

  /// What opens it where that is no store.
  var passphrase: [UInt8]? {
    get throws { try fields["passphrase"] == nil ? nil : bytes("passphrase") }
  }

  /// Whether the variables are those of a document, not of a process.
  var isDocument: Bool {
    get throws { try hasWord("document", for: "reader") }
  }

  /// The names of plain variables of the document that may differ.
  var allowed: Set<String> { Set(fields["allow"] ?? []) }

  var acceptsAnonymousSender: Bool {
    get throws { try hasWord("accepted", for: "sender") }
  }

  /// Returns whether there is a field that has one word alone.
  private func hasWord(_ word: String, for key: String) throws -> Bool {
    guard let text = fields[key]?.first else { return false }
    guard text == word else { throw Unreadable(description: "\(key) is not \(word): \(text)") }
    return true
  }

  var context: EncryptionContext {
    get throws { EncryptionContext(try pairs("context").map { (key: $0.0, value: $0.1) }) }
  }

  var variables: [String: String] {
    get throws {
      var variables = Dictionary(uniqueKeysWithValues: try pairs("variable"))
      for (name, hex) in try pairs("variable-hex") {
        variables[name] = String(decoding: try Self.bytes(ofHex: hex), as: UTF8.self)
      }
      return variables
    }
  }

  var values: [String: [UInt8]] {
    get throws {
      try Dictionary(uniqueKeysWithValues: pairs("plain")).mapValues { try Self.bytes(ofHex: $0) }
    }
  }

  private func pairs(_ key: String) throws -> [(String, String)] {
    try (fields[key] ?? []).map { text in
      guard let sign = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        throw Unreadable(description: "\(key) is no pair: \(text)")
      }
      return (
        String(decoding: text.utf8[..<sign], as: UTF8.self),
        String(decoding: text.utf8[sign...].dropFirst(), as: UTF8.self)
      )
    }
  }

  private static func bytes(ofHex text: String) throws -> [UInt8] {
    let digits = Array(text.utf8)
    return try stride(from: 0, to: digits.count, by: 2).map { index in
      let pair = String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self)
      guard pair.utf8.count == 2, pair == pair.lowercased(), let byte = UInt8(pair, radix: 16) else {
        throw Unreadable(description: "no hexadecimal bytes: \(text)")
      }
      return byte
    }
  }
}

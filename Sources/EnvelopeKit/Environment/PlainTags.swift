// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The tags that authenticate the plain variables of a document (`Docs/Format.md`, section Plain variables).
///
/// Each is 4 bytes of a keyed hash of the name and 12 of name and value, so that a difference can be reported by name,
/// and a variable that may differ can be left out without the others.
struct PlainTags: Sendable, Equatable {
  static let byteCount = 16
  /// The greatest number of plain variables: a 16-bit length covers all tags.
  static let countLimit = Int(UInt16.max) / byteCount
  private static let nameByteCount = 4

  /// All tags in ascending order of their bytes; empty if no variable was plain.
  let bytes: [UInt8]

  static let none = PlainTags(unchecked: [])

  private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// Checks tags from outside.
  ///
  /// - Throws: `malformed` if they are not whole, or not in strictly ascending order.
  init(_ bytes: [UInt8]) throws(EnvelopeError) {
    guard bytes.count % Self.byteCount == 0, bytes.count <= Self.countLimit * Self.byteCount else {
      throw EnvelopeError(.malformed, "The tags of the plain variables are cut off, or other bytes follow the trailer")
    }
    self.init(unchecked: bytes)
    for index in stride(from: Self.byteCount, to: bytes.count, by: Self.byteCount)
    where !tag(at: index - Self.byteCount).lexicographicallyPrecedes(tag(at: index)) {
      throw EnvelopeError(.malformed, "The tags of the plain variables are not in ascending order")
    }
  }

  /// Creates the tags of plain variables.
  ///
  /// - Throws: `invalidArgument` for more than ``countLimit`` variables.
  init(of plain: OpenedEnvironment, keys: borrowing KeySchedule) throws(EnvelopeError) {
    let secrets = plain.secrets
    guard secrets.count <= Self.countLimit else {
      throw EnvelopeError(.invalidArgument, "A document holds at most \(Self.countLimit) plain variables")
    }
    guard !secrets.isEmpty else {
      self = .none
      return
    }
    let key = try keys.key(.plain)
    var tags: [[UInt8]] = []
    for secret in secrets { tags.append(try Self.tag(of: secret, key: key)) }
    self.init(unchecked: tags.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 })
  }

  /// Compares with the plain variables that are there now; those that may differ are passed over.
  func difference(
    from plain: OpenedEnvironment, allowing allowed: Set<String>, keys: borrowing KeySchedule
  ) throws(EnvelopeError) -> PlainDifference {
    guard !bytes.isEmpty else {
      return PlainDifference(added: plain.names.filter { !allowed.contains($0) }, changed: [], missingCount: 0)
    }
    let key = try keys.key(.plain)
    var left: [ArraySlice<UInt8>: [ArraySlice<UInt8>]] = [:]
    for index in stride(from: 0, to: bytes.count, by: Self.byteCount) {
      left[tag(at: index).prefix(Self.nameByteCount), default: []].append(tag(at: index))
    }
    var unmatched: [(variable: String, name: ArraySlice<UInt8>)] = []
    for secret in plain.secrets where !allowed.contains(secret.name) {
      let tag = try Self.tag(of: secret, key: key)
      let name = tag[..<Self.nameByteCount]
      if let match = left[name]?.firstIndex(where: { Array($0).equalsInConstantTime(tag) }) {
        left[name]?.remove(at: match)
      } else {
        unmatched.append((secret.name, name))
      }
    }
    // Two names can have the same four bytes, so what is unchanged takes its tag first.
    var (added, changed) = ([] as [String], [] as [String])
    for (variable, name) in unmatched {
      if left[name]?.popLast() == nil { added.append(variable) } else { changed.append(variable) }
    }
    for name in allowed { left[try Self.nameTag(of: name, key: key)[...]] = nil }
    let missingCount = left.values.reduce(0) { $0 + $1.count }
    return PlainDifference(added: added, changed: changed, missingCount: missingCount)
  }

  private func tag(at index: Int) -> ArraySlice<UInt8> { bytes[index..<index + Self.byteCount] }

  /// Four bytes of BLAKE2b-128(plainKey, 00 ‖ name).
  private static func nameTag(of name: String, key: borrowing SecretBytes) throws(EnvelopeError) -> [UInt8] {
    try Array(hash([0] + name.utf8, key: key).prefix(nameByteCount))
  }

  /// The name's four bytes, and twelve of BLAKE2b-128(plainKey, 01 ‖ lp16(name) ‖ value).
  private static func tag(of variable: Secret, key: borrowing SecretBytes) throws(EnvelopeError) -> [UInt8] {
    var message: [UInt8] = [1]
    message.append(lengthPrefixed16: variable.name.utf8)
    variable.withBytes { message.append(contentsOf: [UInt8](copying: $0)) }
    return try nameTag(of: variable.name, key: key) + hash(message, key: key).prefix(byteCount - nameByteCount)
  }

  private static func hash(_ message: [UInt8], key: borrowing SecretBytes) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: 16) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe BLAKE2b.derive(16, key: key, personal: "", message: message.span.bytes, into: &output)
      }
    }
  }
}

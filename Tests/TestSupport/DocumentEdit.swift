// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// An edit of a sealed document that needs no key.
package enum DocumentEdit: CaseIterable {
  case addPlain, addEvil, remove, swap, rename, copyLine, replaceByPlain, changePlain, rollBackLine, rollBackHeader
  case flipBit, cut, extend, stripTags, replaceTags, changeGeneration, addOtherForm, moveDocument

  package static func random(using random: inout SplitMix64) -> DocumentEdit { random.element(of: allCases) }

  private static let evil = [
    "LD_PRELOAD": "/tmp/evil.so", "PATH": "/tmp", "NODE_OPTIONS": "--require /tmp/evil.js", "BASH_ENV": "/tmp/evil",
    "DATABASE_HOST": "evil.example", "LD_AUDIT": "/tmp/evil.so",
  ]
  private static let headers = ["ENVELOPE_HEADER", "ENVELOPE_SEALED"]

  /// Changes a document in place, with material of other documents.
  package func apply(
    to document: inout [String: String], from others: [[String: String]], using random: inout SplitMix64
  ) {
    // Sorted, so that a seed means the same edits in every process.
    let names = document.keys.sorted()
    guard !names.isEmpty else { return }
    let name = random.element(of: names)
    let other = random.element(of: others)
    switch self {
    case .addPlain: document["N\(Int.random(in: 0..<9, using: &random))"] = "x"
    case .addEvil:
      let evil = random.element(of: Self.evil.keys.sorted())
      document[evil] = Self.evil[evil]
    case .remove: document[name] = nil
    case .swap:
      let second = random.element(of: names)
      (document[name], document[second]) = (document[second], document[name])
    case .rename:
      let value = document.removeValue(forKey: name)
      document[Bool.random(using: &random) ? name.lowercased() : name + "2"] = value
    case .copyLine: document[random.element(of: names)] = document[name]
    case .replaceByPlain: document[name] = "plain"
    case .changePlain:
      for name in names where !(document[name] ?? "").hasPrefix("e") { document[name] = "changed" }
    case .rollBackLine:
      let line = random.element(of: other.keys.sorted())
      document[line] = other[line]
    case .rollBackHeader:
      for name in Self.headers where other[name] != nil { document[name] = other[name] }
    case .flipBit:
      let bit = Int.random(in: 0..<8, using: &random)
      Self.edit(name, of: &document) { bytes in
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        bytes[index] ^= 1 << bit
      }
    case .cut: Self.edit(name, of: &document) { $0.removeLast(min($0.count, Int.random(in: 1..<40, using: &random))) }
    case .extend:
      Self.edit(name, of: &document) { $0 += [UInt8](repeating: 7, count: .random(in: 1..<40, using: &random)) }
    case .stripTags: Self.edit("ENVELOPE_HEADER", of: &document) { $0.removeLast(min($0.count, 16)) }
    case .replaceTags:
      guard let tags = Self.bytes(of: other["ENVELOPE_HEADER"] ?? "")?.suffix(32) else { return }
      Self.edit("ENVELOPE_HEADER", of: &document) { $0.replaceSubrange(max(0, $0.count - 32)..., with: tags) }
    case .changeGeneration:
      let place = Int.random(in: 38..<90, using: &random)
      Self.edit("ENVELOPE_HEADER", of: &document) { if $0.count > place { $0[$0.count - place] &+= 1 } }
    case .addOtherForm:
      let line = random.element(of: Self.headers)
      document[line] = other[line] ?? "ek1:"
    case .moveDocument: document = other
    }
  }

  private static func edit(_ name: String, of document: inout [String: String], _ change: (inout [UInt8]) -> Void) {
    guard let text = document[name], var bytes = bytes(of: text) else { return }
    change(&bytes)
    document[name] = Base64URL.encode(bytes, after: String(text.prefix(4)))
  }

  private static func bytes(of text: String) -> [UInt8]? {
    guard text.hasPrefix("ek1:") || text.hasPrefix("ev1:") else { return nil }
    return Base64URL.decode(text.utf8.dropFirst(4))
  }
}

extension SplitMix64 {
  /// One of the elements.
  package mutating func element<Element>(of elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &self)]
  }
}

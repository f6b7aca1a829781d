// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The elements inside one element of XML, where they lie in guarded memory.
  ///
  /// Reads what AWS STS sends, and refuses anything else: an element has a start and an end tag without attributes, occurs
  /// once, and holds text alone.
  struct XMLElements {
    private let text: GuardedMemory
    private let range: Range<Int>

    /// Finds the outer element.
    ///
    /// - Throws: `malformed` if it is not there once.
    init(_ text: GuardedMemory, in name: String) throws(EnvelopeError) {
      self.text = text
      range = try text.withBytes { (text) throws(EnvelopeError) in
        guard let range = try text.element(name, in: 0..<text.byteCount) else {
          throw EnvelopeError(.malformed, "There is no element \(name)")
        }
        return range
      }
    }

    /// Copies the text of an element, or returns nil if there is none.
    ///
    /// - Throws: `malformed` if it is there twice, or holds other than text.
    func secret(_ name: String) throws(EnvelopeError) -> SecretBytes? {
      try text.withBytes { (text) throws(EnvelopeError) in
        guard let range = try text.element(name, in: range) else { return nil }
        // No credential has a character that XML escapes.
        for offset in range
        where [UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&")].contains(text.byte(at: offset)) {
          throw EnvelopeError(.malformed, "The element \(name) holds other than text")
        }
        return SecretBytes(copying: text.extracting(range))
      }
    }

    /// The same of text that is no secret.
    func string(_ name: String) throws(EnvelopeError) -> String? {
      guard let bytes = try secret(name) else { return nil }
      return bytes.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
    }
  }

  extension RawSpan {
    /// The content of the only element of a name.
    fileprivate func element(_ name: String, in range: Range<Int>) throws(EnvelopeError) -> Range<Int>? {
      let starts = offsets(of: "<\(name)>", in: range)
      guard let start = starts.first else { return nil }
      let ends = offsets(of: "</\(name)>", in: range)
      guard starts.count == 1, ends.count == 1, start + name.utf8.count + 2 <= ends[0] else {
        throw EnvelopeError(.malformed, "The element \(name) is not there once")
      }
      return start + name.utf8.count + 2..<ends[0]
    }

    private func offsets(of tag: String, in range: Range<Int>) -> [Int] {
      let tag = Array(tag.utf8)
      guard range.count >= tag.count else { return [] }
      return (range.lowerBound...range.upperBound - tag.count).filter { offset in
        tag.indices.allSatisfy { byte(at: offset + $0) == tag[$0] }
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// A string of JSON that arrives in parts, decoded as far as it is kept.
struct ExportString {
  private(set) var bytes: [UInt8] = []
  /// Whether all of it was kept.
  private(set) var isWhole = true
  private var limit = 0
  /// The beginning of an escape, from the backslash on.
  private var escape: [UInt8] = []
  /// The first unit of a pair of surrogates.
  private var surrogate: UInt16?

  /// Begins a string, of which at most so many bytes are kept.
  mutating func begin(limit: Int) {
    self.limit = limit
    bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 16)
    (isWhole, escape, surrogate) = (true, [], nil)
  }

  /// Returns what was kept, and forgets it.
  mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// Reads on; true if the string is closed, false if more bytes are needed, nil if it is none.
  mutating func read(_ input: RawSpan, _ position: inout Int) -> Bool? {
    while position < input.byteCount {
      guard escape.isEmpty else {
        escape.append(input.byte(at: position))
        position += 1
        guard readEscape() else { return nil }
        continue
      }
      let end = input.endOfPlainString(from: position)
      if end > position {
        flushSurrogate()
        append(input.extracting(position..<end))
        position = end
      }
      switch input.byteIfAny(at: position) {
      case nil: return false
      case .doubleQuote?:
        flushSurrogate()
        position += 1
        return true
      case .backslash?:
        escape = [.backslash]
        position += 1
      default: return nil
      }
    }
    return false
  }

  private mutating func append(_ part: RawSpan) {
    let room = limit - bytes.count
    if part.byteCount > room { isWhole = false }
    guard room > 0 else { return }
    unsafe part.extracting(first: min(room, part.byteCount)).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    let part = Array(String(scalar).utf8)
    guard bytes.count + part.count <= limit else { return isWhole = false }
    bytes += part
  }

  /// A unit that is none of a pair stands for no character.
  private mutating func flushSurrogate() {
    guard surrogate != nil else { return }
    surrogate = nil
    append("\u{fffd}")
  }

  /// Uses an escape if it is complete; false if it is none.
  private mutating func readEscape() -> Bool {
    guard escape[1] == UInt8(ascii: "u") else {
      flushSurrogate()
      let scalar: Unicode.Scalar
      switch escape[1] {
      case UInt8(ascii: "b"): scalar = "\u{8}"
      case UInt8(ascii: "f"): scalar = "\u{c}"
      case UInt8(ascii: "n"): scalar = "\n"
      case UInt8(ascii: "r"): scalar = "\r"
      case UInt8(ascii: "t"): scalar = "\t"
      case let byte where byte == .doubleQuote || byte == .backslash || byte == UInt8(ascii: "/"):
        scalar = Unicode.Scalar(byte)
      default: return false
      }
      append(scalar)
      escape = []
      return true
    }
    guard escape.count == 6 else { return true }
    guard let unit = unsafe JSONScanner.unit(at: 2, in: escape.span.bytes) else { return false }
    escape = []
    if let first = surrogate, UTF16.isTrailSurrogate(unit) {
      surrogate = nil
      append(Unicode.Scalar(0x1_0000 + (UInt32(first & 0x3ff) << 10 | UInt32(unit & 0x3ff))) ?? "\u{fffd}")
      return true
    }
    flushSurrogate()
    if UTF16.isLeadSurrogate(unit) { surrogate = unit } else { append(Unicode.Scalar(unit) ?? "\u{fffd}") }
    return true
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Finds the sealed documents that AWS X-Ray embedded in the arrays `subsegments` of another.
enum TraceDocuments {
  /// Finds where the documents of a text lie: the text itself first, and then those in it that are sealed.
  ///
  /// Of a text that is not JSON, there is only the text.
  static func ranges(in text: RawSpan) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var scanner = JSONScanner(at: 0)
    scanner.skipBlanks(in: text)
    guard text.byteIfAny(at: scanner.position) == UInt8(ascii: "{") else { return [0..<text.byteCount] }
    do throws(EnvelopeError) {
      _ = try read(&scanner, text, &found)
    } catch {
      return [0..<text.byteCount]
    }
    return [0..<text.byteCount] + found
  }

  /// Reads the object that begins here, and returns whether it is sealed.
  private static func read(
    _ scanner: inout JSONScanner, _ text: RawSpan, _ found: inout [Range<Int>]
  ) throws(EnvelopeError) -> Bool {
    var isSealed = false
    // The closure must not capture a parameter that is passed by reference twice.
    var nested: [Range<Int>] = []
    try scanner.readObject(in: text) { (scanner, name, _) throws(EnvelopeError) in
      switch (name, text.byteIfAny(at: scanner.position)) {
      case ("subsegments"?, UInt8(ascii: "[")?): try readArray(&scanner, text, &nested)
      case ("metadata"?, UInt8(ascii: "{")?):
        try scanner.readObject(in: text) { (scanner, name, _) throws(EnvelopeError) in
          if name == "envelope", text.byteIfAny(at: scanner.position) == UInt8(ascii: "{") { isSealed = true }
          try scanner.skipValue(in: text)
        }
      default: try scanner.skipValue(in: text)
      }
    }
    found += nested
    return isSealed
  }

  private static func readArray(
    _ scanner: inout JSONScanner, _ text: RawSpan, _ found: inout [Range<Int>]
  ) throws(EnvelopeError) {
    try scanner.take(UInt8(ascii: "["), in: text)
    scanner.skipBlanks(in: text)
    guard text.byteIfAny(at: scanner.position) != UInt8(ascii: "]") else { return scanner.advance(by: 1) }
    while true {
      scanner.skipBlanks(in: text)
      let start = scanner.position
      if text.byteIfAny(at: start) == UInt8(ascii: "{") {
        let place = found.count
        if try read(&scanner, text, &found) { found.insert(start..<scanner.position, at: place) }
      } else {
        try scanner.skipValue(in: text)
      }
      scanner.skipBlanks(in: text)
      guard text.byteIfAny(at: scanner.position) == UInt8(ascii: ",") else { break }
      scanner.advance(by: 1)
    }
    try scanner.take(UInt8(ascii: "]"), in: text)
  }
}

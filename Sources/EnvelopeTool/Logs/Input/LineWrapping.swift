// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// What collectors of logs put around a line.
enum LineWrapping {
  case none
  /// So many bytes before the JSON object.
  case prefix(Int)
  /// The line is a string in a JSON object.
  ///
  /// - Parameter isOfContainer: Whether the object is one of a container's log driver, which cuts long lines.
  case member([UInt8], isOfContainer: Bool)

  private static let container = "{\"log\":\""
  private static let marks = [Mark("\\\"segment\\\""), Mark("\\u0022segment\\u0022")]
  private static let mark = Mark("\"segment\"")

  /// Looks for a sealed line in a line; one of other origins is taken out only of a container's log.
  static func find(in line: RawSpan) -> LineWrapping {
    var start = 0
    while let byte = line.byteIfAny(at: start), byte.isBlank { start += 1 }
    guard line.byteIfAny(at: start) == UInt8(ascii: "{") else { return prefix(of: line) }
    if line.starts(with: container) || marks.contains(where: { $0.isIn(line) }) {
      return member(of: line, at: start) ?? .none
    }
    return .none
  }

  private static func prefix(of line: RawSpan) -> LineWrapping {
    guard mark.isIn(line), let start = line.offset(of: Array("{\"".utf8), from: 0) else { return .none }
    return .prefix(start)
  }

  /// The string of the first member that can hold a line.
  private static func member(of line: RawSpan, at start: Int) -> LineWrapping? {
    var found: LineWrapping?
    var isRecord = false
    var scanner = JSONScanner(at: start)
    let isObject: Void? = try? scanner.readObject(in: line) { (scanner, name, _) throws(EnvelopeError) in
      // A sealed line can have a clear member with such a text.
      if name == "sealed" || name == "segment" { isRecord = true }
      guard found == nil, let name, ["log", "message", "@message", "MESSAGE"].contains(name),
        line.byteIfAny(at: scanner.position) == .doubleQuote
      else { return try scanner.skipValue(in: line) }
      var text: [UInt8] = []
      try scanner.readString(in: line) { text.append($0) }
      let isOfContainer = name == "log"
      if isOfContainer || (unsafe mark.isIn(text.span.bytes)) {
        found = .member(text, isOfContainer: isOfContainer)
      }
    }
    return isObject == nil || isRecord ? nil : found
  }
}

/// A text to look for, by Horspool's algorithm: most bytes of a line are passed over.
private struct Mark {
  private let bytes: [UInt8]
  private let steps: [Int]

  init(_ text: String) {
    bytes = Array(text.utf8)
    var steps = [Int](repeating: bytes.count, count: 256)
    for (offset, byte) in bytes.dropLast().enumerated() { steps[Int(byte)] = bytes.count - 1 - offset }
    self.steps = steps
  }

  func isIn(_ text: RawSpan) -> Bool {
    var end = bytes.count - 1
    while end < text.byteCount {
      let last = text.byte(at: end)
      if last == bytes[bytes.count - 1],
        bytes.indices.dropLast().allSatisfy({ text.byte(at: end - (bytes.count - 1) + $0) == bytes[$0] })
      {
        return true
      }
      end += steps[Int(last)]
    }
    return false
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How records are written.
enum RecordFormat: String, CaseIterable {
  /// One JSON object a line.
  case json
  /// Lines to read.
  case text
}

/// Writes lines to standard output, some of them at a time.
final class RecordOutput {
  let format: RecordFormat
  let isTerminal = Console.outputIsTerminal
  /// Whether text is coloured.
  let isColoured: Bool
  private var buffer = GrowingBuffer(capacity: 1 << 16)

  /// - Parameter format: Nil for text on a terminal, and JSON elsewhere.
  init(_ format: RecordFormat?) {
    self.format = format ?? (isTerminal ? .text : .json)
    isColoured = isTerminal && (ProcessEnvironment.value(of: "NO_COLOR") ?? "").isEmpty
  }

  /// Appends a line of JSON; on a terminal, characters that would steer it are written as escapes.
  func append(json line: RawSpan) throws(EnvelopeError) {
    if isTerminal {
      for scalar in String(decoding: [UInt8](copying: line), as: UTF8.self).unicodeScalars {
        buffer.append(text: scalar.isPrintable ? String(scalar) : scalar.jsonEscape)
      }
    } else {
      buffer.append(line)
    }
    try end()
  }

  /// Appends a line of text, which steers no terminal but by the colours that are in it.
  func append(text line: String) throws(EnvelopeError) {
    buffer.append(text: line)
    try end()
  }

  private func end() throws(EnvelopeError) {
    buffer.append(.lineFeed)
    if buffer.byteCount >= 1 << 16 { try flush() }
  }

  /// Writes what was appended.
  func flush() throws(EnvelopeError) {
    defer { buffer.wipe() }
    try buffer.withBytes { (bytes) throws(EnvelopeError) in
      guard !bytes.isEmpty else { return }
      try Descriptor.withoutClosing(STDOUT_FILENO) { (output) throws(EnvelopeError) in
        try output.writeAll(bytes, to: .stream("standard output"))
      }
    }
  }

  /// Text in a colour: a number of ECMA-48, section 8.3.117.
  func coloured(_ text: String, _ code: Int) -> String { isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

extension Unicode.Scalar {
  /// The character as JSON spells it in digits.
  fileprivate var jsonEscape: String {
    UTF16.encode(self)?.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined() ?? ""
  }
}

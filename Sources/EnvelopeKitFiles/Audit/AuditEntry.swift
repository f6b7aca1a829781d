// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// One line of a log of uses: a JSON object whose last member is the chain over all before it.
struct AuditEntry {
  let number: UInt64
  private let use: KeyUse

  init(number: UInt64, _ use: KeyUse) {
    self.number = number
    self.use = use
  }

  /// The longest line in bytes, its line feed included: a function's name of 8 KiB, each byte escaped.
  static let longestLine = 64 * 1024
  private static let chainMark = Array(",\"chain\":\"".utf8)
  private static let numberMark = Array("{\"entry\":".utf8)
  private static let lineEnd = Array("\"}".utf8)

  /// The line that follows an entry of the given chain.
  func line(after previous: [UInt8], key: WrappingKey) throws(EnvelopeError) -> [UInt8] {
    var body = Self.numberMark + Array("\(number),\"time\":\(use.time),\"operation\":".utf8)
    body.append(json: use.operation.rawValue)
    body += Array(",\"key\":".utf8)
    // The version is a member of its own, for whoever counts.
    let parts = use.keyID.string.split(separator: ".", maxSplits: 1)
    body.append(json: String(parts.first ?? ""))
    if parts.count == 2, let version = UInt32(parts[1]) { body += Array(",\"version\":\(version)".utf8) }
    if let function = use.function {
      body += Array(",\"function\":".utf8)
      body.append(json: function)
    }
    body += Array(",\"outcome\":".utf8)
    body.append(json: use.failure?.rawValue ?? "success")
    let chain = try Self.chain(over: body, after: previous, key: key)
    return body + Self.chainMark + Array(Base64URL.encode(chain).utf8) + Self.lineEnd + [.lineFeed]
  }

  /// The keyed hash over the chain of the entry before (32 zeros before the first) and the line up to its own.
  static func chain(over body: [UInt8], after previous: [UInt8], key: WrappingKey) throws(EnvelopeError) -> [UInt8] {
    let message = previous + body
    return try key.withBytes { (key) throws(EnvelopeError) in
      try [UInt8].appending(capacity: 32) { (output) throws(EnvelopeError) in
        try unsafe BLAKE2b.derive(32, key: key, personal: "EK audit", message: message.span.bytes, into: &output)
      }
    }
  }

  /// A line that was read, as far as verifying needs to understand it.
  struct Written {
    let number: UInt64
    let body: [UInt8]
    let chain: [UInt8]

    /// Takes a line apart, without its line feed; nil where it is no entry.
    init?(_ line: [UInt8]) {
      let tailCount = AuditEntry.chainMark.count + 43 + AuditEntry.lineEnd.count
      guard line.count > tailCount, line.starts(with: AuditEntry.numberMark), line.suffix(2) == AuditEntry.lineEnd[...],
        line.suffix(tailCount).starts(with: AuditEntry.chainMark),
        let chain = Base64URL.decode(line.suffix(tailCount).dropFirst(AuditEntry.chainMark.count).dropLast(2))
      else { return nil }
      let digits = String(decoding: line.dropFirst(AuditEntry.numberMark.count).prefix { $0.isDigit }, as: UTF8.self)
      guard let number = UInt64(digits), number > 0, "\(number)" == digits else { return nil }
      self.number = number
      self.chain = chain
      body = Array(line.dropLast(tailCount))
    }
  }
}

extension [UInt8] {
  /// Appends a JSON string (RFC 8259).
  fileprivate mutating func append(json text: String) {
    append(.doubleQuote)
    for byte in text.utf8 {
      switch byte {
      case .doubleQuote, .backslash: self += [.backslash, byte]
      case 0..<0x20, 0x7f:
        let digits = Array("0123456789abcdef".utf8)
        self += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: append(byte)
      }
    }
    append(.doubleQuote)
  }
}

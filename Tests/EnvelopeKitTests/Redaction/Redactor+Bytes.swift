// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

extension Redactor {
  /// A redactor for secrets given as bytes, in the order of their names.
  init(_ secrets: KeyValuePairs<String, [UInt8]>, minimumByteCount: Int = 8) throws {
    try self.init(OpenedEnvironment(bytes: Array(secrets)), minimumByteCount: minimumByteCount)
  }

  /// A redactor for one secret.
  init(secret: String, minimumByteCount: Int = 8) throws {
    try self.init(["SECRET": Array(secret.utf8)], minimumByteCount: minimumByteCount)
  }

  /// The bytes with masks.
  func redacted(_ bytes: [UInt8]) -> [UInt8] { unsafe redact(bytes.span.bytes) ?? bytes }

  /// The bytes with masks, passed through a stream in parts.
  func redacted(parts: [[UInt8]]) -> [UInt8] {
    var output: [UInt8] = []
    var stream = RedactionStream(self)
    for part in parts { unsafe stream.append(part.span.bytes) { output += $0.array } }
    stream.finish { output += $0.array }
    return output
  }
}

extension OpenedEnvironment {
  init(bytes: [(key: String, value: [UInt8])]) throws {
    try self.init(capacity: bytes.reduce(0) { $0 + $1.value.count }) { (output, index) throws(EnvelopeError) in
      for (name, value) in bytes {
        for byte in value { output.append(byte) }
        try index.add(name, endingAt: output.byteCount)
      }
    }
  }
}

extension RawSpan {
  var array: [UInt8] { (0..<byteCount).map { byte(at: $0) } }
}

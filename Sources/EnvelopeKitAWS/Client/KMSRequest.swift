// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// An operation of AWS KMS and its input in JSON (AWS KMS API Reference).
  struct KMSRequest: Sendable {
    let operation: String
    /// In guarded memory, for it may hold a plaintext.
    let body: GuardedMemory

    /// What every operation is told.
    struct Subject: Sendable {
      /// An id, an ARN or an alias; nil leaves it to the ciphertext.
      let key: String?
      let context: EncryptionContext
      var grantTokens: [String] = []
    }

    /// Has the service draw 32 bytes.
    static func generateDataKey(_ subject: Subject) throws(EnvelopeError) -> KMSRequest {
      try KMSRequest("GenerateDataKey", subject, member: "NumberOfBytes") { output in
        output.append("\(DataKey.byteCount)")
      }
    }

    static func encrypt(_ plaintext: RawSpan, _ subject: Subject) throws(EnvelopeError) -> KMSRequest {
      try KMSRequest("Encrypt", subject, member: "Plaintext", base64: plaintext)
    }

    static func decrypt(_ ciphertext: RawSpan, _ subject: Subject) throws(EnvelopeError) -> KMSRequest {
      try KMSRequest("Decrypt", subject, member: "CiphertextBlob", base64: ciphertext)
    }

    private init(
      _ operation: String, _ subject: Subject, member: String, base64 bytes: RawSpan
    ) throws(EnvelopeError) {
      // Two quotes, and the NUL that libsodium ends its text with.
      let room = SecretBase64.padded.encodedLength(of: bytes.byteCount) + 3
      try self.init(operation, subject, member: member, room: room) { (output) throws(EnvelopeError) in
        output.append(.doubleQuote)
        try SecretBase64.padded.append(encoding: bytes, to: &output)
        output.append(.doubleQuote)
      }
    }

    private init(
      _ operation: String, _ subject: Subject, member: String, room: Int = 8,
      _ appendValue: (inout OutputRawSpan) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
      var text = "{"
      if let key = subject.key { text += "\"KeyId\":\(JSONText.quoted(key))," }
      let pairs = subject.context.pairs.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
      if !pairs.isEmpty { text += "\"EncryptionContext\":{\(pairs.joined(separator: ","))}," }
      let tokens = subject.grantTokens.map(JSONText.quoted)
      if !tokens.isEmpty { text += "\"GrantTokens\":[\(tokens.joined(separator: ","))]," }
      text += "\"\(member)\":"
      self.operation = operation
      body = try GuardedMemory(capacity: text.utf8.count + room + 1) { (output) throws(EnvelopeError) in
        output.append(text)
        try appendValue(&output)
        output.append(UInt8(ascii: "}"))
      }
    }
  }

  /// Text as JSON writes it.
  enum JSONText {
    static func quoted(_ text: String) -> String {
      var quoted = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": quoted.unicodeScalars.append(contentsOf: ["\\", scalar])
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
          let digits = String(scalar.value, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
      }
      return quoted + "\""
    }
  }
#endif

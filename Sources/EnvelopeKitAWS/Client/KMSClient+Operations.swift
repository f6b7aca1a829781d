// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// What operations answer (AWS KMS API Reference), checked as far as it can be without the caller.
  extension KMSClient {
    /// A ciphertext and the ARN of its key.
    struct Encrypted {
      let key: KMSKeyARN
      let ciphertext: [UInt8]
    }

    /// A plaintext and the ARN of the key that it was under.
    struct Decrypted: ~Copyable {
      let key: KMSKeyARN
      private let plaintext: SecretBytes

      init(key: KMSKeyARN, plaintext: consuming SecretBytes) {
        self.key = key
        self.plaintext = plaintext
      }

      consuming func takePlaintext() -> SecretBytes { plaintext }
    }

    /// A new data key, plain and under a key of the service.
    struct GeneratedKey: ~Copyable {
      let encrypted: Encrypted
      private let plaintext: SecretBytes

      init(encrypted: Encrypted, plaintext: consuming SecretBytes) {
        self.encrypted = encrypted
        self.plaintext = plaintext
      }

      consuming func takePlaintext() -> SecretBytes { plaintext }
    }

    /// GenerateDataKey, for 32 bytes.
    func generateDataKey(_ subject: KMSRequest.Subject) async throws -> GeneratedKey {
      let answer = try await send(.generateDataKey(subject))
      return try answer.reading { (members) throws(EnvelopeError) in
        GeneratedKey(encrypted: try Encrypted(members), plaintext: try members.required("Plaintext"))
      }
    }

    /// Encrypt.
    func encrypt(_ request: KMSRequest) async throws -> Encrypted {
      try await send(request).reading { (members) throws(EnvelopeError) in try Encrypted(members) }
    }

    /// Decrypt.
    func decrypt(_ ciphertext: [UInt8], _ subject: KMSRequest.Subject) async throws -> Decrypted {
      let answer = try await send(unsafe .decrypt(ciphertext.span.bytes, subject))
      return try answer.reading { (members) throws(EnvelopeError) in
        Decrypted(key: try members.key(), plaintext: try members.required("Plaintext"))
      }
    }
  }

  extension KMSClient.Encrypted {
    fileprivate init(_ members: JSONMembers) throws(EnvelopeError) {
      key = try members.key()
      ciphertext = try members.required("CiphertextBlob").withBytes { [UInt8](copying: $0) }
    }
  }

  extension JSONMembers {
    fileprivate func key() throws(EnvelopeError) -> KMSKeyARN {
      guard let text = try string("KeyId"), let key = KMSKeyARN(text) else {
        throw EnvelopeError(.malformed, "KeyId is not the ARN of a key")
      }
      return key
    }

    fileprivate func required(_ name: String) throws(EnvelopeError) -> SecretBytes {
      guard let bytes = try bytes(name), bytes.byteCount > 0 else {
        throw EnvelopeError(.malformed, "\(name) is missing")
      }
      return bytes
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Reads the responses of the operations (AWS KMS API Reference), checked as far as possible without the request.
  ///
  /// Each method throws `keyServiceAnswerInvalid` if a member is missing or malformed.
  extension KMSAnswer {
    /// A ciphertext and the ARN of its key.
    struct Encrypted {
      let key: KMSKeyARN
      let ciphertext: [UInt8]
    }

    /// A plaintext and the ARN of the key that encrypted it.
    struct Decrypted: ~Copyable {
      let key: KMSKeyARN
      fileprivate let plaintext: SecretBytes

      consuming func takePlaintext() -> SecretBytes { plaintext }
    }

    /// A new data key, in plaintext and encrypted.
    struct GeneratedKey: ~Copyable {
      let encrypted: Encrypted
      fileprivate let plaintext: SecretBytes

      consuming func takePlaintext() -> SecretBytes { plaintext }
    }

    /// Reads the response of GenerateDataKey.
    func generatedKey() throws(EnvelopeError) -> GeneratedKey {
      try reading { (members) throws(EnvelopeError) in
        GeneratedKey(encrypted: try Encrypted(members), plaintext: try members.required("Plaintext"))
      }
    }

    /// Reads the response of Encrypt.
    func encrypted() throws(EnvelopeError) -> Encrypted {
      try reading { (members) throws(EnvelopeError) in try Encrypted(members) }
    }

    /// Reads the response of Decrypt.
    func decrypted() throws(EnvelopeError) -> Decrypted {
      try reading { (members) throws(EnvelopeError) in
        Decrypted(key: try members.key(), plaintext: try members.required("Plaintext"))
      }
    }
  }

  extension KMSAnswer.Encrypted {
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

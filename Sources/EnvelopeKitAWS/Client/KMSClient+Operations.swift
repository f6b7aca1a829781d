// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The operations of AWS KMS that are used here.
  extension KMSClient {
    /// Calls GenerateDataKey for 32 bytes.
    func generateDataKey(_ subject: KMSRequest.Subject) async throws -> KMSAnswer.GeneratedKey {
      try await send(.generateDataKey(subject)).generatedKey()
    }

    /// Calls Encrypt.
    func encrypt(_ request: KMSRequest) async throws -> KMSAnswer.Encrypted {
      try await send(request).encrypted()
    }

    /// Calls Decrypt.
    func decrypt(_ ciphertext: [UInt8], _ subject: KMSRequest.Subject) async throws -> KMSAnswer.Decrypted {
      try await send(unsafe .decrypt(ciphertext.span.bytes, subject)).decrypted()
    }
  }
#endif

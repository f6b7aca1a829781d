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

    private func send(_ request: KMSRequest) async throws -> KMSAnswer {
      let headers = [
        (name: "content-type", value: "application/x-amz-json-1.1"),
        (name: "x-amz-target", value: "TrentService.\(request.operation)"),
      ]
      return try await service.send(AWSService.Request(headers: headers, body: request.body), as: credentials) {
        (answer) throws(EnvelopeError) in
        guard answer.status == 200, !answer.isPage else {
          throw ServiceFailure(answer).kmsError(from: service.endpoint, now: service.timing.wallClock())
        }
        return KMSAnswer(body: answer.body, requestID: answer.requestID)
      }
    }
  }
#endif

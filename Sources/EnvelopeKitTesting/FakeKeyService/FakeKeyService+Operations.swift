// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// What goes with every use of a key.
  package struct Request: Sendable {
    /// An alias, the UUID of a key, or the ARN of either; nil, for decrypting alone, asks for the key that encrypted.
    var name: String?
    var principal: Principal
    var grantTokens: [String]
    var context: EncryptionContext

    package init(
      _ name: String?, as principal: Principal = .owner, grantTokens: [String] = [], context: EncryptionContext = [:]
    ) {
      self.name = name
      self.principal = principal
      self.grantTokens = grantTokens
      self.context = context
    }
  }

  /// Bytes that were encrypted, and the key that did it.
  package struct Encrypted: Sendable {
    package let ciphertext: [UInt8]
    package let key: KeyID
  }

  /// Bytes that were decrypted, and the key that did it.
  package struct Decrypted: ~Copyable, Sendable {
    package let plaintext: SecretBytes
    package let key: KeyID

    package consuming func takePlaintext() -> SecretBytes { plaintext }
  }

  /// A new data key: as it is, and encrypted.
  package struct Generated: ~Copyable, Sendable {
    package let plaintext: SecretBytes
    package let encrypted: Encrypted

    package consuming func takePlaintext() -> SecretBytes { plaintext }
  }

  /// Makes a data key of 32 bytes (GenerateDataKey).
  package func generateDataKey(_ request: Request) async throws -> Generated {
    let call = try await begin(.generateDataKey, request)
    let plaintext = try SecretBytes(byteCount: DataKey.byteCount) { (output) throws(EnvelopeError) in
      try Randomness.append(DataKey.byteCount, to: &output)
    }
    let encrypted = try plaintext.withBytes { (bytes) throws(EnvelopeError) in
      Encrypted(ciphertext: try call.key.encrypt(bytes, for: request.context), key: call.key.id)
    }
    conclude(call, .succeeded)
    return Generated(plaintext: plaintext, encrypted: encrypted)
  }

  /// Encrypts 1 to 4,096 bytes (Encrypt).
  package func encrypt(_ plaintext: borrowing SecretBytes, _ request: Request) async throws -> Encrypted {
    let call = try await begin(.encrypt, request)
    guard (1...4096).contains(plaintext.byteCount) else {
      throw refuse(call, Refusal(.validation, "1 to 4096 bytes can be encrypted"))
    }
    let ciphertext = try plaintext.withBytes { (bytes) throws(EnvelopeError) in
      try call.key.encrypt(bytes, for: request.context)
    }
    conclude(call, .succeeded)
    return Encrypted(ciphertext: ciphertext, key: call.key.id)
  }

  /// Decrypts what was encrypted under the same context (Decrypt).
  package func decrypt(_ ciphertext: [UInt8], _ request: Request) async throws -> Decrypted {
    let call = try await begin(.decrypt, request, ciphertext: ciphertext)
    let plaintext: SecretBytes
    do throws(Refusal) {
      plaintext = try call.key.decrypt(ciphertext, for: request.context)
    } catch {
      throw refuse(call, error)
    }
    conclude(call, .succeeded)
    return Decrypted(plaintext: plaintext, key: call.key.id)
  }

  /// A call that may use a key, as the key was at that moment.
  private struct Admitted {
    let number: Int
    let key: Key
  }

  /// Notes a call, holds it if calls are held, and decides whether it may go on.
  private func begin(
    _ operation: Operation, _ request: Request, ciphertext: [UInt8] = []
  ) async throws -> Admitted {
    // Refused before anything is sent, as a client does.
    _ = try request.context.canonicalBytes()
    try Task.checkCancellation()
    let prefix = prefix
    let number = state.withLock { state in
      let number = state.log.nextNumber()
      let key = try? state.key(for: request, ciphertext: ciphertext, prefix: prefix).id
      state.log.calls.append(
        Call(
          requestID: Self.requestID(number: number), operation: operation, key: key, principal: request.principal,
          outcome: .pending, number: number))
      return number
    }
    do {
      try await waitWhileHeld(number)
    } catch {
      state.withLock { $0.log.conclude(number, .cancelled) }
      throw error
    }
    let result = state.withLock { state -> Result<Admitted, EnvelopeError> in
      let result = state.admit(number, operation, request, ciphertext: ciphertext, prefix: prefix)
      if case .failure(let error) = result { state.log.conclude(number, .failed(error.serviceError ?? "")) }
      return result.map { Admitted(number: number, key: $0) }
    }
    return try result.get()
  }

  private func conclude(_ call: Admitted, _ outcome: Call.Outcome) {
    state.withLock { $0.log.conclude(call.number, outcome) }
  }

  /// Notes that a call failed after all.
  private func refuse(_ call: Admitted, _ refusal: Refusal) -> EnvelopeError {
    conclude(call, .failed(refusal.kind.rawValue))
    return refusal.error(number: call.number)
  }
}

extension FakeKeyService.State {
  /// The key that a call may use, or why it may not.
  fileprivate mutating func admit(
    _ number: Int, _ operation: FakeKeyService.Operation, _ request: FakeKeyService.Request, ciphertext: [UInt8],
    prefix: String
  ) -> Result<FakeKeyService.Key, EnvelopeError> {
    if let fault = faults.next(for: operation) { return .failure(fault.error(number: number)) }
    do throws(FakeKeyService.Refusal) {
      guard request.grantTokens.count <= 10, request.grantTokens.allSatisfy({ (1...8192).contains($0.utf8.count) })
      else { throw FakeKeyService.Refusal(.validation, "At most 10 grant tokens of at most 8192 bytes can be given") }
      let key = try key(for: request, ciphertext: ciphertext, prefix: prefix)
      // An alias may have been moved while the call was held.
      log.setKey(key.id, of: number)
      // As a string, a token equals one that has the Kelvin sign for its K.
      guard request.grantTokens.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } && grantTokens.contains($0) }) else {
        throw FakeKeyService.Refusal(.invalidGrantToken, "The key service never gave out one of the grant tokens")
      }
      try checkUse(operation, of: key, by: request)
      return .success(key)
    } catch {
      return .failure(error.error(number: number))
    }
  }

  /// The key that a request names, or that its ciphertext does.
  fileprivate func key(
    for request: FakeKeyService.Request, ciphertext: [UInt8], prefix: String
  ) throws(FakeKeyService.Refusal) -> FakeKeyService.Key {
    if let name = request.name { return try key(named: name, prefix: prefix) }
    guard let uuid = FakeKeyService.Key.uuid(inCiphertext: ciphertext) else {
      throw FakeKeyService.Refusal(.invalidCiphertext, "The ciphertext is none of this key service's")
    }
    guard let key = keys.values.first(where: { $0.id.string.utf8.elementsEqual((prefix + "key/" + uuid).utf8) }) else {
      throw FakeKeyService.Refusal(
        .accessDenied, "The ciphertext's key does not exist, or its use is not allowed")
    }
    return key
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension HandlerSecrets {
  /// Opens the environment that the process was started with, using the key store in its usual place.
  ///
  /// - Parameters:
  ///   - function: The function's name; nil takes it from `context` or, in AWS Lambda, `AWS_LAMBDA_FUNCTION_NAME`.
  ///   - context: The further pairs given when it was sealed.
  ///   - minimumGeneration: The lowest generation to accept; 0 accepts any.
  ///   - path: The key store; nil takes ``KeyStoreFile/defaultLocation(variables:)``.
  /// - Throws: What ``KeyStore/open(at:)`` throws, and what opening with a keyring throws.
  public static func open(
    function: String? = nil, context: EncryptionContext = [:], minimumGeneration: UInt32 = 0,
    keyStoreAt path: String? = nil
  ) async throws -> OpenedEnvironment {
    try await open(
      using: KeyStore.open(at: path).keyring(), function: function, context: context,
      minimumGeneration: minimumGeneration)
  }
}

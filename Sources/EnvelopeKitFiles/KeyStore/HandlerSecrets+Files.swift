// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension HandlerSecrets {
  /// Opens the environment that the process was started with, using the key store in its usual place.
  ///
  /// Call it inside ``EnvelopeKit/HandlerSecrets/runOrExit(_:)``. To bring the key store's text yourself, from a secrets
  /// manager say, call ``EnvelopeKit/HandlerSecrets/open(using:function:context:minimumGeneration:anonymousSender:variables:)``
  /// with the keyring of a ``EnvelopeKit/KeyStore/init(wiping:)``.
  ///
  /// - Parameters:
  ///   - function: The function's name; nil takes it from `context` or, in AWS Lambda, `AWS_LAMBDA_FUNCTION_NAME`.
  ///   - context: The further pairs given when it was sealed.
  ///   - minimumGeneration: The lowest generation to accept; 0 accepts any.
  ///   - path: The key store; nil takes ``KeyStoreFile/defaultLocation(variables:)``.
  ///   - warn: Receives a sentence if other users can read the store and its keys are not narrowed to functions; nil
  ///     writes it to standard error, in one line.
  /// - Throws: What ``KeyStore/open(at:)`` throws, and what opening with a keyring throws.
  public static func open(
    function: String? = nil, context: EncryptionContext = [:], minimumGeneration: UInt32 = 0,
    keyStoreAt path: String? = nil, warn: (@Sendable (_ message: String) -> Void)? = nil
  ) async throws -> OpenedEnvironment {
    var file = try KeyStoreFile(at: path)
    file.warn = warn ?? { StandardError.writeLine("Warning: \($0)") }
    guard let store = try file.load() else { throw file.missing }
    return try await open(
      using: store.keyring(), function: function, context: context, minimumGeneration: minimumGeneration)
  }
}

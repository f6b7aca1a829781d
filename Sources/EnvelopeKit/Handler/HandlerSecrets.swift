// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens the environment that a function was started with, once for any number of variables and callers.
///
/// ``open(using:function:context:minimumGeneration:anonymousSender:variables:)`` is the one line before
/// the handler, inside ``runOrExit(_:)``, so that a failure shows no secret in the log. Where handlers may run before the
/// environment is open, make one instance and have each ask ``opened()``: however many ask at once, the keyring is called
/// once.
public actor HandlerSecrets {
  private let openOnce: @Sendable () async throws -> OpenedEnvironment
  private var flight: Task<OpenedEnvironment, any Error>?

  /// Keeps what it takes to open the environment; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - keyring: Unwraps the data key.
  ///   - function: The function's name; nil takes it from `context` or, in AWS Lambda, `AWS_LAMBDA_FUNCTION_NAME`.
  ///   - context: The further pairs given when it was sealed.
  ///   - minimumGeneration: The lowest generation to accept; 0 accepts any.
  ///   - sender: Whether to accept an environment that was opened through the entry of a recipient.
  ///   - variables: Where to look; nil looks at the process's own variables when the environment is opened.
  public init(
    using keyring: some Keyring, function: String? = nil, context: EncryptionContext = [:],
    minimumGeneration: UInt32 = 0, anonymousSender sender: AnonymousSender = .refused,
    variables: [String: String]? = nil
  ) {
    openOnce = {
      try await Self.open(
        using: keyring, function: function, context: context, minimumGeneration: minimumGeneration,
        anonymousSender: sender, variables: variables)
    }
  }

  /// The opened environment: opened by the first who asks, and kept.
  ///
  /// A failure is told to all who were waiting and is not kept: whoever asks next tries again. Who is cancelled
  /// while waiting waits to the end all the same.
  ///
  /// - Throws: As ``open(using:function:context:minimumGeneration:anonymousSender:variables:)``.
  public func opened() async throws -> OpenedEnvironment {
    let flight = flight ?? takeOff()
    do {
      return try await flight.value
    } catch {
      // Whichever of those who waited comes first: each of them may ask again at once.
      if self.flight == flight { self.flight = nil }
      throw error
    }
  }

  private func takeOff() -> Task<OpenedEnvironment, any Error> {
    // A task of its own: whoever asked first may be cancelled, and the others still get their answer.
    let openOnce = openOnce
    let flight = Task { try await openOnce() }
    self.flight = flight
    return flight
  }

  /// Opens the environment that the process was started with: the whole map is verified, with one unwrap.
  ///
  /// It finds `ENVELOPE_HEADER` or `ENVELOPE_SEALED`, and never looks at unsealed variables.
  ///
  /// - Parameters:
  ///   - keyring: Unwraps the data key.
  ///   - function: The function's name; nil takes it from `context` or, in AWS Lambda, `AWS_LAMBDA_FUNCTION_NAME`.
  ///   - context: The further pairs given when it was sealed.
  ///   - minimumGeneration: The lowest generation to accept; 0 accepts any.
  ///   - sender: Whether to accept an environment that was opened through the entry of a recipient.
  ///   - variables: Where to look; nil looks at the process's own variables.
  /// - Throws: `noHeader`, `functionUnknown`, `contextDiffers`, `keyNotFound`, `unwrapFailed`, `headerAltered`,
  ///   `variablesAltered`, `variablesAdded`, `variablesMissing`, `variablePutBack`, `payloadAltered` (packed),
  ///   `staleGeneration`, `anonymousSender`, `malformed`, `unsupportedVersion`, `unsupportedSuite`, `invalidArgument`
  ///   for a context that breaks a limit or names another function too, or what the keyring throws.
  public static func open(
    using keyring: some Keyring, function: String? = nil, context: EncryptionContext = [:],
    minimumGeneration: UInt32 = 0, anonymousSender sender: AnonymousSender = .refused,
    variables: [String: String]? = nil
  ) async throws -> OpenedEnvironment {
    let variables = try variables ?? ProcessEnvironment.variables()
    let sealed = try SealedEnvironment(variables: variables)
    let context = try Self.context(function: function, adding: context, variables: variables)
    return try await sealed.open(
      context: context, using: keyring, minimumGeneration: minimumGeneration, anonymousSender: sender)
  }

  private static func context(
    function: String?, adding context: EncryptionContext, variables: [String: String]
  ) throws(EnvelopeError) -> EncryptionContext {
    if let function {
      guard context.function == nil else {
        throw EnvelopeError(.invalidArgument, "The function's name is given twice, once in the context")
      }
      return context.adding(function, for: "function")
    }
    if context.function != nil { return context }
    return context.adding(try LambdaFunction.name(in: variables), for: "function")
  }
}

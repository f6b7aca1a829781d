// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  public import EnvelopeKit

  /// Opens the values that AWS Lambda's console made with its encryption helpers, one call to AWS KMS for each.
  ///
  /// Such a value is the padded base64 of what Encrypt answers for the text, under the encryption context
  /// `LambdaFunctionName`. Older consoles, and `aws kms encrypt` without more, leave the context out. A value says
  /// nothing of its key, of its variable or of the others: seal them as one environment to have that.
  public struct ConsoleHelper: Sendable {
    private let client: KMSClient
    private let accounts: KMSKeyring.Accounts
    private let acceptsNoContext: Bool
    private let concurrencyLimit: Int

    /// Says which values are believed; nothing is sent.
    ///
    /// - Parameters:
    ///   - client: Speaks to AWS KMS in the Region of the keys.
    ///   - accounts: A value under a key of any other account is refused: anyone could have created it.
    ///   - acceptingValuesWithoutContext: Whether a value that does not open under the function's context may open
    ///     under none: it may then have been made for another function.
    ///   - concurrencyLimit: How many calls may be under way at once; at least 1.
    /// - Throws: `invalidArgument` where the limit is less, or no account is named.
    public init(
      client: KMSClient, accounts: KMSKeyring.Accounts, acceptingValuesWithoutContext: Bool = false,
      concurrencyLimit: Int = 8
    ) throws(EnvelopeError) {
      guard concurrencyLimit >= 1, !accounts.accounts.isEmpty else {
        throw EnvelopeError(.invalidArgument, "The console helper needs an account, and at least one call at a time")
      }
      self.client = client
      self.accounts = accounts
      acceptsNoContext = acceptingValuesWithoutContext
      self.concurrencyLimit = concurrencyLimit
    }

    /// What was opened.
    public struct Opened: Sendable {
      /// The values in guarded memory.
      public let secrets: OpenedEnvironment
      /// The names of those that opened without a context only, in ascending order.
      public let withoutContext: [String]
    }

    /// Opens several variables, some at a time; all of them or none.
    ///
    /// - Parameters:
    ///   - names: The names of variables that hold such values.
    ///   - function: The function's name; nil takes `AWS_LAMBDA_FUNCTION_NAME` in AWS Lambda.
    ///   - variables: Where to look; nil looks at the process's own variables.
    /// - Throws: `unwrapFailed` or the code of the first failure, with all variables that do not open in `names` and in the
    ///   message, in ascending order: `variableMissing`, `invalidArgument` where it is no
    ///   name or there twice, `malformed` where a value is not padded base64 or too long, `typeMismatch` where the
    ///   plaintext is not UTF-8, `unwrapFailed` where AWS KMS does not decrypt it, `keyAccessDenied` also where its
    ///   key is of another account; `functionUnknown`; else as ``KMSKeyring/generateDataKey(for:)``.
    public func open(
      _ names: [String], function: String? = nil, variables: [String: String]? = nil
    ) async throws -> Opened {
      let variables = try variables ?? ProcessEnvironment.variables()
      let function = try function ?? LambdaFunction.name(in: variables)
      guard !function.isEmpty else {
        throw EnvelopeError(.functionUnknown, "The function's name is empty", advice: "Pass the function's name.")
      }
      guard Set(names).count == names.count else {
        throw EnvelopeError(.invalidArgument, "A variable is named twice", advice: "Name each once.")
      }
      // Everything that can be wrong here is told before AWS KMS is asked.
      var pending = try names.map { (name) throws(EnvelopeError) in
        try VariableName.check(name)
        guard let text = variables[name] else {
          throw EnvelopeError(
            .variableMissing, "There is no variable \(name)", advice: "Correct the name.", names: [name])
        }
        return (name: name, ciphertext: try Self.ciphertext(text, of: name))
      }[...]
      var values: [Value] = []
      var failures: [EnvelopeError] = []
      try await withThrowingTaskGroup(of: Result<Value, EnvelopeError>.self) { group in
        for next in pending.prefix(concurrencyLimit) {
          group.addTask { try await attempt(next.ciphertext, of: next.name, function: function) }
        }
        pending = pending.dropFirst(concurrencyLimit)
        while let outcome = try await group.next() {
          switch outcome {
          case .success(let value): values.append(value)
          case .failure(let error): failures.append(error)
          }
          guard let next = pending.popFirst() else { continue }
          group.addTask { try await attempt(next.ciphertext, of: next.name, function: function) }
        }
      }
      guard failures.isEmpty else { throw Self.combined(failures) }
      values.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      let capacity = values.reduce(0) { $0 + $1.memory.byteCount }
      let secrets = try OpenedEnvironment(capacity: capacity) { (output, index) throws(EnvelopeError) in
        for value in values {
          value.memory.withBytes { output.append($0) }
          try index.add(value.name, endingAt: output.byteCount)
        }
      }
      return Opened(secrets: secrets, withoutContext: values.filter { !$0.hadContext }.map(\.name))
    }

    /// Opens a value; a failure that says nothing about the value is thrown, for the others would meet it, too.
    private func attempt(
      _ ciphertext: [UInt8], of name: String, function: String
    ) async throws -> Result<Value, EnvelopeError> {
      do {
        return .success(try await open(ciphertext, of: name, function: function))
      } catch let error as EnvelopeError where !EnvelopeError.Code.ofService.contains(error.code) {
        return .failure(error)
      }
    }

    private static func combined(_ failures: [EnvelopeError]) -> EnvelopeError {
      let failures = failures.sorted { $0.names.joined().utf8.lexicographicallyPrecedes($1.names.joined().utf8) }
      guard failures.count > 1 else { return failures[0] }
      return EnvelopeError(
        failures[0].code, failures.map(\.message).joined(separator: "; "), advice: failures[0].advice,
        names: failures.flatMap(\.names), serviceError: failures[0].serviceError, requestID: failures[0].requestID)
    }

    private struct Value: Sendable {
      let name: String
      let memory: GuardedMemory
      let hadContext: Bool
    }

    private static func ciphertext(_ text: String, of name: String) throws(EnvelopeError) -> [UInt8] {
      let bytes = try? text.withUTF8Bytes { (text) throws(EnvelopeError) in
        try [UInt8].appending(capacity: text.byteCount) { (output) throws(EnvelopeError) in
          try SecretBase64.padded.append(decoding: text, to: &output)
        }
      }
      guard let bytes, WrappingScheme.awsKMS.wrappedByteCounts.contains(bytes.count) else {
        throw EnvelopeError(
          .malformed, "The variable \(name) does not hold what the console's helper makes",
          advice: "Its value should be base64 of at most 6,144 bytes; leave it out if it is not encrypted.",
          names: [name])
      }
      return bytes
    }

    private func open(_ ciphertext: [UInt8], of name: String, function: String) async throws -> Value {
      do {
        do {
          return try await open(ciphertext, of: name, context: ["LambdaFunctionName": function])
        } catch let error as EnvelopeError
          where acceptsNoContext && error.serviceError == "InvalidCiphertextException"
        {
          return try await open(ciphertext, of: name, context: [:])
        }
      } catch let error as EnvelopeError {
        throw error.about(name, acceptsNoContext: acceptsNoContext)
      }
    }

    private func open(_ ciphertext: [UInt8], of name: String, context: EncryptionContext) async throws -> Value {
      let decrypted = try await client.decrypt(ciphertext, KMSRequest.Subject(key: nil, context: context))
      guard accounts.contains(decrypted.key) else {
        throw EnvelopeError(
          .keyAccessDenied, "it is under a key of the account \(decrypted.key.account), which was not named",
          advice: "Name the account if the value is yours.")
      }
      let plaintext = decrypted.takePlaintext()
      return try plaintext.withBytes { (plaintext) throws(EnvelopeError) in
        guard plaintext.firstOffsetOutsideUTF8 == nil else {
          throw EnvelopeError(
            .typeMismatch, "it is not UTF-8 text", advice: "The helper encrypts text; decode this one yourself.")
        }
        let memory = try GuardedMemory(capacity: plaintext.byteCount) { $0.append(plaintext) }
        return Value(name: name, memory: memory, hadContext: !context.pairs.isEmpty)
      }
    }
  }

  extension EnvelopeError {
    fileprivate func about(_ name: String, acceptsNoContext: Bool) -> EnvelopeError {
      let advice =
        serviceError == "InvalidCiphertextException" && !acceptsNoContext
        ? "If it was made without an encryption context, by the command line or an older console, accept that." : advice
      return EnvelopeError(
        code, "The variable \(name) does not open: \(message)", advice: advice,
        names: [name], serviceError: serviceError, requestID: requestID)
    }
  }
#endif

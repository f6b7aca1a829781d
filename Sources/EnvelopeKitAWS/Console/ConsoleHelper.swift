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
    /// - Throws: `invalidArgument` if the limit is less, no account is named, or an account's id is not 12 digits.
    public init(
      client: KMSClient, accounts: KMSKeyring.Accounts, acceptingValuesWithoutContext: Bool = false,
      concurrencyLimit: Int = 8
    ) throws(EnvelopeError) {
      guard concurrencyLimit >= 1, !accounts.accounts.isEmpty else {
        throw EnvelopeError(.invalidArgument, "The console helper needs an account, and at least one call at a time")
      }
      try accounts.check()
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
    /// - Throws: For values that do not open, one error that names all of them in ascending order, in `names` and in the
    ///   message, with the code of the first: `unwrapFailed` if AWS KMS does not decrypt it, `typeMismatch` if the plaintext
    ///   is not UTF-8, `keyAccessDenied` also if its key is of another account, and as ``KMSKeyring/generateDataKey(for:)``.
    ///   Before anything is sent: `variableMissing`, and `malformed` if a value is not padded base64 or too long, which name
    ///   all such variables; `invalidArgument` if a name is not one or there twice; `functionUnknown`. A failure of the
    ///   service as a whole is thrown at once.
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
      // Everything that can be wrong here is reported before AWS KMS is called.
      for name in names { try VariableName.check(name) }
      let missing = names.filter { variables[$0] == nil }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      guard missing.isEmpty else {
        throw EnvelopeError(
          .variableMissing,
          "There is no variable \(missing.joined(separator: ", "))", advice: "Correct the name.", names: missing)
      }
      var pending = try Self.ciphertexts(names.map { ($0, variables[$0] ?? "") })[...]
      var values: [Value] = []
      var failures: [Failure] = []
      try await withThrowingTaskGroup(of: Outcome.self) { group in
        for next in pending.prefix(concurrencyLimit) {
          group.addTask { try await attempt(next.ciphertext, of: next.name, function: function) }
        }
        pending = pending.dropFirst(concurrencyLimit)
        while let outcome = try await group.next() {
          switch outcome {
          case .opened(let value): values.append(value)
          case .failed(let failure): failures.append(failure)
          }
          guard let next = pending.popFirst() else { continue }
          group.addTask { try await attempt(next.ciphertext, of: next.name, function: function) }
        }
      }
      if let error = Failure.combined(failures, acceptsNoContext: acceptsNoContext) { throw error }
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

    private enum Outcome: Sendable {
      case opened(Value)
      case failed(Failure)
    }

    /// Opens a value.
    ///
    /// - Throws: A failure that says nothing about the value, because the others would meet it, too.
    private func attempt(_ ciphertext: [UInt8], of name: String, function: String) async throws -> Outcome {
      do {
        return .opened(try await open(ciphertext, of: name, function: function))
      } catch let error as EnvelopeError {
        let failure = Failure(name: name, error: error)
        guard !EnvelopeError.Code.ofService.contains(error.code) else {
          throw Failure.combined([failure], acceptsNoContext: acceptsNoContext) ?? error
        }
        return .failed(failure)
      }
    }

    private struct Value: Sendable {
      let name: String
      let memory: GuardedMemory
      let hadContext: Bool
    }

    private static func ciphertexts(
      _ values: [(name: String, text: String)]
    ) throws(EnvelopeError) -> [(name: String, ciphertext: [UInt8])] {
      let ciphertexts = values.map { (name: $0.name, ciphertext: ciphertext($0.text)) }
      let names = ciphertexts.filter { $0.ciphertext == nil }.map(\.name)
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      guard names.isEmpty else {
        throw EnvelopeError(
          .malformed,
          names.count == 1
            ? "The variable \(names[0]) does not hold what the console's helper makes"
            : "The variables \(names.joined(separator: ", ")) do not hold what the console's helper makes",
          advice: "Such a value is base64 of at most 6,144 bytes; leave out what is not encrypted.", names: names)
      }
      return ciphertexts.compactMap { value in value.ciphertext.map { (value.name, $0) } }
    }

    private static func ciphertext(_ text: String) -> [UInt8]? {
      let bytes = try? text.withUTF8Bytes { (text) throws(EnvelopeError) in
        try [UInt8].appending(capacity: text.byteCount) { (output) throws(EnvelopeError) in
          try SecretBase64.padded.append(decoding: text, to: &output)
        }
      }
      return bytes.flatMap { WrappingScheme.awsKMS.wrappedByteCounts.contains($0.count) ? $0 : nil }
    }

    private func open(_ ciphertext: [UInt8], of name: String, function: String) async throws -> Value {
      do {
        return try await open(ciphertext, of: name, context: ["LambdaFunctionName": function])
      } catch let error as EnvelopeError
        where acceptsNoContext && error.serviceError == "InvalidCiphertextException"
      {
        return try await open(ciphertext, of: name, context: [:])
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
#endif

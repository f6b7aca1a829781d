// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  public import EnvelopeKit

  /// Wraps with one key of AWS KMS, and unwraps with that and any others that the caller names.
  ///
  /// The encryption context is KMS's own, so key policies and grants can ask for its pairs. A header names the key by
  /// its ARN. On opening, AWS KMS is asked only about keys that the caller named, once for an entry of the header
  /// and a name. ReEncrypt is not used, for it cannot check what it wraps.
  public struct KMSKeyring: Keyring {
    /// Accounts whose keys may all be asked for on opening.
    public struct Accounts: Sendable, Hashable {
      let partition: String
      let accounts: Set<String>

      /// Names accounts.
      ///
      /// - Parameters:
      ///   - accounts: The accounts' ids, 12 digits each, which may be grouped as AWS shows them: `1111-2222-3333`.
      ///   - partition: `aws`, `aws-cn`, `aws-us-gov`, …
      public init(_ accounts: Set<String>, partition: String = "aws") {
        self.accounts = Set(
          accounts.map { account in
            let groups = account.split(separator: "-", omittingEmptySubsequences: false)
            return groups.map(\.utf8.count) == [4, 4, 4] ? groups.joined() : account
          })
        self.partition = partition
      }

      /// - Throws: `invalidArgument` if an id is not 12 digits.
      func check() throws(EnvelopeError) {
        for account in accounts where account.utf8.count != 12 || !account.utf8.allSatisfy({ $0.isDigit }) {
          throw EnvelopeError(
            .invalidArgument, "\(EnvelopeError.quoted(account)) is not the id of an AWS account",
            advice: "Give 12 digits, such as 111122223333.")
        }
      }

      func contains(_ key: KMSKeyARN) -> Bool { key.partition == partition && accounts.contains(key.account) }
    }

    private let client: KMSClient
    private let key: KMSKeyName
    private let others: [KMSKeyName]
    private let accounts: Accounts?
    private let grantTokens: [String]
    private let asker = Asker()

    /// Tells this keyring from others, also where they name the same keys.
    private final class Asker: Sendable {}

    /// Names the keys; nothing is sent.
    ///
    /// - Parameters:
    ///   - key: Wraps and unwraps: a key's id or ARN, `alias/NAME`, or an alias's ARN. A multi-Region key's ARN may be
    ///     of any Region, others must be of the client's.
    ///   - others: Unwrap only; named in the same ways.
    ///   - accounts: Unwraps with any key of these accounts, too; nil with none but those named.
    ///   - grantTokens: At most 10, sent with every request: they bridge the minutes until a new grant holds.
    ///   - client: Speaks to AWS KMS in one Region; for several, make a keyring each and a ``MultiKeyring`` of them.
    /// - Throws: `invalidArgument` if a name is not one, is of another Region than the client's, if an account's id is
    ///   not 12 digits, or if there are too many grant tokens.
    public init(
      _ key: String, alsoUnwrappingWith others: [String] = [], orAnyKeyOf accounts: Accounts? = nil,
      grantTokens: [String] = [], client: KMSClient
    ) throws(EnvelopeError) {
      self.client = client
      self.key = try Self.name(key, in: client.region)
      self.others = try others.map { (other) throws(EnvelopeError) in try Self.name(other, in: client.region) }
      try accounts?.check()
      self.accounts = accounts
      guard grantTokens.count <= 10, grantTokens.allSatisfy({ (1...8192).contains($0.utf8.count) }) else {
        throw EnvelopeError(.invalidArgument, "AWS KMS takes at most 10 grant tokens of 1 to 8,192 bytes")
      }
      self.grantTokens = grantTokens
    }

    private static func name(_ text: String, in region: String) throws(EnvelopeError) -> KMSKeyName {
      let name = try KMSKeyName(text)
      if case .arn(let arn) = name, let here = arn.inRegion(region) { return .arn(here) }
      guard let other = name.region, other != region else { return name }
      throw EnvelopeError(
        .invalidArgument,
        "The KMS key \(EnvelopeError.quoted(text)) is of the Region \(other), and the client of \(region)",
        advice: "Use a client for that Region.")
    }

    /// Yes.
    public var callsService: Bool { true }

    /// Generates a data key in AWS KMS (GenerateDataKey).
    ///
    /// - Throws: `keyAccessDenied`, `keyDisabled`, `keyNotFound`, `keyInvalidState`; `credentialsMissing`,
    ///   `credentialsRefused`; `keyServiceUnavailable`, `keyServiceThrottled`, `keyServiceNotTrusted`,
    ///   `keyServiceAnswerInvalid`, `keyServiceRefused`; `invalidArgument` for a context that breaks a limit;
    ///   `CancellationError`.
    public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      _ = try context.canonicalBytes()
      let generated = try await client.generateDataKey(subject(key, context))
      let entry = try entry(generated.encrypted)
      return GeneratedDataKey(dataKey: try Self.dataKey(generated.takePlaintext()), wrapped: [entry])
    }

    /// Wraps a data key that exists (Encrypt).
    ///
    /// - Throws: As ``generateDataKey(for:)``.
    public func wrap(
      _ dataKey: borrowing DataKey, for context: EncryptionContext
    ) async throws -> [WrappedDataKey] {
      _ = try context.canonicalBytes()
      let subject = subject(key, context)
      let request = try dataKey.withBytes { (bytes) throws(EnvelopeError) in try KMSRequest.encrypt(bytes, subject) }
      return [try entry(await client.encrypt(request))]
    }

    /// Unwraps the first entry whose key was named and that AWS KMS decrypts (Decrypt).
    ///
    /// - Throws: `keyNotFound` if no entry's key was named, or an alias stands for another key now; `unwrapFailed` if it was
    ///   and the context or the entry differs; else as ``generateDataKey(for:)``.
    public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      _ = try context.canonicalBytes()
      var failure: EnvelopeError?
      for entry in wrapped where entry.scheme == .awsKMS {
        // The header is not verified yet: its ARNs are a stranger's.
        guard let header = KMSKeyARN(entry.keyID.string), let key = header.inRegion(client.region) else { continue }
        if let before = RefusedEntries.current?.failure(of: entry, for: asker) {
          failure = failure ?? before
          continue
        }
        var refusal: EnvelopeError?
        for name in names(for: key) {
          do {
            return UnwrappedDataKey(dataKey: try await decrypt(entry, of: key, named: name, context), source: entry)
          } catch let error as EnvelopeError {
            let error = error.serviceError == "IncorrectKeyException" && !name.isExact ? moved(name, key, error) : error
            (failure, refusal) = (failure ?? error, refusal ?? error)
            // What the next request would meet, too.
            guard !EnvelopeError.Code.ofService.contains(error.code) else { throw error }
            // What is said of an alias is said of its key, and another alias may stand for the entry's.
            guard
              error.serviceError == "IncorrectKeyException" || !name.isExact && Self.concernsKey.contains(error.code)
            else { break }
          }
        }
        if let refusal { RefusedEntries.current?.insert(entry, for: asker, refusal) }
      }
      throw failure ?? notNamed(wrapped)
    }

    /// An alias that stands for another key than the one that wrapped: AWS's way to rotate by hand.
    private func moved(_ name: KMSKeyName, _ key: KMSKeyARN, _ error: EnvelopeError) -> EnvelopeError {
      EnvelopeError(
        .keyNotFound, "The data key is wrapped with \(key), and \(name.text) stands for another key now",
        advice: "If that key is yours, name it as well, and rewrap: then the alias's new key opens.",
        serviceError: error.serviceError, requestID: error.requestID)
    }

    private func notNamed(_ wrapped: [WrappedDataKey]) -> EnvelopeError {
      let keys = wrapped.filter { $0.scheme == .awsKMS }.map { "\($0.keyID)" }
      guard !keys.isEmpty else { return .keyNotFound(among: wrapped) }
      let names = ([key] + others).map(\.text).joined(separator: ", ")
      return EnvelopeError(
        .keyNotFound, "The data key is wrapped with \(keys.joined(separator: ", ")), and named are \(names)",
        advice: "If the key is yours, name it, in its Region.")
    }

    private static let concernsKey: Set<EnvelopeError.Code> = [
      .keyAccessDenied, .keyDisabled, .keyNotFound, .keyInvalidState,
    ]

    /// What AWS KMS is asked by for a key: the names that can stand for it, an id or ARN before aliases.
    private func names(for key: KMSKeyARN) -> [KMSKeyName] {
      let able = ([self.key] + others).filter { $0.canName(key) }
      if let exact = able.first(where: \.isExact) { return [exact] }
      // Any key of the account is asked for by its own name, and then there is no need to try aliases.
      return accounts?.contains(key) == true ? [.arn(key)] : able
    }

    private func decrypt(
      _ entry: WrappedDataKey, of key: KMSKeyARN, named name: KMSKeyName, _ context: EncryptionContext
    ) async throws -> DataKey {
      let decrypted = try await client.decrypt(entry.bytes, subject(name, context))
      guard decrypted.key == key else {
        // An alias or an id says not all of the key: then it is the header that is wrong, and not the service.
        guard case .arn = name else {
          throw EnvelopeError(
            .unwrapFailed, "The wrapped data key is under another KMS key than the header says",
            advice: "Restore the file from where it was sealed.")
        }
        throw KMSAnswer.invalid("it is about another key than the one named", requestID: nil)
      }
      return try Self.dataKey(decrypted.takePlaintext())
    }

    private func subject(_ name: KMSKeyName, _ context: EncryptionContext) -> KMSRequest.Subject {
      KMSRequest.Subject(key: name.text, context: context, grantTokens: grantTokens)
    }

    private func entry(_ encrypted: KMSAnswer.Encrypted) throws(EnvelopeError) -> WrappedDataKey {
      guard encrypted.key.region == client.region, key.canName(encrypted.key) else {
        throw KMSAnswer.invalid("it is about another key than the one named", requestID: nil)
      }
      guard WrappingScheme.awsKMS.wrappedByteCounts.contains(encrypted.ciphertext.count) else {
        throw KMSAnswer.invalid("its ciphertext is too long", requestID: nil)
      }
      return try WrappedDataKey(
        scheme: .awsKMS, keyID: KeyID(encrypted.key.description), bytes: encrypted.ciphertext)
    }

    private static func dataKey(_ bytes: consuming SecretBytes) throws(EnvelopeError) -> DataKey {
      guard bytes.byteCount == DataKey.byteCount else {
        throw KMSAnswer.invalid("its data key is not \(DataKey.byteCount) bytes long", requestID: nil)
      }
      return try DataKey(bytes)
    }
  }

  extension KMSKeyName {
    /// Whether the name stands for one key for good.
    fileprivate var isExact: Bool {
      switch self {
      case .arn, .id: true
      case .alias, .aliasARN: false
      }
    }
  }

  extension KMSKeyring: CustomReflectable, CustomStringConvertible {
    /// The key's name and the Region.
    public var description: String { "KMSKeyring(\(key.text), \(client.region))" }

    /// Shows the key's name and the Region alone.
    public var customMirror: Mirror { Mirror(self, children: ["key": key.text, "region": client.region]) }
  }
#endif

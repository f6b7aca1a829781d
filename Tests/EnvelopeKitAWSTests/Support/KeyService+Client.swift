// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Synchronization
  import TestSupport

  @testable import EnvelopeKitAWS

  /// A client of the test server that signs with an account of its own, and waits for nothing between tries.
  struct TestClient {
    let account: KeyService.Account
    let client: KMSClient
    let pauses: Pauses

    /// The pauses between tries, which are recorded and not made.
    final class Pauses: Sendable {
      private let durations = Mutex<[Duration]>([])
      var all: [Duration] { durations.withLock { $0 } }
      func add(_ duration: Duration) { durations.withLock { $0.append(duration) } }
    }

    init(
      to name: String = "url", region: String = "us-east-1", credentials: AWSCredentials? = nil, chance: Double = 1,
      variables: [String: String] = [:], clockOffset: Int64 = 0,
      _ change: (inout KMSClient.Configuration) -> Void = { _ in }
    ) throws {
      let service = try KeyService.shared
      account = service.account()
      var configuration = KMSClient.Configuration()
      configuration.region = region
      configuration.endpoint = try service.url(name)
      configuration.caBundle = try service.url("ca")
      configuration.credentials = try credentials ?? AWSCredentials(accessKeyID: account.id, secretAccessKey: "secret")
      // The machine may be busy; what must fail by time says so itself.
      (configuration.tryTimeout, configuration.deadline) = (.seconds(300), .seconds(600))
      change(&configuration)
      let pauses = Pauses()
      self.pauses = pauses
      client = try KMSClient(
        configuration, variables: variables,
        timing: KMSClient.Timing(
          sleep: { pauses.add($0) }, chance: { chance }, wallClock: { UInt64(Int64(Clock.now) + clockOffset) }))
    }

    func keyring(_ key: String, others: [String] = [], accounts: KMSKeyring.Accounts? = nil, tokens: [String] = [])
      throws
      -> KMSKeyring
    {
      try KMSKeyring(key, alsoUnwrappingWith: others, orAnyKeyOf: accounts, grantTokens: tokens, client: client)
    }
  }

  extension KeyService {
    /// A key of a test's own.
    static func key(state: String? = nil, isMultiRegion: Bool = false, region: String = "us-east-1") async throws -> Key
    {
      try await shared.makeKey(state: state, isMultiRegion: isMultiRegion, region: region)
    }
  }

  extension SecretBytes {
    init(copied bytes: [UInt8]) { self.init(copying: unsafe bytes.span.bytes) }
  }

  extension DataKey {
    /// The bytes, copied where nobody wipes them.
    func copied() -> [UInt8] { withBytes { [UInt8](copying: $0) } }
  }
#endif

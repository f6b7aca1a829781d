// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import EnvelopeKitTesting
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Keys of AWS KMS do what any keyring must, alone, cached, and together with others.
  @Suite(.timeLimit(.minutes(20))) struct KMSConformanceTests {
    private func options(_ test: TestClient) async throws -> KeyringConformance.Options {
      var options = KeyringConformance.Options()
      options.stranger = try TestClient().keyring(try await KeyService.key().arn)
      // Each flip is a call over TLS.
      options.flipLimit = 24
      let account = test.account
      options.serviceCallCount = { (try? await account.counts().total) ?? -1 }
      return options
    }

    @Test(arguments: ["arn", "alias"])
    func aKeyOfAWSConforms(kind: String) async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let name = kind == "arn" ? key.arn : try #require(key.alias)
      try await KeyringConformance.check(test.keyring(name), options: options(test))
    }

    @Test func aMultiRegionKeyConforms() async throws {
      let (key, test) = (try await KeyService.key(isMultiRegion: true), try TestClient())
      try await KeyringConformance.check(test.keyring(key.arn), options: options(test))
    }

    @Test func aCachedKeyConforms() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let cached = try CachingKeyring(test.keyring(key.arn), maximumAge: .seconds(3600))
      try await KeyringConformance.check(cached, options: options(test))
    }

    @Test func severalRegionsAndALocalKeyConform() async throws {
      let (one, two) = (try await KeyService.key(), try await KeyService.key(region: "eu-central-1"))
      let (here, there) = (try TestClient(), try TestClient(region: "eu-central-1"))
      let multi = try MultiKeyring(
        [
          here.keyring(one.arn), there.keyring(two.arn), KeysetKeyring(try .generate()),
        ] as [any Keyring])
      var options = try await options(here)
      options.serviceCallCount = nil
      try await KeyringConformance.check(multi, options: options)
    }
  }
#endif

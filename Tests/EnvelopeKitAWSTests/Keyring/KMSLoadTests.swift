// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Synchronization
  import TestSupport
  import Testing

  @testable import EnvelopeKit
  @testable import EnvelopeKitAWS

  /// How often AWS KMS is asked, by its own count.
  @Suite(.timeLimit(.minutes(20))) struct KMSLoadTests {
    @Test(arguments: [1, 50])
    func aThousandOpenersCauseOneDecryptForEachEnvironment(count: Int) async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let keyring = try test.keyring(key.arn)
      var environments: [SealedEnvironment] = []
      for index in 0..<count {
        environments.append(
          try await SealedEnvironment.seal(["N": "\(index)"], context: ["function": "f\(index)"], using: keyring))
      }
      let cache = try CachingKeyring(keyring, maximumAge: .seconds(3600))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<1000 {
          let environment = environments[index % count]
          group.addTask {
            let opened = try await environment.open(context: ["function": "f\(index % count)"], using: cache)
            #expect(try opened.require("N").revealingString() == "\(index % count)")
          }
        }
        try await group.waitForAll()
      }
      let operations = try await test.account.counts().operations
      #expect(operations.filter { $0 == "Decrypt" }.count == count && operations.count == 2 * count)
    }

    /// Whichever Region hangs, the other opens, and the request that hangs is given up.
    @Test func regionThatHangsHoldsNoOtherUp() async throws {
      let (here, there) = (try await KeyService.key(), try await KeyService.key(region: "eu-west-1"))
      let test = try TestClient()
      let other = try KMSKeyring(there.arn, client: test.client.client(inRegion: "eu-west-1"))
      var keyring = try MultiKeyring([test.keyring(here.arn), other])
      keyring.pause = {}
      let generated = try await keyring.generateDataKey(for: ["a": "b"])
      #expect(generated.wrapped.map(\.keyID.string) == [here.arn, there.arn])
      try await test.account.fail(["slow"])
      let unwrapped = try await keyring.unwrap(generated.wrapped, for: ["a": "b"])
      #expect(unwrapped.dataKey.copied() == generated.dataKey.copied())
      try await test.account.wait(forHangups: 1)
    }

    /// With the pauses that a caller would have: a burst of twice the quota is spread over the seconds that it needs.
    @Test func burstOverTheQuotaIsSpread() async throws {
      let (key, service) = (try await KeyService.key(), try KeyService.shared)
      let account = service.account()
      var configuration = KMSClient.Configuration()
      configuration.credentials = try AWSCredentials(accessKeyID: account.id, secretAccessKey: "s")
      // The machine may be busy.
      (configuration.tryTimeout, configuration.deadline) = (.seconds(300), .seconds(600))
      let client = try KMSClient(
        configuration,
        variables: [
          "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": service.url("url"), "AWS_CA_BUNDLE": service.url("ca"),
        ])
      let keyring = try KMSKeyring(key.arn, client: client)
      let wrapped = try await keyring.generateDataKey(for: [:]).wrapped
      try await account.limit(to: 50)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<100 { group.addTask { _ = try await keyring.unwrap(wrapped, for: [:]).source } }
        try await group.waitForAll()
      }
      let requests = try await account.counts().requests
      #expect(requests.count { $0.status == 200 } == 101)
    }

    /// A handler's environment, however many handlers there are.
    @Test func aHandlersEnvironmentIsOneCall() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let keyring = try test.keyring(try #require(key.alias))
      let values = Dictionary(uniqueKeysWithValues: (0..<50).map { ("NAME_\($0)", "value \($0)") })
      let sealed = try await SealedEnvironment.seal(values, context: ["function": "f"], using: keyring)
      let secrets = HandlerSecrets(using: keyring, function: "f", variables: sealed.variables)
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<200 { group.addTask { try await secrets.opened().names.count } }
        for try await count in group { #expect(count == 50) }
      }
      #expect(try await test.account.counts().operations == ["GenerateDataKey", "Decrypt"])
    }

    /// An outage of the service shorter than the grace time fails no open; a refusal ends what is remembered.
    @Test func outageIsBridgedAndRefusalIsNot() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient { $0.tryLimit = 2 })
      let keyring = try test.keyring(key.arn)
      let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: keyring)
      let cache = try CachingKeyring(keyring, maximumAge: .nanoseconds(1), graceTime: .seconds(3600))
      _ = try await sealed.open(context: ["function": "f"], using: cache)
      for faults in [[String](repeating: "unavailable", count: 4), ["access-denied"]] {
        try await test.account.fail(faults)
        for _ in 0..<max(1, faults.count / 2) {
          let opened = try await sealed.open(context: ["function": "f"], using: cache)
          #expect(try opened.require("A").revealingString() == "1")
          await cache.settle()
        }
        #expect(try await test.account.counts().faults_left == 0)
      }
      try await test.account.fail(["access-denied"])
      await expectError(.keyAccessDenied) { try await sealed.open(context: ["function": "f"], using: cache) }
      try await test.account.fail(["unavailable", "unavailable"])
      await expectError(.keyServiceUnavailable) { try await sealed.open(context: ["function": "f"], using: cache) }
    }
  }

  extension CachingKeyring {
    /// Waits until no call to the keyring is in flight.
    fileprivate func settle() async {
      while let task = state.withLock({ $0.calls.values.first { $0.key == nil }?.task }) { _ = try? await task.key }
    }
  }
#endif

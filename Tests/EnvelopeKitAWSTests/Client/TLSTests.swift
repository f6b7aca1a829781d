// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Nothing is said to a server that is not who it should be.
  @Suite(.timeLimit(.minutes(20))) struct TLSTests {
    @Test(arguments: [
      ("other_authority", "no trusted authority"), ("expired", "is expired"), ("not_yet_valid", "is expired"),
      ("wrong_host", "is for another host"), ("tls11", "TLS 1.2"), ("client_certificate", ""),
    ])
    func aServerThatIsNotTrustedIsToldAtOnce(name: String, reason: String) async throws {
      let test = try TestClient(to: name)
      await expectError(.keyServiceNotTrusted, saying: reason, at: name) {
        try await test.keyring("alias/any").generateDataKey(for: [:])
      }
      #expect(try await test.account.counts().total == 0 && test.pauses.all.isEmpty)
    }

    @Test(arguments: ["url", "tls12", "ip"])
    func aServerThatIsTrustedIsSpokenTo(name: String) async throws {
      let key = try await KeyService.key()
      let test = try TestClient(to: name)
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      let version = try await test.account.counts().requests[0].tls
      #expect(name == "tls12" ? version == "TLSv1.2" : version == "TLSv1.3")
    }

    @Test func withoutTheirAuthorityItsServersAreNotTrusted() async throws {
      let test = try TestClient { $0.caBundle = nil }
      await expectError(.keyServiceNotTrusted) { try await test.keyring("alias/any").generateDataKey(for: [:]) }
    }

    @Test func plainHTTPIsRefusedBeforeAnythingIsSent() async throws {
      await expectError(.invalidArgument, saying: "is not HTTPS") { try TestClient(to: "plain") }
      for (name, value) in [("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_KMS", "http://example.com")]
      {
        await expectError(.configurationInvalid, saying: "is not HTTPS") {
          try KMSClient(KMSClient.Configuration(), variables: ["AWS_REGION": "us-east-1", name: value])
        }
      }
      await expectError(.invalidArgument, saying: "is not HTTPS") {
        try TestClient {
          $0.endpoint = "http://example.com"
          $0.allowsInsecureLoopbackHTTP = true
        }
      }
    }

    @Test func plainHTTPReachesThisMachineWhereSomebodyInsists() async throws {
      let key = try await KeyService.key()
      let test = try TestClient(to: "plain") { $0.allowsInsecureLoopbackHTTP = true }
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      #expect(try await test.account.counts().requests[0].tls == nil)
    }

    /// A TLS client at a plain server, and nobody at all.
    @Test func whereNobodySpeaksTLSItIsUnavailable() async throws {
      let plain = try KeyService.shared.url("plain")
      let (one, none) = (
        try TestClient {
          $0.endpoint = plain.replacing("http:", with: "https:")
          $0.tryLimit = 1
        },
        try TestClient {
          $0.endpoint = "https://127.0.0.1:1"
          $0.tryLimit = 2
        }
      )
      let error = await expectAnyError { try await one.keyring("alias/any").generateDataKey(for: [:]) }
      #expect([.keyServiceNotTrusted, .keyServiceUnavailable].contains(error?.code))
      await expectError(.keyServiceUnavailable, saying: "cannot be reached") {
        try await none.keyring("alias/any").generateDataKey(for: [:])
      }
      #expect(none.pauses.all.count == 1)
    }

    @Test func aBundleThatIsNoneIsRefusedWhenTheClientIsMade() async throws {
      let folder = try TemporaryFolder()
      await expectError(.fileFailure) { try TestClient { $0.caBundle = folder.path + "/none.pem" } }
      await expectError(.invalidArgument, saying: "no certificate") { try TestClient { $0.caBundle = "/dev/null" } }
      // Opening a pipe would wait for a writer.
      let pipe = folder.path + "/pipe"
      try #require(unsafe mkfifo(pipe, 0o600) == 0)
      await expectError(.fileFailure, saying: "not a file") { try TestClient { $0.caBundle = pipe } }
    }

    @Test func theClientNeedsARegionAndLimitsThatCanBe() async throws {
      await expectError(.configurationInvalid, saying: "no AWS Region") {
        try KMSClient(KMSClient.Configuration(), variables: [:])
      }
      await expectError(.configurationInvalid, saying: "'dev'") {
        try KMSClient(KMSClient.Configuration(), variables: ["AWS_PROFILE": "dev"])
      }
      for region in ["", "EU-CENTRAL-1", "eu central", "eu.evil.example", "a/b", String(repeating: "a", count: 64)] {
        await expectError(.invalidArgument, at: region) { try TestClient(region: region) }
      }
      await expectError(.invalidArgument) { try TestClient { $0.tryLimit = 0 } }
      await expectError(.invalidArgument) { try TestClient { $0.deadline = .zero } }
      await expectError(.invalidArgument) { try TestClient { $0.tryTimeout = .seconds(-1) } }
      await expectError(.invalidArgument) { try TestClient { $0.tryTimeout = .seconds(86401) } }
      await expectError(.invalidArgument) { try TestClient { $0.deadline = .seconds(Int64.max) } }
      #expect(throws: Never.self) { try TestClient { $0.deadline = .seconds(86400) } }
    }

    @Test(arguments: [
      ("eu-central-1", "https://kms.eu-central-1.amazonaws.com"),
      ("cn-north-1", "https://kms.cn-north-1.amazonaws.com.cn"),
      ("eusc-de-east-1", "https://kms.eusc-de-east-1.amazonaws.eu"),
      ("us-gov-west-1", "https://kms.us-gov-west-1.amazonaws.com"),
    ])
    func eachRegionHasItsEndpoint(region: String, origin: String) throws {
      let client = try KMSClient(KMSClient.Configuration(), variables: ["AWS_DEFAULT_REGION": region])
      #expect(client.service.endpoint.origin == origin && client.region == region)
    }
  }
#endif

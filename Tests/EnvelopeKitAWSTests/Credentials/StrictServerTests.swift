// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Against a server that checks every signature and permission.
  @Suite(.timeLimit(.minutes(20))) struct StrictServerTests {
    private func credentials(_ session: KeyService.Session, secret: String? = nil) throws -> AWSCredentials {
      try AWSCredentials(
        accessKeyID: session.access_key, secretAccessKey: secret ?? session.secret_key,
        sessionToken: session.session_token)
    }

    @Test(arguments: ["strict", "strict_json"])
    func signaturesOfUsersAndRolesAreAccepted(listener: String) async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      for session in [try await service.makeUser(), try await service.makeSession()] {
        let test = try TestClient(to: listener, credentials: credentials(session))
        let keyring = try test.keyring(key.arn)
        let generated = try await keyring.generateDataKey(for: ["function": "é \"x\""])
        let unwrapped = try await keyring.unwrap(generated.wrapped, for: ["function": "é \"x\""])
        #expect(unwrapped.dataKey.copied() == generated.dataKey.copied())
      }
    }

    @Test(arguments: ["strict", "strict_json"])
    func aWrongSecretIsRefused(listener: String) async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let session = try await service.makeUser()
      let test = try TestClient(to: listener, credentials: credentials(session, secret: session.secret_key + "x"))
      await expectError(.credentialsRefused, saying: "signature") {
        try await test.keyring(key.arn).generateDataKey(for: [:])
      }
      #expect(test.pauses.all.isEmpty)
    }

    @Test(arguments: ["strict", "strict_json"])
    func unknownCredentialsAreRefused(listener: String) async throws {
      let key = try await KeyService.key()
      let test = try TestClient(to: listener)
      await expectError(.credentialsRefused) { try await test.keyring(key.arn).generateDataKey(for: [:]) }
    }

    /// A role that may seal and not open is told so, once.
    @Test(arguments: ["strict", "strict_json"])
    func whoMayOnlySealCannotOpen(listener: String) async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let session = try await service.makeUser(["kms:GenerateDataKey", "kms:Encrypt"])
      let test = try TestClient(to: listener, credentials: credentials(session))
      let keyring = try test.keyring(key.arn)
      let generated = try await keyring.generateDataKey(for: [:])
      _ = try await keyring.wrap(generated.dataKey, for: [:])
      let error = await expectError(.keyAccessDenied) { try await keyring.unwrap(generated.wrapped, for: [:]) }
      #expect(error?.serviceError?.hasPrefix("AccessDenied") == true)
      #expect(test.pauses.all.isEmpty)
    }

    /// A clock that is off makes a signature that is none.
    @Test func aClockThatIsOffIsTold() async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let session = try await service.makeUser()
      var configuration = KMSClient.Configuration()
      configuration.region = "us-east-1"
      configuration.endpoint = try service.url("strict_json")
      configuration.caBundle = try service.url("ca")
      configuration.credentials = try credentials(session)
      let timing = KMSClient.Timing(wallClock: { UInt64(Date.now.timeIntervalSince1970) - 3600 })
      let client = try KMSClient(configuration, variables: [:], timing: timing)
      await expectError(.credentialsRefused, saying: "clock") {
        try await KMSKeyring(key.arn, client: client).generateDataKey(for: [:])
      }
    }

    /// Credentials that ended are looked for anew, once, and the call goes on.
    @Test func credentialsThatEndedAreRenewedOnce() async throws {
      let service = try KeyService.shared
      let (key, metadata) = (try await KeyService.key(), service.metadata())
      let client = try KMSClient(
        configuration(service),
        variables: [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": try metadata.url + "/creds", "AWS_EC2_METADATA_DISABLED": "true",
        ])
      let keyring = try KMSKeyring(key.arn, client: client)
      // What is given at first is unknown to the server.
      try await metadata.give(
        KeyService.Session(access_key: "ASIAUNKNOWN", secret_key: "s", session_token: "t"))
      let credentials = try await client.credentials.credentials()
      #expect(credentials.accessKeyID == "ASIAUNKNOWN")
      try await metadata.give(try await service.makeSession())
      _ = try await keyring.generateDataKey(for: [:])
      #expect(try await metadata.counts().container == 2)

      try await metadata.give(KeyService.Session(access_key: "ASIAGONE", secret_key: "s", session_token: "t"))
      await client.credentials.forget(try await client.credentials.credentials())
      await expectError(.credentialsRefused) { try await keyring.generateDataKey(for: [:]) }
      #expect(try await metadata.counts().container == 4)
    }

    private func configuration(_ service: KeyService) throws -> KMSClient.Configuration {
      var configuration = KMSClient.Configuration()
      configuration.region = "us-east-1"
      configuration.endpoint = try service.url("strict_json")
      configuration.caBundle = try service.url("ca")
      return configuration
    }
  }
#endif

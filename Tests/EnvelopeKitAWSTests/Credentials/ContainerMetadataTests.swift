// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Credentials as ECS and EKS Pod Identity give them.
  @Suite(.timeLimit(.minutes(20))) struct ContainerMetadataTests {
    private func find(
      _ variables: [String: String], limits: MetadataService.Limits = .patient
    ) async throws -> AWSCredentials {
      var source = try CredentialSource(
        variables: ["AWS_EC2_METADATA_DISABLED": "true"].merging(variables) { $1 })
      source.metadataLimits = limits
      return try await source.find()
    }

    private func address(_ metadata: KeyService.Metadata) throws -> [String: String] {
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": try metadata.url + "/creds"]
    }

    @Test func returnsCredentialsOfContainer() async throws {
      let metadata = try KeyService.shared.metadata()
      let found = try await find(try address(metadata))
      #expect(try found.accessKeyID.hasPrefix("ASIA") && found.sessionToken != nil && found.copiedSecret == "secret")
      let inAnHour = UInt64(Date.now.timeIntervalSince1970) + 3600
      #expect((inAnHour - 600...inAnHour + 600).contains(try #require(found.expiration)))
    }

    @Test func readsExpirationWithOffset() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.change(expiration: "2126-11-24t03:25:11.5+01:00")
      #expect(try await find(try address(metadata)).expiration == Timestamp.seconds(of: "2126-11-24T02:25:11Z"))
    }

    @Test func sendsTokenOfVariableOrFile() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.answer(authorization: "Bearer of news")
      let base = try address(metadata)
      await expectError(.credentialsMissing, saying: "status 401") { try await find(base) }
      _ = try await find(base.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer of news"]) { $1 })
      let folder = try TemporaryFolder()
      let file = folder.path + "/token"
      try Data("Bearer of news\n".utf8).write(to: URL(filePath: file))
      // The file comes first.
      let variables = base.merging(
        ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "x"]) { $1 }
      let source = try CredentialSource(variables: variables)
      _ = try await source.find()
      // The same source reads the file anew.
      try await metadata.answer(authorization: "Bearer of more news")
      await expectError(.credentialsMissing, saying: "status 401") { try await source.find() }
      try Data("Bearer of more news".utf8).write(to: URL(filePath: file))
      _ = try await source.find()
      await expectError(.configurationInvalid) {
        try await find(base.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nx: y"]) { $1 })
      }
      await expectError(.fileFailure) {
        try await find(base.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": folder.path + "/none"]) { $1 })
      }
      let pipe = folder.path + "/pipe"
      try #require(unsafe mkfifo(pipe, 0o600) == 0)
      await expectError(.fileFailure, saying: "not a file") {
        try await find(base.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": pipe]) { $1 })
      }
    }

    @Test(arguments: [
      "http://example.com/creds", "http://10.0.0.1/creds", "ftp://127.0.0.1/", "nonsense", "http:/127.0.0.1/",
      "http://169.254.170.2@evil.example/", "http://169.254.170.2.example/", "http://127.0.0.1.example/",
      "http://169.254.169.254/latest", "http://[fd00:ec2::254]/latest", "http://127.0.0.1:1/a b",
      "http://127.0.0.1:1/\r\nx", "http://127.0.0.1:1/a#b", "http://127.0.0.1:0/", "http:///creds",
    ])
    func refusesAddressesOfOthers(address: String) async {
      await expectError(.configurationInvalid, at: address) {
        try await find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address])
      }
    }

    /// What follows `169.254.170.2` must be a path.
    @Test(arguments: ["@evil.example/creds", ".evil.example/creds", "creds", ":80@evil.example/"])
    func refusesRelativePathThatChangesHost(path: String) async {
      await expectError(.configurationInvalid, at: path) {
        try await find(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path])
      }
    }

    @Test(arguments: [
      "no_role", "no_token", "failed", "garbage", "redirect", "unauthorized", "no_expiration", "bad_expiration",
      "missing_secret", "forbidden", "not_found", "not_allowed", "empty", "denied", "denied_loudly",
    ])
    func reportsContainerWithoutCredentials(mode: String) async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.give(KeyService.Session(access_key: "ASIAX", secret_key: "hush", session_token: "quiet"))
      try await metadata.answer([mode])
      let address = try address(metadata)
      let error = await expectError(.credentialsMissing, saying: "the container's endpoint", at: mode) {
        try await find(address)
      }
      let text = error.map { "\($0)" } ?? ""
      #expect(!text.contains("hush") && !text.contains("quiet") && text.utf8.count < 700, "\(text)")
      let counts = try await metadata.counts()
      #expect(counts.redirects_followed == 0 && counts.container == 1)
    }

    @Test func showsReasonOfEndpoint() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.answer(["denied", "denied_loudly", "failed"])
      let address = try address(metadata)
      await expectError(.credentialsMissing, saying: "status 403: AccessDenied: The pod may not have it.") {
        try await find(address)
      }
      await expectError(.credentialsMissing, saying: #"status 400: Bad: \u{1b}[31mloud loud"#) {
        try await find(address)
      }
      await expectError(.credentialsMissing, saying: "Failed: No credentials could be had.") {
        try await find(address)
      }
    }

    @Test(arguments: ["unavailable", "internal", "close", "oversized"])
    func retriesEndpointThatFails(mode: String) async throws {
      let metadata = try KeyService.shared.metadata()
      let address = try address(metadata)
      try await metadata.answer([mode, mode])
      _ = try await find(address)
      #expect(try await metadata.counts().container == 3)
      try await metadata.answer([mode, mode, mode])
      await expectError(.keyServiceUnavailable, saying: "the container's endpoint", at: mode) {
        try await find(address)
      }
      #expect(try await metadata.counts().container == 6)
    }

    @Test func reportsEndpointThatCannotBeReachedAsOutage() async throws {
      let service = try KeyService.shared
      await expectError(.keyServiceUnavailable, saying: "cannot be reached") {
        try await find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": try service.url("closed") + "/creds"])
      }
      let metadata = service.metadata()
      try await metadata.answer(["slow", "slow", "slow"])
      var limits = MetadataService.Limits.patient
      limits.attempt = .milliseconds(50)
      await expectError(.keyServiceUnavailable, saying: "does not respond in time") {
        try await find(try address(metadata), limits: limits)
      }
    }

    /// A client retries what its credentials need, too.
    @Test func clientWaitsForBusyEndpoint() async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let metadata = service.metadata()
      try await metadata.answer(["unavailable", "unavailable"])
      var configuration = KMSClient.Configuration()
      configuration.region = "us-east-1"
      configuration.endpoint = try service.url("url")
      configuration.caBundle = try service.url("ca")
      (configuration.tryTimeout, configuration.deadline) = (.seconds(300), .seconds(600))
      let client = try KMSClient(
        configuration, variables: try address(metadata), timing: KMSClient.Timing(sleep: { _ in }))
      _ = try await KMSKeyring(key.arn, client: client).generateDataKey(for: [:])
      #expect(try await metadata.counts().container == 3)
    }
  }
#endif

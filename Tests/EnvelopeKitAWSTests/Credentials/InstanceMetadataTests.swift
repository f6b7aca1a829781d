// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import Synchronization
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Credentials as an EC2 instance's metadata service gives them.
  @Suite(.timeLimit(.minutes(20))) struct InstanceMetadataTests {
    private func find(
      _ variables: [String: String], limits: MetadataService.Limits = .patient
    ) async throws -> AWSCredentials {
      var source = try CredentialSource(variables: variables)
      source.metadataLimits = limits
      return try await source.find()
    }

    private func address(_ metadata: KeyService.Metadata) throws -> [String: String] {
      ["AWS_EC2_METADATA_SERVICE_ENDPOINT": try metadata.url]
    }

    @Test func returnsCredentialsForSessionToken() async throws {
      let metadata = try KeyService.shared.metadata()
      let found = try await find([
        "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": try metadata.url + "/",
      ])
      #expect(found.accessKeyID.hasPrefix("ASIA") && found.expiration != nil)
      let counts = try await metadata.counts()
      #expect(counts.token == 1 && counts.role == 1 && counts.credentials == 1 && counts.refused == 0)
      await expectError(.credentialsMissing, saying: "not in the variables") {
        try await find(["AWS_EC2_METADATA_SERVICE_ENDPOINT": try metadata.url, "AWS_EC2_METADATA_DISABLED": "TRUE"])
      }
      #expect(try await metadata.counts().token == 1)
    }

    /// Only these mean that this is no instance, and each is found out by one attempt.
    @Test func machineWithoutMetadataHasNoCredentials() async throws {
      let service = try KeyService.shared
      let pauses = Mutex(0)
      var limits = MetadataService.Limits.patient
      limits.sleep = { _ in pauses.withLock { $0 += 1 } }
      await expectError(.credentialsMissing, saying: "not in the variables") {
        try await find(["AWS_EC2_METADATA_SERVICE_ENDPOINT": try service.url("closed")], limits: limits)
      }
      let metadata = service.metadata()
      try await metadata.answer(["not_found"], at: "token")
      await expectError(.credentialsMissing, saying: "not in the variables") {
        try await find(try address(metadata), limits: limits)
      }
      #expect(try await metadata.counts().token == 1)
      #if os(Linux)
        limits.connection = .milliseconds(20)
        await expectError(.credentialsMissing, saying: "not in the variables") {
          try await find(["AWS_EC2_METADATA_SERVICE_ENDPOINT": try service.url("vanishing")], limits: limits)
        }
      #endif
      #expect(pauses.withLock { $0 } == 0)
    }

    @Test(arguments: ["token", "role", "credentials"])
    func reportsFailureAsOutageAfterRetries(step: String) async throws {
      var modes = [
        "forbidden", "internal", "unavailable", "not_allowed", "unauthorized", "redirect", "close", "oversized",
      ]
      if step != "credentials" { modes.append("garbage") }
      if step == "token" { modes.append("empty") }
      for mode in modes {
        let metadata = try KeyService.shared.metadata()
        let address = try address(metadata)
        try await metadata.answer([mode, mode], at: step)
        _ = try await find(address)
        try await metadata.answer([mode, mode, mode], at: step)
        await expectError(.keyServiceUnavailable, saying: "the instance's metadata service", at: "\(mode) \(step)") {
          try await find(address)
        }
        let counts = try await metadata.counts()
        let count = step == "token" ? counts.token : step == "role" ? counts.role : counts.credentials
        #expect(count == 6 && counts.redirects_followed == 0, "\(mode) \(step)")
      }
    }

    @Test func namesHopLimitIfTokenDoesNotArrive() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.answer(["slow", "slow", "slow"], at: "token")
      var limits = MetadataService.Limits.patient
      limits.attempt = .milliseconds(50)
      await expectError(
        .keyServiceUnavailable, saying: "A container on an instance needs HttpPutResponseHopLimit 2"
      ) {
        try await find(try address(metadata), limits: limits)
      }
      #expect(try await metadata.counts().token == 3)
    }

    @Test(arguments: ["no_role", "empty"])
    func reportsInstanceWithoutRole(mode: String) async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.answer([mode], at: "role")
      await expectError(.credentialsMissing, saying: "has no role", at: mode) { try await find(try address(metadata)) }
      #expect(try await metadata.counts().role == 1)
    }

    @Test(arguments: ["failed", "garbage", "missing_secret", "bad_expiration", "no_expiration"])
    func reportsRoleWithoutCredentials(mode: String) async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.give(KeyService.Session(access_key: "ASIAX", secret_key: "hush", session_token: "quiet"))
      try await metadata.answer([mode], at: "credentials")
      let error = await expectError(
        .credentialsMissing, saying: mode == "failed" ? "Failed: No credentials could be had." : "sends", at: mode
      ) {
        try await find(try address(metadata))
      }
      let text = error.map { "\($0)" } ?? ""
      #expect(!text.contains("hush") && !text.contains("quiet"))
    }

    @Test func followsRoleWithPathAndNoOther() async throws {
      let metadata = try KeyService.shared.metadata()
      for role in ["team/app-role", "a+b=c,d.e@f_g-1"] {
        try await metadata.change(role: role)
        _ = try await find(try address(metadata))
      }
      for role in ["../../user-data", "/x", "a b", "a?b", "a%2fb", "a//b", "r\u{f6}le"] {
        try await metadata.change(role: role)
        await expectError(.keyServiceUnavailable, saying: "role that cannot be one", at: role) {
          try await find(try address(metadata))
        }
      }
      #expect(try await metadata.counts().credentials == 2)
    }

    @Test func readsExpirationInBasicFormat() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.change(expiration: "21261124T022511Z")
      #expect(try await find(try address(metadata)).expiration == Timestamp.seconds(of: "2126-11-24T02:25:11Z"))
    }

    /// The clock moves by the pauses alone.
    @Test func stopsAtDeadline() async throws {
      let metadata = try KeyService.shared.metadata()
      try await metadata.answer(Array(repeating: "unavailable", count: 20), at: "token")
      let now = Mutex(ContinuousClock.now)
      var limits = MetadataService.Limits.patient
      (limits.attempts, limits.total) = (20, .milliseconds(1000))
      limits.now = { now.withLock { $0 } }
      limits.sleep = { pause in now.withLock { $0 = $0.advanced(by: pause) } }
      await expectError(.keyServiceUnavailable) { try await find(try address(metadata), limits: limits) }
      // At 0, 100, 300 and 700 milliseconds.
      #expect(try await metadata.counts().token == 4)
    }

    @Test func followsSettingsOfAWSTools() async throws {
      let (folder, metadata) = (try TemporaryFolder(), try KeyService.shared.metadata())
      let config = folder.path + "/config"
      try Data(
        "[default]\nec2_metadata_service_endpoint = \(try metadata.url)\nmetadata_service_num_attempts = 2\n".utf8
      ).write(to: URL(filePath: config))
      try await metadata.answer(["internal", "internal"], at: "role")
      await expectError(.keyServiceUnavailable) { try await find(["AWS_CONFIG_FILE": config]) }
      #expect(try await metadata.counts().role == 2)
      // A variable comes first.
      try await metadata.answer(["internal", "internal", "internal"], at: "role")
      let variables = ["AWS_CONFIG_FILE": config, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "4"]
      _ = try await find(variables.merging(["AWS_METADATA_SERVICE_TIMEOUT": "60"]) { $1 })
      #expect(try await metadata.counts().role == 6)
      for (name, value) in [
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0"), ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "-1"), ("AWS_METADATA_SERVICE_TIMEOUT", "1.5"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "99999999999999999999"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://example.com"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "x"),
      ] {
        await expectError(.configurationInvalid, saying: name, at: value) {
          try await find(["AWS_CONFIG_FILE": config, name: value])
        }
      }
    }

    @Test func addressHasModeUnlessNamed() throws {
      let mode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
      for (variables, address) in [
        ([:], "http://169.254.169.254"), ([mode: "IPv4"], "http://169.254.169.254"),
        ([mode: "ipv6"], "http://[fd00:ec2::254]"), (["AWS_IMDS_USE_IPV6": "true"], "http://[fd00:ec2::254]"),
        ([mode: "ipv4", "AWS_IMDS_USE_IPV6": "true"], "http://169.254.169.254"),
        ([mode: "IPv6", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:7"], "http://127.0.0.1:7"),
      ] as [([String: String], String)] {
        #expect(try CredentialSource(variables: variables).instanceAddress() == address)
      }
    }
  }
#endif

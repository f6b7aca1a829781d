// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct ServiceEndpointTests {
    private func origin(
      _ variables: [String: String], of service: String = "kms", region: String = "eu-west-1",
      configured: String? = nil, profile: String? = nil
    ) throws -> String {
      try ServiceEndpoint.find(
        service, region: region, configured: configured,
        environment: AWSEnvironment(variables: variables, profile: profile), plainHTTP: .toNobody
      ).origin
    }

    /// Variables that name a configuration file with this text.
    private func file(_ text: String, in folder: TemporaryFolder) throws -> [String: String] {
      let path = folder.path + "/config"
      try Data(text.utf8).write(to: URL(filePath: path))
      return ["AWS_CONFIG_FILE": path, "AWS_SHARED_CREDENTIALS_FILE": folder.path + "/none"]
    }

    @Test(arguments: [
      ("kms", "eu-west-1", "", "kms.eu-west-1.amazonaws.com"),
      ("kms", "eu-west-1", "fips", "kms-fips.eu-west-1.amazonaws.com"),
      ("kms", "eu-west-1", "dual", "kms.eu-west-1.api.aws"),
      ("kms", "eu-west-1", "fips dual", "kms-fips.eu-west-1.api.aws"),
      ("kms", "cn-north-1", "fips", "kms-fips.cn-north-1.amazonaws.com.cn"),
      ("kms", "cn-north-1", "dual", "kms.cn-north-1.api.amazonwebservices.com.cn"),
      ("kms", "us-gov-west-1", "fips", "kms-fips.us-gov-west-1.amazonaws.com"),
      ("sts", "us-gov-west-1", "fips", "sts.us-gov-west-1.amazonaws.com"),
      ("sts", "us-gov-west-1", "fips dual", "sts-fips.us-gov-west-1.api.aws"),
      ("sts", "eu-west-1", "fips", "sts-fips.eu-west-1.amazonaws.com"),
      ("sts", "eu-west-1", "", "sts.eu-west-1.amazonaws.com"),
      ("kms", "us-iso-east-1", "", "kms.us-iso-east-1.c2s.ic.gov"),
      ("kms", "us-isob-east-1", "dual", "kms.us-isob-east-1.api.aws.scloud"),
      ("kms", "eu-isoe-west-1", "", "kms.eu-isoe-west-1.cloud.adc-e.uk"),
      ("kms", "us-isof-south-1", "", "kms.us-isof-south-1.csp.hci.ic.gov"),
      ("kms", "eusc-de-east-1", "dual", "kms.eusc-de-east-1.api.amazonwebservices.eu"),
    ])
    func isTheRegionsOwn(service: String, region: String, kind: String, host: String) throws {
      var variables: [String: String] = [:]
      if kind.contains("fips") { variables["AWS_USE_FIPS_ENDPOINT"] = "True" }
      if kind.contains("dual") { variables["AWS_USE_DUALSTACK_ENDPOINT"] = "true" }
      #expect(try origin(variables, of: service, region: region) == "https://\(host)")
    }

    @Test func settingsOfProfileAreFollowed() throws {
      let folder = try TemporaryFolder()
      let variables = try file(
        """
        [default]
        use_fips_endpoint = true
        [profile dual]
        use_dualstack_endpoint = TRUE
        [profile url]
        endpoint_url = https://url.example
        [profile services]
        services = mine
        endpoint_url = https://url.example
        [services mine]
        kms =
          endpoint_url = https://kms.example
        s3 =
          endpoint_url = https://s3.example
        """, in: folder)
      #expect(try origin(variables) == "https://kms-fips.eu-west-1.amazonaws.com")
      #expect(
        try origin(variables.merging(["AWS_USE_FIPS_ENDPOINT": "false"]) { $1 })
          == "https://kms.eu-west-1.amazonaws.com")
      #expect(try origin(variables, profile: "dual") == "https://kms.eu-west-1.api.aws")
      #expect(try origin(variables, profile: "url") == "https://url.example")
      #expect(try origin(variables, profile: "services") == "https://kms.example")
      #expect(try origin(variables, of: "sts", profile: "services") == "https://url.example")
      let ignoring = variables.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
      #expect(try origin(ignoring, profile: "services") == "https://kms.eu-west-1.amazonaws.com")
      // What the caller configures is no configured URL of the environment.
      #expect(try origin(ignoring, configured: "https://mine.example", profile: "services") == "https://mine.example")
    }

    @Test func variablesComeBeforeTheProfile() throws {
      let folder = try TemporaryFolder()
      let variables = try file("[default]\nendpoint_url = https://file.example\n", in: folder)
      let global = variables.merging(["AWS_ENDPOINT_URL": "https://global.example"]) { $1 }
      #expect(try origin(global) == "https://global.example")
      let own = global.merging(["AWS_ENDPOINT_URL_KMS": "https://own.example"]) { $1 }
      #expect(try origin(own) == "https://own.example" && origin(own, of: "sts") == "https://global.example")
      #expect(try origin(own, configured: "https://mine.example") == "https://mine.example")
    }

    @Test func missingServicesAreRefused() async throws {
      let folder = try TemporaryFolder()
      let variables = try file(
        "[default]\nservices = none\n[services other]\nkms =\n  endpoint_url = https://h\n", in: folder)
      await expectError(.configurationInvalid, saying: "'none'") { try origin(variables) }
    }

    /// Nothing is silently not FIPS.
    @Test(arguments: ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
    func kindThatIsDemandedBesideAnEndpointIsRefused(name: String) async throws {
      for (configured, more) in [
        ("https://h", [:]), (nil, ["AWS_ENDPOINT_URL": "https://h"]),
        (nil, ["AWS_ENDPOINT_URL_KMS": "https://kms-fips.x"]),
      ] {
        await expectError(.configurationInvalid, saying: name.contains("FIPS") ? "FIPS" : "Dual stack") {
          try origin(more.merging([name: "true"]) { $1 }, configured: configured)
        }
      }
    }

    @Test func mistakeInTheEnvironmentIsNoMistakeOfTheCaller() async throws {
      await expectError(.configurationInvalid, saying: "(from AWS_ENDPOINT_URL_KMS)") {
        try origin(["AWS_ENDPOINT_URL_KMS": "http://h"])
      }
      await expectError(.invalidArgument) { try origin([:], configured: "http://h") }
    }

    @Test func anotherRegionSharesConnectionsAndCredentials() async throws {
      let service = try KeyService.shared
      let key = try await service.makeKey(region: "eu-west-1")
      let metadata = service.metadata()
      let account = service.account()
      try await metadata.give(KeyService.Session(access_key: account.id, secret_key: "s", session_token: "t"))
      let client = try KMSClient(
        KMSClient.Configuration(),
        variables: [
          "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": service.url("url"), "AWS_CA_BUNDLE": service.url("ca"),
          "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        ])
      let other = try client.client(inRegion: "eu-west-1")
      #expect(other.region == "eu-west-1" && client.region == "us-east-1")
      _ = try await KMSKeyring(key.arn, client: other).generateDataKey(for: [:])
      _ = try await KMSKeyring(try await KeyService.key().arn, client: client).generateDataKey(for: [:])
      let counts = try await account.counts()
      #expect(counts.total == 2 && Set(counts.requests.map(\.connection)).count == 1)
      #expect(try await metadata.counts().token == 1)
      for name in ["", "EU", "fips-us-east-1", "us-east-1-fips"] {
        await expectError(.invalidArgument, at: name) { try client.client(inRegion: name) }
      }
    }
  }
#endif

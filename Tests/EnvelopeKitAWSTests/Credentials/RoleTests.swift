// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Roles that AWS STS gives, at a server that checks signatures and permissions.
  @Suite(.timeLimit(.minutes(20))) struct RoleTests {
    private let folder: TemporaryFolder
    private let service: KeyService

    init() throws {
      folder = try TemporaryFolder()
      service = try KeyService.shared
    }

    /// Variables that lead to the server, and to a configuration file with this text.
    private func variables(_ config: String, at listener: String = "strict") throws -> [String: String] {
      try Data(config.utf8).write(to: URL(filePath: folder.path + "/config"))
      return [
        "AWS_CONFIG_FILE": folder.path + "/config", "AWS_SHARED_CREDENTIALS_FILE": folder.path + "/none",
        "AWS_ENDPOINT_URL": try service.url(listener), "AWS_CA_BUNDLE": try service.url("ca"),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1",
      ]
    }

    private func keys(_ session: KeyService.Session) -> String {
      "aws_access_key_id = \(session.access_key)\naws_secret_access_key = \(session.secret_key)\n"
    }

    private func client(_ variables: [String: String], profile: String? = nil) throws -> KMSClient {
      var configuration = KMSClient.Configuration()
      configuration.profile = profile
      (configuration.tryTimeout, configuration.deadline) = (.seconds(300), .seconds(600))
      return try KMSClient(configuration, variables: variables, timing: KMSClient.Timing(sleep: { _ in }))
    }

    private func find(_ variables: [String: String], profile: String? = nil) async throws -> AWSCredentials {
      try await CredentialSource(variables: variables, profile: profile, trustRoots: service.url("ca")).find()
    }

    @Test func sealsAndOpensAsRoleOfSourceProfile() async throws {
      let (key, role) = (try await KeyService.key(), try await service.makeRole())
      let user = try await service.makeUser(["sts:AssumeRole"])
      let variables = try variables(
        "[profile app]\nrole_arn = \(role)\nsource_profile = user\n[profile user]\n\(keys(user))")
      let keyring = try KMSKeyring(key.arn, client: client(variables, profile: "app"))
      let generated = try await keyring.generateDataKey(for: ["function": "f"])
      let unwrapped = try await keyring.unwrap(generated.wrapped, for: ["function": "f"])
      #expect(unwrapped.dataKey.copied() == generated.dataKey.copied())
      // The user itself may not.
      await expectError(.keyAccessDenied) {
        try await KMSKeyring(key.arn, client: client(variables, profile: "user")).generateDataKey(for: [:])
      }
    }

    /// Static keys beside the role are those that assume it, and never used in its stead.
    @Test func keysBesideRoleAreOnlyItsSource() async throws {
      let account = service.account()
      let own = "aws_access_key_id = \(account.id)\naws_secret_access_key = s\n"
      let text = "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = p\n\(own)"
      let found = try await find(variables(text, at: "url"), profile: "p")
      #expect(found.accessKeyID != account.id && found.sessionToken != nil)
      #expect(try await account.counts().requests.map { $0.form["Action"] } == ["AssumeRole"])
      let without = "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\n\(own)"
      await expectError(.configurationInvalid, saying: "neither source_profile nor credential_source") {
        try await find(variables(without, at: "url"), profile: "p")
      }
    }

    @Test func sendsSettingsOfRole() async throws {
      let account = service.account()
      let role = "arn:aws:iam::123456789012:role/a+b=c,d.e@f-g"
      let found = try await find(
        variables(
          """
          [default]
          role_arn = \(role)
          credential_source = Environment
          external_id = a b&c=é%
          duration_seconds = 1800
          role_session_name = me@example
          """, at: "url"
        ).merging(["AWS_ACCESS_KEY_ID": account.id, "AWS_SECRET_ACCESS_KEY": "s"]) { $1 }, profile: "default")
      let now = UInt64(Date.now.timeIntervalSince1970)
      #expect((now + 1700...now + 1900).contains(try #require(found.expiration)))
      let request = try #require(try await account.counts().requests.first)
      #expect(
        request.form == [
          "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": "me@example",
          "ExternalId": "a b&c=é%", "DurationSeconds": "1800",
        ])
      #expect(request.authorization.contains("/us-east-1/sts/aws4_request"))
    }

    @Test func assumesChainOfRoles() async throws {
      let key = try await KeyService.key()
      let (outer, inner) = (try await service.makeRole(), try await service.makeRole(["sts:AssumeRole"]))
      let user = try await service.makeUser(["sts:AssumeRole"])
      let variables = try variables(
        """
        [default]
        role_arn = \(outer)
        source_profile = inner
        [profile inner]
        role_arn = \(inner)
        source_profile = user
        [profile user]
        \(keys(user))
        """)
      _ = try await KMSKeyring(key.arn, client: client(variables)).generateDataKey(for: [:])
    }

    @Test(arguments: [
      ("source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = default\n", "'default', 'b', 'default'"),
      ("source_profile = default\n", "is a source of itself"),
      ("source_profile = none\n", "does not exist"),
      ("source_profile = b\n[profile b]\nregion = x\n", "no credentials"),
      ("source_profile = b\ncredential_source = Environment\n", "both"),
      ("source_profile = b\ncredential_source =\n[profile b]\n", "both"),
      ("source_profile = b\nexternal_id =\n[profile b]\n", "external_id"),
      ("credential_source = Moon\n", "'Moon'"), ("source_profile =\n", "neither"),
      ("source_profile = b\nduration_seconds = 1h\n", "duration_seconds"),
    ])
    func refusesProfileWithoutUsableSource(settings: String, words: String) async throws {
      let variables = try variables("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\n\(settings)", at: "url")
      await expectError(.configurationInvalid, saying: words) { try await find(variables) }
    }

    @Test func emptySourceIsMissingCredentials() async throws {
      for source in ["Environment", "EcsContainer", "Ec2InstanceMetadata"] {
        let text = "[default]\nrole_arn = r\ncredential_source = \(source)\n"
        await expectError(.credentialsMissing, saying: source) { try await find(variables(text), profile: "default") }
      }
    }

    @Test func multiFactorAuthenticationIsRefusedByName() async throws {
      let text = "[profile p]\nrole_arn = r\nsource_profile = q\nmfa_serial = x\n[profile q]\n"
      await expectError(.credentialsMissing, saying: "mfa_serial") { try await find(variables(text), profile: "p") }
    }

    @Test func refusalNamesRoleAndReason() async throws {
      let (role, user) = (try await service.makeRole(), try await service.makeUser(["kms:Decrypt"]))
      let text = "[default]\nrole_arn = \(role)\nsource_profile = u\n[profile u]\n\(keys(user))"
      let error = await expectError(.credentialsMissing, saying: role) { try await find(variables(text)) }
      #expect(error?.serviceError == "AccessDenied" && error?.advice.contains("sts:AssumeRole") == true)
      let wrong =
        "[default]\nrole_arn = \(role)\nsource_profile = u\n[profile u]\naws_access_key_id = \(user.access_key)\naws_secret_access_key = wrong\n"
      await expectError(.credentialsRefused, saying: "signature") { try await find(variables(wrong)) }
    }

    @Test(arguments: ["unavailable", "throttle", "close", "page-gateway"])
    func failingServiceIsTriedAgain(fault: String) async throws {
      let account = service.account()
      let text =
        "[default]\nrole_arn = r\nsource_profile = u\n[profile u]\naws_access_key_id = \(account.id)\naws_secret_access_key = s\n"
      try await account.fail([fault, fault])
      #expect(try await find(variables(text, at: "url")).sessionToken != nil)
      #expect(try await account.counts().total == 3)
    }

    @Test(arguments: ["empty", "not-json", "empty-object", "redirect", "page", "oversized"])
    func responseThatCannotBeOneIsRefused(fault: String) async throws {
      let account = service.account()
      let text =
        "[default]\nrole_arn = r\nsource_profile = u\n[profile u]\naws_access_key_id = \(account.id)\naws_secret_access_key = s\n"
      try await account.fail([fault])
      await expectError(.keyServiceAnswerInvalid, at: fault) { try await find(variables(text, at: "url")) }
      #expect(try await account.counts().total == 1)
    }

    /// As on Amazon EKS: one call that is not signed, with a token that the platform replaces.
    @Test func webIdentityIsReadAnewAndUnsigned() async throws {
      let (key, role) = (try await KeyService.key(), try await service.makeRole())
      let token = folder.path + "/token"
      try Data("header.payload-1.signature\n".utf8).write(to: URL(filePath: token))
      var variables = try variables("")
      variables.merge(["AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": role]) { $1 }
      _ = try await KMSKeyring(key.arn, client: client(variables)).generateDataKey(for: [:])
      let source = try CredentialSource(variables: variables, trustRoots: service.url("ca"))
      #expect(try await source.find().expiration != nil)
      try FileManager.default.removeItem(atPath: token)
      await expectError(.credentialsMissing, saying: "web identity token") { try await source.find() }
      try Data("\n".utf8).write(to: URL(filePath: token))
      await expectError(.credentialsMissing, saying: "is empty") { try await source.find() }
    }

    @Test func webIdentityOfProfileCountsIfItIsNamed() async throws {
      let token = folder.path + "/token"
      try Data("t".utf8).write(to: URL(filePath: token))
      let role = try await service.makeRole()
      var variables = try variables(
        "[profile p]\nweb_identity_token_file = \(token)\nrole_arn = \(role)\n[profile q]\n")
      #expect(try await find(variables, profile: "p").sessionToken != nil)
      // The variables of another identity are passed over then.
      variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder.path + "/none"
      #expect(try await find(variables, profile: "p").sessionToken != nil)
      await expectError(.credentialsMissing, saying: "has none") { try await find(variables, profile: "q") }
      await expectError(.credentialsMissing, saying: "web identity token") {
        try await find(variables.merging(["AWS_PROFILE": "p"]) { $1 })
      }
      variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = token
      await expectError(.configurationInvalid, saying: "no role") {
        try await find(variables.merging(["AWS_PROFILE": "q"]) { $1 })
      }
    }

    /// The file may be replaced by a pipe, which would wait for a writer.
    @Test func webIdentityTokenIsAFile() async throws {
      let pipe = folder.path + "/pipe"
      try #require(unsafe mkfifo(pipe, 0o600) == 0)
      let variables = try variables("").merging(["AWS_WEB_IDENTITY_TOKEN_FILE": pipe, "AWS_ROLE_ARN": "r"]) { $1 }
      await expectError(.credentialsMissing, saying: "not a file") { try await find(variables) }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Where credentials are looked for, and in which order.
  @Suite(.timeLimit(.minutes(20))) struct CredentialSourceTests {
    private func find(_ variables: [String: String], profile: String? = nil) async throws -> AWSCredentials {
      // Nobody has metadata where a test does not say so.
      let none = ["AWS_EC2_METADATA_DISABLED": "true"].merging(variables) { $1 }
      return try await CredentialSource(variables: none, profile: profile).find()
    }

    private func secret(_ credentials: AWSCredentials) throws -> String {
      try credentials.withSecretAccessKey { (bytes) throws(EnvelopeError) in
        String(decoding: [UInt8](copying: bytes), as: UTF8.self)
      }
    }

    /// A home with the two files.
    private func home(credentials: String? = nil, config: String? = nil) throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      try FileManager.default.createDirectory(atPath: folder.path + "/.aws", withIntermediateDirectories: true)
      for (name, text) in [("credentials", credentials), ("config", config)] {
        try text.map { try Data($0.utf8).write(to: URL(filePath: folder.path + "/.aws/" + name)) }
      }
      return folder
    }

    private let both =
      "[default]\naws_access_key_id=FILE\naws_secret_access_key=fs\n\n[other]\naws_access_key_id = OTHER\naws_secret_access_key = os\naws_session_token = ot\n"

    @Test func variablesComeFirst() async throws {
      let folder = try home(credentials: both)
      let found = try await find([
        "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "es", "AWS_SESSION_TOKEN": "et", "HOME": folder.path,
      ])
      #expect(try found.accessKeyID == "ENV" && found.sessionToken == "et" && secret(found) == "es")
      #expect(found.expiration == nil)
    }

    @Test func aNamedProfilePassesOverTheVariables() async throws {
      let folder = try home(credentials: both)
      let variables = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "es", "HOME": folder.path]
      let found = try await find(variables, profile: "other")
      #expect(try found.accessKeyID == "OTHER" && found.sessionToken == "ot" && secret(found) == "os")
      // A profile that a variable names does not.
      #expect(try await find(variables.merging(["AWS_PROFILE": "other"]) { $1 }).accessKeyID == "ENV")
      #expect(try await find(["HOME": folder.path, "AWS_PROFILE": "other"]).accessKeyID == "OTHER")
      #expect(try await find(["HOME": folder.path]).accessKeyID == "FILE")
    }

    @Test func theConfigFileHoldsThemToo() async throws {
      let folder = try home(
        config:
          "[profile a]\naws_access_key_id=A\naws_secret_access_key=as\n[default]\naws_access_key_id=D\naws_secret_access_key=ds"
      )
      #expect(try await find(["HOME": folder.path]).accessKeyID == "D")
      #expect(try await find(["HOME": folder.path], profile: "a").accessKeyID == "A")
      let elsewhere = try await find([
        "AWS_CONFIG_FILE": folder.path + "/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
      ])
      #expect(elsewhere.accessKeyID == "D")
    }

    @Test(arguments: [
      "sso_account_id", "sso_role_name",
    ])
    func refusesUnsupportedProfileByName(key: String) async throws {
      let keys = "aws_access_key_id = S\naws_secret_access_key = s\n"
      // Static keys beside it are not used, whichever file has which.
      for (credentials, config) in [
        (nil, "[profile p]\n\(key) = something\n"), (nil, "[profile p]\n\(keys)\(key) = something\n"),
        ("[p]\n\(keys)", "[profile p]\n\(key) = something\n"), ("[p]\n\(keys)\(key.uppercased()): something\n", nil),
        ("[p]\n\(key) =\n", "[profile p]\n\(keys)"), (nil, "[profile 'p'] # c\n\(keys)\(key) =\n  x = y\n"),
      ] {
        let home = try home(credentials: credentials, config: config)
        await expectError(.credentialsMissing, saying: key) { try await find(["HOME": home.path], profile: "p") }
        await expectError(.credentialsMissing, saying: "export-credentials --profile 'p'") {
          try await find(["HOME": home.path, "AWS_PROFILE": "p"])
        }
      }
      // Nested, of another profile, or a comment, it does not matter.
      let other = try home(
        credentials: "[p]\n\(keys)",
        config: "[profile p]\n# \(key) = x\ns3 =\n  \(key) = x\n[profile q]\n\(key) = x\n[p]\n\(key) = x\n")
      #expect(try await find(["HOME": other.path], profile: "p").accessKeyID == "S")
    }

    /// The advice keeps the role and the Region of the profile, whichever profile in its chain is not supported.
    @Test func adviceForUnsupportedProfileLeadsOut() async throws {
      let home = try home(
        config: """
          [profile "a b"]
          role_arn = arn:aws:iam::123456789012:role/r
          source_profile = base
          region = eu-west-1
          [profile base]
          sso_account_id = 123456789012
          region = us-east-1
          """)
      let error = await expectError(.credentialsMissing, saying: "'base'") {
        try await find(["HOME": home.path], profile: "a b")
      }
      let advice = try #require(error?.advice)
      let command = try #require(advice.split(separator: "them: ").last?.split(separator: "; then run").first)
      // The advice is for a shell whose variables name other profiles.
      let fake = """
        #!/bin/sh
        [ "$*" = "configure export-credentials --profile a b --format env" ] || exit 1
        echo 'export AWS_ACCESS_KEY_ID=EXPORTED'; echo 'export AWS_SECRET_ACCESS_KEY=es'; echo 'export AWS_SESSION_TOKEN=et'
        """
      try Data(fake.utf8).write(to: URL(filePath: home.path + "/aws"))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: home.path + "/aws")
      let shell = CredentialProcess(
        words: ["/bin/sh", "-c", "\(command); env"],
        variables: ["PATH": home.path + ":/usr/bin:/bin", "AWS_DEFAULT_PROFILE": "base", "HOME": home.path])
      let output = try await shell.output(within: .seconds(300))
      let lines = output.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }.split(separator: "\n")
      let variables = Dictionary(
        lines.compactMap { line in
          line.firstIndex(of: "=").map { (String(line[..<$0]), String(line[$0...].dropFirst())) }
        }
      ) { $1 }
      let found = try await find(variables)
      #expect(found.accessKeyID == "EXPORTED" && found.sessionToken == "et")
      let profiles = try AWSEnvironment(variables: variables, profile: nil).profiles()
      #expect(try profiles.chosen?.string("region") == "eu-west-1")
    }

    @Test func loginSessionIsRefusedUnlessTheCredentialsFileHasKeys() async throws {
      let keys = "aws_access_key_id = S\naws_secret_access_key = s\n"
      let config = try home(config: "[default]\nlogin_session = x\n\(keys)")
      await expectError(.credentialsMissing, saying: "login_session") { try await find(["HOME": config.path]) }
      let both = try home(credentials: "[default]\n\(keys)", config: "[default]\nlogin_session = x\n")
      #expect(try await find(["HOME": both.path]).accessKeyID == "S")
    }

    /// AWS's tools do not agree which one counts.
    @Test func profilesOfTwoVariablesMustBeOne() async throws {
      let folder = try home(credentials: both)
      let variables = ["HOME": folder.path, "AWS_PROFILE": "other"]
      #expect(try await find(variables.merging(["AWS_DEFAULT_PROFILE": "other"]) { $1 }).accessKeyID == "OTHER")
      await expectError(.configurationInvalid, saying: "AWS_DEFAULT_PROFILE") {
        try await find(variables.merging(["AWS_DEFAULT_PROFILE": "default"]) { $1 })
      }
      #expect(try await find(["HOME": folder.path, "AWS_DEFAULT_PROFILE": "other"]).accessKeyID == "OTHER")
    }

    /// Both files are merged before anything is decided, and the file of credentials wins.
    @Test func settingsOfBothFilesAreMerged() async throws {
      let folder = try home(
        credentials: "[p]\naws_access_key_id=A\naws_secret_access_key=a\nregion = eu-west-1\n",
        config: "[profile p]\nregion = us-east-1\nca_bundle = /x\nsso_account_id = 1\n")
      let profile = try #require(try AWSEnvironment(variables: ["HOME": folder.path], profile: "p").profiles().chosen)
      #expect(try profile.string("region") == "eu-west-1" && profile.string("ca_bundle") == "/x")
      await expectError(.credentialsMissing, saying: "sso_account_id") {
        try await find(["HOME": folder.path], profile: "p")
      }
    }

    @Test func olderNamesOfSessionTokensCount() async throws {
      let variables = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SECURITY_TOKEN": "old"]
      #expect(try await find(variables).sessionToken == "old")
      #expect(try await find(variables.merging(["AWS_SESSION_TOKEN": "new"]) { $1 }).sessionToken == "old")
      let folder = try home(
        credentials: "[default]\naws_access_key_id=A\naws_secret_access_key=a\naws_security_token=old\n")
      #expect(try await find(["HOME": folder.path]).sessionToken == "old")
    }

    /// As on an instance whose profile only has a Region.
    @Test func namedProfileWithoutCredentialsGoesOnToTheRole() async throws {
      let metadata = try KeyService.shared.metadata()
      let folder = try home(config: "[profile p]\nregion = eu-west-1\n")
      let variables = [
        "HOME": folder.path, "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "es",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": try metadata.url + "/creds",
      ]
      #expect(try await find(variables, profile: "p").accessKeyID.hasPrefix("ASIA"))
      #expect(try await metadata.counts().container == 1)
    }

    /// The settings of another profile must not become those of the section above it.
    @Test(arguments: ["[prod] # comment", "  [prod]", "[prod]; x", "[prod] [x]", "[prod", "\u{a0}[prod]", "[prod]\r\r"])
    func keepsProfilesApart(header: String) async throws {
      let keys = "aws_access_key_id = D\naws_secret_access_key = d\n"
      let prod = "aws_access_key_id = P\naws_secret_access_key = p\nregion = eu-west-1\n"
      for (credentials, config) in [
        ("[default]\n\(keys)\n\(header)\n\(prod)", nil),
        (nil, "[default]\n\(keys)region = us-east-1\n\(header.replacing("prod", with: "profile prod"))\n\(prod)"),
      ] {
        let home = try home(credentials: credentials, config: config)
        do {
          #expect(try await find(["HOME": home.path]).accessKeyID == "D")
          let region = try AWSEnvironment(variables: ["HOME": home.path], profile: nil).profiles().chosen?.string(
            "region")
          #expect(region == (config == nil ? nil : "us-east-1"))
        } catch let error as EnvelopeError {
          #expect(error.code == .configurationInvalid && error.message.contains(", line "), "\(error)")
        }
      }
    }

    @Test func readsQuotedProfileNames() async throws {
      let keys = "aws_access_key_id = Q\naws_secret_access_key = q\n"
      let home = try home(config: "[profile \"a b\"]\n\(keys)[profile 'c']\n\(keys)[profile d e]\n\(keys)[default]\n")
      #expect(try await find(["HOME": home.path], profile: "a b").accessKeyID == "Q")
      #expect(try await find(["HOME": home.path], profile: "c").accessKeyID == "Q")
      for name in ["d e", "\"a b\"", "'c'", "a", "d", "c\\"] {
        await expectError(.configurationInvalid) { try await find(["HOME": home.path], profile: name) }
      }
      let twice = try self.home(config: "[profile a]\n\(keys)[profile \"a\"]\n\(keys)[default]\n[profile default]\n")
      for name in ["a", "default"] {
        await expectError(.configurationInvalid, saying: "two sections") {
          try await find(["HOME": twice.path], profile: name)
        }
      }
    }

    /// As botocore has it, any word that begins with the kind of section; what only a shell's rules would read is refused.
    @Test func readsKindsOfSectionsAsBotocoreDoes() async throws {
      let keys = "aws_access_key_id = Q\naws_secret_access_key = q\n"
      for (section, name) in [
        ("profiles x", "x"), ("profile-old default", "default"), ("profile \"x y\"", "x y"),
      ] {
        let home = try home(config: "[\(section)]\n\(keys)")
        #expect(try await find(["HOME": home.path], profile: name).accessKeyID == "Q", "\(section)")
      }
      for section in ["profile 'x", "profile a\\ b", "profile pr'od'", "profile \"a\\\"b\"", "profile de\\v"] {
        let home = try home(config: "[\(section)]\n\(keys)")
        await expectError(.configurationInvalid, saying: "line 1", at: section) { try await find(["HOME": home.path]) }
      }
      for section in ["profile x y", "profilex", "profile", "x", "Profile x"] {
        let home = try home(config: "[\(section)]\n\(keys)")
        await expectError(.configurationInvalid, saying: "no AWS profile", at: section) {
          try await find(["HOME": home.path], profile: "x")
        }
      }
    }

    /// A service has often no home, or one that it cannot enter.
    @Test func homeThatCannotBeEnteredHasNoFiles() async throws {
      let container = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": try KeyService.shared.metadata().url + "/creds"]
      let folder = try TemporaryFolder()
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/.aws", withDestinationPath: folder.path + "/.aws")
      for home in ["/dev/null", folder.path] {
        let found = try await find(container.merging(["HOME": home]) { $1 })
        #expect(found.accessKeyID.hasPrefix("ASIA"))
      }
      // What a variable names is meant.
      await expectError(.configurationInvalid) { try await find(["AWS_CONFIG_FILE": folder.path + "/.aws/config"]) }
    }

    @Test func keyThatCannotBeOneIsNamedByItsPlace() async throws {
      await expectError(.configurationInvalid, saying: "AWS_ACCESS_KEY_ID") {
        try await find(["AWS_ACCESS_KEY_ID": "A B", "AWS_SECRET_ACCESS_KEY": "s"])
      }
      let home = try home(credentials: "[default]\naws_access_key_id=A B\naws_secret_access_key=hush\n")
      let error = await expectError(.configurationInvalid, saying: "credentials") {
        try await find(["HOME": home.path])
      }
      #expect(error?.description.contains("hush") == false)
    }

    @Test func whatIsMissingIsNamed() async throws {
      let folder = try home(credentials: both + "[half]\naws_access_key_id=H\n")
      await expectError(.credentialsMissing, saying: "There are no AWS credentials") { try await find([:]) }
      await expectError(.configurationInvalid, saying: "'none'") {
        try await find(["HOME": folder.path], profile: "none")
      }
      await expectError(.configurationInvalid, saying: "'none'") {
        try await find(["HOME": folder.path, "AWS_PROFILE": "none"])
      }
      await expectError(.credentialsMissing, saying: "aws_secret_access_key") {
        try await find(["HOME": folder.path], profile: "half")
      }
      await expectError(.credentialsMissing, saying: "AWS_SECRET_ACCESS_KEY") {
        try await find(["AWS_ACCESS_KEY_ID": "A"])
      }
      await expectError(.configurationInvalid) { try await find(["AWS_SHARED_CREDENTIALS_FILE": folder.path]) }
    }

    /// Another source's credentials must not be used because of a typing error.
    @Test(arguments: [
      ("aws_secret_access_key=s", "aws_access_key_id"),
      ("aws_access_key_id=\naws_secret_access_key=s", "aws_access_key_id"),
      ("aws_access_key_id=A\naws_secret_access_key=", "aws_secret_access_key"),
      ("aws_access_key_ld=A\naws_secret_access_key=s", "aws_access_key_id"),
    ])
    func refusesHalfOfKey(lines: String, missing: String) async throws {
      let home = try home(
        credentials: "[default]\n\(lines)\n", config: "[default]\naws_access_key_id=C\naws_secret_access_key=c\n")
      await expectError(.credentialsMissing, saying: "no \(missing)") { try await find(["HOME": home.path]) }
    }

    @Test func refusesKeyOfSeveralLines() async throws {
      let home = try home(credentials: "[default]\naws_access_key_id=A\naws_secret_access_key=s\n  t\n")
      await expectError(.configurationInvalid, saying: "line 3") { try await find(["HOME": home.path]) }
    }

    @Test(arguments: ["A B", "A\n", "", "\u{e9}", String(repeating: "A", count: 129), "A/../x", "A\r\nHost: x"])
    func partsThatCannotStandInAHeaderAreRefused(part: String) async {
      await expectError(.invalidArgument) { try AWSCredentials(accessKeyID: part, secretAccessKey: "s") }
      if !part.isEmpty, part.utf8.count < 20, part != "A/../x" {
        await expectError(.invalidArgument) {
          try AWSCredentials(accessKeyID: "A", secretAccessKey: "s", sessionToken: part)
        }
      }
      await expectError(.invalidArgument) { try AWSCredentials(accessKeyID: "A", secretAccessKey: "") }
    }

    /// Opening a pipe would wait for a writer.
    @Test func sharedFileThatIsAPipeIsRefused() async throws {
      let folder = try home(credentials: both)
      let pipe = folder.path + "/pipe"
      try #require(unsafe mkfifo(pipe, 0o600) == 0)
      for name in ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"] {
        await expectError(.configurationInvalid, saying: "not a file") {
          try await find(["HOME": folder.path, name: pipe])
        }
      }
    }

    @Test func nullDeviceStandsForAnEmptySharedFile() async throws {
      let folder = try home(credentials: both)
      let variables = ["HOME": folder.path, "AWS_CONFIG_FILE": "/dev/null"]
      #expect(try await find(variables).accessKeyID == "FILE")
      await expectError(.credentialsMissing) {
        try await find(variables.merging(["AWS_SHARED_CREDENTIALS_FILE": "/dev/null"]) { $1 })
      }
    }
  }
#endif

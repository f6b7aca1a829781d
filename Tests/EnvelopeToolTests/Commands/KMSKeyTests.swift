// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeTool

  /// Which keys and Regions a command uses, and what it says if they are not those that a file needs.
  @Suite(.timeLimit(.minutes(20))) struct KMSKeyTests {
    private let service: KeyService
    private let account: KeyService.Account
    private let sandbox: Sandbox

    init() throws {
      let kms = try KMSSandbox()
      (service, account, sandbox) = (kms.service, kms.account, kms.sandbox)
      try sandbox.write("A=1\n", to: ".env")
    }

    private func seal(under keys: String...) throws {
      try sandbox.envelope(
        ["seal", ".env", "--function", "f", "-o", "f.env"] + keys.flatMap { ["--key", $0] }, bytes: Data()
      ).succeeded()
    }

    private func open(_ options: String...) throws -> Outcome {
      try sandbox.envelope(["exec", "f.env", "--function", "f"] + options + ["--", "true"], bytes: Data())
    }

    /// AWS's own way to rotate by hand.
    @Test func movedAliasIsAKeyThatWasNotNamed() async throws {
      let (old, new) = (try await service.makeKey(), try await service.makeKey())
      let alias = try #require(old.alias)
      try seal(under: alias)
      try await service.moveAlias(alias, to: new)
      let refused = try open("--key", alias).failed(77, saying: old.arn)
      #expect(refused.messages.contains("--key ARN --key ALIAS") && refused.messages.contains("envelope rewrap"))
      let explained = try sandbox.envelope("explain", "f.env", "--function", "f", "--key", alias)
      #expect(explained.text.contains("because of its key (keyNotFound)") && explained.text.contains(old.arn))
      #expect(!explained.text.contains("damage"))
      // The advice, as it stands.
      try open("--key", old.arn, "--key", alias).succeeded()
      try sandbox.envelope("rewrap", "f.env", "--function", "f", "--key", old.arn, "--to", alias).succeeded()
      try open("--key", alias).succeeded()
    }

    @Test func keyIDsAreThoseOfTheService() async throws {
      let (key, multi) = (try await service.makeKey(), try await service.makeKey(isMultiRegion: true))
      #expect(multi.key_id.hasPrefix("mrk-"))
      for id in [key.key_id, multi.key_id] {
        try seal(under: id)
        try open("--key", id).succeeded()
        try sandbox.shell("rm f.env").succeeded()
      }
      #expect(!sandbox.exists(sandbox.keyStore))
      for id in [key.key_id, multi.key_id, "1234ABCD-12ab-34cd-56ef-1234567890ab"] {
        try sandbox.envelope("keys", "create", id).failed(64, saying: "ids of AWS KMS")
      }
      try sandbox.envelope("keys", "create", "k").succeeded()
      try sandbox.envelope("keys", "alias", key.key_id, "k").failed(64, saying: "ids of AWS KMS")
    }

    /// An earlier release gave such aliases: its store is read, and the key is named by its id.
    @Test func storesWithSuchAliasesAreRead() async throws {
      let (id, key) = ("1234abcd-12ab-34cd-56ef-1234567890ab", try sandbox.makeKey("k"))
      try seal(under: "k")
      try sandbox.shell("sed -i 's/^alias k /alias \(id) /' '\(sandbox.keyStore)'").succeeded()
      #expect(try sandbox.envelope("keys", "list").succeeded().text.contains(id))
      try open().succeeded()
      try sandbox.shell("rm f.env").succeeded()
      try seal(under: key)
      try sandbox.envelope("keys", "create", "more").succeeded()
      try open().succeeded()
    }

    @Test(arguments: [
      "1234abcd-12ab-34cd-56ef-1234567890ab", "1234ABCD-12ab-34cd-56ef-1234567890AB",
      "mrk-0123456789abcdef0123456789abcdef",
    ])
    func formOfKeyIDs(name: String) { #expect(ToolKeys.isKMS(name)) }

    @Test(arguments: [
      "1234abcd-12ab-34cd-56ef-1234567890a", "1234abcd-12ab-34cd-56ef-1234567890abc",
      "1234abcg-12ab-34cd-56ef-1234567890ab",
      "1234abcd12ab34cd56ef1234567890ab", "mrk-0123456789abcdef0123456789abcde", "mrk-", "mrk-key", "default",
      "a-b-c-d-e", "",
    ])
    func otherNamesAreOfTheKeyStore(name: String) { #expect(!ToolKeys.isKMS(name)) }

    @Test func whoNamedAnotherKeyIsNotToldToNameOne() async throws {
      let (key, other) = (try await service.makeKey(), try await service.makeKey())
      try seal(under: key.arn)
      let refused = try open("--key", other.arn).failed(77, saying: "named are \(other.arn)")
      #expect(refused.messages.contains(key.arn) && !refused.messages.contains("Name the KMS key"))
      #expect(try await account.counts().operations == ["GenerateDataKey"])
    }

    /// Equal settings share a client and its credentials, whatever the contexts.
    @Test func manyContextsNeedOneConnectionAndOneRole() async throws {
      let key = try await service.makeKey()
      let alias = try #require(key.alias)
      let names = (0..<20).map { "fn\($0)" }
      for name in names {
        try sandbox.envelope("seal", ".env", "--function", name, "--key", alias, "-o", "\(name).env").succeeded()
      }
      let functions = names.map { "  \($0): {file: \($0).env, key: \(alias)}\n" }.joined()
      try sandbox.write("functions:\n" + functions, to: "envelope.yaml", mode: 0o600)
      let (metadata, role) = (service.metadata(), service.account())
      try await metadata.give(KeyService.Session(access_key: role.id, secret_key: "s", session_token: "t"))
      sandbox.environment["AWS_ACCESS_KEY_ID"] = nil
      sandbox.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = try metadata.url
      sandbox.environment["AWS_EC2_METADATA_DISABLED"] = "false"
      try sandbox.envelope("reseal", ".", "--configured").succeeded()
      let requests = try await role.counts().requests
      #expect(requests.count >= 2 * names.count)
      #expect(Set(requests.map(\.connection)).count <= 2)
      let counts = try await metadata.counts()
      #expect(counts.token == 1 && counts.role == 1 && counts.credentials == 1)
    }

    /// A passphrase would be demanded, and there is none.
    @Test func lockedStoreIsNotOpenedIfNoEntryNeedsIt() async throws {
      let key = try await service.makeKey()
      try sandbox.envelope("keys", "create", "local").succeeded()
      try sandbox.write("word\n", to: "word", mode: 0o600)
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", "local", "--key", key.arn, "-o", "both.env")
        .succeeded()
      try sandbox.shell("ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" keys lock 5<word").succeeded()
      try seal(under: key.arn)
      try open("--key", key.arn).succeeded()
      let explained = try sandbox.envelope("explain", "f.env", "--function", "f", "--key", key.arn).succeeded()
      #expect(explained.text.contains("It opens."))
      try open().failed(77, saying: "--key \(key.arn)")
      let both = ["exec", "both.env", "--function", "f", "--key", key.arn, "--", "true"]
      try sandbox.envelope(both, bytes: Data()).succeeded()
      try await service.change(key, by: "disable_key")
      try sandbox.envelope(both, bytes: Data()).failed(64, saying: "passphrase")
      let words = both.map { "'\($0)'" }.joined(separator: " ")
      try sandbox.shell("ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" \(words) 5<word").succeeded()
    }

    @Test func explainLeavesLockedStoreClosedIfTheServiceOpens() async throws {
      let key = try await service.makeKey()
      try sandbox.envelope("keys", "create", "local").succeeded()
      try seal(under: "local", key.arn)
      try sandbox.write("word\n", to: "word", mode: 0o600)
      try sandbox.shell("ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" keys lock 5<word").succeeded()
      let explained = try sandbox.envelope("explain", "f.env", "--function", "f", "--key", key.arn).succeeded()
      #expect(explained.text.contains("It opens.") && explained.text.contains("\(key.arn): unwraps"))
      #expect(explained.text.contains("the key store is locked, and not needed"))
      // If the service refuses, its reason is shown, and the store is needed.
      try await service.change(key, by: "disable_key")
      let refused = try sandbox.envelope("explain", "f.env", "--function", "f", "--key", key.arn)
      #expect(refused.text.contains("is disabled") && refused.text.contains("passphrase"))
      let opened = try sandbox.shell(
        "ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" explain f.env --function f --key '\(key.arn)' 5<word")
      #expect(opened.succeeded().text.contains("It opens.") && opened.text.contains("is disabled"))
    }

    @Test func rewrapLeavesLockedStoreClosedIfNoEntryNeedsIt() async throws {
      let (old, new) = (try await service.makeKey(), try await service.makeKey())
      try sandbox.envelope("keys", "create", "local").succeeded()
      try seal(under: "local")
      try sandbox.shell("mv f.env local.env").succeeded()
      try seal(under: old.arn)
      try sandbox.write("word\n", to: "word", mode: 0o600)
      try sandbox.shell("ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" keys lock 5<word").succeeded()
      let options = ["--function", "f", "--key", old.arn]
      try sandbox.envelope(["rewrap", "f.env"] + options + ["--add", new.key_id], bytes: Data()).succeeded()
      try sandbox.envelope(
        ["rewrap", "f.env"] + options + ["--key", new.arn, "--remove", old.key_id], bytes: Data()
      ).succeeded()
      try sandbox.envelope("reseal", "f.env", "--function", "f", "--key", new.arn).succeeded()
      try open("--key", new.arn).succeeded()
      try open("--key", old.arn).failed(77)
      let local = ["rewrap", "f.env", "local.env"] + options + ["--key", new.arn, "--add", new.arn]
      let refused = try sandbox.envelope(local, bytes: Data())
      #expect(refused.ending != .exit(0) && refused.messages.contains("passphrase"))
      let words = local.map { "'\($0)'" }.joined(separator: " ")
      try sandbox.shell("ENVELOPE_PASSPHRASE_FD=5 \"$ENVELOPE\" \(words) 5<word").succeeded()
      #expect(try sandbox.envelope("inspect", "local.env").succeeded().text.contains(new.arn))
    }

    /// The first file of a context does not decide what opens the others.
    @Test func filesOfOneFunctionMayBeUnderKeysOfBothKinds() async throws {
      let (old, new) = (try await service.makeKey(), try await service.makeKey())
      try sandbox.envelope("keys", "create", "local").succeeded()
      try seal(under: "local")
      try sandbox.shell("mv f.env local.env").succeeded()
      try seal(under: old.arn)
      try sandbox.envelope("rewrap", "f.env", "local.env", "--function", "f", "--key", old.arn, "--add", new.arn)
        .succeeded()
      for name in ["f.env", "local.env"] {
        #expect(try sandbox.envelope("inspect", name).succeeded().text.contains(new.arn))
      }
    }

    @Test func emulatorOnThisMachineNeedsAnOptionThatSaysInsecure() async throws {
      let key = try await service.makeKey()
      sandbox.environment["AWS_ENDPOINT_URL"] = try service.url("plain")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", key.arn, "-o", "f.env").failed(
        78, saying: "is not HTTPS")
      let option = "--insecure-loopback-http"
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", key.arn, option, "-o", "f.env").succeeded()
      try open("--key", key.arn, option).succeeded()
      let refused = try open("--key", key.arn, "--endpoint-url", try service.url("plain")).failed(64, saying: option)
      #expect(refused.messages.contains("is not HTTPS"))
      try open("--key", key.arn, option, "--endpoint-url", "http://10.0.0.1:4566").failed(64, saying: "is not HTTPS")
      try sandbox.write("default: {insecure-loopback-http: true}\n", to: "envelope.yaml", mode: 0o600)
      try open("--key", key.arn).succeeded()
      try sandbox.write("default: {insecure-loopback-http: yes please}\n", to: "envelope.yaml", mode: 0o600)
      try sandbox.envelope("seal", ".env", "--function", "f").failed(78, saying: "neither true nor false")
    }

    @Test func mistakesOfTheEnvironmentAreOfTheConfiguration() async throws {
      let key = try await service.makeKey()
      try seal(under: key.arn)
      let alias = try #require(key.alias)
      try sandbox.write("[default]\nnonsense\n", to: "broken")
      try sandbox.write("[default]\nregion = us-east-1\n", to: "config")
      for (variable, value, words) in [
        ("AWS_CONFIG_FILE", sandbox.path("broken"), "line 2"), ("AWS_PROFILE", "none", "'none'"),
        ("AWS_ENDPOINT_URL", "http://example.com", "AWS_ENDPOINT_URL"), ("AWS_CA_BUNDLE", "/none", "AWS_CA_BUNDLE"),
        ("AWS_CA_BUNDLE", "/dev/null", "no certificate"), ("AWS_REGION", "EU", "AWS_REGION"),
        ("HTTPS_PROXY", "socks5://p", "HTTPS_PROXY"), ("AWS_USE_FIPS_ENDPOINT", "true", "FIPS"),
      ] {
        let before = sandbox.environment
        sandbox.environment[variable] = value
        try open("--key", alias).failed(78, saying: words)
        sandbox.environment = before
      }
      try open("--key", alias, "--region", "EU").failed(64, saying: "'EU'")
      sandbox.environment["AWS_REGION"] = nil
      try open("--key", alias).failed(78, saying: "AWS Region")
    }

    @Test func serviceThatCannotBeReachedIsUnavailable() async throws {
      let key = try await service.makeKey()
      try seal(under: key.arn)
      try open("--key", key.arn, "--endpoint-url", "https://127.0.0.1:1").failed(69, saying: "refuses the connection")
      sandbox.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
      try open("--key", key.arn).failed(69, saying: "HTTPS_PROXY")
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import TestSupport
  import Testing

  /// The command with keys of AWS KMS, against a server that others wrote.
  @Suite(.timeLimit(.minutes(20))) struct KMSTests {
    private let service: KeyService
    private let account: KeyService.Account
    private let sandbox: Sandbox

    init() throws {
      let kms = try KMSSandbox()
      (service, account, sandbox) = (kms.service, kms.account, kms.sandbox)
    }

    private let alphabet = "DATABASE_URL=postgres://db\nRETRIES=5\n"

    private func key() async throws -> (key: KeyService.Key, alias: String) {
      let key = try await service.makeKey()
      return (key, try #require(key.alias))
    }

    /// The README's main job, with another key.
    @Test func theMainJobWorksWithAnAlias() async throws {
      let (key, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      let sealed = try sandbox.envelope("seal", ".env", "--function", "checkout", "--key", alias, "-o", "checkout.env")
      #expect(sealed.succeeded().messages == "Sealed 2 variables for function checkout under \(alias).\n")
      #expect(!sandbox.exists(sandbox.keyStore))
      let run = try sandbox.envelope(
        "exec", "checkout.env", "--function", "checkout", "--key", alias, "--", "/bin/sh", "-c", "echo $RETRIES")
      #expect(run.succeeded().text == "5\n" && run.messages.isEmpty)
      #expect(try await account.counts().operations == ["GenerateDataKey", "Decrypt"])
      let inspected = try sandbox.envelope("inspect", "checkout.env").succeeded()
      #expect(inspected.text.contains("aws-kms \(key.arn)"))
    }

    @Test func aChangeAsksOnce() async throws {
      let (key, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", key.arn, "-o", "f.env").succeeded()
      try sandbox.envelope("set", "f.env", "TOKEN", "--function", "f", "--key", alias, input: "t\n").succeeded()
      #expect(try await account.counts().operations == ["GenerateDataKey", "Decrypt"])
      let got = try sandbox.envelope("get", "f.env", "TOKEN", "--function", "f", "--key", alias).succeeded()
      #expect(got.text == "t")
      try sandbox.envelope("unset", "f.env", "TOKEN", "--function", "f", "--key", alias).succeeded()
      let opened = try sandbox.envelope("open", "f.env", "--function", "f", "--key", key.arn, "--format", "json")
        .succeeded()
      #expect(
        try JSONDecoder().decode([String: String].self, from: opened.output)
          == ["DATABASE_URL": "postgres://db", "RETRIES": "5"])
    }

    @Test func theConfigurationFileNamesKeyAndService() async throws {
      let (_, alias) = try await key()
      let authority = try service.url("ca")
      for name in ["AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"] { sandbox.environment[name] = nil }
      try sandbox.shell("cp '\(authority)' ca.pem && mkdir inner").succeeded()
      try sandbox.write(
        """
        default:
          region: us-east-1
          ca-bundle: ca.pem
        functions:
          f:
            key: \(alias)
            endpoint-url: \(try service.url("url"))
            file: inner/f.env
        """, to: "envelope.yaml", mode: 0o600)
      try sandbox.write(alphabet, to: "inner/.env")
      try sandbox.makeFolder(".git")
      let inner = sandbox.path("inner")
      try sandbox.envelope("seal", "-o", "f.env", in: inner).succeeded()
      let run = try sandbox.envelope("exec", "f.env", "--", "/bin/sh", "-c", "echo $RETRIES", in: inner)
      #expect(run.succeeded().text == "5\n")
      // Flags override it.
      try sandbox.envelope("exec", "f.env", "--endpoint-url", "http://localhost", "--", "true", in: inner)
        .failed(64, saying: "is not HTTPS")
      try sandbox.envelope("exec", "f.env", "--ca-bundle", "/dev/null", "--", "true", in: inner)
        .failed(64, saying: "no certificate")
    }

    @Test func anyOfALocalKeyAndOneOfAWSOpens() async throws {
      let (_, alias) = try await key()
      try sandbox.envelope("keys", "create", "backup").succeeded()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", alias, "--key", "backup", "-o", "f.env")
        .succeeded()
      let local = try sandbox.envelope("exec", "f.env", "--function", "f", "--", "/bin/sh", "-c", "echo $RETRIES")
      #expect(local.succeeded().text == "5\n")
      #expect(try await account.counts().operations == ["GenerateDataKey"])
      try sandbox.shell("rm '\(sandbox.keyStore)'").succeeded()
      let remote = try sandbox.envelope(
        "exec", "f.env", "--function", "f", "--key", alias, "--", "/bin/sh", "-c", "echo $RETRIES")
      #expect(remote.succeeded().text == "5\n")
    }

    /// AWS KMS is never asked because a file says so.
    @Test func aKeyThatNobodyNamedIsNotAskedFor() async throws {
      let (key, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", alias, "-o", "f.env").succeeded()
      try sandbox.envelope("exec", "f.env", "--function", "f", "--", "true").failed(77, saying: "--key \(key.arn)")
      try sandbox.envelope("keys", "create", "local").succeeded()
      try sandbox.envelope("exec", "f.env", "--function", "f", "--", "true").failed(77, saying: "--key \(key.arn)")
      #expect(try await account.counts().operations == ["GenerateDataKey"])
    }

    @Test(arguments: [
      ("access-denied", Int32(77), "denies"), ("disabled", 77, "disabled"), ("invalid-state", 77, "state"),
      ("not-found", 77, "no such key"), ("expired-token", 77, "credentials"),
      ("invalid-ciphertext", 65, "does not decrypt"),
      ("validation", 69, "ValidationException"), ("other-key", 69, "sent an invalid response"),
      ("redirect", 69, "elsewhere"),
    ])
    func failuresAreToldWithTheirExitCodes(fault: String, code: Int32, words: String) async throws {
      let (key, _) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", key.arn, "-o", "f.env").succeeded()
      try await account.fail([fault])
      try sandbox.envelope("exec", "f.env", "--function", "f", "--key", key.arn, "--", "true").failed(
        code, saying: words)
    }

    @Test func whereNobodyAnswersTheExitCodeSaysSo() async throws {
      let (key, _) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", key.arn, "-o", "f.env").succeeded()
      for url in ["https://127.0.0.1:1", try service.url("wrong_host"), try service.url("expired")] {
        try sandbox.envelope(
          "exec", "f.env", "--function", "f", "--key", key.arn, "--endpoint-url", url, "--", "true"
        ).failed(69)
      }
      sandbox.environment["AWS_ACCESS_KEY_ID"] = nil
      sandbox.environment["AWS_EC2_METADATA_DISABLED"] = "true"
      try sandbox.envelope("exec", "f.env", "--function", "f", "--key", key.arn, "--", "true")
        .failed(77, saying: "no AWS credentials")
    }

    /// What speaks to the service changes signals, and the command must not begin so.
    @Test func theCommandBeginsWithItsSignalsAsTheyWere() async throws {
      let (_, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", alias, "-o", "f.env").succeeded()
      try sandbox.writeScript("exec grep -E '^Sig(Blk|Ign)' /proc/self/status", to: "show")
      let exec = "\"$ENVELOPE\" exec f.env --function f --key '\(alias)' -- ./show"
      for before in ["", "trap '' PIPE; "] {
        let (opened, alone) = (try signals(before + exec), try signals(before + "./show"))
        #expect(opened == alone && alone.count == 2)
        #expect(alone["SigIgn"].map { $0 & 1 << 12 != 0 } == !before.isEmpty, "SIGPIPE")
      }
    }

    /// The sets of signals that a script shows, in which bit 0 is signal 1.
    ///
    /// The C library keeps those from 32 on for itself.
    private func signals(_ line: String) throws -> [Substring: UInt64] {
      let lines = try sandbox.shell(line).succeeded().text.split(separator: "\n").map { $0.split(separator: ":\t") }
      return Dictionary(uniqueKeysWithValues: lines.map { ($0[0], (UInt64($0[1], radix: 16) ?? 0) & 0x7fff_ffff) })
    }

    /// Nor with the connection to the service open.
    @Test func theCommandInheritsNoConnection() async throws {
      let (_, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try sandbox.envelope("seal", ".env", "--function", "f", "--key", alias, "-o", "f.env").succeeded()
      try sandbox.writeScript("exec ls -l /proc/self/fd", to: "show")
      let exec = "\"$ENVELOPE\" exec f.env --function f --key '\(alias)' -- ./show"
      // What this process has open, the shell inherits, and hands on in both cases.
      let shown = try sandbox.shell("exec 7</dev/null; ./show; echo AND; \(exec)").succeeded().text
      let (alone, opened) = try #require(shown.split(separator: "AND").map(Self.files).pair)
      #expect(opened == alone && opened.contains("/dev/null"), "\(shown)")
    }

    /// What files stand for, but for the folder that is being listed, which is another each time.
    private static func files(_ listing: Substring) -> [Substring] {
      listing.split(separator: "\n").compactMap { $0.split(separator: " -> ").dropFirst().first }
        .filter { !$0.hasPrefix("/proc/") }.sorted()
    }

    @Test func anInterruptionWhileItWaitsEndsIt() async throws {
      let (_, alias) = try await key()
      try sandbox.write(alphabet, to: ".env")
      try await account.fail(["slow"])
      let running = try sandbox.start(["seal", ".env", "--function", "f", "--key", alias, "-o", "f.env"])
      try await account.wait(for: 1)
      running.send(SIGINT)
      #expect(try running.wait().ending == .signal(SIGINT))
      #expect(!sandbox.exists("f.env"))
    }
  }

  extension Array {
    fileprivate var pair: (Element, Element)? { count == 2 ? (self[0], self[1]) : nil }
  }
#endif

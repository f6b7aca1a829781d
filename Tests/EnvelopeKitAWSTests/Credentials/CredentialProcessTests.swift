// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct CredentialProcessTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A program, and a profile that runs it.
    private func find(_ script: String, arguments: String = "") async throws -> AWSCredentials {
      let path = folder.path + "/program"
      try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
      return try await find(setting: "\(path) \(arguments)")
    }

    private func find(setting: String, more: String = "") async throws -> AWSCredentials {
      let config = folder.path + "/config"
      try Data("[default]\ncredential_process = \(setting)\n\(more)".utf8).write(to: URL(filePath: config))
      return try await CredentialSource(variables: [
        "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": "/usr/bin:/bin", "MARK": "handed on",
      ]).find()
    }

    private func json(_ members: String = "") -> String {
      "{\"Version\": 1, \"AccessKeyId\": \"AKID\", \"SecretAccessKey\": \"sec\\/ret\"\(members)}"
    }

    @Test func takesWhatProgramPrints() async throws {
      let found = try await find("printf '%s' '\(json())'")
      #expect(try found.accessKeyID == "AKID" && found.copiedSecret == "sec/ret")
      #expect(found.sessionToken == nil && found.expiration == nil)
      let temporary = try await find(
        "cat <<'E'\n\(json(", \"SessionToken\": \"tok\", \"Expiration\": \"2026-11-27T13:54:02Z\", \"AccountId\": \"1\""))\nE"
      )
      #expect(temporary.sessionToken == "tok" && temporary.expiration == 1_795_787_642)
    }

    /// Some programs print an empty token for lasting keys, as AWS's tools accept it.
    @Test func emptySessionTokenIsNone() async throws {
      #expect(try await find("printf '%s' '\(json(", \"SessionToken\": \"\""))'").sessionToken == nil)
    }

    /// A program may wait for the code of a device; the deadline is that of the call.
    @Test func slowProgramLeavesCallItsTime() async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let (mark, id) = (folder.path + "/mark", service.account().id)
      let program = folder.path + "/program"
      let text = json().replacing("AKID", with: id)
      try Data("#!/bin/sh\n: > \(mark)\nprintf '%s' '\(text)'\n".utf8).write(to: URL(filePath: program))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program)
      let config = folder.path + "/config"
      try Data("[default]\ncredential_process = \(program)\n".utf8).write(to: URL(filePath: config))
      var configuration = KMSClient.Configuration()
      (configuration.region, configuration.endpoint) = ("us-east-1", try service.url("url"))
      configuration.caBundle = try service.url("ca")
      (configuration.tryTimeout, configuration.deadline) = (.seconds(300), .seconds(600))
      let variables = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "PATH": "/usr/bin:/bin"]
      let start = ContinuousClock.now
      let timing = KMSClient.Timing(now: {
        start.advanced(by: FileManager.default.fileExists(atPath: mark) ? .seconds(3600) : .zero)
      })
      let client = try KMSClient(configuration, variables: variables, timing: timing)
      _ = try await KMSKeyring(key.arn, client: client).generateDataKey(for: [:])
    }

    @Test func getsArgumentsAndVariablesAndNoShell() async throws {
      let script = """
        [ "$#" = 4 ] && [ "$1" = 'a b' ] && [ "$2" = '$MARK' ] && [ "$3" = 'c"d' ] && [ "$4" = '' ] || exit 3
        [ "$MARK" = 'handed on' ] || exit 4
        printf '%s' '\(json())'
        """
      #expect(try await find(script, arguments: #"'a b' $MARK "c\"d" """#).accessKeyID == "AKID")
    }

    @Test func comesAfterKeysOfCredentialsFileAndBeforeThoseOfConfig() async throws {
      let keys = "aws_access_key_id = CONFIG\naws_secret_access_key = c\n"
      let path = folder.path + "/program"
      try Data("#!/bin/sh\nprintf '%s' '\(json())'\n".utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
      #expect(try await find(setting: path, more: keys).accessKeyID == "AKID")
    }

    @Test(arguments: [
      ("exit 7", "exit code 7"), ("kill -9 $$", "exit code 137"), ("true", "did not print credentials"),
      ("echo '{}'", "Version is not 1"), ("echo nonsense-secret", "did not print credentials"),
      ("echo '{\"Version\": 2, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\"}'", "Version is not 1"),
      ("echo '{\"Version\": \"1\", \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\"}'", "Version is not 1"),
      ("echo '{\"Version\": 1, \"AccessKeyId\": \"A\"}'", "no SecretAccessKey"),
      (
        "echo '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\", \"Expiration\": \"x\"}'",
        "Expiration"
      ),
      ("echo '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": 7}'", "did not print credentials"),
      ("head -c 65537 /dev/zero", "more than 65536 bytes"), ("yes", "more than 65536 bytes"),
      ("printf '%s' '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\"}'; exit 1", "exit code 1"),
    ])
    func reportsProgramThatGivesNone(script: String, words: String) async throws {
      let error = await expectError(.credentialsMissing, saying: words, at: script) {
        try await find(script, arguments: "hush")
      }
      let text = "\(String(describing: error))"
      #expect(text.contains("program") && !text.contains("nonsense-secret") && !text.contains("hush"))
    }

    @Test(arguments: ["", "'open", "\"open", "x \\"])
    func refusesSettingThatIsNoCommand(setting: String) async throws {
      await expectError(.configurationInvalid, saying: "credential_process", at: setting) {
        try await find(setting: setting)
      }
    }

    @Test func reportsProgramThatIsNotThere() async throws {
      await expectError(.credentialsMissing, saying: "cannot be run") {
        try await find(setting: folder.path + "/none")
      }
    }

    @Test func endsProgramThatHangs() async throws {
      // It keeps its output open in a process of its own.
      let process = CredentialProcess(words: ["/bin/sh", "-c", "exec sleep 1000"], variables: [:])
      await expectError(.credentialsMissing, saying: "did not end in time") {
        try await process.output(within: .milliseconds(50))
      }
      let closing = CredentialProcess(words: ["/bin/sh", "-c", "exec >&-; exec sleep 1000"], variables: [:])
      await expectError(.credentialsMissing, saying: "did not end in time") {
        try await closing.output(within: .milliseconds(50))
      }
    }

    /// What this process has open stays its own, and signals are as programs expect them.
    @Test func inheritsNoDescriptorAndNoSignalMask() async throws {
      let file = try FileHandle(forReadingFrom: URL(filePath: "/dev/null"))
      _ = fcntl(file.fileDescriptor, F_SETFD, 0)
      let script = "ls /proc/self/fd | tr '\\n' ' ' >&2; grep -E '^Sig(Blk|Ign)' /proc/self/status"
      let process = CredentialProcess(words: ["/bin/sh", "-c", script], variables: ["PATH": "/usr/bin:/bin"])
      let output = try await process.output(within: .seconds(300))
      let text = output.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
      let masks = text.split(separator: "\n").map { UInt64($0.split(separator: ":\t").last ?? "", radix: 16) ?? 1 }
      // The C library keeps the signals from 32 on for itself.
      #expect(masks.count == 2 && masks.allSatisfy { $0 & 0x7fff_ffff == 0 }, "\(text)")
      let listing = CredentialProcess(words: ["/bin/ls", "/proc/self/fd"], variables: [:])
      let descriptors = try await listing.output(within: .seconds(300)).withBytes {
        String(decoding: [UInt8](copying: $0), as: UTF8.self)
      }
      // The last is that of the folder itself.
      #expect(descriptors.split(separator: "\n").count == 4, "\(descriptors)")
      try file.close()
    }

    @Test(arguments: [
      ("a b", ["a", "b"]), ("  a\tb ", ["a", "b"]), ("'a b' \"c d\"", ["a b", "c d"]), ("a'b'\"c\"d", ["abcd"]),
      ("\"a\\\"b\\\\c\\d\"", ["a\"b\\c\\d"]), ("a\\ b\\\\", ["a b\\"]), ("'' \"\"", ["", ""]), ("", []), (" ", []),
      ("'a\\'b", ["a\\b"]), ("a#b # c", ["a#b", "#", "c"]), ("$HOME `x` *;|", ["$HOME", "`x`", "*;|"]),
    ])
    func splitsWordsAsShellsDo(line: String, words: [String]) { #expect(CommandWords.split(line) == words) }

    @Test(arguments: ["'", "\"", "a'b", "a\"b\\\"", "a\\", "\"a\\"])
    func refusesOpenQuotes(line: String) { #expect(CommandWords.split(line) == nil) }
  }
#endif

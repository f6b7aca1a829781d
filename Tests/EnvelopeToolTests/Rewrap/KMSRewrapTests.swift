// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import TestSupport
  import Testing

  /// Files and key stores that come under keys of AWS KMS, and leave them.
  @Suite(.timeLimit(.minutes(20))) struct KMSRewrapTests {
    private let service: KeyService
    private let account: KeyService.Account
    private let sandbox: Sandbox
    private let local: String

    init() throws {
      let kms = try KMSSandbox()
      (service, account, sandbox) = (kms.service, kms.account, kms.sandbox)
      local = try sandbox.makeKey("default")
      for name in ["a.env", "b.env"] { try sandbox.seal("AA=1\nTOKEN=marker-secret\n", to: name) }
    }

    private func rewrap(_ arguments: String...) throws -> Outcome {
      try sandbox.start(["rewrap", "a.env", "b.env", "--function", "app"] + arguments).wait()
    }

    @Test func filesComeUnderAKMSKeyAndASecondRunFindsNothingToDo() async throws {
      let key = try await service.makeKey()
      let alias = try #require(key.alias)
      #expect(try rewrap("--add", alias).succeeded().messages == "Rewrapped 2 files.\n")
      for name in ["a.env", "b.env"] { #expect(try sandbox.keyIDs(of: name) == ["\(local).1", key.arn]) }
      // Which key the alias stands for is asked once; each file is wrapped, and nothing was dropped.
      #expect(try await account.counts().operations == ["Encrypt", "Encrypt", "Encrypt"])
      #expect(try rewrap("--add", alias).succeeded().messages.hasPrefix("Nothing to do: 2 files"))
      #expect(try rewrap("--add", key.arn).succeeded().messages.hasPrefix("Nothing to do: 2 files"))

      // The local key goes: an environment is sealed anew under the one that stays.
      #expect(try rewrap("--remove", "default", "--key", alias).succeeded().messages == "Resealed 2 files.\n")
      #expect(try sandbox.keyIDs(of: "a.env") == [key.arn])
      let opened = try sandbox.envelope("get", "a.env", "TOKEN", "--function", "app", "--key", alias)
      #expect(opened.succeeded().text == "marker-secret")
    }

    @Test func filesLeaveAKMSKey() async throws {
      let key = try await service.makeKey()
      let alias = try #require(key.alias)
      try rewrap("--to", alias, "--keep-data-key").succeeded()
      #expect(try sandbox.keyIDs(of: "a.env") == [key.arn])
      // It is not asked for unless it is named.
      let before = try await account.counts().operations.count
      try rewrap("--to", "default").failed(77)
      #expect(try await account.counts().operations.count == before)
      try rewrap("--to", "default", "--key", alias).succeeded()
      #expect(try sandbox.keyIDs(of: "a.env") == ["\(local).1"])
      #expect(try sandbox.opened("b.env") == ["AA": "1", "TOKEN": "marker-secret"])
    }

    /// The new key refuses: the file stays as it was.
    @Test func aKeyThatIsDisabledTakesNothingOver() async throws {
      let key = try await service.makeKey()
      let before = try sandbox.read("a.env")
      try await service.change(key, by: "disable_key")
      try rewrap("--to", key.arn, "--keep-data-key").failed(77)
      #expect(try sandbox.read("a.env") == before)
    }

    @Test func aKeyStoreIsKeptUnderAKMSKey() async throws {
      let alias = try #require(try await service.makeKey().alias)
      try sandbox.envelope("keys", "lock", "--key", alias).succeeded()
      #expect(try sandbox.read(sandbox.keyStore).hasPrefix("ek1:"))
      try sandbox.envelope("open", "a.env", "--function", "app").failed(77, saying: "ENVELOPE_STORE_KEY")
      let named = ["ENVELOPE_STORE_KEY": alias]
      let opened = try sandbox.envelope("get", "a.env", "TOKEN", "--function", "app", with: named)
      #expect(opened.succeeded().text == "marker-secret")
      try sandbox.envelope("keys", "create", "second", with: named).succeeded()
      #expect(try sandbox.read(sandbox.keyStore).hasPrefix("ek1:"))
      #expect(try sandbox.envelope("keys", "list", with: named).succeeded().text.contains("second\t"))
      try sandbox.envelope("keys", "unlock", with: named).succeeded()
      #expect(try sandbox.envelope("keys", "list").succeeded().text.contains("second\t"))
    }
  }
#endif

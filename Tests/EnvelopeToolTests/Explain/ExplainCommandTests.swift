// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

@testable import EnvelopeTool

/// Each reason for which a file does not open is told as what it is, with what to do.
@Suite(.timeLimit(.minutes(20))) struct ExplainCommandTests {
  let sandbox: Sandbox
  let key: String
  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
    try sandbox.seal("AA=1\nTOKEN=marker-secret\n")
  }

  /// Explains a file, and expects a cause, its code and the exit code that opening ends with.
  @discardableResult
  private func explain(
    _ file: String = "app.env", _ arguments: String..., cause: Cause, _ code: EnvelopeError.Code, exit: Int32,
    with variables: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> String {
    let words = arguments.isEmpty ? ["--function", "app"] : arguments
    let result = try sandbox.start(["explain", file] + words, with: variables).wait()
    #expect(result.code == exit, "\(result.text)\(result.messages)", sourceLocation: location)
    #expect(
      result.text.contains("It does not open, because of \(cause.rawValue) (\(code.rawValue)): "), "\(result.text)",
      sourceLocation: location)
    #expect(result.text.contains("\nWhat to do: "), "\(result.text)", sourceLocation: location)
    #expect(!(result.text + result.messages).contains("marker"), sourceLocation: location)
    return result.text
  }

  /// What is told comes from files, too: it steers no terminal.
  @Test func nothingThatIsToldHoldsControlCharacters() throws {
    try sandbox.write(#"functions: {app: {context: {team: "\e[2K\n\u009b"}}}"#, to: "envelope.yaml")
    try sandbox.write("AA=1\n", to: "\u{1b}[2K.env")
    try sandbox.seal("AA=1\n", to: "team.env")
    for file in ["team.env", "\u{1b}[2K.env"] {
      let text = try sandbox.envelope("explain", file, "--function", "other").text
      #expect(text.contains("\\u{1b}[2K"))
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }
  }

  /// The file may be as it should be where it is the store that cannot be read.
  @Test func aStoreOfALaterReleaseIsNoFormatOfTheFile() throws {
    try sandbox.write("envelope-keys 9\n", to: sandbox.keyStore)
    try explain(cause: .keyStore, .unsupportedVersion, exit: 65)
  }

  @Test func whatOpensIsToldStepByStep() throws {
    let text = try sandbox.envelope("explain", "app.env", "--function", "app").succeeded().text
    #expect(
      text.split(separator: "\n").map(String.init).dropFirst() == [
        "context: as given for 'app'", "key keyset \(key).1: default (\(key)) of the key store: unwraps",
        "variables: 2 verified", "It opens.",
      ])
    #expect(text.hasPrefix("an environment of 2 variables, generation 1"))
  }

  @Test func anotherContextIsToldAndWhichItIs() throws {
    try explain("app.env", "--function", "other", cause: .context, .contextDiffers, exit: 65)
    try sandbox.write("functions: {app: {context: {team: payments}}, other: {}}\n", to: "envelope.yaml")
    // Sealed before the pair stood in the file.
    let bare = try explain("app.env", "--function", "app", cause: .context, .contextDiffers, exit: 65)
    #expect(bare.contains("fits 'app' with no further pairs"))
    try sandbox.write("functions: {app: {}, other: {}}\n", to: "envelope.yaml")
    let other = try explain("app.env", "--function", "other", cause: .context, .contextDiffers, exit: 65)
    #expect(other.contains("It was sealed for 'app' with no further pairs"))
    let none = try explain("app.env", "--no-function", cause: .context, .contextDiffers, exit: 65)
    #expect(none.contains("context: differs from no function\ncontext: fits 'app'"))
    // Without a function, each of the file's is tried.
    #expect(try sandbox.envelope("explain", "app.env").succeeded().text.contains("context: as given for 'app'"))
  }

  @Test func theKeyIsToldWhereItIsNotHere() throws {
    try sandbox.makeKey("default", in: "other")
    let text = try explain(cause: .key, .keyNotFound, exit: 77, with: ["ENVELOPE_STORE": "other"])
    #expect(text.contains("key keyset \(key).1: not here\n"))
    try explain(cause: .key, .keyNotFound, exit: 77, with: ["ENVELOPE_STORE": "nowhere"])
  }

  /// A copy of the store from before a rotation.
  @Test func aVersionThatIsNotHereYetIsTold() throws {
    try sandbox.shell("cp '\(sandbox.keyStore)' old").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.seal("AA=1\n")
    let text = try explain(cause: .key, .keyNotFound, exit: 77, with: ["ENVELOPE_STORE": "old"])
    #expect(text.contains("has no version 2 here, the newest is 1"))
  }

  @Test func statesAreTold() throws {
    try sandbox.envelope("keys", "disable", "default").succeeded()
    let disabled = try explain(cause: .state, .keyDisabled, exit: 77)
    #expect(disabled.contains("envelope keys enable default"))
    try sandbox.envelope("keys", "delete", "default", "--days", "7").succeeded()
    #expect(try explain(cause: .state, .keyInvalidState, exit: 77).contains("cancel-deletion default"))
    // The day has come.
    var store = try sandbox.read(sandbox.keyStore)
    store = store.replacing(try Regex("state pending [0-9]+"), with: "state pending 1000000000")
    try sandbox.write(store, to: sandbox.keyStore)
    #expect(try explain(cause: .key, .keyNotFound, exit: 77).contains("destroyed"))
  }

  @Test func policyAndVersionAreTold() throws {
    try sandbox.envelope("keys", "policy", "default", "--operation", "wrap").succeeded()
    try explain(cause: .policy, .keyAccessDenied, exit: 77)
    try sandbox.envelope("keys", "policy", "default", "--function", "other").succeeded()
    #expect(try explain(cause: .policy, .keyAccessDenied, exit: 77).contains("for 'app'"))
    try sandbox.envelope("keys", "policy", "default", "--unrestricted").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("keys", "minimum", "default", "2").succeeded()
    try explain(cause: .version, .keyVersionTooOld, exit: 77)
  }

  @Test func aNarrowedKeyIsTold() throws {
    try sandbox.envelope("keys", "export", "default", "--function", "other", "-o", "narrow").succeeded()
    let text = try explain(cause: .key, .keyNotFound, exit: 77, with: ["ENVELOPE_STORE": "narrow"])
    #expect(text.contains("narrowed"))
  }

  private func line(_ name: String, in text: String) throws -> String {
    String(try #require(text.split(separator: "\n").first { $0.hasPrefix(name + "=") }))
  }

  @Test func damageIsTold() throws {
    let whole = try sandbox.read("app.env")
    let (token, header) = (try line("TOKEN", in: whole), try line("ENVELOPE_HEADER", in: whole))
    let bytes = try Envelope.bytes(ofText: String(header.drop { $0 != "=" }.dropFirst()))
    func damaged(
      _ code: EnvelopeError.Code, cause: Cause = .damage, _ text: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
      try #require(text != whole)
      try sandbox.write(text, to: "app.env")
      try explain(cause: cause, code, exit: 65, location)
    }
    func flipped(at offset: Int) -> String {
      var altered = bytes
      altered[offset] ^= 0x40
      return whole.replacing(header, with: "ENVELOPE_HEADER=" + Envelope.text(of: altered))
    }
    try damaged(.variablesAltered, whole.replacing("TOKEN=ev1:", with: "OTHER=ev1:"))
    try damaged(.variablesMissing, whole.replacing(token + "\n", with: ""))
    try damaged(.variablePutBack, flipped(at: bytes.count - 1))
    // The trailer takes the last 38 bytes; before it the tag and the commitment.
    try damaged(.headerAltered, flipped(at: bytes.count - 38 - 1))
    try damaged(.headerAltered, flipped(at: bytes.count - 38 - 17))
    try damaged(.unwrapFailed, flipped(at: 60))
    try damaged(.malformed, whole.replacing("ENVELOPE_HEADER=ek1:", with: "ENVELOPE_HEADER=ek1:="))
    try damaged(.unsupportedVersion, cause: .format, flipped(at: 2))
    try sandbox.write(whole, to: "app.env")
    try sandbox.envelope("unset", "app.env", "TOKEN", "--function", "app").succeeded()
    try damaged(.variablesAdded, try sandbox.read("app.env") + token + "\n")
  }

  @Test func whatIsNoSealedFileIsTold() throws {
    try sandbox.write("AA=1\n", to: "plain.env")
    try explain("plain.env", cause: .call, .noHeader, exit: 66)
    // Where the header is lost, sealing what is left would lose the rest.
    for text in [try sandbox.read("app.env"), #"{"AA": "ev1:AAAA"}"#] {
      try sandbox.write(text.split(separator: "\n").filter { !$0.hasPrefix("ENV") }.joined(separator: "\n"), to: "lost")
      let lost = try explain("lost", cause: .damage, .noHeader, exit: 66)
      #expect(lost.contains("What to do: Put the header beside the sealed variables."))
    }
    try explain("missing.env", cause: .call, .noInput, exit: 66)
    try sandbox.write("a page about ENVELOPE_HEADER=ek1:\n", to: "page")
    try explain("page", cause: .damage, .malformed, exit: 65)
  }

  @Test func anOlderGenerationIsTold() throws {
    try explain(
      "app.env", "--function", "app", "--minimum-generation", "4294967295", cause: .age, .staleGeneration, exit: 65)
  }

  @Test func anAnonymousSenderIsTold() throws {
    let recipient = try sandbox.makeRecipient("me", in: sandbox.keyStore)
    try sandbox.seal("AA=1\n", "--key", recipient)
    try explain(cause: .sender, .anonymousSender, exit: 65)
    try sandbox.envelope("explain", "app.env", "--function", "app", "--accept-anonymous-sender").succeeded()
  }

  @Test func theKeyStoreIsToldWhereThatIsWhatFails() async throws {
    let store = try sandbox.read(sandbox.keyStore)
    try sandbox.setMode(0o664, of: sandbox.keyStore)
    try explain(cause: .keyStore, .filePermissions, exit: 77)
    try sandbox.write(store.replacing("default \(key)\n", with: ""), to: sandbox.keyStore)
    try explain(cause: .keyStore, .keyStoreDamaged, exit: 65)
    try sandbox.write(store, to: sandbox.keyStore)
    try await sandbox.lock(try KeyStore.open(at: sandbox.keyStore), at: sandbox.keyStore)
    try explain(cause: .keyStore, .keyStoreLocked, exit: 77)
    // One that is itself taken for a sealed file.
    try explain(sandbox.keyStore, cause: .keyStore, .keyStoreLocked, exit: 77)
  }

  @Test func aValueIsLookedAtToo() async throws {
    let sealed = try await Envelope.seal(
      Array("marker".utf8), context: ["function": "app"], authenticating: Array("row 1".utf8), using: sandbox.keyring())
    try sandbox.write(Envelope.text(of: sealed) + "\n", to: "value")
    let text = try explain("value", cause: .damage, .payloadAltered, exit: 65)
    #expect(text.contains("header: verifies\n") && text.contains("--associated-data"))
    try sandbox.envelope("explain", "value", "--function", "app", "--associated-data", "row 1").succeeded()
  }

  @Test func severalKeysAreEachTold() throws {
    try sandbox.makeKey("second")
    let offline = try sandbox.makeRecipient("glass", in: "offline")
    try sandbox.seal("AA=1\n", "--key", "default", "--key", "second", "--key", offline)
    try sandbox.envelope("keys", "disable", "default").succeeded()
    let text = try sandbox.envelope("explain", "app.env", "--function", "app").succeeded().text
    #expect(text.contains("default (\(key)) of the key store: The key default (\(key)) is disabled\n"))
    #expect(text.contains("of the key store: unwraps\n") && text.contains("key recipient "))
    #expect(text.contains(": not here\n") && text.hasSuffix("It opens.\n"))
  }

  #if AWS
    @Test func aKeyServiceThatDoesNotAnswerIsTold() async throws {
      let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      let sealed = try await SealedEnvironment.seal(
        ["AA": "1"], context: ["function": "app"], using: ForgedKMSKeyring(keyID: try KeyID(arn)))
      try sandbox.write(sealed.variables.map { "\($0.key)=\($0.value)\n" }.joined(), to: "kms.env")
      let account = ["AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-east-1"]
      // Nobody named it, so it is not asked.
      try explain("kms.env", cause: .key, .keyNotFound, exit: 77, with: account)
      let text = try explain(
        "kms.env", "--function", "app", "--key", arn, "--endpoint-url", "https://127.0.0.1:1", cause: .keyService,
        .keyServiceUnavailable, exit: 69, with: account)
      #expect(text.contains("key aws-kms \(arn): "))
    }
  #endif

  /// The list of causes keeps up with that of the library's failures, as its source has it.
  @Test func everyFailureOfTheLibraryHasACause() throws {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.lastPathComponent != "Tests" { folder.deleteLastPathComponent() }
    let source = folder.deletingLastPathComponent().appendingPathComponent(
      "Sources/EnvelopeKit/EnvelopeError+Code.swift")
    let text = String(decoding: try Data(contentsOf: source), as: UTF8.self)
    let names = text.matches(of: try Regex("static let [A-Za-z]+ = Self\\(rawValue: \"([A-Za-z]+)\"\\)")).compactMap {
      $0.output[1].substring.map(String.init)
    }
    #expect(names.count > 35)
    for name in names { #expect(Cause(EnvelopeError.Code(rawValue: name)) != .other, "\(name)") }
    #expect(Cause(EnvelopeError.Code(rawValue: "somebodyElses")) == .other)
  }
}

/// Stands for a key of AWS KMS in a header, and opens nothing.
private struct ForgedKMSKeyring: Keyring {
  let keyID: KeyID

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    [try WrappedDataKey(scheme: .awsKMS, keyID: keyID, bytes: [UInt8](repeating: 1, count: 184))]
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    throw EnvelopeError(.keyNotFound, "It opens nothing")
  }
}

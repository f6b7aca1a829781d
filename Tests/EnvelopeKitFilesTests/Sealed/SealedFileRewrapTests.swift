// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("SealedFile, rewrapped and resealed", .timeLimit(.minutes(20))) struct SealedFileRewrapTests {
  let world: FileWorld

  init() throws { world = try FileWorld() }

  @Test(arguments: FileWorld.suites) func rewrappingKeepsEveryByteAfterTheHeader(suite: AlgorithmSuite) async throws {
    let content = FileWorld.content(300_000)
    let path = try await world.seal(content, suite: suite)
    try world.folder.setMode(0o640, of: path)
    let (before, header) = (try bytes(of: path), try SealedFile.header(of: path).bytes)
    let other = try KeysetKeyring(.generate())
    try await SealedFile.rewrap(at: path, Rewrapping(adding: other), context: world.context, using: world.keyring)
    let after = try bytes(of: path)
    let newHeader = try SealedFile.header(of: path)
    #expect(newHeader.wrappedKeys.count == 2 && newHeader.bytes.count > header.count)
    #expect(after.dropFirst(newHeader.bytes.count).elementsEqual(before.dropFirst(header.count)))
    #expect(try world.folder.mode(of: path) == 0o640)
    for keyring in [world.keyring, other] {
      let file = try await SealedFile(at: path, context: world.context, using: keyring)
      #expect(try file.read(0..<content.count).withBytes { [UInt8](copying: $0) } == content)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.folder.path).sorted() == ["plain", "sealed"])
  }

  @Test func removingReaderIsRefusedUnlessAllowed() async throws {
    let path = try await world.seal([1, 2, 3])
    let before = try bytes(of: path)
    let other = try KeysetKeyring(.generate())
    await expectError(.invalidArgument, saying: "could read") {
      try await SealedFile.rewrap(
        at: path, .replacingAllReaders(with: other), context: world.context, using: world.keyring)
    }
    #expect(try bytes(of: path) == before)
    try await SealedFile.rewrap(
      at: path, .replacingAllReaders(with: other), context: world.context, using: world.keyring,
      allowingFormerReadersToForge: true)
    await expectError(.keyNotFound) { try await world.file(path) }
    _ = try await SealedFile(at: path, context: world.context, using: other)
  }

  @Test func rewrappingRefusesWhatIsAlteredAndLeavesIt() async throws {
    let path = try await world.seal([1, 2, 3])
    var altered = try bytes(of: path)
    altered[try SealedFile.header(of: path).bytes.count - 1] ^= 1
    try write(altered, to: path)
    let other = try KeysetKeyring(.generate())
    await expectError(.headerAltered) {
      try await SealedFile.rewrap(at: path, Rewrapping(adding: other), context: world.context, using: world.keyring)
    }
    #expect(try bytes(of: path) == altered)
  }

  @Test(arguments: FileWorld.suites) func resealingChangesTheDataKey(suite: AlgorithmSuite) async throws {
    let other = try KeysetKeyring(.generate())
    for length in FileWorld.lengths {
      let content = FileWorld.content(length)
      let path = try await world.seal(content, suite: suite)
      let (before, header) = (try bytes(of: path), try SealedFile.header(of: path))
      let count = try await SealedFile.reseal(
        at: path, context: world.context, using: world.keyring, sealingWith: other)
      #expect(count == length)
      let (after, newHeader) = (try bytes(of: path), try SealedFile.header(of: path))
      #expect(newHeader.suite == suite && newHeader.form.chunkSize == header.form.chunkSize)
      #expect(after.suffix(16) != before.suffix(16))
      await expectError(.keyNotFound) { try await world.file(path) }
      let file = try await SealedFile(at: path, context: world.context, using: other)
      #expect(try file.read(0..<length).withBytes { [UInt8](copying: $0) } == content)
    }
  }

  @Test func resealingRefusesWhatIsAlteredAndLeavesIt() async throws {
    let path = try await world.seal(FileWorld.content(2_000_000))
    for place in [1_000_000, 2_000_000] {
      var altered = try bytes(of: path)
      altered[place] ^= 1
      try write(altered, to: world.path("altered"))
      await expectError(.payloadAltered) {
        try await SealedFile.reseal(
          at: world.path("altered"), context: world.context, using: world.keyring, sealingWith: world.keyring)
      }
      #expect(try bytes(of: world.path("altered")) == altered)
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: world.folder.path).sorted() == ["altered", "plain", "sealed"])
  }

  /// A reader was removed, or a newer file sealed, while another process rewrapped: the old file must not come back.
  @Test func fileThatIsReplacedMeanwhileStays() async throws {
    let path = try await world.seal([1, 2, 3])
    let newer = try bytes(of: await world.seal([4, 5], as: "newer"))
    let from = world.path("newer")
    let keyring = InterruptedKeyring(keyring: world.keyring) {
      _ = unsafe rename(from, path)
    }
    let other = try KeysetKeyring(.generate())
    await expectError(.fileFailure, saying: "was replaced meanwhile") {
      try await SealedFile.rewrap(at: path, Rewrapping(adding: other), context: world.context, using: keyring)
    }
    #expect(try bytes(of: path) == newer)
    try await world.seal([6], as: "newer")
    await expectError(.fileFailure, saying: "was replaced meanwhile") {
      try await SealedFile.reseal(at: path, context: world.context, using: keyring, sealingWith: other)
    }
    #expect(try bytes(of: path) != newer)
    #expect(try await world.open(path) == [6])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: world.folder.path).sorted() == ["opened", "plain", "sealed"])
  }
}

/// Runs something when a data key is unwrapped, as a slow key service lets happen.
private struct InterruptedKeyring: Keyring {
  let keyring: KeysetKeyring
  let interrupt: @Sendable () -> Void

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ keys: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    interrupt()
    return try await keyring.unwrap(keys, for: context)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Archives in sealed files that were altered, or are sealed for another layer.
@Suite("SealedArchive: altered files", .timeLimit(.minutes(20))) struct AlteredArchiveTests {
  let folder: ArchiveFolder

  init() throws { folder = try ArchiveFolder() }

  /// An archive of several chunks: 300,000 bytes and a short entry at its end.
  private func sealed() async throws -> (path: String, content: [UInt8]) {
    var random = SplitMix64(seed: 7)
    let content = random.bytes(300_000)
    try Data(Zip(Zip.Entry("long", content), Zip.Entry("short")).bytes).write(to: URL(filePath: folder.path + "/zip"))
    return (try await folder.seal("zip"), content)
  }

  private func flip(_ offset: Int, of path: String) throws {
    var bytes = try bytes(of: path)
    bytes[offset] ^= 1
    try Data(bytes).write(to: URL(filePath: path))
  }

  @Test func alteredChunkIsAnErrorOfTheSeal() async throws {
    let (path, content) = try await sealed()
    try flip(200_000, of: path)
    let archive = try await folder.open(path)
    await expectError(.payloadAltered) { try archive.read("long") }
    var pieces: [UInt8] = []
    await expectError(.payloadAltered) { try archive.read("long") { pieces += [UInt8](copying: $0) } }
    // What was passed on before is the beginning of what was sealed.
    #expect(!pieces.isEmpty && pieces.count <= 200_000 && content.starts(with: pieces))
    await expectError(.payloadAltered) { try archive.extract(to: folder.path + "/extracted") }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
    #expect(try archive.content("short") == Array("content".utf8))
  }

  @Test func alteredDirectoryIsAnErrorOfTheSeal() async throws {
    let (path, _) = try await sealed()
    try flip(bytes(of: path).count - 30, of: path)
    await expectError(.payloadAltered) { try await folder.open(path) }
  }

  @Test func layerIsBoundToItsNameAndVersion() async throws {
    let (path, _) = try await sealed()
    for context: EncryptionContext in [
      ["layer": "models", "layer-version": "6"], ["layer": "model", "layer-version": "7"], ["layer": "models"], [:],
      ["layer": "models", "layer-version": "7", "function": "checkout"],
    ] {
      await expectError(.contextDiffers) {
        try await SealedArchive(at: path, context: context, using: folder.keyring)
      }
    }
    #expect(try await folder.open(path).entries.count == 2)
  }

  @Test func dataKeyIsUnwrappedOnce() async throws {
    let (path, content) = try await sealed()
    let counter = UnwrapCounter(keyring: folder.keyring)
    let archive = try await SealedArchive(at: path, context: folder.context, using: counter)
    #expect(try archive.content("long") == content)
    #expect(try archive.content("short").count == 7)
    try archive.extract(to: folder.path + "/extracted")
    #expect(counter.count.value == 1)
  }

  @Test func archiveThatIsReplacedStaysOpen() async throws {
    let (path, content) = try await sealed()
    let archive = try await folder.open(path)
    try FileManager.default.removeItem(atPath: path)
    try Data("other".utf8).write(to: URL(filePath: path))
    #expect(try archive.content("long") == content)
  }

  #if os(Linux)
    @Test func contentIsWipedFromMemory() async throws {
      // Compressed by zlib, so that its window and its buffers hold the content.
      try folder.runPython(
        """
        import zipfile
        with zipfile.ZipFile("made.zip", "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("a", bytes(b ^ 0x5a for b in bytes(range(64, 128))) * 3000)
        """)
      let archive = try await folder.open(folder.seal("made.zip"))
      let needle = (UInt8(64)..<128).map(\.self)
      func count(_ content: borrowing SecretBytes) -> Int? {
        let found = MemoryScan.count(ofMasked: needle)
        return content.byteCount == 192_000 ? found : nil
      }
      guard let before = MemoryScan.count(ofMasked: needle) else { return }
      let during = try count(archive.read("a"))
      let after = MemoryScan.count(ofMasked: needle)
      #expect(before == 0)
      #expect(during ?? 0 >= 2999)
      #expect(after == 0)
    }
  #endif
}

/// Counts unwraps.
private struct UnwrapCounter: Keyring {
  let keyring: KeysetKeyring
  let count = Count()

  final class Count: @unchecked Sendable {
    var value = 0
  }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ entries: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    count.value += 1
    return try await keyring.unwrap(entries, for: context)
  }
}

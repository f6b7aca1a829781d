// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// A folder with files to seal, and the key and the context that they are sealed with.
struct FileWorld {
  let folder: TemporaryFolder
  let keyring: KeysetKeyring
  let context: EncryptionContext = ["purpose": "backup"]

  /// The suites that can be sealed with here.
  static let suites = AlgorithmSuite.allCases.filter(\.isAvailable)
  /// Small chunks, so that a short file has several; of which one stripe has 64.
  static let chunkSize = ChunkSize(byteCount: 4096) ?? .standard
  /// Lengths at and around the borders of chunks and of stripes.
  static let lengths = [0, 1, 4095, 4096, 4097, 8192, 12_288, 12_289, 64 * 4096, 64 * 4096 + 1, 3 * 64 * 4096 + 7]

  init() throws {
    folder = try TemporaryFolder(isInMemory: true)
    keyring = try KeysetKeyring(.generate())
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  /// Bytes of which no two chunks are alike.
  static func content(_ byteCount: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  /// Seals bytes to a file of this name, by way of a file.
  @discardableResult
  func seal(
    _ bytes: [UInt8], as name: String = "sealed", suite: AlgorithmSuite = .chaCha20Poly1305,
    chunkSize: ChunkSize = FileWorld.chunkSize, options: FileOptions = FileOptions()
  ) async throws -> String {
    try write(bytes, to: path("plain"))
    try await SealedFile.seal(
      .path(path("plain")), to: .path(path(name)), context: context, suite: suite, chunkSize: chunkSize,
      options: options, using: keyring)
    return path(name)
  }

  /// Opens a file to another, and returns what that holds.
  func open(_ path: String, cores: Int? = nil) async throws -> [UInt8] {
    var options = FileOptions()
    options.coreCount = cores
    try await SealedFile.open(
      .path(path), to: .path(self.path("opened")), context: context, options: options, using: keyring)
    return try bytes(of: self.path("opened"))
  }

  func file(_ path: String) async throws -> SealedFile {
    try await SealedFile(at: path, context: context, using: keyring)
  }

  /// Expects that a file is refused, however it is opened, and that nothing appears under the name of the output.
  func expectRefused(
    _ path: String, _ codes: [EnvelopeError.Code], at comment: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    for cores in [1, 3] {
      await expectRefusal(codes, "\(comment), \(cores) cores", sourceLocation) {
        _ = try await open(path, cores: cores)
      }
    }
    #expect(!FileManager.default.fileExists(atPath: self.path("opened")), "\(comment)", sourceLocation: sourceLocation)
    await expectRefusal(codes, comment, sourceLocation) {
      _ = try await SealedFile.verify(.path(path), context: context, using: keyring)
    }
    // What is refused only as it is read must be refused before a byte of it comes out.
    await expectRefusal(codes, "\(comment), at offsets", sourceLocation) {
      let file = try await file(path)
      for offset in stride(from: 0, to: file.byteCount, by: 4096) { _ = try file.read(offset..<offset + 1) }
    }
  }

  private func expectRefusal(
    _ codes: [EnvelopeError.Code], _ comment: String, _ sourceLocation: SourceLocation, _ body: () async throws -> Void
  ) async {
    do {
      try await body()
      Issue.record("\(comment): it opened", sourceLocation: sourceLocation)
    } catch let error as EnvelopeError {
      #expect(codes.contains(error.code), "\(comment): \(error)", sourceLocation: sourceLocation)
    } catch {
      Issue.record("\(comment): \(error)", sourceLocation: sourceLocation)
    }
  }
}

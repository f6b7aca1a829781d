// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// A folder with sealed archives, a key and a context.
struct ArchiveFolder {
  let folder: TemporaryFolder
  let keyring: KeysetKeyring
  let context: EncryptionContext = ["layer": "models", "layer-version": "7"]

  init() throws {
    folder = try TemporaryFolder(isInMemory: true)
    keyring = KeysetKeyring(try Keyset.generate())
  }

  var path: String { folder.path }

  /// Seals a file.
  func seal(_ name: String, suite: AlgorithmSuite = .chaCha20Poly1305) async throws -> String {
    let sealed = "\(path)/\(name).sealed"
    try await SealedFile.seal(
      .path("\(path)/\(name)"), to: .path(sealed), context: context, suite: suite, using: keyring)
    return sealed
  }

  /// Seals bytes, and opens them as an archive.
  func archive(
    _ bytes: [UInt8], limits: SealedArchive.Limits = SealedArchive.Limits()
  ) async throws -> SealedArchive {
    let name = UUID().uuidString
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    return try await open(seal(name), limits: limits)
  }

  func archive(_ zip: Zip, limits: SealedArchive.Limits = SealedArchive.Limits()) async throws -> SealedArchive {
    try await archive(zip.bytes, limits: limits)
  }

  func open(
    _ sealed: String, limits: SealedArchive.Limits = SealedArchive.Limits()
  ) async throws -> SealedArchive {
    try await SealedArchive(at: sealed, context: context, limits: limits, using: keyring)
  }

  /// Runs a Python script in the folder.
  func runPython(_ script: String) throws {
    let python = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"] ?? ""
    try #require(!python.isEmpty, "ENVELOPE_TEST_PYTHON is not set: run Tests/run")
    try run(python, "-c", script)
  }

  func run(_ program: String, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: path)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) ended with \(process.terminationStatus)")
  }

  func names(in folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
  }
}

extension SealedArchive {
  /// The content of an entry, read at once and piece by piece.
  func content(_ name: String) throws -> [UInt8] {
    var pieces: [UInt8] = []
    try read(name) { pieces += [UInt8](copying: $0) }
    let bytes = try read(name)
    #expect(bytes.withBytes { [UInt8](copying: $0) } == pieces)
    return pieces
  }
}

/// Expects an `EnvelopeError` of a kind, fit to be printed.
func expectError<R: ~Copyable>(
  _ code: EnvelopeError.Code, saying part: String = "", at comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async {
  do {
    _ = try await body()
    Issue.record("\(comment): it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(error.code == code, "\(comment): \(error.code.rawValue): \(error)", sourceLocation: sourceLocation)
    #expect(part.isEmpty || error.message.contains(part), "\(comment): \(error)", sourceLocation: sourceLocation)
    let isPrintable = error.description.unicodeScalars.allSatisfy(\.isPrintable)
    #expect(isPrintable, "\(comment)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(comment): \(error)", sourceLocation: sourceLocation)
  }
}

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

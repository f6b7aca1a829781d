// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// A store with the keys `default` and `other` that keeps a log of uses.
struct LoggedStore {
  let folder: TemporaryFolder
  let file: KeyStoreFile
  var logPath: String { file.location + ".audit" }

  init(at place: String? = nil) throws {
    folder = try TemporaryFolder()
    file = try KeyStoreFile(at: (place ?? folder.path) + "/keys")
    try file.update { (store) throws(EnvelopeError) in
      for alias in ["default", "other"] { try store.add(Keyset.generate(), alias: alias) }
      try store.startAuditLog()
    }
  }

  func store() throws -> KeyStore { try #require(try file.load()) }

  var log: AuditLog { get throws { AuditLog(at: logPath, key: try #require(try store().auditKey)) } }

  func verify(_ checkpoint: AuditLog.Checkpoint? = nil) throws -> AuditLog.Checkpoint {
    try log.verify(against: checkpoint)
  }

  /// Seals for some functions, which adds an entry each.
  func use(_ functions: String...) async throws {
    for function in functions { _ = try await seal(for: function) }
  }

  @discardableResult
  func seal(for function: String?, key: String = "default") async throws -> SealedEnvironment {
    let context: EncryptionContext = function.map { ["function": $0] } ?? ["other": "pair"]
    return try await SealedEnvironment.seal(["TOKEN": "hunter2"], context: context, using: store().keyring(for: key))
  }

  func change(_ body: (inout KeyStore) throws(EnvelopeError) -> Void) throws { try file.update(body) }

  /// The lines, each with its line feed.
  func lines() throws -> [[UInt8]] {
    guard FileManager.default.fileExists(atPath: logPath) else { return [] }
    return try bytes(of: logPath).split(separator: 10, omittingEmptySubsequences: true).map { Array($0) + [10] }
  }

  /// The members of each line.
  func entries() throws -> [[String: String]] {
    try lines().map { line in
      let members = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      return try #require(members).mapValues { "\($0)" }
    }
  }

  func replaceLog(_ lines: some Sequence<[UInt8]>) throws {
    try write(lines.joined(), to: logPath)
    try folder.setMode(0o600, of: logPath)
  }
}

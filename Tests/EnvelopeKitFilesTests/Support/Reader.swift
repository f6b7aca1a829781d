// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

/// The owner of a file in a test.
enum Owner: UInt32 {
  case root = 0
  /// The user who reads stores.
  case user = 65534
  case other = 1234
}

/// What came of reading a store.
struct Reading {
  var store: KeyStore?
  var warnings: [String] = []
  var error: EnvelopeError?

  /// Expects that the store was read.
  func opened(warning: Bool = false, _ location: SourceLocation = #_sourceLocation) {
    #expect(error == nil && store?.keysets.count == 1, "\(error as Any)", sourceLocation: location)
    #expect(warnings.count == (warning ? 1 : 0), "\(warnings)", sourceLocation: location)
    for text in warnings {
      #expect(text.contains("not narrowed") && !text.contains("\n"), "\(text)", sourceLocation: location)
    }
  }

  /// Expects that the store was refused.
  func refused(saying part: String, advice: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(store == nil && error?.code == .filePermissions, sourceLocation: location)
    #expect(error?.message.contains(part) == true, "\(error as Any)", sourceLocation: location)
    #expect(error?.advice.contains(advice) == true, "\(error as Any)", sourceLocation: location)
  }
}

/// Stores that root places and another user reads, in a process of its own: its user changes.
struct Reader {
  static let isPossible = geteuid() == 0

  let folder: String

  init(folder: String) throws {
    self.folder = folder
    // The user must get through it.
    try #require(unsafe chmod(Path(folder).folder.string, 0o711) == 0)
  }

  /// Places a store.
  @discardableResult
  func place(
    _ mode: Int, of owner: Owner, at name: String = "keys", isNarrowed: Bool = false
  ) throws -> String {
    let path = "\(folder)/\(name)"
    unsafe unlink(path)
    let made = "\(folder)/.made-\(name.split(separator: "/").joined())"
    try KeyStoreFile(at: made).update { (store) throws(EnvelopeError) in
      try store.add(Keyset.generate(), alias: "default")
      if isNarrowed { store = try store.exporting("default", narrowedTo: [FunctionScope(function: "f")]) }
    }
    try #require(unsafe rename(made, path) == 0)
    try give(name, to: owner, mode)
    return path
  }

  func give(_ name: String, to owner: Owner, _ mode: Int) throws {
    let path = name.isEmpty ? folder : "\(folder)/\(name)"
    try #require(unsafe chown(path, owner.rawValue, owner.rawValue) == 0)
    try #require(unsafe chmod(path, mode_t(mode)) == 0)
  }

  func makeFolder(_ name: String, _ mode: Int, of owner: Owner = .root) throws {
    try #require(unsafe mkdir("\(folder)/\(name)", 0o700) == 0)
    try give(name, to: owner, mode)
  }

  func link(_ name: String, to target: String) throws {
    unsafe unlink("\(folder)/\(name)")
    try #require(unsafe symlink(target, "\(folder)/\(name)") == 0)
  }

  /// Reads a store as the user.
  func read(_ name: String = "keys", as owner: Owner = .user) throws -> Reading {
    try #require(seteuid(owner.rawValue) == 0)
    defer { #expect(seteuid(0) == 0) }
    return try Self.read("\(folder)/\(name)")
  }

  static func read(_ path: String) throws -> Reading {
    let texts = Texts()
    var file = try KeyStoreFile(at: path)
    file.warn = { text in texts.list.withLock { $0.append(text) } }
    file.notify = { Issue.record("Reading notifies: \($0)") }
    var reading = Reading()
    do throws(EnvelopeError) { reading.store = try file.load() } catch { reading.error = error }
    reading.warnings = texts.list.withLock { $0 }
    return reading
  }

  private final class Texts: Sendable {
    let list = Mutex<[String]>([])
  }
}

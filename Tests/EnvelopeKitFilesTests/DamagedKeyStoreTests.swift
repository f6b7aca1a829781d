// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct DamagedKeyStoreTests {
  let folder: TemporaryFolder
  let path: String
  let text: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/keys"
    try KeyStoreFile(at: path).update { (store) throws(EnvelopeError) in
      try store.add(Keyset.generate(), alias: "default")
      try store.add(Keyset.generate().rotated(), alias: "second")
    }
    text = try bytes(of: path)
  }

  /// What the changed text loads to, or the code of the failure.
  private func load(_ text: some Sequence<UInt8>) throws -> Result<KeyStore?, EnvelopeError> {
    try write(text, to: path)
    try folder.setMode(0o600, of: path)
    return Result { () throws(EnvelopeError) in try KeyStoreFile(at: path).load() }
  }

  @Test func noTruncationLoads() throws {
    for count in 0..<text.count {
      guard case .failure(let error) = try load(text.prefix(count)) else {
        Issue.record("\(count) bytes load")
        continue
      }
      #expect([.keyStoreDamaged, .unsupportedVersion].contains(error.code), "\(error)")
      #expect(!error.advice.isEmpty)
    }
  }

  @Test func aChangedByteFailsOrChangesNoKeyID() throws {
    let whole = try #require(try load(text).get())
    for offset in text.indices {
      for replacement in Set([text[offset] ^ 1, text[offset] ^ 0x80, 0, 10, 32]) where replacement != text[offset] {
        var changed = text
        changed[offset] = replacement
        switch try load(changed) {
        case .success(let store):
          #expect(store?.keysets.map(\.id) == whole.keysets.map(\.id))
          #expect(store?.aliases.count == whole.aliases.count)
        case .failure(let error):
          #expect([.keyStoreDamaged, .unsupportedVersion].contains(error.code), "\(offset): \(error)")
        }
      }
    }
  }

  @Test func addedAndDoubledLinesFail() throws {
    let lines = text.split(separator: 10, omittingEmptySubsequences: true).map { Array($0) + [10] }
    for index in lines.indices {
      var changed = lines
      changed.insert(lines[index], at: index)
      guard case .failure = try load(changed.joined()) else {
        Issue.record("line \(index + 1) twice loads")
        continue
      }
      changed = lines
      changed.insert(Array("something else\n".utf8), at: index)
      guard case .failure = try load(changed.joined()) else {
        Issue.record("a line before \(index + 1) loads")
        continue
      }
    }
  }

  @Test func tooLongAStoreIsRefused() throws {
    guard case .failure(let error) = try load(repeatElement(10, count: (1 << 22) + 1)) else {
      Issue.record("it loads")
      return
    }
    #expect([.keyStoreDamaged, .fileFailure].contains(error.code))
  }

  @Test func whatIsDamagedIsNotWrittenOver() throws {
    let damaged = text.dropLast(4)
    try write(damaged, to: path)
    try folder.setMode(0o600, of: path)
    #expect(throws: EnvelopeError.self) {
      try KeyStoreFile(at: path).update { (store) throws(EnvelopeError) in try store.add(Keyset.generate()) }
    }
    #expect(try bytes(of: path) == Array(damaged))
  }
}

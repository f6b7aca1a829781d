// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// An actor of its own: what blocks its thread is found out.
@globalActor private actor Clerk {
  static let shared = Clerk()
}

/// Lets others have the thread before it answers, as a key service does.
private struct SlowKeyring: Keyring {
  let keyring: PassphraseKeyring

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    for _ in 0..<10 { await Task.yield() }
    return try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    for _ in 0..<10 { await Task.yield() }
    return try await keyring.unwrap(wrapped, for: context)
  }
}

/// Changes of a locked store, whose keyrings take their time while the lock is held.
@Suite(.timeLimit(.minutes(20))) struct ConcurrentUpdateTests {
  private let folder: TemporaryFolder
  private let file: KeyStoreFile
  private let keyring: SlowKeyring

  init() throws {
    folder = try TemporaryFolder()
    file = try KeyStoreFile(at: folder.path + "/keys")
    keyring = SlowKeyring(keyring: try cheapKeyring("horse"))
  }

  /// Who waits for the lock leaves the thread to who has it: else neither would ever go on.
  @Test func changesOnOneActorDoNotWaitForEachOtherForEver() async throws {
    let (file, keyring) = (file, keyring)
    let changes = (0..<8).map { number in
      Task { @Clerk in
        try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
          try store.add(Keyset.generate(), alias: "key\(number)")
        }
      }
    }
    for change in changes { try await change.value }
    #expect(try file.lockingKeys()?.count == 1)
  }

  /// Who no longer wants to wait for the lock does not, and has changed nothing.
  @Test func whoeverWaitsCanBeCancelled() async throws {
    let path = Path(file.location)
    let lock = try path.lock()
    let task = Task { [file, keyring] in
      try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
        try store.add(Keyset.generate())
      }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(!path.exists)
    _ = consume lock
  }

  @Test func everyChangeOfThoseAtOnceIsThere() async throws {
    let (file, keyring) = (file, keyring)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
            try store.add(Keyset.generate(), alias: "key\(number)")
          }
        }
      }
      try await group.waitForAll()
    }
    let store = try #require(try await file.load(unlockingWith: keyring))
    #expect(Set(store.aliases.keys) == Set((0..<20).map { "key\($0)" }))
  }
}

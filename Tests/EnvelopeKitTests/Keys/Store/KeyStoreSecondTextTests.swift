// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// The second version of a key store's text.
@Suite(.timeLimit(.minutes(20))) struct KeyStoreSecondTextTests {
  private static func scope(_ random: inout SplitMix64) throws -> FunctionScope {
    let names = ["a", "checkout", "é", "e\u{301}", "λ", "a b", "x\ny", String(repeating: "n", count: 1024)]
    let index = Int(random.next() % UInt64(names.count + 1))
    return index == names.count ? .noFunction : try FunctionScope(function: names[index])
  }

  private static func scopes(_ random: inout SplitMix64) throws -> [FunctionScope] {
    try Array(Set((0..<Int(1 + random.next() % 4)).map { _ in try scope(&random) }))
  }

  /// A store with keys in every state, of every kind, with anything that can be said of them.
  private static func store(_ random: inout SplitMix64) throws -> KeyStore {
    var store = KeyStore()
    for index in 0..<Int(1 + random.next() % 6) {
      let kind = random.next() % 3 == 0 ? KEM.here[index % KEM.here.count].identity : .symmetric
      var part = KeyStore()
      try part.add(.generate(kind), alias: "key\(index)")
      let name = "key\(index)"
      for _ in 0..<random.next() % 4 { try part.rotate(name) }
      if random.next() % 2 == 0 { try part.setRotationPeriod(days: 1 + Int(random.next() % 2560), of: name) }
      if random.next() % 2 == 0, let primary = part[name]?.primary {
        try part.setMinimumVersion(1 + UInt32(random.next() % UInt64(primary)), of: name)
      }
      if kind == .symmetric, random.next() % 2 == 0 {
        var whole = part
        part = try whole.exporting(name, narrowedTo: scopes(&random))
        if random.next() % 2 == 0 {
          // Joined from copies of before and after a rotation.
          try whole.rotate(name)
          _ = try part.merge(whole.exporting(name, narrowedTo: scopes(&random)))
        }
      }
      if random.next() % 2 == 0 {
        let operations: Set<KeyPolicy.Operation> = [[.wrap], [.unwrap], [.wrap, .unwrap]][Int(random.next() % 3)]
        let functions = random.next() % 2 == 0 ? nil : try scopes(&random)
        try part.setPolicy(KeyPolicy(functions: functions, operations: operations), of: name)
      }
      switch random.next() % 4 {
      case 0: try part.disable(name)
      case 1: try part.scheduleDeletion(of: name)
      case 2:
        _ = try part.scheduleDeletion(of: name, afterDays: 7, now: random.next() % 1_000_000)
        if random.next() % 2 == 0 { _ = try part.destroyOverdue() }
      default: break
      }
      _ = try store.merge(part)
    }
    if random.next() % 2 == 0 { try store.startAuditLog() }
    return store
  }

  private static func secrets(of store: KeyStore) throws -> [[UInt8]] {
    let keys = store.keysets.flatMap(\.versions).flatMap(\.keys) + (store.auditKey.map { [$0] } ?? [])
    return try keys.map { try $0.withBytes { [UInt8](copying: $0) } }
  }

  @Test(arguments: seeds) func aStoreReadsBackAsItWasWritten(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let store = try Self.store(&random)
      let text = try store.string
      let read = try KeyStore(reading: text)
      #expect(try read.string == text)
      #expect(
        read.keysets.map(\.id) == store.keysets.map(\.id) && read.keysets.map(\.kind) == store.keysets.map(\.kind))
      #expect(read.keysets.map(\.state) == store.keysets.map(\.state))
      #expect(read.keysets.map(\.policy) == store.keysets.map(\.policy))
      #expect(read.keysets.map(\.scopes) == store.keysets.map(\.scopes))
      let held = [read, store].map { $0.keysets.map { keyset in keyset.versions.map { keyset.scopes(of: $0) } } }
      #expect(held[0] == held[1])
      #expect(read.keysets.map(\.minimumVersion) == store.keysets.map(\.minimumVersion))
      #expect(read.keysets.map(\.rotationPeriod) == store.keysets.map(\.rotationPeriod))
      #expect(read.keysets.map(\.primary) == store.keysets.map(\.primary))
      #expect(read.keysets.map { $0.versions.map(\.created) } == store.keysets.map { $0.versions.map(\.created) })
      #expect(read.aliases == store.aliases && read.defaultKeyID == store.defaultKeyID)
      #expect(read.keepsAuditLog == store.keepsAuditLog)
      #expect(try Self.secrets(of: read) == Self.secrets(of: store))
    }
  }

  /// A change is refused, or is another store whose text is just that; it never traps, and no message shows a secret.
  @Test(arguments: seeds.prefix(2)) func everyAlteredByteIsRefusedOrReadsBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let store = try Self.store(&random)
    let secrets = try Self.secrets(of: store).map { Base64URL.encode($0) }
    let text = try Array(store.string.utf8)
    for (position, byte) in text.enumerated() {
      let others: [UInt8] = [byte ^ 1, byte ^ 0x80, 0, 10, 32, UInt8(ascii: "0")]
      for other in others.shuffled(using: &random).prefix(2) where other != byte {
        var altered = text
        altered[position] = other
        do throws(EnvelopeError) {
          let read = try unsafe KeyStore(text: altered.span.bytes)
          let written = try read.text().copy()
          // The first line may differ, where the first version would do, and so may the order of the aliases.
          let lines = [written, altered].map { $0.split(separator: 10).dropFirst().map { [UInt8]($0) } }
          #expect(Set(lines[0]) == Set(lines[1]) && written.count == altered.count, "byte \(position)")
        } catch {
          #expect([.keyStoreDamaged, .unsupportedVersion].contains(error.code), "byte \(position): \(error)")
          let told = shown(error)
          #expect(!secrets.contains { told.contains($0.prefix(12)) }, "byte \(position)")
        }
      }
    }
  }

  @Test(arguments: seeds) func everyTruncationAndEveryMissingOrRepeatedLineIsRefusedOrReadsBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let text = try Self.store(&random).string
    for length in 0..<text.utf8.count {
      #expect(throws: EnvelopeError.self) { try unsafe KeyStore(text: Array(text.utf8.prefix(length)).span.bytes) }
    }
    let lines = text.split(separator: "\n").map { $0 + "\n" }
    for index in lines.indices {
      var (less, more) = (lines, lines)
      less.remove(at: index)
      more.insert(lines[index], at: index)
      for lines in [less, more] {
        guard let read = try? KeyStore(reading: lines.joined()) else { continue }
        #expect(try read.string == lines.joined())
      }
    }
  }

  @Test func theFirstVersionIsWrittenWhereItSuffices() async throws {
    var store = KeyStore()
    try store.add(.generate(), alias: "a")
    try store.rotate("a")
    func expectVersion(_ version: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let line = try store.string.prefix { $0 != "\n" }
      #expect(line == "envelope-keys \(version)", sourceLocation: sourceLocation)
    }
    try expectVersion(1)
    try store.disable("a")
    try expectVersion(2)
    try store.enable("a")
    try expectVersion(1)
    try store.setMinimumVersion(2, of: "a")
    try expectVersion(2)
    try store.setMinimumVersion(1, of: "a")
    try store.setRotationPeriod(days: 1, of: "a")
    try expectVersion(2)
    try store.setRotationPeriod(days: nil, of: "a")
    try store.setPolicy(KeyPolicy(operations: [.wrap]), of: "a")
    try expectVersion(2)
    try store.setPolicy(.unrestricted, of: "a")
    try expectVersion(1)
    try store.startAuditLog()
    try expectVersion(2)
    store.endAuditLog()
    try expectVersion(1)
    try store.scheduleDeletion(of: "a")
    try expectVersion(2)
    try store.add(.generate(.identity))
    try store.cancelDeletion(of: "a")
    try store.enable("a")
    try expectVersion(2)
  }

  @Test func aTextAsLongAsTheLimitIsReadAndALongerOneIsNot() async throws {
    let limit = KeyStore.textByteLimit
    var store = KeyStore()
    try store.add(.generate(), alias: "a")
    // The greatest number of scopes with the longest names is well within the limit, many versions of it are not.
    let scopes = try (0..<256).map { index in
      try FunctionScope(function: String(repeating: "n", count: 1021) + String(1000 + index).dropFirst())
    }
    let narrowed = try store.exporting("a", narrowedTo: scopes)
    #expect(try KeyStore(reading: narrowed.string).keysets[0].scopes?.count == 256)
    for _ in 0..<420 { try store.rotate("a") }
    let long = try store.exporting("a", narrowedTo: scopes)
    await expectError(.invalidArgument) { try long.text() }
    await expectError(.keyStoreDamaged) { try KeyStore(reading: String(repeating: "\n", count: limit + 1)) }
  }
}

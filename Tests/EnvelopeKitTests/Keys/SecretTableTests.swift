// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// The table that caches keep their secrets in: bounded, and as fast when it is large.
@Suite(.timeLimit(.minutes(20))) struct SecretTableTests {
  private static let start = ContinuousClock.now

  private func name(_ index: Int) throws -> CacheName {
    try CacheName(["n": "\(index)"], salt: [UInt8](repeating: 1, count: 16))
  }

  private func secret(_ index: Int) -> SecretBytes {
    SecretBytes(byteCount: 32) { output in
      for shift in 0..<32 { output.append(UInt8(truncatingIfNeeded: index >> (shift % 4 * 8))) }
    }
  }

  private func moment(_ second: Int) -> ContinuousClock.Instant { Self.start.advanced(by: .seconds(second)) }

  /// A miss in a full table, with the insertion that follows, looks at as many places in a large table as in a small one.
  @Test func missTakesConstantWork() throws {
    var visits: Set<Int> = []
    for capacity in [2, 64, 65_536] {
      var table = try SecretTable<Int>(capacity: capacity, byteCount: 32)
      for index in 0..<capacity {
        secret(index).withBytes { [name = try name(index)] in table.insert($0, index, named: name, until: moment(100)) }
      }
      #expect(table.count == capacity)
      let before = table.visitCount
      table.removeOverdue(at: moment(50))
      #expect(try table.slot(of: name(-1), at: moment(50)) == nil)
      secret(-1).withBytes { [name = try name(-1)] in table.insert($0, -1, named: name, until: moment(150)) }
      visits.insert(table.visitCount - before)
      #expect(table.count == capacity)
      #expect(try table.slot(of: name(0), at: moment(50)) == nil)
      #expect(try table.slot(of: name(1), at: moment(50)) != nil)
    }
    #expect(visits.count == 1 && (visits.first ?? 0) < 10)
  }

  @Test func removingOverdueSecretsVisitsEachOnce() throws {
    var table = try SecretTable<Int>(capacity: 1000, byteCount: 32)
    for index in 0..<1000 {
      secret(index).withBytes { [name = try name(index)] in
        table.insert($0, index, named: name, until: moment(index))
      }
    }
    let before = table.visitCount
    table.removeOverdue(at: moment(499))
    #expect(table.count == 500 && table.visitCount - before <= 2 * 500 + 1)
    #expect(try table.slot(of: name(499), at: moment(499)) == nil)
    #expect(try table.slot(of: name(500), at: moment(499)) != nil)
  }

  /// A secret whose end comes before that of an older one is not returned, although it is wiped with that one.
  @Test func overdueSecretBehindOlderOneIsNotReturned() throws {
    var table = try SecretTable<Int>(capacity: 3, byteCount: 32)
    for (index, end) in [20, 10, 30].enumerated() {
      secret(index).withBytes { [name = try name(index)] in table.insert($0, index, named: name, until: moment(end)) }
    }
    table.removeOverdue(at: moment(15))
    #expect(try table.slot(of: name(1), at: moment(15)) == nil)
    #expect(table.count == 2)
    table.removeOverdue(at: moment(20))
    #expect(table.count == 1)
  }

  /// A plain model of names in the order of use and of ends, driven at random.
  @Test(arguments: seeds)
  func tableAgreesWithModel(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let capacity = Int.random(in: 1...8, using: &random)
    var table = try SecretTable<Int>(capacity: capacity, byteCount: 32)
    // Least recently used first.
    var model: [(index: Int, value: Int, end: Int)] = []
    var now = 0
    for step in 0..<2000 {
      let index = Int.random(in: 0..<12, using: &random)
      now += Int.random(in: 0...2, using: &random)
      table.removeOverdue(at: moment(now))
      model.removeAll { now >= $0.end }
      let place = model.firstIndex { $0.index == index }
      let slot = try table.slot(of: name(index), at: moment(now))
      #expect((slot == nil) == (place == nil))
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        let end = now + 10
        let name = try name(index)
        secret(index).withBytes { table.insert($0, step, named: name, until: moment(end)) }
        if let place { model.remove(at: place) } else if model.count == capacity { model.removeFirst() }
        model.append((index, step, end))
      case 1:
        guard let slot, let place else { continue }
        table.renew(slot, to: step, until: moment(now + 10))
        (model[place].value, model[place].end) = (step, now + 10)
      case 2:
        guard let slot, let place else { continue }
        table.remove(slot)
        model.remove(at: place)
      default:
        guard let slot, let place else { continue }
        table.use(slot)
        #expect(table.value(slot) == model[place].value)
        let expected = secret(index).copy()
        #expect(table.secret(slot).copy() == expected)
        #expect(unsafe table.holds(expected.span.bytes, in: slot))
        model.append(model.remove(at: place))
      }
      #expect(table.count == model.count && table.count <= capacity)
    }
  }

  /// Every part of what is hashed counts.
  @Test func namesDiffer() throws {
    let salt = [UInt8](repeating: 1, count: 16)
    let entry = try WrappedDataKey(
      scheme: .other, keyID: KeyID("a"), bytes: [UInt8](repeating: 5, count: 40))
    var names: Set<CacheName> = []
    for context: EncryptionContext in [[:], ["a": "b"], ["a": "bb"], ["aa": "b"], ["a": "b", "c": "d"]] {
      names.insert(try CacheName(context, salt: salt))
      names.insert(try CacheName(context, entry, salt: salt))
      names.insert(
        try CacheName(
          context, WrappedDataKey(scheme: .other, keyID: KeyID("b"), bytes: entry.bytes), salt: salt))
      names.insert(
        try CacheName(
          context, WrappedDataKey(scheme: .other, keyID: entry.keyID, bytes: entry.bytes + [5]), salt: salt))
      names.insert(
        try CacheName(
          context, WrappedDataKey(scheme: .awsKMS, keyID: entry.keyID, bytes: entry.bytes), salt: salt))
    }
    names.insert(try CacheName([:], entry, salt: [UInt8](repeating: 2, count: 16)))
    #expect(names.count == 26)
    #expect(try CacheName(["a": "b", "c": "d"], salt: salt) == CacheName(["c": "d", "a": "b"], salt: salt))
  }

  #if os(Linux)
    /// Contexts of 8 KiB take no memory in a cache: only hashes of them are kept.
    @Test func longContextsTakeNoMemory() async {
      await #expect(processExitsWith: .success) {
        let local = KeysetKeyring(try .generate())
        let cache = try CachingKeyring(local, maximumAge: .seconds(3600), entryLimit: 4096)
        let sealer = try CachingSealer(using: local, suite: .tested, maximumAge: .seconds(3600), entryLimit: 4096)
        func open(_ index: Int) async throws {
          let context: EncryptionContext = ["k": String(repeating: "x", count: 8000), "n": "\(index)"]
          let envelope = try await sealer.seal([1], context: context, authenticating: [1])
          _ = try await Envelope.open(envelope, context: context, authenticating: [1], using: cache)
        }
        for index in 0..<100 { try await open(index) }
        let before = try #require(MemoryScan.residentByteCount)
        for index in 100..<3100 { try await open(index) }
        // The contexts of both caches would be 48 MB.
        #expect(try #require(MemoryScan.residentByteCount) - before < 12_000_000)
        #expect(cache.count == 3100)
      }
    }
  #endif
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension ConformanceRun {
  /// Each byte flipped, some missing, some more.
  mutating func checkAlterations() async {
    guard let reader, let sample = await sample(for: .alteration) else { return }
    // A cache knows the entries now, and must not take others for them.
    _ = await attempt(sample.entries, of: sample.generated.dataKey, for: context, with: reader)
    for (index, entry) in sample.entries.enumerated() {
      var wrong: [String: [Int]] = [:]
      let flips = max(0, min(options.flipLimit, entry.bytes.count))
      for position in (0..<flips).map({ $0 * entry.bytes.count / flips }) {
        var bytes = entry.bytes
        bytes[position] ^= 1 << UInt8(position % 8)
        guard let altered = entry.with(bytes: bytes) else { continue }
        if let problem = await problem(
          unwrapping: [altered], of: sample.generated.dataKey, for: context, with: reader,
          codes: refusalCodes)
        {
          wrong[problem, default: []].append(position)
        }
      }
      for (problem, positions) in wrong.sorted(by: { $0.value[0] < $1.value[0] }) {
        let first = positions.prefix(5).map(String.init).joined(separator: ", ")
        fail(
          .alteration,
          "Entry \(index + 1) with a bit flipped in byte \(first)\(positions.count > 5 ? " …" : "") "
            + "(\(positions.count) of \(entry.bytes.count) bytes) \(problem)")
      }
      let changes: [(String, [UInt8])] = [
        ("without its last byte", entry.bytes.dropLast()), ("without its first byte", Array(entry.bytes.dropFirst())),
        ("cut to one byte", [entry.bytes[0]]), ("cut to half", Array(entry.bytes.prefix(entry.bytes.count / 2))),
        ("with a byte more", entry.bytes + [0]), ("with a byte before it", [0] + entry.bytes),
        ("twice over", entry.bytes + entry.bytes), ("of zeros", entry.bytes.map { _ in 0 }),
      ]
      for (name, bytes) in changes where bytes != entry.bytes {
        // Where the scheme has no such length, there can be no such entry.
        guard let altered = entry.with(bytes: bytes) else { continue }
        await expectRefused(
          [altered], of: sample.generated.dataKey, for: context, .alteration, "Entry \(index + 1) \(name)")
      }
    }
  }

  mutating func checkKeyIDs() async {
    guard let reader, let sample = await sample(for: .keyID) else { return }
    _ = await attempt(sample.entries, of: sample.generated.dataKey, for: context, with: reader)
    for (index, entry) in sample.entries.enumerated() {
      let name = entry.keyID.string
      let last = name.utf8.last == UInt8(ascii: "1") ? "2" : "1"
      var ids = ["conformance.no-such-key", name.dropLast() + last, name + last].compactMap { try? KeyID($0) }
      ids += sample.entries.filter { $0.scheme == entry.scheme && $0.keyID != entry.keyID }.map(\.keyID)
      for id in ids {
        guard let moved = entry.with(keyID: id) else { continue }
        await expectRefused(
          [moved], of: sample.generated.dataKey, for: context, .keyID,
          "Entry \(index + 1) under \(sample.entries.contains { $0.keyID == id } ? "another entry's" : "a foreign") "
            + "key id")
      }
    }
  }

  mutating func checkForeignEntries() async {
    guard let sample = await sample(for: .foreignEntries) else { return }
    let foreign = Self.foreignEntries(besides: sample.entries)
    await expectRefused(
      [], of: sample.generated.dataKey, for: context, codes: [.keyNotFound], .foreignEntries, "An empty list")
    for entry in foreign {
      await expectRefused(
        [entry], of: sample.generated.dataKey, for: context, codes: [.keyNotFound], .foreignEntries,
        "A foreign entry of the scheme \(entry.scheme) alone")
    }
    await expectRefused(
      foreign, of: sample.generated.dataKey, for: context, codes: [.keyNotFound], .foreignEntries,
      "Foreign entries alone")
    await expectUnwraps(
      foreign + sample.entries, of: sample.generated.dataKey, for: context, from: sample.entries, .foreignEntries,
      "A list with foreign entries first")
    await expectUnwraps(
      sample.entries + foreign, of: sample.generated.dataKey, for: context, from: sample.entries, .foreignEntries,
      "A list with foreign entries last")
  }

  /// Entries that no keyring holds the key of, of every scheme.
  private static func foreignEntries(besides own: [WrappedDataKey]) -> [WrappedDataKey] {
    let schemes: [(WrappingScheme, Int)] = [
      (.keyset, 72), (.recipient, 80), (.postQuantumRecipient, 1168), (.awsKMS, 184), (.other, 96),
      (WrappingScheme(rawValue: 0x55), 32),
    ]
    let made = schemes.compactMap { scheme, byteCount in
      (try? KeyID("conformance.foreign-key")).flatMap {
        try? WrappedDataKey(scheme: scheme, keyID: $0, bytes: [UInt8](repeating: 0xa5, count: byteCount))
      }
    }
    // The keyring's own key ids and bytes, under a scheme that nobody has.
    let renamed = own.compactMap {
      try? WrappedDataKey(scheme: WrappingScheme(rawValue: 0x55), keyID: $0.keyID, bytes: $0.bytes)
    }
    return made + renamed
  }

  mutating func checkBrokenFirst() async {
    guard let reader, let sample = await sample(for: .brokenFirst), let first = sample.entries.first else { return }
    var bytes = first.bytes
    bytes[bytes.count - 1] ^= 1
    guard let broken = first.with(bytes: bytes) else { return }
    for (index, entry) in sample.entries.enumerated().dropFirst() {
      await expectUnwraps(
        [broken, entry], of: sample.generated.dataKey, for: context, from: [entry], .brokenFirst,
        "Entry \(index + 1) after a broken one")
    }
    // No header has two entries for one key id: a keyring may ask once and be done, but not unwrap something else.
    switch await attempt([broken, first], of: sample.generated.dataKey, for: context, with: reader) {
    case .unwrapped(let isSameKey, let source) where isSameKey && source == first: break
    case .unwrapped: fail(.brokenFirst, "A broken entry and a good one of the same key unwrapped to something else")
    case .refused(let code) where refusalCodes.contains(code): break
    case .refused(let code): fail(.brokenFirst, "A broken entry and a good one of the same key threw \(code.rawValue)")
    case .failed(let error): fail(.brokenFirst, "A broken entry and a good one of the same key threw \(error)")
    }
  }

  mutating func checkServiceCalls() async {
    guard let reader, let count = options.serviceCallCount,
      let sample = await sample(for: .serviceCalls)
    else { return }
    let foreign = Self.foreignEntries(besides: sample.entries)
    let before = await count()
    _ = await attempt([], of: sample.generated.dataKey, for: context, with: reader)
    _ = await attempt(foreign, of: sample.generated.dataKey, for: context, with: reader)
    let between = await count()
    if between != before {
      fail(.serviceCalls, "The key service was called \(between - before) times about entries that are not its")
    }
    _ = await attempt(foreign + sample.entries, of: sample.generated.dataKey, for: context, with: reader)
    let calls = await count() - between
    if calls > sample.entries.count {
      fail(.serviceCalls, "The key service was called \(calls) times about \(sample.entries.count) entries")
    }
  }
}

extension WrappedDataKey {
  fileprivate func with(bytes: [UInt8]) -> WrappedDataKey? {
    try? WrappedDataKey(scheme: scheme, keyID: keyID, bytes: bytes)
  }

  fileprivate func with(keyID: KeyID) -> WrappedDataKey? {
    try? WrappedDataKey(scheme: scheme, keyID: keyID, bytes: bytes)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension ConformanceRun {
  /// Returns whether there is a data key to go on with.
  mutating func checkGenerate() async -> Bool {
    guard let first = await sample(for: .generate), let second = await sample(for: .generate) else { return false }
    checkEntries(first.entries, .generate, "generateDataKey")
    if first.generated.dataKey.equals(second.generated.dataKey) {
      fail(.freshness, "generateDataKey gave the same data key twice")
    }
    if first.generated.dataKey.isConstant { fail(.freshness, "generateDataKey gave a data key of 32 equal bytes") }
    await checkUnwraps(first.generated.dataKey, first.entries, .unwrap, "generateDataKey")
    await checkUnwraps(second.generated.dataKey, second.entries, .unwrap, "generateDataKey")
    return true
  }

  mutating func checkWrap() async {
    if case .unwrapsOnly = options.role { return }
    do {
      let dataKey = try DataKey.generate()
      do {
        let entries = try await writer.wrap(dataKey, for: context)
        checkEntries(entries, .wrap, "wrap")
        await checkUnwraps(dataKey, entries, .wrap, "wrap")
      } catch {
        search(error, for: dataKey, thrownBy: "wrap")
        fail(.wrap, "wrap", threw: error)
      }
      // What no envelope has: an error that comes while the data key is at hand.
      let tooLong = EncryptionContext([(key: "k", value: String(repeating: "x", count: 9000))])
      do { _ = try await writer.wrap(dataKey, for: tooLong) } catch {
        search(error, for: dataKey, thrownBy: "wrap")
      }
    } catch {
      fail(.wrap, "DataKey.generate", threw: error)
    }
  }

  private mutating func checkEntries(_ entries: [WrappedDataKey], _ check: Check, _ method: String) {
    if !(1...16).contains(entries.count) { fail(check, "\(method) gave \(entries.count) entries, not 1 to 16") }
    if Set(entries.map(\.keyID)).count != entries.count { fail(check, "\(method) gave two entries with one key id") }
  }

  private mutating func checkUnwraps(
    _ dataKey: borrowing DataKey, _ entries: [WrappedDataKey], _ check: Check, _ method: String
  ) async {
    for (index, entry) in entries.enumerated() {
      await expectUnwraps([entry], of: dataKey, for: context, check, "Entry \(index + 1) of \(method) alone")
    }
    await expectUnwraps(entries, of: dataKey, for: context, check, "All entries of \(method)")
    await expectUnwraps(entries.reversed(), of: dataKey, for: context, check, "All entries of \(method), last first")
  }

  /// A keyring that cannot do a thing says so, and does not do it by half.
  mutating func checkRole() async {
    switch options.role {
    case .wrapsAndUnwraps: break
    case .wrapsOnly:
      guard let sample = await sample(for: .role) else { return }
      if case .unwrapped = await attempt(
        sample.entries, of: sample.generated.dataKey, for: context, with: keyring)
      {
        fail(.role, "unwrap did not throw, though the keyring wraps only")
      }
    case .unwrapsOnly:
      if (try? await keyring.generateDataKey(for: context)) != nil {
        fail(.role, "generateDataKey did not throw, though the keyring unwraps only")
      }
      guard let dataKey = try? DataKey.generate() else { return }
      do {
        _ = try await keyring.wrap(dataKey, for: context)
        fail(.role, "wrap did not throw, though the keyring unwraps only")
      } catch {
        search(error, for: dataKey, thrownBy: "wrap")
      }
    }
  }

  mutating func checkStranger() async {
    guard let stranger = options.stranger, let sample = await sample(for: .stranger) else { return }
    if let problem = await problem(
      unwrapping: sample.entries, of: sample.generated.dataKey, for: context, with: stranger,
      codes: refusalCodes)
    {
      fail(.stranger, "What the keyring wrapped, the stranger \(problem)")
    }
    guard let other = try? await stranger.generateDataKey(for: context) else { return }
    await expectRefused(other.wrapped, of: other.dataKey, for: context, .stranger, "What the stranger wrapped")
  }

  /// Many calls at once, each under a context of its own.
  mutating func checkConcurrency() async {
    let (writer, reader, context, isLimited) = (writer, reader, context, options.isLimitedToContext)
    let problems = await withTaskGroup(of: (String?, fingerprint: [UInt8]?).self) { group in
      for number in 0..<max(0, options.concurrentCallCount) {
        group.addTask {
          let context = isLimited ? context : context.adding("\(number)", for: "conformance-call")
          do {
            let generated = try await writer.generateDataKey(for: context)
            let fingerprint = try generated.dataKey.fingerprint
            guard let reader else { return (nil, fingerprint) }
            let unwrapped = try await reader.unwrap(generated.wrapped, for: context)
            let isRight = unwrapped.dataKey.equals(generated.dataKey) && generated.wrapped.contains(unwrapped.source)
            return (isRight ? nil : "One of many calls at once unwrapped another's data key or entry", fingerprint)
          } catch {
            return ("One of many calls at once threw \(Self.name(of: error))", nil)
          }
        }
      }
      var (problems, fingerprints) = ([String](), [[UInt8]]())
      for await (problem, fingerprint) in group {
        if let problem { problems.append(problem) }
        if let fingerprint { fingerprints.append(fingerprint) }
      }
      if Set(fingerprints).count != fingerprints.count { problems.append("Two calls at once gave the same data key") }
      return problems
    }
    for problem in problems { fail(.concurrency, problem) }
  }
}

extension DataKey {
  /// Whether all bytes are the same, which no drawn key is.
  fileprivate var isConstant: Bool {
    withBytes { bytes in (1..<bytes.byteCount).allSatisfy { bytes.byte(at: $0) == bytes.byte(at: 0) } }
  }
}

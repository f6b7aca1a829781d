// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

/// A suite that could not fail would prove nothing: every broken keyring is found out, for what is wrong with it.
@Suite(.timeLimit(.minutes(20))) struct BrokenKeyringTests {
  private typealias Check = KeyringConformance.Check

  private static let cases: [(flaw: BrokenKeyring.Flaw, checks: Set<KeyringConformance.Check>, words: String)] = [
    (.failsToGenerate, [.generate], "an error of the type OwnError"),
    (.constantKey, [.freshness, .concurrency], "32 equal bytes"),
    (.sameKeyAlways, [.freshness, .concurrency], "the same data key twice"),
    (.sameKeyForCallsAtOnce, [.concurrency], "Two calls at once gave the same data key"),
    (.noEntry, [.generate], "no entry"),
    (.seventeenEntries, [.generate, .wrap, .unwrap, .brokenFirst, .roundTrip], "17 entries"),
    (.oneKeyIDTwice, [.generate, .wrap, .roundTrip], "two entries with one key id"),
    (.wrapsAnotherKey, [.wrap], "another data key"),
    (.failsToWrap, [.wrap], "wrap threw systemFailure"),
    (.ignoresContext, [.context], "a pair more; or"),
    (.ignoresCase, [.context], "in other letters"),
    (.ignoresSpelling, [.context], "an equal string of other bytes as the value in pair 3"),
    (.ignoresValues, [.context], "another value in pair 1"),
    (.ordersMatter, [.context], "in another order"),
    (.refusesEmptyContext, [.contextLimits], "The empty context"),
    (
      .anotherKey, [.unwrap, .wrap, .context, .contextLimits, .foreignEntries, .brokenFirst, .concurrency, .roundTrip],
      "another data key"
    ),
    (.sourceOfItsOwn, [.source, .brokenFirst, .concurrency, .roundTrip], "none of the entries given"),
    (.lastIsSource, [.source], "does not unwrap"),
    (.ignoresKeyID, [.keyID, .foreignEntries, .source], "under a foreign key id unwrapped"),
    (.ignoresTail, [.alteration, .foreignEntries, .source], "with a byte more unwrapped"),
    (
      .opensAnything, [.alteration, .context, .keyID, .foreignEntries, .source],
      "with a bit flipped in byte 0, 1, 2, 3, 4 …"
    ),
    (.asksFirstOnly, [.foreignEntries], "foreign entries first"),
    (.unwrapFailedForForeign, [.foreignEntries], "threw unwrapFailed, not keyNotFound"),
    (.foreignErrorType, [.context, .alteration, .keyID, .foreignEntries], "not an EnvelopeError"),
    (.malformedForAltered, [.context, .alteration], "threw malformed"),
    (.emptyListOpens, [.foreignEntries], "An empty list unwrapped"),
    (
      .cachesByKeyID,
      [
        .unwrap, .source, .wrap, .context, .contextLimits, .alteration, .foreignEntries, .brokenFirst, .concurrency,
        .roundTrip,
      ], "Under a context with"
    ),
    (.leaksKey(.hexadecimal), [.redaction], "unwrap throws shows the data key"),
    (.leaksKey(.base64), [.redaction], "unwrap throws shows the data key"),
    (.leaksKey(.numbers), [.redaction], "unwrap throws shows the data key"),
    (.leaksKey(.advice), [.redaction], "unwrap throws shows the data key"),
    (
      .leaksKey(.property), [.redaction, .context, .alteration, .keyID, .foreignEntries],
      "unwrap throws shows the data key"
    ),
    (.leaksKey(.wrap), [.redaction], "wrap throws shows the data key"),
  ]

  @Test(arguments: cases)
  func isFoundOut(
    flaw: BrokenKeyring.Flaw, checks: Set<KeyringConformance.Check>, words: String
  ) async throws {
    let keyring = BrokenKeyring(KeysetKeyring(try .generate()), flaw)
    let failures = await KeyringConformance.failures(of: keyring)
    #expect(Set(failures.map(\.check)) == checks, "\(flaw): \(failures)")
    #expect(failures.contains { $0.message.contains(words) && checks.contains($0.check) }, "\(flaw): \(failures)")
    #expect(Set(failures).count == failures.count)
  }

  /// Keyrings of the same keys are no strangers, and one that is to wrap only must not unwrap.
  @Test func whatTheOptionsSayIsChecked() async throws {
    let keyring = KeysetKeyring(try .generate())
    var options = KeyringConformance.Options()
    options.stranger = keyring
    var failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(failures.map(\.check) == [.stranger, .stranger], "\(failures)")
    options = KeyringConformance.Options()
    options.role = .wrapsOnly(unwrappedBy: nil)
    failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(failures.map(\.check) == [.role], "\(failures)")
    options.role = .unwrapsOnly(wrappedBy: keyring)
    failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(failures.map(\.check) == [.role, .role], "\(failures)")
    options.role = .unwrapsOnly(wrappedBy: KeysetKeyring(try .generate()))
    failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(Set(failures.map(\.check)).isSuperset(of: [.unwrap, .role, .roundTrip]), "\(failures)")
    options.role = .wrapsOnly(unwrappedBy: KeysetKeyring(try .generate()))
    failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(Set(failures.map(\.check)).isSuperset(of: [.unwrap, .wrap, .roundTrip]), "\(failures)")
  }

  @Test func needlessCallsAreCounted() async throws {
    let keyring = BrokenKeyring(KeysetKeyring(try .generate()), .asksFirstOnly)
    var options = KeyringConformance.Options()
    options.serviceCallCount = { keyring.callCount }
    let failures = await KeyringConformance.failures(of: keyring, options: options).filter { $0.check == .serviceCalls }
    #expect(failures.count == 2 && failures[0].message.contains("about entries that are not its"), "\(failures)")
  }

  @Test func codesOfOnesOwn() async throws {
    let keyring = BrokenKeyring(KeysetKeyring(try .generate()), .malformedForAltered)
    var options = KeyringConformance.Options()
    options.refusalCodes.insert(.malformed)
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
  }

  /// One error lists all that is wrong, in the order of the checks.
  @Test func theErrorReadsWell() async throws {
    let keyring = BrokenKeyring(KeysetKeyring(try .generate()), .ignoresTail)
    let failures = await KeyringConformance.failures(of: keyring)
    let order = failures.compactMap { KeyringConformance.Check.allCases.firstIndex(of: $0.check) }
    #expect(order == order.sorted())
    #expect(failures.allSatisfy { !$0.message.isEmpty && !$0.message.hasSuffix(".") })
    do {
      try await KeyringConformance.check(keyring)
      Issue.record("It succeeded")
    } catch {
      #expect(Set(error.failures) == Set(failures))
      let lines = error.description.split(separator: "\n")
      #expect(lines.first == "The keyring breaks \(failures.count) promises of its protocol:")
      #expect(lines.count == failures.count + 1 && lines.dropFirst().allSatisfy { $0.hasPrefix("- ") })
    }
    let one = BrokenKeyring(KeysetKeyring(try .generate()), .failsToGenerate)
    await #expect(throws: KeyringConformance.NotConforming.self) { try await KeyringConformance.check(one) }
  }

  /// What is reported about a keyring that shows its key does not show it again.
  @Test(arguments: BrokenKeyring.Leak.allCases) func findingsRepeatNoMessage(leak: BrokenKeyring.Leak) async throws {
    let keyring = BrokenKeyring(KeysetKeyring(try .generate()), .leaksKey(leak))
    let failures = await KeyringConformance.failures(of: keyring)
    #expect(failures.contains { $0.check == .redaction })
    #expect(!failures.contains { $0.message.contains("is wrong") || $0.message.contains("key:") })
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

/// Finds out whether a keyring keeps what ``Keyring`` promises; for the tests of a keyring of one's own.
///
/// It needs no test framework:
///
/// ```swift
/// #expect(await KeyringConformance.failures(of: keyring) == [])   // with Swift Testing
/// try await KeyringConformance.check(keyring)                     // with any other, or none
/// ```
///
/// It calls the keyring some hundred times, and once more for every byte of a wrapped key. A keyring that never returns
/// hangs it. What it reports and throws shows no key and repeats no message of the keyring's.
public enum KeyringConformance {
  /// What a keyring is able to do.
  public enum Role: Sendable {
    /// Everything.
    case wrapsAndUnwraps
    /// Makes and wraps data keys, and unwraps none; another keyring unwraps what it wrapped, or nothing does.
    case wrapsOnly(unwrappedBy: (any Keyring)?)
    /// Unwraps data keys, and makes and wraps none; another keyring wraps for it.
    case unwrapsOnly(wrappedBy: any Keyring)
  }

  /// What is to be known about a keyring that cannot be told by asking it.
  public struct Options: Sendable {
    /// What it is able to do.
    public var role = Role.wrapsAndUnwraps
    /// The context that data keys are wrapped under, and that others are made of; at most 4 KiB.
    public var context: EncryptionContext = ["function": "conformance", "purpose": "Tests of a keyring"]
    /// Whether the keyring may be used under ``context`` alone, by a grant or a policy.
    ///
    /// Then no data key is wrapped under another, no envelope is sealed, because that adds a pair to the context, and
    /// `keyAccessDenied` is a refusal as good as others.
    public var isLimitedToContext = false
    /// A keyring of other keys, which must not unwrap what this one wrapped; nor the other way round.
    public var stranger: (any Keyring)?
    /// Tells how often the key service behind the keyring was called so far; nobody else may call it meanwhile.
    public var serviceCallCount: (@Sendable () async -> Int)?
    /// The codes with which the keyring may refuse an entry that was altered or stands under another context.
    public var refusalCodes: Set<EnvelopeError.Code> = [.unwrapFailed, .keyNotFound]
    /// The most bytes of a wrapped key that are flipped, one after the other; fewer than there are, evenly spread.
    public var flipLimit = Int.max
    /// How many calls go on at once in the check for that.
    public var concurrentCallCount = 100

    /// Takes everything as most keyrings have it.
    public init() {}
  }

  /// What is checked, in this order.
  public enum Check: String, Sendable, Hashable, CaseIterable {
    /// `generateDataKey` gives a key and 1 to 16 entries with different key ids, of lengths that their schemes have.
    case generate
    /// Every data key is another.
    case freshness
    /// Each entry alone unwraps to the key that it was made of, and so do all together.
    case unwrap
    /// What was unwrapped says from which of the entries given.
    case source
    /// A data key that exists is wrapped, and unwraps to the same.
    case wrap
    /// A keyring that only wraps unwraps nothing, and one that only unwraps makes and wraps nothing.
    case role
    /// Nothing unwraps under another context, and the order of its pairs does not matter.
    case context
    /// An empty context and one of 8 KiB work, or are refused with `invalidArgument`.
    case contextLimits
    /// No flipped, missing or additional byte of a wrapped key is accepted.
    case alteration
    /// No entry unwraps under another key id.
    case keyID
    /// Entries of other keys and schemes are passed over, and `keyNotFound` is thrown where there are no others.
    case foreignEntries
    /// An entry that does not unwrap keeps none after it from doing so.
    case brokenFirst
    /// A keyring of other keys unwraps nothing.
    case stranger
    /// No error shows the data key.
    case redaction
    /// The key service is asked about the entries that are the keyring's own, and about each once.
    case serviceCalls
    /// Many calls at once do not disturb each other.
    case concurrency
    /// Envelopes, environments and values of a sealer are sealed and opened with the keyring.
    case roundTrip
  }

  /// Something that a keyring does not keep.
  public struct Failure: Sendable, Hashable, CustomStringConvertible {
    /// The check that found it.
    public let check: Check
    /// What was wrong, in one sentence without a full stop.
    public let message: String

    /// The check and what was wrong.
    public var description: String { "\(check.rawValue): \(message)" }
  }

  /// The error that ``check(_:options:)`` throws.
  public struct NotConforming: Error, Sendable, Equatable, CustomStringConvertible {
    /// All that was wrong; at least one.
    public let failures: [Failure]

    /// One line for each failure, after a line that counts them.
    public var description: String {
      let count = failures.count == 1 ? "1 promise" : "\(failures.count) promises"
      return "The keyring breaks \(count) of its protocol:" + failures.map { "\n- \($0)" }.joined()
    }
  }

  /// Makes every check that applies.
  ///
  /// - Parameters:
  ///   - keyring: The keyring.
  ///   - options: What cannot be told by asking it.
  /// - Returns: All that was wrong, in the order of the checks; empty where it keeps everything.
  public static func failures(of keyring: some Keyring, options: Options = Options()) async -> [Failure] {
    var run = ConformanceRun(keyring, options)
    await run.checkAll()
    return run.failures
  }

  /// Makes every check that applies.
  ///
  /// - Parameters:
  ///   - keyring: The keyring.
  ///   - options: What cannot be told by asking it.
  /// - Throws: ``NotConforming`` with all that was wrong.
  public static func check(_ keyring: some Keyring, options: Options = Options()) async throws(NotConforming) {
    let failures = await failures(of: keyring, options: options)
    guard failures.isEmpty else { throw NotConforming(failures: failures) }
  }
}

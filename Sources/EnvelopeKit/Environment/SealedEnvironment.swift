// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Environment variables sealed together under one data key (`Docs/Format.md`, section Environments).
///
/// Whoever sees it learns the key ids, the generation and, unless it is packed, names and lengths. Altered,
/// swapped, renamed, added, missing and put-back variables are detected; a whole older environment is not,
/// unless a minimum generation is demanded.
public struct SealedEnvironment: Sendable, Equatable {
  /// How the variables are laid out.
  public enum Form: Sendable, Hashable {
    /// Each variable is sealed under its own name; `ENVELOPE_HEADER` holds the header.
    case separate
    /// All are sealed into the one variable `ENVELOPE_SEALED`, hiding names and each length: the smallest form.
    case packed
  }

  /// One variable of the separate form.
  struct Entry: Sendable, Equatable {
    let name: String
    /// The bytes nonce ‖ ciphertext ‖ tag.
    let sealed: [UInt8]
  }

  enum Payload: Sendable, Equatable {
    /// The entries are in ascending order of their names' bytes.
    case separate(count: UInt16, manifest: [UInt8], entries: [Entry])
    /// The bytes nonce ‖ ciphertext ‖ tag.
    case packed([UInt8])
  }

  package let header: Header
  /// When it was sealed: seconds since 1970, or one more than the generation before.
  public let generation: UInt32
  let payload: Payload

  /// The greatest number of variables.
  public static let countLimit = Int(UInt16.max)

  /// The most bytes that the manifest's 32-bit length can tell of.
  static let sealedByteLimit = Int(UInt32.max)

  /// How the variables are laid out.
  public var form: Form {
    switch payload {
    case .separate: .separate
    case .packed: .packed
    }
  }

  /// The names of the sealed variables in ascending order of their bytes; none where they are packed.
  public var names: [String] {
    switch payload {
    case .separate(_, _, let entries): entries.map(\.name)
    case .packed: []
    }
  }

  /// The wrapped data keys as the header lists them: not verified before the environment has been opened.
  public var wrappedKeys: [WrappedDataKey] { header.wrappedKeys }

  /// The generation that follows one that has been verified: one more, or the time now.
  static func generation(after previous: UInt32) throws(EnvelopeError) -> UInt32 {
    guard previous < .max else {
      throw EnvelopeError(
        .invalidArgument, "The environment's generation is the last that there is",
        advice: "Open it, and seal its variables as a new environment.")
    }
    return max(previous + 1, UInt32(clamping: Clock.now))
  }

  /// The generation that follows one that has not been verified: whoever wrote it must not be able to use up the
  /// numbers, so one more than a year ahead of the clock is not counted on.
  static func generation(afterUnverified previous: UInt32?) throws(EnvelopeError) -> UInt32 {
    let now = Clock.now
    guard let previous, previous <= now + 366 * 86_400 else { return UInt32(clamping: now) }
    return try generation(after: previous)
  }

  /// The hash that ties all variables together.
  static func manifest(
    generation: UInt32, entries: [Entry], keys: borrowing KeySchedule
  ) throws(EnvelopeError) -> [UInt8] {
    let byteCount = entries.reduce(6) { $0 + 2 + $1.name.utf8.count + 4 + $1.sealed.count }
    let message = [UInt8].appending(capacity: byteCount) { output in
      output.append(bigEndian: generation)
      output.append(bigEndian: UInt16(truncatingIfNeeded: entries.count))
      for entry in entries {
        entry.name.withUTF8Bytes { name in
          output.append(bigEndian: UInt16(name.byteCount))
          output.append(name)
        }
        output.append(bigEndian: UInt32(entry.sealed.count))
        unsafe output.append(entry.sealed.span.bytes)
      }
    }
    return try keys.authenticate(message, with: .manifest, byteCount: manifestByteCount)
  }

  static let manifestByteCount = 32
}

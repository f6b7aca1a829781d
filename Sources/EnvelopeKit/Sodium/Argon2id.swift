// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// Argon2id (RFC 9106) in one lane: makes guessing a passphrase cost memory and time.
package enum Argon2id {
  package static let saltByteCount = 16
  package static let keyByteCount = 32
  // What libsodium takes at least.
  package static let leastMemoryLog2 = 3
  private static let longestPassphrase = 1 << 20

  /// What one try costs.
  package struct Cost: Sendable, Hashable {
    /// The logarithm to base 2 of the memory in KiB.
    package let memoryLog2: UInt8
    /// How many times the memory is gone over.
    package let passes: UInt8

    package init(memoryLog2: UInt8, passes: UInt8) {
      self.memoryLog2 = memoryLog2
      self.passes = passes
    }

    /// What libsodium calls moderate: 256 MiB, three times.
    package static let moderate = Cost(memoryLog2: 18, passes: 3)

    /// Whether a header may ask for it: at most 1 GiB, and 4,096 MiB gone over in all.
    package var isBounded: Bool {
      let log2 = Int(memoryLog2)
      guard (leastMemoryLog2...20).contains(log2), passes >= 1 else { return false }
      return Int(passes) << log2 <= 4096 << 10
    }
  }

  /// Appends the 32-byte key of a passphrase.
  ///
  /// - Parameters:
  ///   - passphrase: At least one byte.
  ///   - salt: Exactly 16 bytes.
  /// - Throws: `invalidArgument` where an argument does not fit, `systemFailure` where there is no memory.
  package static func append(
    passphrase: RawSpan, salt: RawSpan, cost: Cost, to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try Sodium.start()
    guard (1...longestPassphrase).contains(passphrase.byteCount), salt.byteCount == saltByteCount, cost.isBounded else {
      throw EnvelopeError(.invalidArgument, "A passphrase, its salt or its cost has a length or size that it must not")
    }
    guard output.freeCapacity >= keyByteCount else { throw .bufferTooSmall }
    defer { wipeStack() }
    var status: Int32 = -1
    unsafe output.withUnsafeMutableBytes { buffer, count in
      unsafe passphrase.withUnsafeBytes { p in
        unsafe salt.withUnsafeBytes { s in
          status = unsafe crypto_pwhash(
            (buffer.baseAddress! + count).assumingMemoryBound(to: UInt8.self), UInt64(keyByteCount),
            p.baseAddress!.assumingMemoryBound(to: CChar.self), UInt64(p.count),
            s.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt64(cost.passes), 1024 << Int(cost.memoryLog2),
            crypto_pwhash_ALG_ARGON2ID13)
        }
      }
      if status == 0 { count += keyByteCount }
    }
    guard status == 0 else {
      throw EnvelopeError(
        .systemFailure, "Cannot allocate the passphrase's \(1 << Int(cost.memoryLog2)) KiB",
        advice: "Try again where more memory is free.")
    }
  }
}

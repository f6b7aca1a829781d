// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// The allocation is checked before a pointer is kept.

internal import CLibsodium

/// Places for secrets of one length in one allocation between guard pages, locked in memory where the system allows it.
///
/// `sodium_malloc` takes four pages or more, and where RLIMIT_MEMLOCK is 64 KiB, as on AWS Lambda, 16 allocations are
/// all that is locked. A place is wiped when it is given back, and all are when the owner lets go of them.
@safe
package struct SecretSlots: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let slotByteCount: Int
  private let slotCount: Int
  // The places that are free.
  private var free: [Int]

  /// - Throws: `systemFailure` where there is no memory.
  package init(count: Int, byteCount: Int) throws(EnvelopeError) {
    try Sodium.start()
    let (total, overflows) = count.multipliedReportingOverflow(by: byteCount)
    guard count > 0, byteCount > 0, !overflows, let base = unsafe sodium_malloc(total) else {
      throw EnvelopeError(.systemFailure, "Cannot allocate guarded memory for \(count) secrets of \(byteCount) bytes")
    }
    unsafe sodium_memzero(base, total)
    unsafe self.base = base
    slotCount = count
    slotByteCount = byteCount
    free = Array((0..<count).reversed())
  }

  deinit {
    // Wipes, unlocks and unmaps.
    unsafe sodium_free(base)
  }

  /// Whether the system keeps the bytes out of swap.
  package var isLocked: Bool { unsafe sodium_mlock(base, slotCount * slotByteCount) == 0 }

  /// Copies a secret into a free place, or returns nil where there is none.
  package mutating func store(_ secret: RawSpan) -> Int? {
    precondition(secret.byteCount == slotByteCount)
    guard let slot = free.popLast() else { return nil }
    unsafe secret.withUnsafeBytes { unsafe slotBytes(slot).copyMemory(from: $0) }
    return slot
  }

  /// Wipes a place and gives it back; it must be in use.
  package mutating func wipe(_ slot: Int) {
    unsafe sodium_memzero(slotBytes(slot).baseAddress!, slotByteCount)
    free.append(slot)
  }

  /// Copies the secret in a place that is in use.
  package func copy(of slot: Int) -> SecretBytes {
    SecretBytes(byteCount: slotByteCount) { output in
      unsafe output.append(UnsafeRawBufferPointer(slotBytes(slot)).bytes)
    }
  }

  @unsafe
  private func slotBytes(_ slot: Int) -> UnsafeMutableRawBufferPointer {
    precondition((0..<slotCount).contains(slot))
    return unsafe UnsafeMutableRawBufferPointer(start: base + slot * slotByteCount, count: slotByteCount)
  }
}

// One owner at a time: whoever shares it does so behind a lock.
extension SecretSlots: @unchecked Sendable {}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

/// One allocation of secret bytes between guard pages, locked in memory where the system allows it,
/// read-only once made, and wiped when the last reference goes.
///
/// `sodium_malloc` takes four pages or more, so one of these holds many secrets.
@safe
package final class GuardedMemory {
  private let base: UnsafeMutableRawPointer
  /// How many bytes there are.
  package let byteCount: Int

  /// Whether the system keeps the bytes out of swap; false where RLIMIT_MEMLOCK is used up.
  ///
  /// `sodium_malloc` locks, but says nothing where that failed. Locking once more tells, and is left until somebody
  /// asks, for it takes the system as long as opening a few variables.
  package var isLocked: Bool { unsafe byteCount == 0 || sodium_mlock(base, byteCount) == 0 }

  /// Makes room for at most `capacity` bytes and lets `body` append them.
  ///
  /// - Throws: `systemFailure` where there is no memory, or what `body` throws.
  package init(capacity: Int, _ body: (inout OutputRawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try Sodium.start()
    guard capacity >= 0, let base = unsafe sodium_malloc(capacity) else {
      throw EnvelopeError(.systemFailure, "Cannot allocate guarded memory for \(capacity) bytes")
    }
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: capacity)
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
    do {
      try body(&output)
    } catch {
      unsafe sodium_free(base)
      throw error
    }
    unsafe self.base = base
    byteCount = unsafe output.finalize(for: buffer)
    unsafe sodium_mprotect_readonly(base)
  }

  deinit {
    // Wipes, unlocks and unmaps.
    unsafe sodium_free(base)
  }

  /// Gives access to all bytes, which are valid only inside `body`.
  package func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    // The memory goes with the last reference, which the optimizer must not see before the last use of a pointer.
    defer { withExtendedLifetime(self) {} }
    return try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount).bytes)
  }

  /// Gives access to some of the bytes, which are valid only inside `body`.
  package func withBytes<R: ~Copyable, E: Error>(
    in range: Range<Int>, _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try withBytes { (bytes) throws(E) -> R in try body(bytes.extracting(range)) }
  }
}

// Nothing writes after `init`, the pages are read-only: reading from several threads is safe.
extension GuardedMemory: @unchecked Sendable {}

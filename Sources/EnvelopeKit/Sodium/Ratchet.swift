// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

/// The chain of keys that the records of a segment are sealed under, which moves on and never back
/// (`Docs/Format.md`, section Records).
///
/// The chain lies in guarded memory. A key that was used, and the chain that led to it, cannot be computed from what is
/// left.
@safe
package struct Ratchet: ~Copyable {
  static let chainByteCount = 32
  private static let stepByteCount = 64
  // The chain, and room for the next one and a record's key.
  private let base: UnsafeMutableRawPointer

  /// Begins with the first chain, which `body` appends.
  ///
  /// - Throws: `systemFailure` if there is no guarded memory, or what `body` throws.
  init(_ body: (inout OutputRawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try Sodium.start()
    guard let base = unsafe sodium_malloc(Self.chainByteCount + Self.stepByteCount) else {
      throw EnvelopeError(.systemFailure, "Cannot allocate guarded memory for the keys of records")
    }
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: Self.chainByteCount)
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
    do {
      try body(&output)
    } catch {
      unsafe sodium_free(base)
      throw error
    }
    let count = unsafe output.finalize(for: buffer)
    precondition(count == Self.chainByteCount)
    unsafe self.base = base
  }

  deinit {
    // Wipes, unlocks and unmaps.
    unsafe sodium_free(base)
  }

  /// Whether the system keeps the chain out of swap.
  package var isLocked: Bool { unsafe sodium_mlock(base, Self.chainByteCount + Self.stepByteCount) == 0 }

  /// Moves the chain on, and passes the key of the next record to `body`, after which the key is wiped.
  @inline(__always)
  mutating func advance(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    let next = unsafe base + Self.chainByteCount
    defer {
      unsafe sodium_memzero(next, Self.stepByteCount)
      // BLAKE2b leaves the chain on the stack, and ciphers leave parts of the key.
      wipeStack()
    }
    try unsafe Self.step(
      UnsafeRawBufferPointer(start: base, count: Self.chainByteCount).bytes,
      into: UnsafeMutableRawBufferPointer(start: next, count: Self.stepByteCount))
    unsafe base.copyMemory(from: next, byteCount: Self.chainByteCount)
    try unsafe body(UnsafeRawBufferPointer(start: next + Self.chainByteCount, count: Self.chainByteCount).bytes)
  }

  /// Writes the next chain and the record's key, 32 bytes each.
  @unsafe @inline(__always)
  private static func step(_ chain: RawSpan, into buffer: UnsafeMutableRawBufferPointer) throws(EnvelopeError) {
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
    try step(chain, into: &output)
    _ = unsafe output.finalize(for: buffer)
  }

  /// Appends the next chain and the record's key, 32 bytes each; a reader keeps them in a buffer of its own.
  @inline(__always)
  static func step(_ chain: RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    try BLAKE2b.derive(stepByteCount, key: chain, personal: "EK ratchet", into: &output)
  }
}

// One owner at a time, and only that owner moves it on: it may move between threads.
extension Ratchet: @unchecked Sendable {}

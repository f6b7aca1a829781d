// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Memory of one size that is filled again and again, and wiped when its owner releases it.
@safe
package struct WipedBuffer: ~Copyable {
  private let base: UnsafeMutableRawPointer
  /// The most bytes that it can hold.
  package let capacity: Int
  /// How many bytes it holds.
  package private(set) var byteCount = 0
  /// The most bytes that it has held, or that were offered to a writer that failed.
  private var usedByteCount = 0

  /// Allocates the memory.
  ///
  /// - Throws: `systemFailure` if there is none.
  package init(capacity: Int) throws(EnvelopeError) {
    guard capacity >= 0, let base = unsafe malloc(max(capacity, 1)) else {
      throw EnvelopeError(.systemFailure, "Cannot allocate memory for \(capacity) bytes")
    }
    unsafe self.base = base
    self.capacity = capacity
  }

  deinit {
    unsafe sodium_memzero(base, usedByteCount)
    unsafe free(base)
  }

  package var freeCapacity: Int { capacity - byteCount }

  /// Lets `body` append up to the free capacity; keeps what it appended, also if it throws.
  package mutating func append<E: Error>(_ body: (inout OutputRawSpan) throws(E) -> Void) throws(E) {
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: capacity)
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: byteCount)
    do {
      try body(&output)
    } catch {
      byteCount = unsafe output.finalize(for: buffer)
      usedByteCount = capacity
      throw error
    }
    byteCount = unsafe output.finalize(for: buffer)
    usedByteCount = max(usedByteCount, byteCount)
  }

  /// Appends bytes, for which there must be room.
  package mutating func append(_ bytes: RawSpan) { append { $0.append(bytes) } }

  /// Forgets the bytes; they are overwritten later.
  package mutating func removeAll() { byteCount = 0 }

  /// Gives access to the bytes, which are valid only inside `body`.
  package func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount).bytes)
  }

  /// Gives access to the memory of the bytes, for writers of disjoint parts of it.
  package func withUnsafeMutableBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try unsafe body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }
}

// One owner at a time, and only that owner writes: it may move between threads.
extension WipedBuffer: @unchecked Sendable {}

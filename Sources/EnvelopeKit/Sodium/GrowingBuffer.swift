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

/// Memory that grows with what is appended, is filled again and again, and is wiped before it is released.
@safe
package struct GrowingBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer
  package private(set) var capacity: Int
  /// How many bytes it holds.
  package private(set) var byteCount = 0
  // The most bytes that it has held since it was wiped.
  private var usedByteCount = 0

  /// Allocates the memory.
  package init(capacity: Int = 512) {
    self.capacity = max(capacity, 16)
    unsafe base = Self.allocate(self.capacity)
  }

  deinit {
    unsafe sodium_memzero(base, max(usedByteCount, byteCount))
    unsafe free(base)
  }

  @unsafe
  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    // Where memory ends, no array of the standard library could be allocated either.
    guard let base = unsafe malloc(capacity) else { preconditionFailure("There is no memory for \(capacity) bytes") }
    return unsafe base
  }

  /// Makes room for so many bytes more.
  @inline(__always)
  package mutating func reserve(_ count: Int) {
    if capacity - byteCount < count { grow(count) }
  }

  @inline(never)
  private mutating func grow(_ count: Int) {
    let larger = max(capacity * 2, byteCount + count)
    let moved = unsafe Self.allocate(larger)
    unsafe moved.copyMemory(from: base, byteCount: byteCount)
    unsafe sodium_memzero(base, max(usedByteCount, byteCount))
    unsafe free(base)
    unsafe base = moved
    (capacity, usedByteCount) = (larger, byteCount)
  }

  /// Appends a byte.
  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe base.storeBytes(of: byte, toByteOffset: byteCount, as: UInt8.self)
    byteCount += 1
  }

  /// Appends bytes.
  @inline(__always)
  package mutating func append(_ bytes: RawSpan) {
    reserve(bytes.byteCount)
    unsafe bytes.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe (base + byteCount).copyMemory(from: source, byteCount: bytes.count)
    }
    byteCount += bytes.byteCount
  }

  /// Appends bytes that are not secret.
  @inline(__always)
  package mutating func append(_ bytes: [UInt8]) { unsafe append(bytes.span.bytes) }

  /// Appends the bytes of another buffer.
  @inline(__always)
  package mutating func append(_ other: borrowing GrowingBuffer) {
    other.withBytes { append($0) }
  }

  /// Appends the UTF-8 bytes of a string.
  @inline(__always)
  package mutating func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    unsafe (base + byteCount).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    byteCount += text.utf8CodeUnitCount
  }

  /// Appends the bytes of an integer, the most significant first.
  @inline(__always)
  package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    reserve(MemoryLayout<T>.size)
    unsafe base.storeBytes(of: value.bigEndian, toByteOffset: byteCount, as: T.self)
    byteCount += MemoryLayout<T>.size
  }

  /// Lets `body` append up to `count` bytes; what it appended stays, unless it throws.
  @inline(__always)
  package mutating func append<E: Error>(
    capacity count: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) {
    reserve(count)
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount + count)
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: byteCount)
    // A body that fails may have written.
    usedByteCount = max(usedByteCount, byteCount + count)
    try body(&output)
    byteCount = unsafe output.finalize(for: buffer)
  }

  /// Replaces the byte at an offset, which must be inside.
  package mutating func replace(at offset: Int, with byte: UInt8) {
    precondition((0..<byteCount).contains(offset))
    unsafe base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
  }

  /// Forgets the bytes from an offset on; they are overwritten later.
  package mutating func remove(from offset: Int = 0) {
    precondition((0...byteCount).contains(offset))
    usedByteCount = max(usedByteCount, byteCount)
    byteCount = offset
  }

  /// Overwrites all bytes with zeros and forgets them.
  package mutating func wipe() {
    unsafe sodium_memzero(base, max(usedByteCount, byteCount))
    (byteCount, usedByteCount) = (0, 0)
  }

  /// Gives access to the bytes, which are valid only inside `body`.
  @inline(__always)
  package func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount).bytes)
  }
}

// One owner at a time, and only that owner writes: it may move between threads.
extension GrowingBuffer: @unchecked Sendable {}

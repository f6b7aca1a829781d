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

/// Secret bytes with one owner, wiped when that owner lets go of them.
///
/// They lie in ordinary memory: wiped, but not locked against being swapped out. Long-lived keys and
/// opened environments lie in guarded memory instead. The type cannot be copied, printed or put into `Any`.
@safe
public struct SecretBytes: ~Copyable {
  private let base: UnsafeMutableRawPointer
  /// How many bytes there are.
  public let byteCount: Int

  /// Makes room for at most `byteCount` bytes and lets `body` append them.
  ///
  /// - Throws: What `body` throws; the room is wiped first.
  @inline(__always)
  package init<E: Error>(byteCount capacity: Int, _ body: (inout OutputRawSpan) throws(E) -> Void) throws(E) {
    // Swift's own `allocate` asks for an alignment that memory has anyway, and takes longer for it.
    guard let base = unsafe malloc(max(capacity, 1)) else {
      preconditionFailure("There is no memory for \(capacity) bytes")
    }
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: capacity)
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
    do {
      try body(&output)
    } catch {
      unsafe sodium_memzero(base, capacity)
      unsafe free(base)
      throw error
    }
    let count = unsafe output.finalize(for: buffer)
    // What was claimed and not used may still have held something.
    if count < capacity { unsafe sodium_memzero(base + count, capacity - count) }
    unsafe self.base = base
    self.byteCount = count
  }

  /// Copies bytes; the original stays as it is, and is the caller's to wipe.
  public init(copying bytes: RawSpan) {
    self.init(byteCount: bytes.byteCount) { $0.append(bytes) }
  }

  deinit {
    unsafe sodium_memzero(base, byteCount)
    unsafe free(base)
  }

  /// Gives access to the bytes, which are valid only inside `body`.
  public func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount).bytes)
  }
}

// One owner at a time, and nothing writes after `init`: reading from several threads is safe.
extension SecretBytes: @unchecked Sendable {}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// The buffer is never empty, so it has an address.

/// Collects the written forms of secrets, in memory that is wiped.
@safe
struct PatternList: ~Copyable {
  /// Where the bytes of a form lie, and which secret it reveals.
  struct Pattern {
    let start: Int
    let count: Int
    let secret: Int
  }

  private var buffer: UnsafeMutableRawBufferPointer
  private var count = 0
  private(set) var patterns: [Pattern] = []
  /// Where the pattern that is being written begins.
  private var start = 0
  /// The first pattern of the current secret.
  private var first = 0

  /// Allocates memory that grows on demand.
  init(capacity: Int = 4096) {
    unsafe buffer = .allocate(byteCount: max(capacity, 1), alignment: 1)
  }

  deinit {
    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).wipe()
    unsafe buffer.deallocate()
  }

  /// How many bytes all patterns have.
  var byteCount: Int { count }

  /// Appends a byte to the pattern that is being written.
  @inline(__always)
  mutating func append(_ byte: UInt8) {
    if unsafe count == buffer.count { grow() }
    unsafe buffer.baseAddress!.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  /// Appends text that is not secret.
  mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { append(unsafe text.utf8Start[index]) }
  }

  private mutating func grow() {
    let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 1)
    unsafe larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
    unsafe buffer.wipe()
    unsafe buffer.deallocate()
    unsafe buffer = larger
  }

  /// Starts the forms of another secret.
  mutating func startSecret() { first = patterns.count }

  /// Ends the pattern that is being written, and drops it if the secret has the same already.
  mutating func endPattern(of secret: Int) {
    let length = count - start
    let isKnown = patterns[first...].contains { pattern in
      pattern.count == length && isSame(pattern.start, start, count: length)
    }
    if isKnown || length == 0 {
      unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<count]).wipe()
      count = start
    } else {
      patterns.append(Pattern(start: start, count: length, secret: secret))
      start = count
    }
  }

  private func isSame(_ a: Int, _ b: Int, count: Int) -> Bool {
    withBytes { bytes in
      for offset in 0..<count where bytes.byte(at: a + offset) != bytes.byte(at: b + offset) { return false }
      return true
    }
  }

  /// Gives access to the bytes of all patterns, which are valid only inside `body`.
  @inline(__always)
  func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
  }
}

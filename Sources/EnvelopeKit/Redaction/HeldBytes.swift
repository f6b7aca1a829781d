// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes that are appended at the end and removed at the start, in memory that is wiped.
@safe
struct HeldBytes: ~Copyable {
  private var buffer = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var start = 0
  private var end = 0

  deinit { unsafe Self.release(buffer) }

  private static func release(_ buffer: UnsafeMutableRawBufferPointer) {
    unsafe buffer.wipe()
    unsafe buffer.deallocate()
  }

  var byteCount: Int { end - start }

  /// Removes bytes, which must be there.
  mutating func removeFirst(_ count: Int) {
    start += count
    if start == end { (start, end) = (0, 0) }
  }

  /// Appends bytes.
  mutating func append(_ bytes: RawSpan) {
    if unsafe buffer.count - end < bytes.byteCount {
      // Twice the room that is needed, so that bytes are copied a bounded number of times on average.
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (byteCount + bytes.byteCount), alignment: 1)
      unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
      unsafe Self.release(buffer)
      unsafe buffer = larger
      (start, end) = (0, byteCount)
    }
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: end)
    output.append(bytes)
    end = unsafe output.finalize(for: buffer)
  }

  /// Gives access to the bytes, which are valid only inside `body`.
  func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[start..<end]).bytes)
  }
}

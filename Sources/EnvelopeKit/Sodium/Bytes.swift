// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// An array made by appending to a raw span over its own storage: one allocation, no copy.
  @inline(__always)
  package static func appending<E: Error>(
    capacity: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> [UInt8] {
    var bytes: [UInt8] = []
    // Takes half the time of `init(unsafeUninitializedCapacity:)`, which looks its type up at run time. At least one byte is
    // reserved, because all empty arrays share one storage, and the count would be written into it: a data race.
    try bytes.append(addingCapacity: Swift.max(capacity, 1)) { (span) throws(E) in
      try span.withRawSpan(capacity: capacity, body)
    }
    return bytes
  }
}

extension OutputSpan where Element == UInt8 {
  /// Lets `body` append up to `capacity` bytes to the same memory; what it appended is kept, unless it throws.
  @inline(__always)
  package mutating func withRawSpan<E: Error>(
    capacity: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) {
    precondition(capacity <= freeCapacity)
    try unsafe withUnsafeMutableBufferPointer { (buffer, count) throws(E) in
      let raw = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count + capacity)
      var output = unsafe OutputRawSpan(buffer: raw, initializedCount: count)
      try body(&output)
      count = unsafe output.finalize(for: raw)
    }
  }
}

extension String {
  /// Gives access to the UTF-8 bytes, without an array of them.
  package func withUTF8Bytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    var copy = self
    return try copy.withUTF8 { bytes in
      Result { () throws(E) -> R in try unsafe body(UnsafeRawBufferPointer(bytes).bytes) }
    }.get()
  }
}

extension RawSpan {
  /// Lets `write` append up to `capacity` bytes that are not secret, and passes them to `body`: few lie on the stack.
  @inline(__always)
  static func withTemporary<R: ~Copyable, E: Error>(
    capacity: Int, _ write: (inout OutputRawSpan) throws(E) -> Void, _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { (buffer) throws(E) -> R in
      var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
      try write(&output)
      let count = unsafe output.finalize(for: buffer)
      return try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
    }
  }
}

extension OutputRawSpan {
  /// Appends a copy of bytes, for which the caller has seen to it that there is room.
  package mutating func append(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= freeCapacity)
    unsafe withUnsafeMutableBytes { buffer, count in
      unsafe bytes.withUnsafeBytes { bytes in
        guard let source = bytes.baseAddress, let start = buffer.baseAddress else { return }
        unsafe (start + count).copyMemory(from: source, byteCount: bytes.count)
      }
      count += bytes.byteCount
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// An array made by appending to a raw span over its own storage: one allocation, no copy.
  package static func appending<E: Error>(
    capacity: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> [UInt8] {
    var failure: E?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var output = unsafe OutputRawSpan(buffer: raw, initializedCount: 0)
      do throws(E) { try body(&output) } catch { failure = error }
      count = unsafe output.finalize(for: raw)
    }
    if let failure { throw failure }
    return bytes
  }
}

extension OutputRawSpan {
  /// Appends a copy of bytes, for which the caller has seen to it that there is room.
  package mutating func append(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= freeCapacity)
    unsafe withUnsafeMutableBytes { buffer, count in
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
      }
      count += bytes.byteCount
    }
  }
}

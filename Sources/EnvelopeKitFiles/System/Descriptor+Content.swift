// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CSystemCalls
package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Descriptor {
  /// Appends bytes from an offset until the buffer has `byteCount` more, or the file ends.
  ///
  /// - Throws: `fileFailure` if reading fails.
  package func readAll(
    at offset: Int, byteCount: Int, into output: inout OutputRawSpan, of path: Path
  ) throws(EnvelopeError) {
    var done = 0
    while done < byteCount {
      var count = 0
      unsafe output.withUnsafeMutableBytes { buffer, initialized in
        let place = unsafe buffer.baseAddress.map { unsafe $0 + initialized }
        count = unsafe pread(number, place, min(byteCount - done, buffer.count - initialized), off_t(offset + done))
        initialized += max(count, 0)
      }
      if count == 0 { return }
      guard count > 0 || errno == EINTR else { throw .system("Cannot read \(path)") }
      done += max(count, 0)
    }
  }

  /// Makes the next bytes to read those at an offset.
  ///
  /// - Throws: `fileFailure` if the file cannot seek.
  package func seek(to offset: Int, of path: Path) throws(EnvelopeError) {
    guard lseek(number, off_t(offset), SEEK_SET) >= 0 else { throw .system("Cannot read \(path) at an offset") }
  }

  /// Writes all bytes at an offset.
  ///
  /// - Throws: `fileFailure`.
  package func writeAll(_ bytes: RawSpan, at offset: Int, to path: Path) throws(EnvelopeError) {
    try unsafe writeAll(bytes, to: path) { part, done in
      unsafe pwrite(number, part.baseAddress, part.count, off_t(offset + done))
    }
  }

  /// Appends the rest of this file, from an offset to its end, to another: in the kernel if it can.
  ///
  /// - Parameters:
  ///   - offset: Where to begin in this file.
  ///   - other: The file to write to, from where it stands.
  ///   - path: Names this file in errors.
  /// - Throws: `fileFailure`.
  package func copy(from offset: Int, to other: borrowing Descriptor, of path: Path) throws(EnvelopeError) {
    var position = Int64(offset)
    while true {
      let count = unsafe envelope_copy_file_range(number, &position, other.number, nil, 1 << 30)
      if count == 0 { break }
      if count < 0, errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO {
        throw .system("Cannot write a copy of \(path)")
      }
      if count < 0, errno != EINTR { break }
    }
    // What the kernel did not copy, all of it on other systems and across file systems.
    var buffer = try WipedBuffer(capacity: 1 << 20)
    while true {
      buffer.removeAll()
      try buffer.append { (output) throws(EnvelopeError) in
        try readAll(at: Int(position), byteCount: output.freeCapacity, into: &output, of: path)
      }
      guard buffer.byteCount > 0 else { return }
      try buffer.withBytes { (bytes) throws(EnvelopeError) in try other.writeAll(bytes, to: path) }
      position += Int64(buffer.byteCount)
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import CZlib
  internal import EnvelopeKit

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// Inflates raw deflate data (RFC 1951) piece by piece, in memory that is wiped.
  @safe
  struct Inflater: ~Copyable {
    /// At a constant address, which zlib keeps.
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer
    /// Whether the data has come to its end, which it marks itself.
    private(set) var isAtEnd = false

    /// - Throws: `systemFailure` if there is no memory.
    init() throws(EnvelopeError) {
      unsafe stream = .allocate(capacity: 1)
      unsafe stream.initialize(to: z_stream())
      unsafe stream.pointee.zalloc = allocate
      unsafe stream.pointee.zfree = wipeAndFree
      unsafe output = .allocate(byteCount: 1 << 16, alignment: 16)
      let status = unsafe inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      guard status == Z_OK else { throw EnvelopeError(.systemFailure, "Cannot allocate memory for zlib") }
    }

    deinit {
      unsafe inflateEnd(stream)
      unsafe stream.deallocate()
      unsafe output.wipe()
      unsafe output.deallocate()
    }

    /// Inflates, and passes on what comes out.
    ///
    /// - Returns: How many bytes were consumed: all, unless the data came to its end before.
    /// - Throws: `archiveMalformed` if it is not deflate data; what `body` throws.
    mutating func inflate(
      _ input: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) -> Int {
      var rest = input
      while !isAtEnd {
        var status = Z_OK
        var consumed = 0
        unsafe rest.withUnsafeBytes { bytes in
          let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
          unsafe stream.pointee.avail_in = uInt(bytes.count)
          unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe stream.pointee.avail_out = uInt(output.count)
          status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
          consumed = unsafe bytes.count - Int(stream.pointee.avail_in)
        }
        rest = rest.extracting(droppingFirst: consumed)
        let count = unsafe output.count - Int(stream.pointee.avail_out)
        if count > 0 { try unsafe body(UnsafeRawBufferPointer(rebasing: output[..<count]).bytes) }
        switch status {
        case Z_STREAM_END: isAtEnd = true
        // No progress: all input is consumed, and all output was passed on.
        case Z_BUF_ERROR: return input.byteCount - rest.byteCount
        case Z_OK: if rest.isEmpty, unsafe count < output.count { return input.byteCount }
        default: throw .archive("an entry's compressed content is damaged")
        }
      }
      return input.byteCount - rest.byteCount
    }

    /// Continues a checksum (CRC-32), which begins with 0.
    static func checksum(_ checksum: UInt32, of bytes: RawSpan) -> UInt32 {
      unsafe bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return checksum }
        return unsafe UInt32(
          truncatingIfNeeded: crc32_z(uLong(checksum), start.assumingMemoryBound(to: UInt8.self), bytes.count))
      }
    }
  }

  private let prefixByteCount = 16

  /// Allocates memory for zlib, with its length in front.
  private func allocate(_: voidpf?, count: uInt, size: uInt) -> voidpf? {
    let byteCount = Int(count) * Int(size)
    guard let start = unsafe calloc(1, byteCount + prefixByteCount) else { return nil }
    unsafe start.storeBytes(of: byteCount, as: Int.self)
    return unsafe start + prefixByteCount
  }

  private func wipeAndFree(_: voidpf?, address: voidpf?) {
    guard let address = unsafe address else { return }
    let start = unsafe address - prefixByteCount
    let byteCount = unsafe start.load(as: Int.self)
    unsafe UnsafeMutableRawBufferPointer(start: address, count: byteCount).wipe()
    unsafe free(start)
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A zip archive built field by field, so that every field can lie.
struct Zip {
  /// The fields of a local header or of a header in the directory.
  struct Header {
    var signature: UInt32
    var madeBy: UInt16 = 3 << 8 | 30
    var flags: UInt16 = 0
    var method: UInt16 = 0
    var checksum: UInt32
    var compressedByteCount: UInt32
    var byteCount: UInt32
    var name: [UInt8]
    var extra: [UInt8] = []
    var comment: [UInt8] = []
    var disk: UInt16 = 0
    var attributes: UInt32 = 0o100644 << 16
    /// Where the local header begins; nil for where it does.
    var offset: UInt32?
    /// The lengths that the header gives for the name and the extra field; nil for theirs.
    var nameByteCount: Int?
    var extraByteCount: Int?
  }

  struct Entry {
    var local: Header
    var central: Header
    /// The content as it lies in the archive.
    var data: [UInt8]
    /// What follows the content: a data descriptor.
    var trailer: [UInt8] = []
    /// Whether the local header and the content are left out.
    var isCentralAlone = false

    /// A file, stored.
    init(_ name: String, _ content: [UInt8] = Array("content".utf8)) {
      let count = UInt32(content.count)
      local = Header(
        signature: 0x0403_4b50, checksum: Zip.checksum(content), compressedByteCount: count, byteCount: count,
        name: Array(name.utf8))
      central = local
      central.signature = 0x0201_4b50
      data = content
    }

    init(_ name: [UInt8]) {
      self.init("")
      both { $0.name = name }
    }

    /// Changes a field of both headers.
    mutating func both(_ change: (inout Header) -> Void) {
      change(&local)
      change(&central)
    }

    /// Makes it one of compressed data.
    mutating func compress(as data: [UInt8]) {
      self.data = data
      both {
        $0.method = 8
        $0.compressedByteCount = UInt32(data.count)
      }
    }
  }

  var entries: [Entry]
  var prefix: [UInt8] = []
  /// What lies between the last entry and the directory, and between the directory and the end record.
  var beforeDirectory: [UInt8] = []
  var beforeEnd: [UInt8] = []
  var comment: [UInt8] = []
  var commentByteCount: UInt16?
  var disk: UInt16 = 0
  var directoryDisk: UInt16 = 0
  var entryCountOfDisk: Int?
  var entryCount: Int?
  var directoryByteCount: Int?
  var directoryOffset: Int?
  /// Changes the Zip64 record and its locator, which are there if this is not nil.
  var zip64: ((inout [UInt8], inout [UInt8]) -> Void)?

  init(_ entries: [Entry]) { self.entries = entries }
  init(_ entries: Entry...) { self.entries = entries }

  /// The bytes of the archive.
  var bytes: [UInt8] {
    var bytes = prefix
    var offsets: [Int] = []
    for entry in entries {
      offsets.append(bytes.count)
      if entry.isCentralAlone { continue }
      bytes.append(little: entry.local.signature)
      bytes.append(little: UInt16(20))
      bytes.append(common: entry.local)
      bytes += entry.local.name + entry.local.extra + entry.data + entry.trailer
    }
    bytes += beforeDirectory
    let start = bytes.count
    for (entry, offset) in zip(entries, offsets) {
      let header = entry.central
      bytes.append(little: header.signature)
      bytes.append(little: header.madeBy)
      bytes.append(little: UInt16(20))
      bytes.append(common: header)
      bytes.append(little: UInt16(header.comment.count))
      bytes.append(little: header.disk)
      bytes.append(little: UInt16(0))
      bytes.append(little: header.attributes)
      bytes.append(little: header.offset ?? UInt32(offset))
      bytes += header.name + header.extra + header.comment
    }
    let byteCount = directoryByteCount ?? bytes.count - start
    let offset = directoryOffset ?? start
    bytes += beforeEnd
    if let zip64 { append(zip64, directory: start, directoryByteCount: bytes.count - start, to: &bytes) }
    bytes.append(little: UInt32(0x0605_4b50))
    bytes.append(little: disk)
    bytes.append(little: directoryDisk)
    bytes.append(little: UInt16(truncatingIfNeeded: entryCountOfDisk ?? entryCount ?? entries.count))
    bytes.append(little: UInt16(truncatingIfNeeded: entryCount ?? entries.count))
    bytes.append(little: UInt32(truncatingIfNeeded: byteCount))
    bytes.append(little: UInt32(truncatingIfNeeded: offset))
    bytes.append(little: commentByteCount ?? UInt16(comment.count))
    return bytes + comment
  }

  private func append(
    _ change: (inout [UInt8], inout [UInt8]) -> Void, directory: Int, directoryByteCount: Int, to bytes: inout [UInt8]
  ) {
    var record: [UInt8] = []
    record.append(little: UInt32(0x0606_4b50))
    record.append(little: UInt64(44))
    record.append(little: UInt16(45))
    record.append(little: UInt16(45))
    record.append(little: UInt32(0))
    record.append(little: UInt32(0))
    record.append(little: UInt64(entries.count))
    record.append(little: UInt64(entries.count))
    record.append(little: UInt64(directoryByteCount))
    record.append(little: UInt64(directory))
    var locator: [UInt8] = []
    locator.append(little: UInt32(0x0706_4b50))
    locator.append(little: UInt32(0))
    locator.append(little: UInt64(bytes.count))
    locator.append(little: UInt32(1))
    change(&record, &locator)
    bytes += record + locator
  }

  /// Raw deflate data of stored blocks.
  static func deflated(_ content: [UInt8]) -> [UInt8] {
    var (data, rest) = ([UInt8](), content[...])
    repeat {
      let block = rest.prefix(65535)
      rest = rest.dropFirst(block.count)
      data.append(rest.isEmpty ? 1 : 0)
      data.append(little: UInt16(block.count))
      data.append(little: ~UInt16(block.count))
      data += block
    } while !rest.isEmpty
    return data
  }

  /// CRC-32, bit by bit.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = .max
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return ~value
  }
}

extension [UInt8] {
  mutating func append<T: FixedWidthInteger>(little value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> T(shift))) }
  }

  /// Sets a field in the middle.
  mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    var bytes: [UInt8] = []
    bytes.append(little: value)
    replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  /// Appends the fields that both headers have, from the flags to the lengths of the name and the extra field.
  fileprivate mutating func append(common header: Zip.Header) {
    append(little: header.flags)
    append(little: header.method)
    append(little: UInt32(0x5a21_6000))
    append(little: header.checksum)
    append(little: header.compressedByteCount)
    append(little: header.byteCount)
    append(little: UInt16(header.nameByteCount ?? header.name.count))
    append(little: UInt16(header.extraByteCount ?? header.extra.count))
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The header in front of an entry's content, which repeats what the directory says.
  struct LocalHeader {
    static let fixedByteCount = 30

    private let flags: ZipFlags
    private let method: UInt16
    private let checksum: UInt32
    private let compressedByteCount: UInt32
    private let byteCount: UInt32
    private let nameByteCount: Int
    private let extraByteCount: Int

    private init?(_ bytes: RawSpan) {
      guard bytes.uint32(at: 0) == ZipSignature.localHeader else { return nil }
      flags = ZipFlags(rawValue: bytes.uint16(at: 6))
      method = bytes.uint16(at: 8)
      checksum = bytes.uint32(at: 14)
      compressedByteCount = bytes.uint32(at: 18)
      byteCount = bytes.uint32(at: 22)
      nameByteCount = Int(bytes.uint16(at: 26))
      extraByteCount = Int(bytes.uint16(at: 28))
    }

    /// Finds an entry's content, and checks that its header says what the directory says.
    ///
    /// - Returns: Where the compressed content lies.
    /// - Throws: `archiveMalformed`, or what reading the file throws.
    static func content(
      of entry: SealedArchive.Entry, in reader: inout WindowReader
    ) throws(EnvelopeError) -> Range<Int> {
      let differs = EnvelopeError.archive("the header of \(entry.shownName) differs from the directory")
      let start = entry.offset + fixedByteCount
      // The directory was checked for room for the header, the name and the content.
      let header = try reader.withBytes(entry.offset..<start) { LocalHeader($0) }
      guard let header, header.method == entry.method, header.nameByteCount == entry.name.utf8.count,
        header.flags.intersection(.shared) == entry.flags.intersection(.shared)
      else { throw differs }
      let extra = start + header.nameByteCount
      let content = extra + header.extraByteCount
      let end = content + entry.compressedByteCount
      guard end <= entry.end else { throw .archive("the entry \(entry.shownName) overlaps with the next") }
      guard try reader.withBytes(start..<extra, { $0.isEqual(to: entry.name) }) else { throw differs }
      try reader.withBytes(extra..<content) { (bytes) throws(EnvelopeError) in
        guard try header.agrees(with: entry, bytes) else { throw differs }
      }
      if header.flags.contains(.dataDescriptor) { try checkDescriptor(of: entry, at: end, in: &reader) }
      return content..<end
    }

    /// Whether the checksum and the lengths are those of the directory.
    ///
    /// Before a data descriptor they may be zero.
    private func agrees(with entry: SealedArchive.Entry, _ extra: RawSpan) throws(EnvelopeError) -> Bool {
      var lengths = [byteCount, compressedByteCount].map(UInt64.init)
      let isRepeated = flags.contains(.dataDescriptor)
      if isRepeated, checksum == 0, lengths.allSatisfy({ $0 == 0 || $0 == UInt32.max }) { return true }
      let referring = lengths.indices.filter { lengths[$0] == UInt32.max }
      let field = try ExtraField(extra, name: entry.name, zip64FieldCount: referring.count)
      guard !field.hasOtherName else { return false }
      for (place, value) in zip(referring, field.zip64 ?? []) { lengths[place] = value }
      return checksum == entry.checksum && lengths == [entry.byteCount, entry.compressedByteCount].map { UInt64($0) }
    }

    /// Checks the record behind the content, whose form has four variants (section 4.3.9).
    private static func checkDescriptor(
      of entry: SealedArchive.Entry, at position: Int, in reader: inout WindowReader
    ) throws(EnvelopeError) {
      let isFound = try reader.withBytes(position..<min(position + 24, entry.end)) { bytes in
        for signature in [4, 0] {
          if signature == 4, bytes.byteCount < 4 || bytes.uint32(at: 0) != ZipSignature.dataDescriptor { continue }
          let rest = bytes.extracting(droppingFirst: signature)
          guard rest.byteCount >= 12, rest.uint32(at: 0) == entry.checksum else { continue }
          let isShort =
            rest.uint32(at: 4) == entry.compressedByteCount && rest.uint32(at: 8) == entry.byteCount
          let isLong =
            rest.byteCount >= 20 && rest.uint64(at: 4) == entry.compressedByteCount
            && rest.uint64(at: 12) == entry.byteCount
          if isShort || isLong { return true }
        }
        return false
      }
      guard isFound else { throw .archive("what follows \(entry.shownName) differs from the directory") }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The record at the end of an archive, which says where the directory is.
  struct EndRecord {
    let entryCount: Int
    let directory: Range<Int>

    private static let fixedByteCount = 22
    private static let locatorByteCount = 20
    private static let zip64ByteCount = 56

    /// Finds the record: its signature is the last one in the file, and its comment ends where the file ends.
    ///
    /// Other readers look for it in other ways. An archive in which they could find another record is refused.
    ///
    /// - Throws: `archiveMalformed`, `archiveTooLarge`.
    init(of reader: inout WindowReader, _ limits: SealedArchive.Limits) throws(EnvelopeError) {
      let position = try Self.position(in: &reader)
      let fields = try reader.withBytes(position..<position + Self.fixedByteCount) { Fields(end: $0) }
      guard position + Self.fixedByteCount + fields.commentByteCount == reader.byteCount else {
        throw .archive("its comment is not as long as it says")
      }
      let (values, end) = try Self.zip64(before: position, fields, &reader) ?? (fields, position)
      guard values.disk == 0, values.directoryDisk == 0, values.entryCountOfDisk == values.entryCount else {
        throw .archive("it is one of several parts")
      }
      guard let start = Int(exactly: values.directoryOffset), let byteCount = Int(exactly: values.directoryByteCount),
        start <= end, byteCount == end - start
      else { throw .archive("its directory is not where it says") }
      guard values.entryCount <= limits.entryCount else {
        throw EnvelopeError(
          .archiveTooLarge, "The zip archive has \(values.entryCount) entries, more than \(limits.entryCount)",
          advice: "Raise the limit if you trust the sender of the archive.")
      }
      guard byteCount <= limits.directoryByteCount else {
        throw EnvelopeError(
          .archiveTooLarge,
          "The zip archive's directory has \(byteCount) bytes, more than \(limits.directoryByteCount)",
          advice: "Raise the limit if you trust the sender of the archive.")
      }
      guard Int(values.entryCount) <= byteCount / DirectoryHeader.fixedByteCount else {
        throw .archive("its directory is too short for its entries")
      }
      entryCount = Int(values.entryCount)
      directory = start..<end
    }

    /// Where the record begins.
    private static func position(in reader: inout WindowReader) throws(EnvelopeError) -> Int {
      let last = reader.byteCount - fixedByteCount
      guard last >= 0 else { throw notAnArchive }
      // Most archives have no comment, so the last chunk is enough.
      for first in [last, max(0, last - Int(UInt16.max))] {
        let found = try reader.withBytes(first..<reader.byteCount) { (bytes) throws(EnvelopeError) -> Int? in
          var offset = bytes.byteCount - 4
          while offset >= 0, bytes.uint32(at: offset) != ZipSignature.endRecord { offset -= 1 }
          return offset >= 0 ? first + offset : nil
        }
        guard let found else { continue }
        guard found <= last else { throw .archive("it ends too early") }
        return found
      }
      throw notAnArchive
    }

    private static let notAnArchive = EnvelopeError(
      .archiveMalformed, "The sealed file is not a zip archive", advice: "Check that it is the right file.")

    /// The fields of either record.
    private struct Fields {
      let disk: UInt32
      let directoryDisk: UInt32
      let entryCountOfDisk: UInt64
      let entryCount: UInt64
      let directoryByteCount: UInt64
      let directoryOffset: UInt64
      var commentByteCount = 0

      init(end bytes: RawSpan) {
        disk = UInt32(bytes.uint16(at: 4))
        directoryDisk = UInt32(bytes.uint16(at: 6))
        entryCountOfDisk = UInt64(bytes.uint16(at: 8))
        entryCount = UInt64(bytes.uint16(at: 10))
        directoryByteCount = UInt64(bytes.uint32(at: 12))
        directoryOffset = UInt64(bytes.uint32(at: 16))
        commentByteCount = Int(bytes.uint16(at: 20))
      }

      init(zip64 bytes: RawSpan) {
        disk = bytes.uint32(at: 16)
        directoryDisk = bytes.uint32(at: 20)
        entryCountOfDisk = bytes.uint64(at: 24)
        entryCount = bytes.uint64(at: 32)
        directoryByteCount = bytes.uint64(at: 40)
        directoryOffset = bytes.uint64(at: 48)
      }

      /// Whether each field of the shorter record is that of the Zip64 record, or refers to it.
      func refers(to other: Fields) -> Bool {
        (disk == other.disk || disk == UInt16.max)
          && (directoryDisk == other.directoryDisk || directoryDisk == UInt16.max)
          && (entryCountOfDisk == other.entryCountOfDisk || entryCountOfDisk == UInt16.max)
          && (entryCount == other.entryCount || entryCount == UInt16.max)
          && (directoryByteCount == other.directoryByteCount || directoryByteCount == UInt32.max)
          && (directoryOffset == other.directoryOffset || directoryOffset == UInt32.max)
      }
    }

    /// The fields of the Zip64 record and where it begins, or nil if there is none.
    private static func zip64(
      before position: Int, _ short: Fields, _ reader: inout WindowReader
    ) throws(EnvelopeError) -> (Fields, Int)? {
      let locator = position - locatorByteCount
      guard locator >= 0 else { return nil }
      let fields = try reader.withBytes(locator..<position) { bytes in
        bytes.uint32(at: 0) == ZipSignature.zip64Locator
          ? (disk: bytes.uint32(at: 4), offset: bytes.uint64(at: 8), diskCount: bytes.uint32(at: 16)) : nil
      }
      guard let fields else { return nil }
      guard fields.disk == 0, fields.diskCount == 1 else { throw .archive("it is one of several parts") }
      guard let start = Int(exactly: fields.offset), start <= locator - zip64ByteCount else {
        throw .archive("its Zip64 record is not where it says")
      }
      return try reader.withBytes(start..<start + zip64ByteCount) { (bytes) throws(EnvelopeError) in
        let long = Fields(zip64: bytes)
        guard bytes.uint32(at: 0) == ZipSignature.zip64EndRecord,
          bytes.uint64(at: 4) == UInt64(locator - start - 12), short.refers(to: long)
        else { throw .archive("its Zip64 record contradicts the others") }
        return (long, start)
      }
    }
  }
#endif

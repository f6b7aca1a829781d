// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The description of one entry in an archive's directory.
  struct DirectoryHeader {
    static let fixedByteCount = 46

    private let madeBy: UInt16
    private let flags: ZipFlags
    private let method: UInt16
    private let checksum: UInt32
    private let compressedByteCount: UInt32
    private let byteCount: UInt32
    private let nameByteCount: Int
    private let extraByteCount: Int
    private let commentByteCount: Int
    private let disk: UInt16
    private let attributes: UInt32
    private let offset: UInt32

    /// Parses the fixed part.
    ///
    /// - Throws: `archiveMalformed`.
    init(_ bytes: RawSpan) throws(EnvelopeError) {
      guard bytes.uint32(at: 0) == ZipSignature.directoryHeader else {
        throw .archive("its directory has fewer entries than it says")
      }
      madeBy = bytes.uint16(at: 4)
      flags = ZipFlags(rawValue: bytes.uint16(at: 8))
      method = bytes.uint16(at: 10)
      checksum = bytes.uint32(at: 16)
      compressedByteCount = bytes.uint32(at: 20)
      byteCount = bytes.uint32(at: 24)
      nameByteCount = Int(bytes.uint16(at: 28))
      extraByteCount = Int(bytes.uint16(at: 30))
      commentByteCount = Int(bytes.uint16(at: 32))
      disk = bytes.uint16(at: 34)
      attributes = bytes.uint32(at: 38)
      offset = bytes.uint32(at: 42)
    }

    /// Reads all headers of a directory.
    ///
    /// - Throws: `archiveMalformed`, `archiveTooLarge`, or what reading the file throws.
    static func entries(
      of end: EndRecord, in reader: inout WindowReader, _ limits: SealedArchive.Limits
    ) throws(EnvelopeError) -> [SealedArchive.Entry] {
      var entries: [SealedArchive.Entry] = []
      // At most the directory's length by that of the fixed part: the record was checked.
      entries.reserveCapacity(end.entryCount)
      var position = end.directory.lowerBound
      for _ in 0..<end.entryCount {
        guard end.directory.upperBound - position >= fixedByteCount else {
          throw .archive("its directory ends too early")
        }
        let header = try reader.withBytes(position..<position + fixedByteCount) { (bytes) throws(EnvelopeError) in
          try DirectoryHeader(bytes)
        }
        position += fixedByteCount
        let rest = header.nameByteCount + header.extraByteCount + header.commentByteCount
        guard end.directory.upperBound - position >= rest else { throw .archive("its directory ends too early") }
        entries.append(try header.entry(at: position, in: &reader, before: end.directory.lowerBound, limits))
        position += rest
      }
      guard position == end.directory.upperBound else { throw .archive("its directory has more entries than it says") }
      return entries
    }

    /// The entry, whose name and extra field begin at a position.
    private func entry(
      at position: Int, in reader: inout WindowReader, before directory: Int, _ limits: SealedArchive.Limits
    ) throws(EnvelopeError) -> SealedArchive.Entry {
      let end = position + nameByteCount
      let text = try reader.withBytes(position..<end) { String(validating: [UInt8](copying: $0), as: UTF8.self) }
      guard let name = text else { throw .archive("a name is not UTF-8") }
      try EntryName.check(name, limits)
      let shown = EnvelopeError.shown(name)
      var lengths = [byteCount, compressedByteCount, offset].map(UInt64.init)
      let referring = lengths.indices.filter { lengths[$0] == UInt32.max }
      let extra = try reader.withBytes(end..<end + extraByteCount) { (bytes) throws(EnvelopeError) in
        try ExtraField(bytes, name: name, zip64FieldCount: referring.count)
      }
      guard !extra.hasOtherName else { throw .archive("the entry \(shown) has another name besides") }
      for (place, value) in zip(referring, extra.zip64 ?? []) { lengths[place] = value }
      guard disk == 0 else { throw .archive("the entry \(shown) is in another part") }
      guard let byteCount = Int(exactly: lengths[0]), let compressed = Int(exactly: lengths[1]),
        let offset = Int(exactly: lengths[2]), offset <= directory, compressed <= directory
      else { throw .archive("the entry \(shown) lies outside of it") }
      let kind = try kind(of: name)
      guard method != ZipMethod.stored || byteCount == compressed || flags.isEncrypted else {
        throw .archive("the entry \(shown) is stored in fewer or more bytes than it has")
      }
      guard kind != .folder || byteCount == 0 else { throw .archive("the folder \(shown) has content") }
      return SealedArchive.Entry(
        name: name, kind: kind, byteCount: byteCount, compressedByteCount: compressed,
        isExecutable: kind == .file && isUnix && attributes >> 16 & 0o100 != 0, checksum: checksum, method: method,
        flags: flags, offset: offset, end: directory)
    }

    /// Whether the attributes hold permissions: the host is Unix or macOS (section 4.4.2).
    private var isUnix: Bool { madeBy >> 8 == 3 || madeBy >> 8 == 19 }

    /// What the entry is, by its name and the type in its attributes, whatever host they say they are of.
    ///
    /// - Throws: `archiveMalformed` if they disagree about whether it is a folder.
    private func kind(of name: String) throws(EnvelopeError) -> SealedArchive.Entry.Kind {
      let isNamedFolder = name.utf8.last == UInt8(ascii: "/")
      let (type, isDOSFolder) = (attributes >> 16 & 0o170000, attributes & 0x10 != 0)
      let kind: SealedArchive.Entry.Kind =
        switch type {
        case 0: isNamedFolder ? .folder : .file
        case 0o100000: .file
        case 0o040000: .folder
        case 0o120000: .symbolicLink
        default: .special
        }
      guard isNamedFolder == (kind == .folder), !isDOSFolder || isNamedFolder else {
        throw .archive("\(EnvelopeError.shown(name)) is a folder by its name or its attributes alone")
      }
      return kind
    }
  }
#endif

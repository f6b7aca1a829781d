// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The extra field of a header: a sequence of records, of which few matter here.
  struct ExtraField {
    /// The record with 64-bit lengths and offsets.
    private(set) var zip64: [UInt64]?
    /// Whether there is a second name, of Info-ZIP's Unicode Path record, and it differs from the name.
    private(set) var hasOtherName = false

    private static let zip64ID: UInt16 = 0x0001
    private static let unicodePathID: UInt16 = 0x7075

    /// Parses the records.
    ///
    /// - Parameter count: How many 64-bit fields the header refers to.
    /// - Throws: `archiveMalformed`.
    init(_ bytes: RawSpan, name: String, zip64FieldCount count: Int) throws(EnvelopeError) {
      var offset = 0
      // Tools that align entries fill with fewer bytes than a record's header has.
      while bytes.byteCount - offset >= 4 {
        let id = bytes.uint16(at: offset)
        let start = offset + 4
        offset = start + Int(bytes.uint16(at: offset + 2))
        guard offset <= bytes.byteCount else {
          throw .archive("the extra field of \(EnvelopeError.shown(name)) is longer than it says")
        }
        let record = bytes.extracting(start..<offset)
        switch id {
        case Self.zip64ID where count > 0:
          guard zip64 == nil, record.byteCount >= count * 8 else {
            throw .archive("the Zip64 lengths of \(EnvelopeError.shown(name)) are missing, or there twice")
          }
          zip64 = (0..<count).map { record.uint64(at: $0 * 8) }
        case Self.unicodePathID:
          // A version and a checksum of the name come first.
          hasOtherName =
            hasOtherName || record.byteCount < 5
            || !record.extracting(droppingFirst: min(5, record.byteCount)).isEqual(to: name)
        default: break
        }
      }
      guard count == 0 || zip64 != nil else {
        throw .archive("the Zip64 lengths of \(EnvelopeError.shown(name)) are missing, or there twice")
      }
    }
  }

  extension RawSpan {
    /// Whether the bytes are the UTF-8 of a string.
    func isEqual(to string: String) -> Bool {
      string.withUTF8Bytes { other in
        guard byteCount == other.byteCount else { return false }
        return unsafe withUnsafeBytes { a in unsafe other.withUnsafeBytes { b in unsafe a.elementsEqual(b) } }
      }
    }
  }
#endif

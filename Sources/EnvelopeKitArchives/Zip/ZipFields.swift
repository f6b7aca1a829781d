// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The signatures that zip's records begin with (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.6 to 4.3.16).
  enum ZipSignature {
    static let localHeader: UInt32 = 0x0403_4b50
    static let dataDescriptor: UInt32 = 0x0807_4b50
    static let directoryHeader: UInt32 = 0x0201_4b50
    static let endRecord: UInt32 = 0x0605_4b50
    static let zip64EndRecord: UInt32 = 0x0606_4b50
    static let zip64Locator: UInt32 = 0x0706_4b50
  }

  /// The compression methods that are read (section 4.4.5).
  enum ZipMethod {
    static let stored: UInt16 = 0
    static let deflated: UInt16 = 8
  }

  /// The general purpose flags (section 4.4.4).
  struct ZipFlags: OptionSet {
    let rawValue: UInt16

    static let encrypted = ZipFlags(rawValue: 1 << 0)
    static let dataDescriptor = ZipFlags(rawValue: 1 << 3)
    static let patch = ZipFlags(rawValue: 1 << 5)
    static let stronglyEncrypted = ZipFlags(rawValue: 1 << 6)
    static let utf8 = ZipFlags(rawValue: 1 << 11)
    static let maskedHeader = ZipFlags(rawValue: 1 << 13)

    /// Those that must be the same in the directory and in the local header.
    static let shared: ZipFlags = [.encrypted, .patch, .stronglyEncrypted, .utf8, .maskedHeader]

    var isEncrypted: Bool { !isDisjoint(with: [.encrypted, .patch, .stronglyEncrypted, .maskedHeader]) }
  }

  /// Reads fields, least significant byte first; the caller has checked that they lie inside.
  extension RawSpan {
    func uint16(at offset: Int) -> UInt16 {
      unsafe UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    func uint32(at offset: Int) -> UInt32 {
      unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func uint64(at offset: Int) -> UInt64 {
      unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  extension EnvelopeError {
    /// The failure of an archive that contradicts itself or is not safe to read.
    static func archive(_ fault: String) -> EnvelopeError {
      EnvelopeError(
        .archiveMalformed, "The zip archive in the sealed file is not read: \(fault)",
        advice: "Have its sender pack and seal it again.")
    }
  }
#endif

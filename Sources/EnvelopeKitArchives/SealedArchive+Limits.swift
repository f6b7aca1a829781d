// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  extension SealedArchive {
    /// The limits that an archive must keep to, because its sender may be an attacker.
    ///
    /// Exceeding one throws `archiveTooLarge` before memory is allocated or a file is written.
    public struct Limits: Sendable {
      /// The maximum number of entries: 65,536 by default.
      public var entryCount = 65_536
      /// The maximum length of the archive's directory, which lists the entries: 16 MiB by default.
      public var directoryByteCount = 16 << 20
      /// The maximum length of an entry's name: 1,024 bytes of UTF-8 by default.
      public var nameByteCount = 1024
      /// The maximum number of parts of a name, which are separated by slashes: 100 by default.
      public var partCount = 100
      /// The maximum number of folders that one extraction creates: 65,536 by default.
      public var folderCount = 65_536
      /// The maximum number of bytes that one extraction writes: 4 GiB by default.
      public var extractedByteCount = 4 << 30
      /// The maximum ratio of an entry's length to its compressed length: 200 by default.
      ///
      /// Entries of at most 1 MiB may have a higher one. Text rarely exceeds 20. The format allows 1,032.
      public var compressionRatio = 200

      /// Creates the default limits.
      public init() {}

      /// The length up to which an entry may have any compression ratio.
      static let uncheckedByteCount = 1 << 20
    }
  }

  extension SealedArchive.Limits {
    /// Checks an entry before it is read.
    ///
    /// - Throws: `archiveTooLarge` if its compression ratio exceeds the limit.
    func check(_ entry: SealedArchive.Entry) throws(EnvelopeError) {
      guard
        entry.byteCount <= Self.uncheckedByteCount
          || entry.byteCount / max(entry.compressedByteCount, 1) < compressionRatio
      else {
        throw EnvelopeError(
          .archiveTooLarge,
          "The entry \(entry.shownName) expands from \(entry.compressedByteCount) bytes to \(entry.byteCount), which exceeds the ratio of \(compressionRatio)",
          advice: "Raise the limit if you trust the sender of the archive.")
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  extension SealedArchive {
    /// A file or folder in the archive, as the archive's directory describes it.
    public struct Entry: Sendable {
      /// What an entry is.
      public enum Kind: Sendable {
        case file
        case folder
        /// A link, which is neither read nor extracted.
        case symbolicLink
        /// A device, a pipe or a socket, which is neither read nor extracted.
        case special
      }

      /// The path in the archive, with slashes between its parts and one at the end if it is a folder's.
      ///
      /// It is relative and has no part `.` or `..`, but may have control characters: escape it before you print it.
      public let name: String
      /// Whether it is a file, a folder or something else.
      public let kind: Kind
      /// The length of the content.
      public let byteCount: Int
      /// The length of the content as it is compressed in the archive.
      public let compressedByteCount: Int
      /// Whether the entry's permissions allow its owner to execute it.
      public let isExecutable: Bool

      let checksum: UInt32
      let method: UInt16
      let flags: ZipFlags
      /// Where the entry's local header begins.
      let offset: Int
      /// Where the next entry, or the directory, begins.
      var end: Int
    }
  }

  extension SealedArchive.Entry {
    /// The name as messages show it.
    var shownName: String { EnvelopeError.shown(name) }

    /// The name without the slash at the end of a folder's.
    var path: String.UTF8View.SubSequence { kind == .folder ? name.utf8.dropLast() : name.utf8[...] }

    /// The names on the way to it, and its own.
    var parts: [String] { path.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) } }

    /// Where the content can end at the earliest: the length of the local header's extra field is not known yet.
    var earliestEnd: Int { offset + LocalHeader.fixedByteCount + name.utf8.count + compressedByteCount }

    /// Checks that the entry is a file that can be read.
    ///
    /// - Throws: `archiveEntryUnsupported`, `archiveEntryMissing` if it is a folder.
    func requireFile() throws(EnvelopeError) {
      switch kind {
      case .file: break
      case .folder:
        throw EnvelopeError(.archiveEntryMissing, "The entry \(shownName) is a folder", advice: "Name a file in it.")
      case .symbolicLink, .special:
        throw EnvelopeError(
          .archiveEntryUnsupported,
          "The entry \(shownName) is a \(kind == .special ? "special file" : "symbolic link"), which could lead out of the archive",
          advice: "Name the other entries, or pack the archive with the files that its links lead to.")
      }
      guard !flags.isEncrypted else {
        throw EnvelopeError(
          .archiveEntryUnsupported, "The entry \(shownName) is encrypted by the zip archive itself",
          advice: "Pack the archive without a password: the sealed file protects it.")
      }
      guard method == ZipMethod.stored || method == ZipMethod.deflated else {
        throw EnvelopeError(
          .archiveEntryUnsupported,
          "The entry \(shownName) has the compression method \(method), which is not known here",
          advice: "Pack the archive with deflate, the method of most tools.")
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit

  /// The rules for names of entries, which keep them inside a folder on every system.
  enum EntryName {
    /// Checks a name.
    ///
    /// - Throws: `archiveMalformed`, `archiveTooLarge`.
    static func check(_ name: String, _ limits: SealedArchive.Limits) throws(EnvelopeError) {
      guard name.utf8.count <= limits.nameByteCount else {
        throw EnvelopeError(
          .archiveTooLarge, "A name in the zip archive has \(name.utf8.count) bytes, more than \(limits.nameByteCount)",
          advice: "Raise the limit if you trust the sender of the archive.")
      }
      if let fault = fault(of: name) { throw .archive("the name \(EnvelopeError.shown(name)) \(fault)") }
      guard name.utf8.count(where: { $0 == slash }) < limits.partCount else {
        throw EnvelopeError(
          .archiveTooLarge, "A name in the zip archive has more than \(limits.partCount) parts",
          advice: "Raise the limit if you trust the sender of the archive.")
      }
    }

    private static let slash = UInt8(ascii: "/")

    /// What is wrong with a name, or nil.
    static func fault(of name: String) -> String? {
      let name = name.utf8
      guard let first = name.first else { return "is empty" }
      guard first != slash else { return "is absolute" }
      guard !name.contains(0) else { return "has a NUL" }
      guard !name.contains(UInt8(ascii: "\\")) else { return "has a backslash, which some systems take for a slash" }
      // A drive of Windows, also before a relative path.
      let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
      guard !letters.contains(first | 0x20) || name.dropFirst().first != UInt8(ascii: ":") else {
        return "begins with a drive's letter"
      }
      let parts = (name.last == slash ? name.dropLast() : name[...]).split(
        separator: slash, omittingEmptySubsequences: false)
      for part in parts {
        guard !part.isEmpty else { return "has an empty part" }
        guard !part.elementsEqual(".".utf8), !part.elementsEqual("..".utf8) else {
          return "has a part that stands for a folder, . or .."
        }
      }
      return nil
    }

    /// Whether a path comes before another in an order in which what lies in a folder follows the folder at once.
    static func precedes(_ a: String.UTF8View.SubSequence, _ b: String.UTF8View.SubSequence) -> Bool {
      // No name has a NUL, so the slash can be the least of all bytes.
      a.lexicographicallyPrecedes(b) { ($0 == slash ? 0 : $0) < ($1 == slash ? 0 : $1) }
    }

    /// Whether a path lies in the folder at another path.
    static func lies(_ path: String.UTF8View.SubSequence, in folder: String.UTF8View.SubSequence) -> Bool {
      path.starts(with: folder) && path.dropFirst(folder.count).first == slash
    }
  }
#endif

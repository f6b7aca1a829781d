// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  public import EnvelopeKit
  internal import EnvelopeKitFiles

  extension SealedArchive {
    /// Extracts files and folders into a new folder.
    ///
    /// They are written to a folder beside it, for this user alone, which gets the name when it is complete: a failure or an interruption
    /// leaves nothing under the name, and the next extraction to it removes what was left beside it. Files get the
    /// permissions 0755 if they are executable, else 0644, less those that the process's mask takes away.
    ///
    /// - Parameters:
    ///   - names: Names of entries; a folder's, with a slash at the end or without, stands for all that lies in it. Nil
    ///     extracts everything.
    ///   - folder: The folder's path, where there must be nothing, or an empty folder.
    /// - Throws: `archiveEntryMissing`, `archiveEntryUnsupported`, `archiveTooLarge`, `archiveMalformed`,
    ///   `payloadAltered` if the sealed file was altered there, `fileFailure`.
    public func extract(_ names: [String]? = nil, to folder: String) throws(EnvelopeError) {
      try extract(names, to: folder, notify: nil)
    }

    /// Extracts as the other function does.
    ///
    /// - Parameter notify: Receives sentences about what was removed.
    package func extract(
      _ names: [String]?, to folder: String, notify: ((String) -> Void)?
    ) throws(EnvelopeError) {
      let selected = try selection(names)
      try check(selected)
      let destination = try NewFolder.create(at: folder, notify: notify)
      // In the order in which they lie in the file, so that a chunk that several share is opened once.
      var reader = WindowReader(file)
      for entry in selected.sorted(by: { $0.offset < $1.offset }) {
        var parts = entry.parts
        guard entry.kind == .file, let name = parts.popLast() else {
          _ = try destination.makeFolder(parts)
          continue
        }
        let file = try destination.makeFile(
          name, in: try destination.makeFolder(parts), isExecutable: entry.isExecutable)
        try read(entry, in: &reader) { (piece) throws(EnvelopeError) in try file.writeAll(piece, to: Path(folder)) }
      }
      try destination.finish()
    }

    /// The entries to extract.
    private func selection(_ names: [String]?) throws(EnvelopeError) -> [Entry] {
      guard let names else { return Array(sortedEntries) }
      var selected: [Entry] = []
      for name in names {
        let isFolder = name.utf8.last == UInt8(ascii: "/")
        let found = entries(at: isFolder ? name.utf8.dropLast() : name.utf8[...])
        guard !found.isEmpty,
          !isFolder || found.count > 1 || found.allSatisfy({ $0.name.utf8.count >= name.utf8.count })
        else {
          throw EnvelopeError(
            .archiveEntryMissing, "The zip archive has no entry \(EnvelopeError.shown(name))",
            advice: "List its entries: envelope file list FILE")
        }
        selected += found
      }
      // A name may be given twice, and so may a folder and what lies in it.
      var places = Set<Int>()
      return selected.filter { places.insert($0.offset).inserted }
    }

    /// Checks entries before anything is written.
    private func check(_ selected: [Entry]) throws(EnvelopeError) {
      var total = 0
      for entry in selected where entry.kind != .folder {
        try entry.requireFile()
        try limits.check(entry)
        let (sum, isOver) = total.addingReportingOverflow(entry.byteCount)
        guard !isOver, sum <= limits.extractedByteCount else {
          throw EnvelopeError(
            .archiveTooLarge, "The files have more than \(limits.extractedByteCount) bytes in all",
            advice: "Extract fewer of them, or raise the limit if you trust the sender of the archive.")
        }
        total = sum
      }
      try checkFolders(of: selected)
    }

    /// Checks how many folders the entries need: each of 65,536 names can have 100 of its own.
    private func checkFolders(of selected: [Entry]) throws(EnvelopeError) {
      var (count, previous) = (0, [String]())
      for entry in selected.sorted(by: { EntryName.precedes($0.path, $1.path) }) {
        let folders = entry.kind == .folder ? entry.parts : entry.parts.dropLast()
        // What lies in a folder follows it, so those that are shared are shared with the entry before.
        count += folders.count - zip(folders, previous).prefix { $0 == $1 }.count
        previous = folders
        guard count <= limits.folderCount else {
          throw EnvelopeError(
            .archiveTooLarge, "The files lie in more than \(limits.folderCount) folders",
            advice: "Extract fewer of them, or raise the limit if you trust the sender of the archive.")
        }
      }
    }
  }
#endif

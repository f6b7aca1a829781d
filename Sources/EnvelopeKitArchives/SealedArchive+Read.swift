// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  public import EnvelopeKit

  extension SealedArchive {
    /// Reads a file of the archive into memory that is wiped, and verifies its length and its checksum.
    ///
    /// - Parameters:
    ///   - name: The entry's name.
    ///   - limit: The maximum length: 256 MiB by default, which is what AWS Lambda allows for all layers.
    /// - Throws: `archiveEntryMissing`, `archiveEntryUnsupported`, `archiveTooLarge`, `archiveMalformed`,
    ///   `payloadAltered` if the sealed file was altered there, or another failure to read it.
    public func read(_ name: String, limit: Int = 256 << 20) throws(EnvelopeError) -> SecretBytes {
      let entry = try readableEntry(named: name)
      guard entry.byteCount <= limit else {
        throw EnvelopeError(
          .archiveTooLarge, "The entry \(entry.shownName) has \(entry.byteCount) bytes, more than \(limit)",
          advice: "Raise the limit if that is what you expect.")
      }
      return try SecretBytes(byteCount: entry.byteCount) { (output) throws(EnvelopeError) in
        try read(entry) { output.append($0) }
      }
    }

    /// Passes a file of the archive on piece by piece, each of which the sealed file's tag has authenticated.
    ///
    /// The length and the checksum are verified at the end: if this throws, what was passed on is not what was packed.
    ///
    /// - Throws: The same as the other function, and what `body` throws.
    package func read(
      _ name: String, _ body: (RawSpan) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
      try read(try readableEntry(named: name), body)
    }

    /// Finds a file, and checks that it may be read.
    private func readableEntry(named name: String) throws(EnvelopeError) -> Entry {
      guard let entry = entry(named: name) else {
        throw EnvelopeError(
          .archiveEntryMissing, "The zip archive has no entry \(EnvelopeError.shown(name))",
          advice: "List its entries: envelope file list FILE")
      }
      try entry.requireFile()
      try limits.check(entry)
      return entry
    }

    /// Passes on the content of an entry that may be read.
    private func read(
      _ entry: Entry, _ body: (RawSpan) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
      var reader = WindowReader(file)
      try read(entry, in: &reader, body)
    }

    /// Passes on the content of an entry that may be read, through a window that others share.
    func read(
      _ entry: Entry, in reader: inout WindowReader, _ body: (RawSpan) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
      var content = try LocalHeader.content(of: entry, in: &reader)
      var (byteCount, checksum) = (0, UInt32(0))
      func passOn(_ piece: RawSpan) throws(EnvelopeError) {
        guard piece.byteCount <= entry.byteCount - byteCount else {
          throw .archive("the entry \(entry.shownName) is longer than it says")
        }
        byteCount += piece.byteCount
        checksum = Inflater.checksum(checksum, of: piece)
        try body(piece)
      }
      if entry.method == ZipMethod.stored {
        while !content.isEmpty {
          let count = try reader.withBeginning(of: content) { (piece) throws(EnvelopeError) in
            try passOn(piece)
            return piece.byteCount
          }
          content = content.lowerBound + count..<content.upperBound
        }
      } else {
        var inflater = try Inflater()
        while !content.isEmpty, !inflater.isAtEnd {
          let count = try reader.withBeginning(of: content) { (piece) throws(EnvelopeError) in
            try inflater.inflate(piece, passOn)
          }
          content = content.lowerBound + count..<content.upperBound
        }
        guard inflater.isAtEnd, content.isEmpty else {
          throw .archive("the compressed content of \(entry.shownName) is shorter or longer than it says")
        }
      }
      guard byteCount == entry.byteCount else { throw .archive("the entry \(entry.shownName) is shorter than it says") }
      guard checksum == entry.checksum else { throw .archive("the entry \(entry.shownName) has another checksum") }
    }
  }
#endif

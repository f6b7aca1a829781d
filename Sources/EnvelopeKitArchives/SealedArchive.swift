// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  public import EnvelopeKit
  package import EnvelopeKitFiles

  /// A zip archive in a sealed file, whose entries are read one by one without opening the rest.
  ///
  /// Creating one opens the end of the file, which has the archive's directory, and unwraps the data key once for all
  /// entries. It is safe to use from several threads at once: nothing changes after that, and each read has its own
  /// memory, so no thread waits for another.
  ///
  /// The seal proves who sealed the archive, not that the archive is harmless: its content may come from somebody else.
  /// An archive that contradicts itself, whose entries overlap or share a name, or that has a name that leads out of a
  /// folder is refused with `archiveMalformed`. ``Limits`` bound what it can cost to read.
  public struct SealedArchive: Sendable {
    /// The entries in the order of the archive's directory.
    public let entries: [Entry]
    /// The limits that the archive keeps to.
    public let limits: Limits
    let file: SealedFile
    /// The places of the entries in the order of ``EntryName/precedes(_:_:)``.
    private let order: [Int]

    /// Opens the archive.
    ///
    /// - Parameters:
    ///   - path: The sealed file.
    ///   - context: The context that it was sealed with; for a layer, the pairs `layer` and `layer-version`.
    ///   - limits: The limits that the archive must keep to.
    ///   - keyring: A keyring that unwraps the data key.
    ///   - anonymousSender: Whether a file that was sealed to a recipient's public key is accepted.
    /// - Throws: `archiveMalformed`, `archiveTooLarge`, or what opening a sealed file throws.
    public init(
      at path: String, context: EncryptionContext, limits: Limits = Limits(), using keyring: some Keyring,
      anonymousSender: AnonymousSender = .refused
    ) async throws {
      let file = try await SealedFile(
        at: path, context: context, using: keyring, anonymousSender: anonymousSender)
      try self.init(in: file, limits: limits)
    }

    /// Reads the directory of the archive in a sealed file that is open.
    ///
    /// - Throws: `archiveMalformed`, `archiveTooLarge`, or what reading the file throws.
    package init(in file: SealedFile, limits: Limits = Limits()) throws(EnvelopeError) {
      var reader = WindowReader(file)
      let end = try EndRecord(of: &reader, limits)
      var entries = try DirectoryHeader.entries(of: end, in: &reader, limits)
      try Self.separate(&entries)
      order = try Self.order(of: entries)
      self.file = file
      self.limits = limits
      self.entries = entries
    }

    /// Finds where each entry has to end, which is where the next begins.
    ///
    /// - Throws: `archiveMalformed` if entries overlap.
    private static func separate(_ entries: inout [Entry]) throws(EnvelopeError) {
      let places = entries.indices.sorted { entries[$0].offset < entries[$1].offset }
      for (place, next) in zip(places, places.dropFirst()) { entries[place].end = entries[next].offset }
      for entry in entries where entry.earliestEnd > entry.end {
        throw .archive("the entry \(entry.shownName) overlaps with the next, or with the directory")
      }
    }

    /// Sorts the entries by name.
    ///
    /// - Throws: `archiveMalformed` if two have the same name, or one lies in another that is no folder.
    private static func order(of entries: [Entry]) throws(EnvelopeError) -> [Int] {
      let places = entries.indices.sorted { EntryName.precedes(entries[$0].path, entries[$1].path) }
      for (place, next) in zip(places, places.dropFirst()) {
        let (entry, other) = (entries[place], entries[next])
        guard !entry.path.elementsEqual(other.path) else {
          throw .archive("the name \(entry.shownName) is there twice")
        }
        guard entry.kind == .folder || !EntryName.lies(other.path, in: entry.path) else {
          throw .archive("the entry \(other.shownName) lies in \(entry.shownName), which is no folder")
        }
      }
      return places
    }

    /// Returns the entry with a name, or nil; names are compared as bytes.
    public func entry(named name: String) -> Entry? {
      let first = firstPlace(notBefore: name.utf8.last == UInt8(ascii: "/") ? name.utf8.dropLast() : name.utf8[...])
      guard first < order.count else { return nil }
      let entry = entries[order[first]]
      return entry.name.utf8.elementsEqual(name.utf8) ? entry : nil
    }

    /// The entries in ascending order of their names: what lies in a folder follows it.
    var sortedEntries: some RandomAccessCollection<Entry> { order.lazy.map { [entries] in entries[$0] } }

    /// The entry at a path, which may be a folder that is not an entry itself, and what lies in it.
    func entries(at path: String.UTF8View.SubSequence) -> some RandomAccessCollection<Entry> {
      let first = firstPlace(notBefore: path)
      let count = order[first...].prefix { place in
        entries[place].path.elementsEqual(path) || EntryName.lies(entries[place].path, in: path)
      }.count
      return order[first..<first + count].lazy.map { [entries] in entries[$0] }
    }

    /// Where in the order the first path is that does not come before another.
    private func firstPlace(notBefore path: String.UTF8View.SubSequence) -> Int {
      var (low, high) = (0, order.count)
      while low < high {
        let middle = (low + high) / 2
        if EntryName.precedes(entries[order[middle]].path, path) { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  extension SealedArchive: CustomReflectable {
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif

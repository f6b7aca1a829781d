// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file that will replace another, and is removed with its owner unless it has.
///
/// Its lock is held for as long as it is written, so that no process takes it for one that a killed process left.
struct NewFile: ~Copyable {
  private let target: Path
  private var temporary: Path
  private var file: Descriptor
  private var isNamed: Bool

  var number: Int32 { file.number }

  private init(_ file: consuming Descriptor, beside target: Path, at temporary: Path, isNamed: Bool) {
    self.file = file
    self.target = target
    self.temporary = temporary
    self.isNamed = isNamed
  }

  /// Creates the file.
  ///
  /// - Parameters:
  ///   - target: The file to replace.
  ///   - mode: The permissions, which the process's mask narrows.
  ///   - namingLate: Whether it shall have no name until it is complete, where the system allows it.
  static func create(beside target: Path, mode: mode_t, namingLate: Bool) throws(EnvelopeError) -> NewFile {
    if namingLate, let number = openUnnamed(in: target.folder, mode: mode) {
      let file = NewFile(Descriptor(number), beside: target, at: try target.unfinished(), isNamed: false)
      _ = try AdvisoryLock.attempt(on: number, of: target)
      return file
    }
    while true {
      let place = try target.unfinished()
      let number = unsafe open(place.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
      guard number >= 0 else {
        throw .system(
          "Cannot create a file beside \(target)",
          advice: "A file is changed by replacing it, so its folder must be one that you can write to.")
      }
      let file = NewFile(Descriptor(number), beside: target, at: place, isNamed: true)
      _ = try AdvisoryLock.attempt(on: number, of: target)
      // Before it was locked, another process may have taken it for one that was left, and removed it.
      var status = stat()
      if unsafe fstat(number, &status) == 0, status.st_nlink > 0 { return file }
    }
  }

  deinit {
    if isNamed { unsafe unlink(temporary.string) }
  }

  /// Opens a file that has no name yet, or returns nil where that cannot be, or where it could not get one later.
  private static func openUnnamed(in folder: Path, mode: mode_t) -> Int32? {
    #if os(Linux)
      // The value of O_TMPFILE, whose definition Swift does not import.
      let flag = 0o20000000 | O_DIRECTORY
      guard unsafe access("/proc/self/fd", X_OK) == 0 else { return nil }
      let number = unsafe open(folder.string, flag | O_RDWR | O_CLOEXEC, mode)
      return number >= 0 ? number : nil
    #else
      nil
    #endif
  }

  /// Writes the content.
  func write(_ body: (borrowing Descriptor) throws(EnvelopeError) -> Void) throws(EnvelopeError) { try body(file) }

  /// Syncs the content, replaces the other file, and syncs the folder.
  ///
  /// - Parameters:
  ///   - exists: Whether there is a file to replace.
  ///   - replacement: How.
  ///   - confirm: Called right before this file gets the name of the other.
  ///   - giveAttributes: Gives a copy of this file the owner and the attributes that this one was given.
  mutating func finish(
    replacing exists: Bool, _ replacement: Replacement, confirming confirm: () throws(EnvelopeError) -> Void,
    giveAttributes: (Int32) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    guard fsync(file.number) == 0 else { throw .system("Cannot sync \(target)") }
    // Opened before the renaming: afterwards it would be too late to fail.
    let folder = try target.folder.openForReading()
    if !isNamed {
      // What has no other name needs none in between.
      if !exists {
        try confirm()
        if link(to: target) { return try folder.syncFolder(of: target) }
      }
      if link(to: temporary) { isNamed = true } else { try copyToNamedFile(giveAttributes) }
    }
    try confirm()
    guard unsafe rename(temporary.string, target.string) == 0 else { throw cannotReplace(replacement) }
    isNamed = false
    try folder.syncFolder(of: target)
  }

  /// Takes over a named copy of the file: a file without a name cannot get one on every file system.
  private mutating func copyToNamedFile(
    _ giveAttributes: (Int32) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    let copy = try NewFile.create(beside: target, mode: 0o600, namingLate: false)
    try giveAttributes(copy.number)
    try file.copy(from: 0, to: copy.file, of: target)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .system("Cannot look at \(target)") }
    try copy.file.set(mode: mode_t(status.st_mode) & 0o7777, timesOf: status, at: target)
    guard fsync(copy.number) == 0 else { throw .system("Cannot sync \(target)") }
    self = copy
  }

  private func link(to place: Path) -> Bool {
    unsafe linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", AT_FDCWD, place.string, AT_SYMLINK_FOLLOW) == 0
  }

  /// The failure of a renaming, by `errno`.
  private func cannotReplace(_ replacement: Replacement) -> EnvelopeError {
    guard errno == EBUSY else { return .system("Cannot replace \(target)") }
    let setting = replacement.isSecret ? nil : replacement.inPlaceSetting
    return EnvelopeError(
      .fileFailure, "Cannot replace \(target): it is mounted by itself, so no other file can take its place",
      advice: "Mount the folder that it is in instead"
        + (setting.map { ", or have it rewritten in place, which is not atomic: \($0)" } ?? "."))
  }
}

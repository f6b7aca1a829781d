// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CSystemCalls
package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A folder that gets its name when it is complete, and is removed with its owner unless it has.
///
/// It is filled under another name beside its place, and is for this user alone unless it replaces an empty folder. Its lock is held meanwhile, so that no process takes it for one that a
/// killed process left. Everything in it is created by way of open folders, so that no link in the path leads out of it.
package struct NewFolder: ~Copyable {
  private let target: Path
  private let parent: Descriptor
  private let temporary: Path
  private let folder: Descriptor
  /// The permissions of the folder that is replaced; nil if there is none.
  private let mode: mode_t?
  private var isTemporary = true

  /// Creates the folder under a temporary name, and removes those of this user that killed processes left.
  ///
  /// - Parameters:
  ///   - path: The folder's place, where there must be nothing, or an empty folder, which is replaced; the new folder gets
  ///     its permissions.
  ///   - notify: Receives sentences about what was removed.
  /// - Throws: `fileFailure`.
  package static func create(at path: String, notify: ((String) -> Void)?) throws(EnvelopeError) -> NewFolder {
    let target = try Path(path).newFolderPlace()
    var mode: mode_t?
    if target.exists {
      let existing = try target.openFolder()
      guard try existing.names(of: target).isEmpty else {
        throw EnvelopeError(
          .fileFailure, "The folder \(target) is not empty", advice: "Give the name of a new folder.")
      }
      mode = mode_t(try existing.status(of: target).mode & 0o777)
    }
    target.removeUnfinishedFolders(notify: notify)
    let parent = try target.folder.openFolder()
    while true {
      let temporary = try target.unfinished()
      guard unsafe mkdirat(parent.number, temporary.name, 0o700) == 0 else {
        throw .system("Cannot create a folder beside \(target)", advice: "Choose a place that you can write to.")
      }
      guard let folder = parent.folder(named: temporary.name) else { continue }
      // Before it was locked, another process may have taken it for one that was left, and removed it.
      guard folder.attemptLock() != false, folder.isNamed(temporary.name, in: parent) else { continue }
      return NewFolder(target: target, parent: parent, temporary: temporary, folder: folder, mode: mode)
    }
  }

  private init(
    target: Path, parent: consuming Descriptor, temporary: Path, folder: consuming Descriptor, mode: mode_t?
  ) {
    self.target = target
    self.parent = parent
    self.temporary = temporary
    self.folder = folder
    self.mode = mode
  }

  deinit { if isTemporary { folder.remove(named: temporary.name, from: parent) } }

  /// Opens a folder inside, and creates it and those it lies in if they are missing.
  ///
  /// - Parameter parts: The names on the way to it, none of which may be `..` or have a slash.
  package func makeFolder(_ parts: some Sequence<String>) throws(EnvelopeError) -> Descriptor {
    var current = try Descriptor(copying: folder.number, of: target)
    for part in parts {
      guard unsafe mkdirat(current.number, part, 0o755) == 0 || errno == EEXIST else {
        throw .system("Cannot create the folder \(EnvelopeError.shown(part)) for \(target)")
      }
      guard let next = current.folder(named: part) else {
        throw .system("Cannot open the folder \(EnvelopeError.shown(part)) for \(target)")
      }
      current = next
    }
    return current
  }

  /// Creates a file in a folder inside.
  ///
  /// - Throws: `fileFailure`, also if there is anything of this name.
  package func makeFile(
    _ name: String, in folder: borrowing Descriptor, isExecutable: Bool
  ) throws(EnvelopeError) -> Descriptor {
    let number = unsafe openat(
      folder.number, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isExecutable ? 0o755 : 0o644)
    guard number >= 0 else { throw .system("Cannot create the file \(EnvelopeError.shown(name)) for \(target)") }
    return Descriptor(number)
  }

  /// Gives the folder its permissions, syncs what was written, gives the folder its name, and syncs the folder that it lies in.
  package consuming func finish() throws(EnvelopeError) {
    if let mode, fchmod(folder.number, mode) != 0 { throw .system("Cannot set the permissions of \(target)") }
    // Each file would take as long to sync as all of them.
    guard envelope_syncfs(folder.number) == 0 else { throw .system("Cannot sync \(target)") }
    guard unsafe renameat(parent.number, temporary.name, parent.number, target.name) == 0 else {
      throw .system("Cannot create the folder \(target)", advice: "Give the name of a new folder.")
    }
    isTemporary = false
    try parent.syncFolder(of: target)
  }
}

extension Path {
  /// The path of a folder to create, without links and slashes at the end.
  fileprivate func newFolderPlace() throws(EnvelopeError) -> Path {
    if exists { return resolved }
    var text = string[...]
    while text.utf8.count > 1, text.utf8.last == UInt8(ascii: "/") { text = text.dropLast() }
    let place = Path(String(text))
    guard !place.name.isEmpty, place.name != ".", place.name != ".." else {
      throw EnvelopeError(.fileFailure, "Cannot create the folder \(self)", advice: "Give the name of a new folder.")
    }
    return place
  }

  /// Removes folders of this user that killed processes left when they created this folder.
  ///
  /// A folder whose lock another process holds is being filled. Where the file system has no locks, nothing is removed.
  fileprivate func removeUnfinishedFolders(notify: ((String) -> Void)?) {
    guard let parent = try? folder.openFolder(), let names = try? parent.names(of: folder) else { return }
    for name in names where Self.isUnfinished(name, replacing: keptName) {
      // All checks are of the open folder, and so is the removal of its content.
      guard let abandoned = parent.folder(named: name), (try? abandoned.status(of: self))?.owner == geteuid(),
        abandoned.attemptLock() == true, abandoned.remove(named: name, from: parent)
      else { continue }
      notify?("Removed \(folder.appending(name)), which a command that was killed had left")
    }
  }
}

extension Descriptor {
  /// Removes this folder and all that lies in it; follows no link.
  ///
  /// - Returns: Whether it is removed.
  @discardableResult
  fileprivate func remove(named name: String, from parent: borrowing Descriptor) -> Bool {
    for entry in (try? names(of: Path(name))) ?? [] {
      if let folder = folder(named: entry) {
        folder.remove(named: entry, from: self)
      } else {
        unsafe unlinkat(number, entry, 0)
      }
    }
    guard isNamed(name, in: parent) else { return false }
    return unsafe unlinkat(parent.number, name, AT_REMOVEDIR) == 0
  }
}

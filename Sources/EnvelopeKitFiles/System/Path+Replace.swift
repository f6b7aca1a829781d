// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// How a file is replaced.
package struct Replacement {
  /// Whether the content shows secrets: the file is then for its owner alone, whatever it was before.
  ///
  /// Otherwise it
  /// keeps its permissions and, if this process may set them, its owner, group and access control list.
  package var isSecret: Bool
  /// Whether a file that is there is rewritten and not replaced.
  ///
  /// Ignored for secrets.
  package var isInPlace = false
  /// The setting that has files rewritten in place, for advice.
  package var inPlaceSetting: String?
  /// Whether the new file has no name until it is complete, where the system allows that.
  package var namesLate = true
  /// Whether to remove what killed processes left beside the file when they replaced it.
  ///
  /// Always so for secrets.
  package var removesUnfinished = false
  /// Receives sentences about what is lost or was removed.
  package var notify: ((String) -> Void)?

  package init(isSecret: Bool, notify: ((String) -> Void)? = nil) {
    self.isSecret = isSecret
    self.notify = notify
  }
}

extension Path {
  /// Replaces a file atomically: writes a new one beside it, syncs that, renames it, and syncs the folder.
  ///
  /// A symbolic link is followed, and the file that it leads to is replaced. What is no regular file (a pipe, a
  /// terminal) is written to as it is. Where the system allows it, the new file has no name until it is complete, so
  /// that a process that is killed leaves nothing.
  ///
  /// - Throws: `fileFailure`; what was there is unchanged then, unless it is the folder that cannot be synced.
  ///   `filePermissions` if secrets would go to a pipe or a device of another user, or to a pipe that others can read.
  package func replace(with bytes: RawSpan, _ replacement: Replacement) throws(EnvelopeError) {
    var status = stat()
    if unsafe stat(string, &status) == 0, status.isRegularFile, replacement.isInPlace, !replacement.isSecret {
      return try resolved.rewrite(with: bytes, mode: mode_t(status.st_mode) & 0o777)
    }
    try replace(replacement) { (file) throws(EnvelopeError) in try file.writeAll(bytes, to: self) }
  }

  /// Replaces a file atomically with what `write` writes.
  ///
  /// - Parameters:
  ///   - replacement: How. The file is never rewritten in place.
  ///   - write: Writes to the new file, which is empty, or to what is no regular file. It is called once.
  ///   - confirm: Called right before the new file gets the name, to stop it by an error.
  /// - Throws: As ``replace(with:_:)``; what `write` and `confirm` throw.
  package func replace(
    _ replacement: Replacement, writing write: (borrowing Descriptor) throws(EnvelopeError) -> Void,
    confirming confirm: () throws(EnvelopeError) -> Void = {}
  ) throws(EnvelopeError) {
    var status = stat()
    let exists = unsafe stat(string, &status) == 0
    if exists, !status.isRegularFile { return try writeThrough(isSecret: replacement.isSecret, write) }
    let target = exists ? resolved : self
    if replacement.isSecret || replacement.removesUnfinished { target.removeUnfinished(notify: replacement.notify) }
    try target.replace(replacement, previous: exists ? status : nil, writing: write, confirming: confirm)
    if exists, status.st_nlink > 1 {
      replacement.notify?(
        "\(self) had \(status.st_nlink) names (hard links): the others keep the old content"
          + (replacement.isSecret ? "" : replacement.inPlaceSetting.map { ". To keep the links, set \($0)" } ?? ""))
    }
  }

  private func replace(
    _ replacement: Replacement, previous: stat?, writing write: (borrowing Descriptor) throws(EnvelopeError) -> Void,
    confirming confirm: () throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    var lost: [String] = []
    var file = try NewFile.create(
      beside: self, mode: replacement.isSecret ? 0o600 : 0o644, namingLate: replacement.namesLate)
    if let previous {
      lost = try giveAttributes(previous, to: file.number, replacement)
    }
    try file.write(write)
    try file.finish(replacing: previous != nil, replacement, confirming: confirm) { (copy) throws(EnvelopeError) in
      if let previous { _ = try giveAttributes(previous, to: copy, replacement) }
    }
    if !lost.isEmpty {
      replacement.notify?("\(self) has lost extended attributes: \(lost.joined(separator: ", "))")
    }
  }

  /// Gives a new file what the replaced one had: permissions and, unless it is secret, owner, group and access control.
  ///
  /// - Returns: The names of extended attributes that could not be copied.
  private func giveAttributes(
    _ previous: stat, to number: Int32, _ replacement: Replacement
  ) throws(EnvelopeError) -> [String] {
    // The group may be one's own to give where the owner is not; before the permissions, which this may narrow.
    if !replacement.isSecret, fchown(number, previous.st_uid, previous.st_gid) != 0 {
      _ = fchown(number, uid_t.max, previous.st_gid)
    }
    let mode = replacement.isSecret ? 0o600 : mode_t(previous.st_mode) & 0o7777
    guard fchmod(number, mode) == 0 else { throw .system("Cannot set the permissions of \(self)") }
    return copyAttributes(to: number, withAccessControl: !replacement.isSecret)
  }

  /// Writes to what is no regular file.
  private func writeThrough(
    isSecret: Bool, _ write: (borrowing Descriptor) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    // Before it is opened, because opening a pipe waits for a reader; and after, because it may be another by then.
    var status = stat()
    guard unsafe stat(string, &status) == 0 else { throw .system("Cannot look at \(self)") }
    if isSecret { try checkReceivesSecrets(status) }
    let number = unsafe open(string, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else { throw .system("Cannot open \(self)") }
    let file = Descriptor(number)
    guard unsafe fstat(number, &status) == 0 else { throw .system("Cannot look at \(self)") }
    guard !status.isRegularFile else {
      throw EnvelopeError(.fileFailure, "\(self) was replaced meanwhile", advice: "Run the command again.")
    }
    if isSecret { try checkReceivesSecrets(status) }
    try write(file)
  }

  /// Refuses a pipe or a device of another user, and a named pipe that other users can read.
  private func checkReceivesSecrets(_ status: stat) throws(EnvelopeError) {
    // What this process was started with, its parent chose.
    let isDescriptor =
      ["/dev/fd", "/proc/self/fd"].contains(folder.string) && !name.isEmpty && name.utf8.allSatisfy(\.isDigit)
    let isInherited = isDescriptor || ["/dev/stdout", "/dev/stderr"].contains(string)
    guard isInherited || status.st_uid == geteuid() || status.st_uid == 0 else {
      throw EnvelopeError(
        .filePermissions,
        "\(self) belongs to the user with the id \(status.st_uid), who could read the secrets written to it",
        advice: "Write to a file or a pipe of your own, or to standard output.")
    }
    let mode = mode_t(status.st_mode)
    guard isInherited || mode & S_IFMT != S_IFIFO || mode & 0o044 == 0 else {
      throw EnvelopeError(
        .filePermissions, "Other users can read the pipe \(self), and so the secrets written to it",
        advice: advice(running: "chmod 600"))
    }
  }
}

extension stat {
  var isRegularFile: Bool { mode_t(st_mode) & S_IFMT == S_IFREG }
}

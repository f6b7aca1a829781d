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
    let exists = unsafe stat(string, &status) == 0
    if exists, !status.isRegularFile {
      return try writeThrough(bytes, isSecret: replacement.isSecret)
    }
    let target = exists ? resolved : self
    if exists, replacement.isInPlace, !replacement.isSecret {
      return try target.rewrite(with: bytes, mode: mode_t(status.st_mode) & 0o777)
    }
    if replacement.isSecret { target.removeUnfinished(notify: replacement.notify) }
    let previous = exists ? status : nil
    if try !target.replace(with: bytes, replacement, previous, namingLate: replacement.namesLate) {
      _ = try target.replace(with: bytes, replacement, previous, namingLate: false)
    }
    if exists, status.st_nlink > 1 {
      replacement.notify?(
        "\(self) had \(status.st_nlink) names (hard links): the others keep the old content"
          + (replacement.isSecret ? "" : replacement.inPlaceSetting.map { ". To keep the links, set \($0)" } ?? ""))
    }
  }

  /// - Returns: Whether it was done: a file without a name cannot get one on every file system.
  private func replace(
    with bytes: RawSpan, _ replacement: Replacement, _ previous: stat?, namingLate: Bool
  ) throws(EnvelopeError) -> Bool {
    var lost: [String] = []
    var file = try NewFile.create(beside: self, mode: replacement.isSecret ? 0o600 : 0o644, namingLate: namingLate)
    if let previous {
      // The group may be one's own to give where the owner is not; before the permissions, which this may narrow.
      if !replacement.isSecret, fchown(file.number, previous.st_uid, previous.st_gid) != 0 {
        _ = fchown(file.number, uid_t.max, previous.st_gid)
      }
      let mode = replacement.isSecret ? 0o600 : mode_t(previous.st_mode) & 0o7777
      guard fchmod(file.number, mode) == 0 else { throw .system("Cannot set the permissions of \(self)") }
      lost = copyAttributes(to: file.number, withAccessControl: !replacement.isSecret)
    }
    guard try file.finish(with: bytes, replacing: previous != nil, replacement) else { return false }
    if !lost.isEmpty {
      replacement.notify?("\(self) has lost extended attributes: \(lost.joined(separator: ", "))")
    }
    return true
  }

  /// Writes to what is no regular file.
  private func writeThrough(_ bytes: RawSpan, isSecret: Bool) throws(EnvelopeError) {
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
    try file.writeAll(bytes, to: self)
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

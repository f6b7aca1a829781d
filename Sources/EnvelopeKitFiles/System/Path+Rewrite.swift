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

extension Path {
  /// Rewrites a file where it is, for one that no other can replace.
  ///
  /// It keeps its links, owner and attributes.
  ///
  /// This is not atomic: a reader may see a part of the new content. So a synced copy of the old content lies beside the
  /// file until the new content is synced, and stays there if something fails.
  ///
  /// - Throws: `fileFailure`, with the place of the copy if the file may be damaged.
  func rewrite(with bytes: RawSpan, mode: mode_t) throws(EnvelopeError) {
    let copy = folder.appending("\(keptName).envelope-old")
    let number = unsafe open(copy.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard number >= 0 else {
      guard errno == EEXIST else { throw .system("Cannot make a copy beside \(self) before it is rewritten in place") }
      throw EnvelopeError(
        .fileFailure, "\(copy) already exists: rewriting \(self) in place was interrupted before",
        advice: "Compare the two, keep the one that opens under the name \(self), and move the copy away.")
    }
    let file: Descriptor
    do throws(EnvelopeError) {
      let backup = Descriptor(number)
      let old = try openForReading().readAll(limit: .max - 4096, of: self)
      try old.withBytes { (old) throws(EnvelopeError) in try backup.writeAll(old, to: copy) }
      guard fsync(number) == 0 else { throw EnvelopeError.system("Cannot sync \(copy)") }
      try folder.openForReading().syncFolder(of: copy)
      let target = unsafe open(string, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
      guard target >= 0 else { throw EnvelopeError.system("Cannot open \(self)") }
      file = Descriptor(target)
    } catch {
      unsafe unlink(copy.string)
      throw error
    }
    do throws(EnvelopeError) {
      try file.writeAll(bytes, to: self)
      guard ftruncate(file.number, off_t(bytes.byteCount)) == 0, fsync(file.number) == 0 else {
        throw EnvelopeError.system("Cannot write \(self)")
      }
    } catch {
      throw EnvelopeError(error.code, error.message, advice: "It may be damaged. Its old content is in \(copy).")
    }
    unsafe unlink(copy.string)
  }
}

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

extension Path {
  /// The names of what lies in the folder, in no order.
  ///
  /// - Throws: `fileFailure` where it cannot be read.
  package func names() throws(EnvelopeError) -> [String] { try openFolder().names(of: self) }

  /// The path without links, or the path itself where it cannot be told.
  package var resolved: Path {
    guard let resolved = unsafe realpath(string, nil) else { return self }
    defer { unsafe free(resolved) }
    return unsafe Path(String(cString: resolved))
  }

  /// Whether all users may create files in the folder but remove only their own, as in /tmp.
  package var isSharedFolder: Bool {
    var status = stat()
    guard unsafe stat(string, &status) == 0 else { return false }
    return mode_t(status.st_mode) & (S_IFMT | 0o1002) == S_IFDIR | 0o1002
  }

  /// Makes the folder, and those it lies in, for the owner alone, where they are missing; a power failure takes none of
  /// them away again.
  package func makeFolder() throws(EnvelopeError) {
    guard !exists else { return }
    try folder.makeFolder()
    guard unsafe mkdir(string, 0o700) == 0 || errno == EEXIST else { throw .system("Cannot create the folder \(self)") }
    // One that may be written to and not read is not synced.
    if let folder = try? folder.openForReading() { try folder.syncFolder(of: self) }
  }
}

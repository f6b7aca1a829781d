// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Descriptor {
  /// Overwrites and removes every file in this folder, such as the backups that editors make, and nested folders.
  ///
  /// Works on open folders and never by path, so no link redirects it, whenever another user puts it there.
  func wipeContents() {
    for name in (try? names(of: Path(""))) ?? [] {
      if let nested = folder(named: name) {
        nested.wipeContents()
        unsafe unlinkat(number, name, AT_REMOVEDIR)
      } else {
        overwriteWithZeros(name)
        unsafe unlinkat(number, name, 0)
      }
    }
  }

  /// Overwrites a file's content in place, although storage may keep the old blocks.
  private func overwriteWithZeros(_ name: String) {
    // Without waiting, in case it is a pipe.
    let opened = unsafe openat(number, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard opened >= 0 else { return }
    let file = Descriptor(opened)
    guard let status = try? file.status(of: Path(name)), status.isRegular else { return }
    let zeros = [UInt8](repeating: 0, count: min(status.byteCount, 4 * Document.byteLimit))
    try? unsafe file.writeAll(zeros.span.bytes, to: Path(name))
    fsync(opened)
  }
}

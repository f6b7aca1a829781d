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

/// Folders that are open: a name in one cannot be redirected by replacing a part of the path to it.
extension Descriptor {
  /// The names in this folder, in no order.
  ///
  /// - Throws: `fileFailure` if it cannot be read.
  package func names(of path: Path) throws(EnvelopeError) -> [String] {
    // Closing the stream closes its descriptor, which therefore is a copy.
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw .system("Cannot look into \(path)") }
    guard let folder = unsafe fdopendir(copy) else {
      let error = EnvelopeError.system("Cannot look into \(path)")
      close(copy)
      throw error
    }
    defer { unsafe closedir(folder) }
    // The copy shares its position with this descriptor.
    unsafe rewinddir(folder)
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw .system("Cannot look into \(path)") }
    return names
  }

  /// Opens a folder in this one.
  ///
  /// - Returns: Nil if the name is not a folder itself, such as a symbolic link to one.
  package func folder(named name: String) -> Descriptor? {
    let folder = unsafe openat(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    return folder >= 0 ? Descriptor(folder) : nil
  }

  /// Whether a name in a folder stands for the file that is open here.
  package func isNamed(_ name: String, in folder: borrowing Descriptor) -> Bool {
    var (here, there) = (stat(), stat())
    guard unsafe fstat(number, &here) == 0,
      unsafe fstatat(folder.number, name, &there, AT_SYMLINK_NOFOLLOW) == 0
    else { return false }
    return here.isSame(as: there)
  }
}

extension Path {
  /// Opens the folder.
  ///
  /// - Throws: `fileFailure` if it cannot be read, or is no folder.
  package func openFolder() throws(EnvelopeError) -> Descriptor {
    let number = unsafe open(string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw .system("Cannot look into \(self)") }
    return Descriptor(number)
  }
}

extension stat {
  func isSame(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CSystemCalls
internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Descriptor {
  /// How to open a folder to look names up in it, which needs no permission to list it.
  static var searchFlags: Int32 {
    #if os(Linux)
      // The value of O_PATH, whose definition Swift does not import.
      return 0o10000000 | O_DIRECTORY | O_CLOEXEC
    #else
      return O_SEARCH | O_DIRECTORY | O_CLOEXEC
    #endif
  }

  /// Where a symbolic link in this folder leads.
  ///
  /// - Throws: `fileFailure` if it is none any more, or leads to a path that is not UTF-8.
  func target(ofLink name: String, at path: Path) throws(EnvelopeError) -> String {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlinkat(number, name, &target, target.count)
    guard count > 0 else { throw .system("Cannot follow the symbolic link \(path)") }
    guard let target = String(validating: target[..<count].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self) else {
      throw EnvelopeError(.fileFailure, "The symbolic link \(path) leads to a path that is not UTF-8")
    }
    return target
  }

  /// Whether nobody can write the file by way of the mount that it was opened through.
  func isOnReadOnlyMount(at path: Path) throws(EnvelopeError) -> Bool {
    var status = statvfs()
    guard unsafe fstatvfs(number, &status) == 0 else { throw .system("Cannot look at \(path)") }
    return UInt(status.f_flag) & UInt(ST_RDONLY) != 0
  }

  /// Whether the file has an access control list beside its mode.
  package var hasAccessControlList: Bool { unsafe envelope_fgetxattr(number, "system.posix_acl_access", nil, 0) > 0 }
}

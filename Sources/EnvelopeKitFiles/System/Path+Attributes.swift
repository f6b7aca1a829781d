// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CSystemCalls

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Path {
  /// The most bytes of an attribute's value, and of all names together, that Linux has.
  private static let attributeByteLimit = 65_536

  /// What belongs to the content: signatures of it, and rights that it has as a program.
  private static let contentBound: Set = ["security.ima", "security.evm", "security.capability"]

  /// Whether an access control list gives other users rights on the file, as Linux keeps it.
  package var hasAccessControlList: Bool { unsafe envelope_getxattr(string, "system.posix_acl_access", nil, 0) > 0 }

  /// Copies the extended attributes of the file at this path to another.
  ///
  /// - Parameter withAccessControl: Whether to copy the access control list too.
  /// - Returns: The names of those that could not be copied.
  func copyAttributes(to file: Int32, withAccessControl: Bool) -> [String] {
    var lost: [String] = []
    for name in attributeNames where !Self.contentBound.contains(name) {
      guard withAccessControl || !name.hasPrefix("system.") else { continue }
      guard let value = attribute(name) else { continue }
      let isSet = unsafe value.withUnsafeBytes {
        unsafe envelope_fsetxattr(file, name, $0.baseAddress, $0.count) == 0
      }
      // A label that the system sets by itself may not be set, and is there all the same.
      if !isSet, attribute(name, of: "/dev/fd/\(file)") != value { lost.append(name) }
    }
    #if canImport(Darwin)
      let source = unsafe open(string, O_RDONLY | O_CLOEXEC)
      if withAccessControl, source < 0 || unsafe fcopyfile(source, file, nil, copyfile_flags_t(COPYFILE_ACL)) != 0 {
        lost.append("the access control list")
      }
      close(source)
    #endif
    return lost
  }

  private var attributeNames: [String] {
    var names = [UInt8](repeating: 0, count: Self.attributeByteLimit)
    let count = unsafe names.withUnsafeMutableBytes {
      unsafe envelope_listxattr(string, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard count > 0 else { return [] }
    return names[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  private func attribute(_ name: String, of path: String? = nil) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: Self.attributeByteLimit)
    let count = unsafe value.withUnsafeMutableBytes {
      unsafe envelope_getxattr(path ?? string, name, $0.baseAddress, $0.count)
    }
    return count < 0 ? nil : Array(value[..<count])
  }
}

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

/// The group that a user has to themselves: Linux distributions create one for each user, and then set the umask 002.
enum PrivateGroup {
  /// Whether a group is that of the process's user alone.
  ///
  /// Only the system's own files count. A name service, which could add members, is not called: it needs libraries that
  /// a static program does not have. A group that is not in the files is not private.
  static func isOwn(_ group: UInt32) -> Bool {
    guard let users = lines(of: "/etc/passwd"), let groups = lines(of: "/etc/group") else { return false }
    return isPrivate(group, of: geteuid(), users: users, groups: groups)
  }

  /// - Parameters:
  ///   - users: The lines of /etc/passwd.
  ///   - groups: The lines of /etc/group.
  static func isPrivate(_ group: UInt32, of user: UInt32, users: [String], groups: [String]) -> Bool {
    let users = users.map { fields(of: $0) }.filter { $0.count > 3 }
    let names = Set(users.filter { UInt32($0[2]) == user }.map { $0[0] })
    let entries = groups.map { fields(of: $0) }.filter { $0.count > 3 && UInt32($0[2]) == group }
    guard !entries.isEmpty, !users.contains(where: { UInt32($0[3]) == group && UInt32($0[2]) != user }) else {
      return false
    }
    return entries.allSatisfy { entry in
      names.contains(entry[0]) && entry[3].split(separator: ",").allSatisfy { names.contains(String($0)) }
    }
  }

  private static func fields(of line: String) -> [String] {
    line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
  }

  private static func lines(of path: String) -> [String]? {
    guard let text = try? Path(path).openForReading().readAll(limit: 16 << 20, of: Path(path)) else { return nil }
    return text.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }.split(separator: "\n").map(
      String.init)
  }
}

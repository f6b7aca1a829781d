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
  private static let markByteCount = 9

  /// A new name beside the file for one that will replace it.
  func unfinished() throws(EnvelopeError) -> Path {
    let mark = Base64URL.encode(try Randomness.bytes(Self.markByteCount))
    return folder.appending(".\(keptName).\(mark).new")
  }

  /// Whether a file of this name was written beside another to replace it: a process that was killed leaves such a file.
  ///
  /// - Parameter replaced: The name of the other, or its first 100 bytes; nil for any.
  package static func isUnfinished(_ name: String, replacing replaced: String? = nil) -> Bool {
    let suffix = Array(".new".utf8)
    let name = name.utf8
    guard name.first == UInt8(ascii: "."), name.suffix(suffix.count).elementsEqual(suffix),
      let dot = name.dropLast(suffix.count).lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex,
      Base64URL.decode(name[name.index(after: dot)...].dropLast(suffix.count))?.count == markByteCount
    else { return false }
    return replaced.map { name[name.index(after: name.startIndex)..<dot].elementsEqual($0.utf8) } ?? true
  }

  /// Removes files of this user that killed processes left when they replaced this file.
  ///
  /// A file whose lock another process holds is being written. Where the file system has no locks, nothing is removed.
  func removeUnfinished(notify: ((String) -> Void)?) {
    guard let names = try? folder.names() else { return }
    for name in names where Self.isUnfinished(name, replacing: keptName) {
      let place = folder.appending(name)
      guard place.isAbandoned, unsafe unlink(place.string) == 0 else { continue }
      notify?("Removed \(place), which a command that was killed had left")
    }
  }

  private var isAbandoned: Bool {
    // Without waiting, in case it is a pipe.
    let number = unsafe open(string, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return false }
    let file = Descriptor(number)
    guard let status = try? file.status(of: self), status.isRegular, status.owner == geteuid() else { return false }
    return (try? AdvisoryLock.attempt(on: number, of: self)) == .taken
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A header's bytes put together by hand, as nobody should.
struct RawHeader {
  var magic = Array("EK".utf8)
  var version: UInt8 = 1
  var kind: UInt8 = 1
  var suite: UInt8 = 1
  var salt = [UInt8](repeating: 7, count: 16)
  var contextCheck = [UInt8](repeating: 0, count: 4)
  /// Nil announces the entries that there are.
  var keyCount: UInt8?
  var entries = [Entry()]
  var rest = [UInt8](repeating: 9, count: 48)

  struct Entry {
    var scheme: UInt8 = 1
    var keyID = Array("abcdefghijkl.1".utf8)
    /// Nil announces the lengths that there are.
    var keyIDLength: UInt8?
    var wrapped = [UInt8](repeating: 5, count: 72)
    var wrappedLength: UInt16?
  }

  var bytes: [UInt8] {
    var bytes = magic
    bytes += [version, kind, suite]
    bytes += salt
    bytes += contextCheck
    bytes.append(keyCount ?? UInt8(entries.count))
    for entry in entries {
      let length = entry.wrappedLength ?? UInt16(entry.wrapped.count)
      bytes += [entry.scheme, entry.keyIDLength ?? UInt8(entry.keyID.count)]
      bytes += entry.keyID
      bytes += [UInt8(length >> 8), UInt8(length & 0xff)]
      bytes += entry.wrapped
    }
    return bytes + rest
  }
}

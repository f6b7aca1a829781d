// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Times as text (RFC 3339), and durations such as `15m`.
enum TimeText {
  /// The nanoseconds since 1970 of a time; nil if the text is none, or the time is before 1970 or after 2261.
  static func nanoseconds(of text: String) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count, bytes[range].allSatisfy(\.isDigit) else { return nil }
      return bytes[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
    func isByte(_ offset: Int, _ characters: String) -> Bool {
      offset < bytes.count && characters.utf8.contains(bytes[offset])
    }
    guard let year = number(0..<4), isByte(4, "-"), let month = number(5..<7), isByte(7, "-"),
      let day = number(8..<10), isByte(10, "Tt "), let hour = number(11..<13), isByte(13, ":"),
      let minute = number(14..<16), isByte(16, ":"), let second = number(17..<19),
      (1970...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
      second <= 60
    else { return nil }
    var (offset, fraction, digits) = (19, Int64(0), 0)
    if isByte(offset, ".") {
      offset += 1
      let start = offset
      while offset < bytes.count, bytes[offset].isDigit {
        if digits < 9 { (fraction, digits) = (fraction * 10 + Int64(bytes[offset] - UInt8(ascii: "0")), digits + 1) }
        offset += 1
      }
      guard offset > start else { return nil }
      while digits < 9 { (fraction, digits) = (fraction * 10, digits + 1) }
    }
    var zone: Int64 = 0
    if isByte(offset, "Zz") {
      offset += 1
    } else {
      guard isByte(offset, "+-"), let hours = number(offset + 1..<offset + 3), isByte(offset + 3, ":"),
        let minutes = number(offset + 4..<offset + 6), hours < 24, minutes < 60
      else { return nil }
      zone = (hours * 60 + minutes) * (bytes[offset] == UInt8(ascii: "-") ? -1 : 1)
      offset += 6
    }
    guard offset == bytes.count else { return nil }
    let days = Int64(CalendarDate(year: Int(year), month: Int(month), day: Int(day)).daysSince1970)
    let seconds = days * 86_400 + hour * 3600 + (minute - zone) * 60 + second
    guard seconds < Int64.max / 1_000_000_000 else { return nil }
    return seconds * 1_000_000_000 + fraction
  }

  /// The nanoseconds since 1970 that `--since` means: a time, or a duration before now.
  ///
  /// - Throws: `usage` if the text is neither.
  static func start(_ text: String, now: UInt64 = Clock.now) throws(EnvelopeError) -> Int64 {
    if let time = nanoseconds(of: text) { return time }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), text.count > 1, text.utf8.dropLast().allSatisfy(\.isDigit),
      let count = Int64(text.dropLast()), count <= 1_000_000_000 / unit * 10
    else {
      throw EnvelopeError(
        .usage, "\(EnvelopeError.quoted(text)) is neither a time nor a duration",
        advice: "For example: --since 2026-11-27T03:00:00Z, or --since 15m, with s, m, h or d")
    }
    return max(0, Int64(clamping: now) - count * unit) * 1_000_000_000
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Parses a date and time in ISO 8601, from its first byte to its last.
  struct ISO8601Reader {
    /// The bytes that have not been read.
    var text: ArraySlice<UInt8>

    /// Returns the seconds from 1970 to the moment, or nil if the text is not a moment after 1969.
    mutating func readMoment() -> UInt64? {
      guard let day = readDay(), let separator = text.popFirst(), "Tt ".utf8.contains(separator),
        let time = readTime(), let offset = readOffset(), text.isEmpty
      else { return nil }
      return UInt64(exactly: day * 86400 + time - offset)
    }

    /// Reads a date, and returns its days since 1970.
    private mutating func readDay() -> Int? {
      guard let year = readNumber(digits: 4) else { return nil }
      let isExtended = take("-")
      guard let month = readNumber(digits: 2), (1...12).contains(month), !isExtended || take("-"),
        let day = readNumber(digits: 2), (1...31).contains(day)
      else { return nil }
      let date = CalendarDate(year: year, month: month, day: day)
      // A day that the month does not have becomes one of the next month.
      return CalendarDate(daysSince1970: date.daysSince1970) == date ? date.daysSince1970 : nil
    }

    /// Reads a time of day, and returns its complete seconds.
    private mutating func readTime() -> Int? {
      guard let hour = readNumber(digits: 2), hour < 24 else { return nil }
      let isExtended = take(":")
      guard let minute = readNumber(digits: 2), minute < 60 else { return nil }
      let minutes = (hour * 60 + minute) * 60
      guard isExtended ? take(":") : text.first?.isDigit ?? false else { return minutes }
      guard let second = readNumber(digits: 2), second <= 60 else { return nil }
      if take(".") || take(",") {
        guard text.first?.isDigit ?? false else { return nil }
        text = text.drop { $0.isDigit }
      }
      return minutes + second
    }

    /// Reads `Z` or the offset of a time zone, and returns its seconds.
    private mutating func readOffset() -> Int? {
      if take("Z") || take("z") { return 0 }
      let isWest = take("-")
      guard isWest || take("+"), let hours = readNumber(digits: 2), hours < 24 else { return nil }
      let isExtended = take(":")
      guard isExtended || !text.isEmpty else { return hours * (isWest ? -3600 : 3600) }
      guard let minutes = readNumber(digits: 2), minutes < 60 else { return nil }
      return (hours * 60 + minutes) * (isWest ? -60 : 60)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard let byte = text.first, Unicode.Scalar(byte) == character else { return false }
      text.removeFirst()
      return true
    }

    private mutating func readNumber(digits count: Int) -> Int? {
      guard text.count >= count, text.prefix(count).allSatisfy({ $0.isDigit }) else { return nil }
      defer { text = text.dropFirst(count) }
      return text.prefix(count).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
  }
#endif

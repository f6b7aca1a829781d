// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Moments as AWS writes them, in the Gregorian calendar and UTC.
  enum Timestamp {
    /// Seconds since 1970 as 20150830T123600Z.
    static func basic(_ seconds: UInt64) -> String {
      let (day, time) = (Int(seconds / 86400), Int(seconds % 86400))
      let date = CalendarDate(daysSince1970: day)
      return padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2) + "T" + padded(time / 3600, 2)
        + padded(time / 60 % 60, 2) + padded(time % 60, 2) + "Z"
    }

    /// Returns the seconds from 1970 to a date and time in ISO 8601, or nil if the text is not one.
    ///
    /// Date and time are each in the extended format or the basic one, as in `2026-11-24T02:25:11Z` and
    /// `20261124T022511+0100`. A space may separate them, and `t` and `z` may be lower case (RFC 3339). Seconds may be
    /// missing; fractions of a second are left out. The offset from UTC must be there: a local time is no moment.
    static func seconds(of text: String) -> UInt64? {
      var reader = ISO8601Reader(text: Array(text.utf8)[...])
      return reader.readMoment()
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
  }
#endif

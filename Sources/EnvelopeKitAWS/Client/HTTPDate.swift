// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The time in the header `date` of a response (RFC 9110, section 5.6.7).
  enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 of a time such as `Fri, 27 Nov 2026 13:54:02 GMT`, or nil if the text is not one.
    static func seconds(of text: String) -> UInt64? {
      let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard text.utf8.count == 29, words.count == 6, words[5] == "GMT",
        let month = months.firstIndex(of: words[2]),
        let day = number(words[1], digits: 2), let year = number(words[3], digits: 4), year >= 1970
      else { return nil }
      let time = words[4].split(separator: ":", omittingEmptySubsequences: false).map { number(String($0), digits: 2) }
      guard time.count == 3, (1...31).contains(day), let hour = time[0], let minute = time[1], let second = time[2],
        hour < 24, minute < 60, second <= 60
      else { return nil }
      let days = CalendarDate(year: year, month: month + 1, day: day).daysSince1970
      return UInt64(days * 86400 + hour * 3600 + minute * 60 + second)
    }

    private static func number(_ text: String, digits: Int) -> Int? {
      text.utf8.count == digits && text.utf8.allSatisfy { $0.isDigit } ? Int(text) : nil
    }
  }
#endif

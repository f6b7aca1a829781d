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

    /// Seconds since 1970 of a moment such as 2026-11-24T02:25:11Z, or nil where the text is not one.
    ///
    /// Fractions of a second are left out.
    static func seconds(of text: String) -> UInt64? {
      let bytes = Array(text.utf8)
      guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"),
        bytes.count == 20 || isFraction(bytes[19..<bytes.count - 1])
      else { return nil }
      let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
      guard separators.allSatisfy({ bytes[$0].asCharacter == $1 }) else { return nil }
      var numbers: [Int] = []
      for range in [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19] {
        guard bytes[range].allSatisfy({ $0.isASCIIDigit }),
          let number = Int(String(decoding: bytes[range], as: UTF8.self))
        else { return nil }
        numbers.append(number)
      }
      let (year, month, day) = (numbers[0], numbers[1], numbers[2])
      guard year >= 1970, (1...12).contains(month), (1...31).contains(day), numbers[3] < 24, numbers[4] < 60,
        numbers[5] <= 60
      else { return nil }
      let days = CalendarDate(year: year, month: month, day: day).daysSince1970
      return UInt64(days * 86400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5])
    }

    private static func isFraction(_ bytes: ArraySlice<UInt8>) -> Bool {
      bytes.count > 1 && bytes.first == UInt8(ascii: ".") && bytes.dropFirst().allSatisfy { $0.isASCIIDigit }
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
  }

  extension UInt8 {
    fileprivate var asCharacter: Character { Character(Unicode.Scalar(self)) }
    fileprivate var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  }
#endif

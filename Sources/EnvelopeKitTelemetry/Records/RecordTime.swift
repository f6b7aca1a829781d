// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  package import EnvelopeKit

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// The time of a record, in milliseconds since 1970 (UTC).
  package struct RecordTime: Sendable {
    package let milliseconds: Int64

    /// The system's wall clock.
    ///
    /// A process that was frozen, as AWS Lambda's are, sees how much time has passed.
    package static var now: RecordTime {
      var time = timespec()
      unsafe clock_gettime(CLOCK_REALTIME, &time)
      return RecordTime(milliseconds: max(0, Int64(time.tv_sec)) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Whether a time has passed since another, or the clock was set back behind that.
    func isAfter(_ other: RecordTime, by duration: Int64) -> Bool {
      milliseconds < other.milliseconds || milliseconds - other.milliseconds >= duration
    }

    /// Appends it as RFC 3339 has it: `2026-11-27T03:12:05.123Z`.
    package func append(to output: inout GrowingBuffer) {
      let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
      let (year, month, day) = Self.date(days: Int(days))
      append(year, 4, to: &output)
      for part in [month, day] {
        output.append(UInt8(ascii: "-"))
        append(part, 2, to: &output)
      }
      let time = Int(rest)
      output.append(UInt8(ascii: "T"))
      append(time / 3_600_000, 2, to: &output)
      output.append(UInt8(ascii: ":"))
      append(time / 60_000 % 60, 2, to: &output)
      output.append(UInt8(ascii: ":"))
      append(time / 1000 % 60, 2, to: &output)
      output.append(UInt8(ascii: "."))
      append(time % 1000, 3, to: &output)
      output.append(UInt8(ascii: "Z"))
    }

    private func append(_ number: Int, _ digits: Int, to output: inout GrowingBuffer) {
      if digits > 1 { append(number / 10, digits - 1, to: &output) }
      output.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    /// The date of a day, counted from 1970-01-01, in the Gregorian calendar.
    private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
      // Years are counted from March, so that the day that a leap year adds is their last.
      let shifted = days + 719_468
      let era = shifted / 146_097
      let dayOfEra = shifted % 146_097
      let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
      let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
      let monthFromMarch = (5 * dayOfYear + 2) / 153
      let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
      return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
  }
#endif

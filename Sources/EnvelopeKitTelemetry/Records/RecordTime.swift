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
      let date = CalendarDate(daysSince1970: Int(days))
      append(date.year, 4, to: &output)
      for part in [date.month, date.day] {
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
  }
#endif

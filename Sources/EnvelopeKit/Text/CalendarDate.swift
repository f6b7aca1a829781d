// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A day in the Gregorian calendar, from the year 1 on.
///
/// The core has no Foundation, and moments are written in several forms.
package struct CalendarDate: Sendable, Hashable {
  package let year: Int
  /// 1 to 12.
  package let month: Int
  /// 1 to 31.
  package let day: Int

  // Days are counted from 1 March of the year 0 on, so that the leap day is the last of its year.
  private static let daysBefore1970 = 719_468
  private static let daysOfEra = 146_097

  /// Creates a date; whether the month has such a day is not checked.
  package init(year: Int, month: Int, day: Int) { (self.year, self.month, self.day) = (year, month, day) }

  /// The date of a day, counted from 1970-01-01.
  package init(daysSince1970: Int) {
    let shifted = daysSince1970 + Self.daysBefore1970
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: Self.daysOfEra)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  }

  /// How many days after 1970-01-01 it is.
  package var daysSince1970: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let (era, yearOfEra) = shiftedYear.quotientAndRemainder(dividingBy: 400)
    return era * Self.daysOfEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - Self.daysBefore1970
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Int {
  /// A number of bytes in decimal units, rounded down: `512 bytes`, `1.2 GB`, `340 MB`.
  var byteText: String {
    guard self >= 1000 else { return counted("byte") }
    var (unit, next) = (1000, 0)
    let names = ["kB", "MB", "GB", "TB", "PB", "EB"]
    while next + 1 < names.count, self / unit >= 1000 {
      unit *= 1000
      next += 1
    }
    let whole = self / unit
    return whole < 10 ? "\(whole).\(self % unit * 10 / unit) \(names[next])" : "\(whole) \(names[next])"
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// The names that X-Ray takes for segments and subsegments.
  enum SegmentName {
    /// Returns the name with `_` in place of characters that X-Ray refuses, cut to 200 UTF-16 units, never empty.
    ///
    /// Source: AWS X-Ray, segment documents: Unicode letters, numbers and whitespace, and `_.:/%&#=+\-@`.
    static func restricted(_ name: String) -> String {
      var restricted = ""
      var length = 0
      for scalar in name.unicodeScalars {
        let taken = substitute(for: scalar)
        length += taken.utf16.count
        guard length <= TraceLimits.segmentNameLength else { break }
        restricted.unicodeScalars.append(taken)
      }
      return restricted.isEmpty ? "unnamed" : restricted
    }

    private static func substitute(for scalar: Unicode.Scalar) -> Unicode.Scalar {
      if scalar.isASCII {
        let byte = UInt8(ascii: scalar)
        let isTaken = isLetterOrDigit(byte) || "_.:/%&#=+\\-@ ".utf8.contains(byte)
        return isTaken ? scalar : (0x09...0x0d).contains(byte) ? " " : "_"
      }
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
        .letterNumber, .otherNumber:
        return scalar
      case .spaceSeparator, .lineSeparator, .paragraphSeparator: return " "
      default: return "_"
      }
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
      byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26
    }
  }
#endif

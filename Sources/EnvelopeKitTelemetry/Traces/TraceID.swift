// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// The id of a trace, as AWS X-Ray writes it: `1-`, eight hexadecimal digits of epoch seconds, `-`, 24 random digits.
  package struct TraceID: Hashable, Sendable {
    let seconds: UInt32
    let high: UInt32
    let low: UInt64

    /// Generates an id.
    ///
    /// - Parameter nanoseconds: The start of the trace since 1970.
    init(startingAt nanoseconds: UInt64) {
      var random = RandomIdentifiers()
      seconds = UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000)
      high = UInt32(truncatingIfNeeded: random.next())
      low = random.next()
    }

    /// Returns nil unless the text is an id of version 1.
    init?(_ text: some BidirectionalCollection<UInt8>) {
      let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0].elementsEqual("1".utf8),
        let seconds = Hexadecimal.value(of: parts[1], digits: 8), parts[2].count == 24,
        let high = Hexadecimal.value(of: parts[2].prefix(8), digits: 8),
        let low = Hexadecimal.value(of: parts[2].suffix(16), digits: 16)
      else { return nil }
      self.seconds = UInt32(truncatingIfNeeded: seconds)
      self.high = UInt32(truncatingIfNeeded: high)
      self.low = low
    }

    /// The id in lower-case digits.
    package var text: String {
      "1-" + Hexadecimal.text(of: UInt64(seconds), digits: 8) + "-" + Hexadecimal.text(of: UInt64(high), digits: 8)
        + Hexadecimal.text(of: low, digits: 16)
    }
  }

  /// The id of a segment or subsegment: 16 hexadecimal digits.
  package struct XRaySegmentID: Hashable, Sendable {
    let value: UInt64

    /// Generates a random id.
    init() {
      var random = RandomIdentifiers()
      value = max(1, random.next())
    }

    /// Returns nil unless the text is 16 hexadecimal digits.
    init?(_ text: some Collection<UInt8>) {
      guard let value = Hexadecimal.value(of: text, digits: 16) else { return nil }
      self.value = value
    }

    /// The id in lower-case digits.
    package var text: String { Hexadecimal.text(of: value, digits: 16) }
  }

  /// Random numbers for ids, from the kernel at the moment of use: a forked process must not repeat an id.
  private struct RandomIdentifiers: RandomNumberGenerator {
    mutating func next() -> UInt64 {
      // An id is not secret. If libsodium cannot start, the standard library's generator is as good.
      guard let bytes = try? Randomness.bytes(8) else { return .random(in: 0 ... .max) }
      return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  /// Hexadecimal numbers of a fixed number of digits.
  enum Hexadecimal {
    static func text(of value: UInt64, digits: Int) -> String {
      let digitBytes: [UInt8] = (0..<digits).map { place in
        let digit = UInt8(truncatingIfNeeded: value >> UInt64((digits - 1 - place) * 4)) & 15
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      }
      return String(decoding: digitBytes, as: UTF8.self)
    }

    /// Returns nil unless the text has exactly that many digits, in either case.
    ///
    /// At most 16 are supported.
    static func value(of text: some Collection<UInt8>, digits: Int) -> UInt64? {
      guard text.count == digits else { return nil }
      var value: UInt64 = 0
      for byte in text {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
        default: return nil
        }
        value = value << 4 | UInt64(digit)
      }
      return value
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@testable import EnvelopeKitTesting

@Suite(.timeLimit(.minutes(20))) struct KeySearchTests {
  private static let key = (0..<32).map { UInt8(truncatingIfNeeded: 201 &- $0 &* 37) }

  private func shows(_ text: String) -> Bool { KeySearch.shows(text, unsafe Self.key.span.bytes) }

  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  @Test func everyFormIsFound() {
    let key = Self.key
    struct Careless {
      let key: [UInt8]
    }
    let forms = [
      Self.hex(key), Self.hex(key).uppercased(), "0x" + Self.hex(key.suffix(16)),
      "key=" + Self.hex(key.prefix(16)) + ";",
      Self.hex(key[5..<24]), Data(key).base64EncodedString(), Data([1] + key).base64EncodedString(),
      Data([1, 2] + key + [3]).base64EncodedString(), Data([1, 2, 3] + key).base64EncodedString(),
      Data(key).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""),
      "\(key)", "\(key.suffix(4))", key.map { String($0) }.joined(separator: ","), shown(Careless(key: key)),
      String(String.UnicodeScalarView(key.map { Unicode.Scalar($0) })),
    ]
    for (index, form) in forms.enumerated() {
      #expect(shows(form), "\(index)")
      #expect(shows("The key \(form) does not unwrap"), "\(index)")
    }
  }

  @Test func whatIsNotTheKeyIsNotFound() {
    let key = Self.key
    let other = key.map { $0 ^ 1 }
    let texts = [
      "", "The data key does not unwrap", Self.hex(other), Data(other).base64EncodedString(), "\(other)",
      "\(key.prefix(3))",
      Self.hex(key.prefix(7)), Self.hex(key.reversed()), "\(Array(key.reversed()))", "201 999999999999999999999 164",
      String(repeating: "0", count: 64),
    ]
    for (index, text) in texts.enumerated() { #expect(!shows(text), "\(index)") }
  }
}

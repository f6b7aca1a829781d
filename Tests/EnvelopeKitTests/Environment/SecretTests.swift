// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct SecretTests {
  private func secret(_ bytes: [UInt8]) throws -> Secret {
    try OpenedEnvironment(capacity: bytes.count + 2) { (output, index) throws(EnvelopeError) in
      output.append(0x30)
      try index.add("A", endingAt: 1)
      unsafe output.append(bytes.span.bytes)
      try index.add("B", endingAt: output.byteCount)
      output.append(0x31)
      try index.add("C", endingAt: output.byteCount)
    }.require("B")
  }

  private func secret(_ text: String) throws -> Secret { try secret(Array(text.utf8)) }

  @Test(arguments: ["", "a", "é", "😀", "a\0b", Planted.url]) func strings(text: String) throws {
    #expect(try secret(text).revealingString() == text)
    #expect(try secret(text).withBytes { [UInt8](copying: $0) } == Array(text.utf8))
  }

  @Test(arguments: [[0xff], [0x68, 0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]])
  func bytesThatAreNotText(bytes: [UInt8]) async throws {
    let secret = try secret(bytes)
    await expectError(.typeMismatch, names: ["B"]) { try secret.revealingString() }
    await expectError(.typeMismatch, names: ["B"]) { try secret.integer() }
    await expectError(.typeMismatch, names: ["B"]) { try secret.bool() }
    await expectError(.typeMismatch, names: ["B"]) { try secret.base64URLBytes() }
  }

  @Test func integers() throws {
    #expect(try secret("0").integer() == 0)
    #expect(try secret("-1").integer() == -1)
    #expect(try secret("+7").integer() == 7)
    #expect(try secret("007").integer() == 7)
    #expect(try secret("9223372036854775807").integer() == Int.max)
    #expect(try secret("-9223372036854775808").integer() == Int.min)
    #expect(try secret("255").integer(as: UInt8.self) == 255)
    #expect(try secret("-128").integer(as: Int8.self) == -128)
    #expect(try secret("-0").integer(as: UInt8.self) == 0)
    #expect(try secret("340282366920938463463374607431768211455").integer(as: UInt128.self) == .max)
    #expect(try secret("-170141183460469231731687303715884105728").integer(as: Int128.self) == .min)
  }

  @Test(arguments: [
    "", " ", "+", "-", "--1", "+-1", " 1", "1 ", "1\n", "1\0", "1.0", "1e3", "0x10", "1_000", "1,000", "٣", "１", "a",
    "9223372036854775808", "-9223372036854775809", Planted.password, String(repeating: "1", count: 100_000),
    String(repeating: "1", count: 41),
  ])
  func textThatIsNoInteger(text: String) async throws {
    let secret = try secret(text)
    await expectError(.typeMismatch, names: ["B"]) { try secret.integer() }
  }

  @Test func integersThatDoNotFit() async throws {
    let (big, negative) = (try secret("256"), try secret("-1"))
    await expectError(.typeMismatch) { try big.integer(as: UInt8.self) }
    await expectError(.typeMismatch) { try negative.integer(as: UInt8.self) }
    let small = try secret("-129")
    await expectError(.typeMismatch) { try small.integer(as: Int8.self) }
  }

  @Test func booleans() throws {
    for word in ["true", "TRUE", "True", "yes", "Yes", "on", "ON", "1"] { #expect(try secret(word).bool()) }
    for word in ["false", "FALSE", "False", "no", "NO", "off", "Off", "0"] { #expect(try !secret(word).bool()) }
  }

  @Test(arguments: ["", "t", "f", "y", "n", "2", "00", "01", "-1", " true", "true ", "truE1", "oﬀ", "ｏｎ", "truefalse"])
  func textThatIsNoBoolean(text: String) async throws {
    let secret = try secret(text)
    await expectError(.typeMismatch, names: ["B"]) { try secret.bool() }
  }

  @Test func base64URL() async throws {
    #expect(try secret("").base64URLBytes().copy() == [])
    #expect(try secret("--__").base64URLBytes().copy() == [0xfb, 0xef, 0xff])
    for text in ["A", "AA==", "AB", "AAB", "AA+A", "AA A", "AAAA\n", "AAAAA", "ÄÄ", Planted.url] {
      let secret = try secret(text)
      await expectError(.typeMismatch, names: ["B"], at: text) { try secret.base64URLBytes() }
    }
  }

  @Test func namesAreBytes() async throws {
    let opened = try OpenedEnvironment(["KEY": "1", "AB": "2", "a": "3"])
    #expect(opened.names == ["AB", "KEY", "a"])
    #expect(try opened.require("KEY").integer() == 1)
    // Equal as a string to KEY, with the Kelvin sign in it, and another name all the same.
    for name in ["\u{212a}EY", "key", "KE", "KEYS", "", "A", "b", "KEY\0"] {
      #expect(opened[name] == nil)
      await expectError(.variableMissing, names: VariableName.isValid(name) ? [name] : []) {
        try opened.require(name)
      }
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// The answers are those of Python's `hashlib.blake2b(message, digest_size=, key=, salt=, person=)`.
@Suite(.timeLimit(.minutes(20))) struct BLAKE2bTests {
  private let key = (0..<32).map { UInt8($0) }
  private let salt = (16..<32).map { UInt8($0) }

  @Test func knownAnswers() throws {
    #expect(
      try derive(64, salt: salt, personal: "EnvelopeKit v1", Array("message".utf8))
        == "a12a1c0e64679e4c7835eb55502fd28df5f0287d60f1343dc719ad7d2ad1507b"
        + "2d56210d59b73bb5c17ceb994e23bd6bdcfcedd7f1919cdb27d5ca0cd84ba8e5")
    #expect(
      try derive(32, personal: "EK payload", []) == "f57578623f0e1125b007fb2d9df0f6f23e24dfc44650a7c43c01cbe3a85a51e4")
    #expect(
      try derive(32, personal: "EK header", []) == "fab6978a694071dcd6fc31e65c4e3caf22a8a4186b59567c45c16b32ee3adcab")
    #expect(try derive(16, personal: "", (0..<200).map { UInt8($0) }) == "8aa5152a0f33a31b72568b613ea3c92e")
    #expect(
      try derive(32, salt: salt, personal: "0123456789abcdef", [UInt8](repeating: 0, count: 128))
        == "9fd40a90bd9e47dd5addd6149e494b8b70efd6aead1290153f6044b1b6c32b02")
    #expect(
      try derive(33, salt: salt, personal: "EK wrap", [1, 0, 8] + Array("checkout".utf8))
        == "a09a5d0935542fd567694c518ec507b82f27eb87179e22ea68a2fa2d62a52e4fcc")
  }

  @Test func knownAnswersWithoutAKey() throws {
    #expect(
      try unsafe BLAKE2b.hash(32, salt: salt.span.bytes, personal: "EK context", message: Array("ctx".utf8).span.bytes)
        .hex == "2484554ced4e96495819393846f851b4fb1a8644e92c8bf3dac0ac49dc1cc940")
    #expect(
      try unsafe BLAKE2b.hash(32, personal: "", message: [UInt8]().span.bytes).hex
        == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")
  }

  /// libsodium would hash unkeyed where the key is empty.
  @Test(arguments: [0, 1, 16, 31, 33, 64, 65])
  func keysOfAnotherLengthAreRefused(byteCount: Int) async {
    let key = [UInt8](repeating: 3, count: byteCount)
    await expectError(.invalidArgument) { try derive(32, key: key, personal: "EK payload", []) }
  }

  @Test(arguments: [-1, 0, 1, 15, 65, 1 << 40])
  func lengthsThatThereAreNotAreRefused(byteCount: Int) async {
    await expectError(.invalidArgument) { try derive(byteCount, room: 64, personal: "EK payload", []) }
    await expectError(.invalidArgument) {
      try unsafe BLAKE2b.hash(byteCount, personal: "", message: [UInt8]().span.bytes)
    }
  }

  @Test(arguments: [1, 15, 17, 32]) func saltsOfAnotherLengthAreRefused(byteCount: Int) async {
    let salt = [UInt8](repeating: 3, count: byteCount)
    await expectError(.invalidArgument) { try derive(32, salt: salt, personal: "EK payload", []) }
  }

  @Test func personalStringsThatDoNotFitAreRefused() async {
    await expectError(.invalidArgument) { try derive(32, personal: "0123456789abcdefg", []) }
    await expectError(.invalidArgument) { try derive(32, personal: "é", []) }
  }

  @Test func aBufferWithoutRoomIsRefused() async {
    await expectError(.bufferTooSmall) { try derive(32, room: 31, personal: "EK payload", []) }
  }

  private func derive(
    _ byteCount: Int, room: Int? = nil, key: [UInt8]? = nil, salt: [UInt8] = [], personal: StaticString,
    _ message: [UInt8]
  ) throws -> String {
    let key = key ?? self.key
    return try [UInt8].appending(capacity: room ?? max(byteCount, 0)) { (output) throws(EnvelopeError) in
      try unsafe BLAKE2b.derive(
        byteCount, key: key.span.bytes, salt: salt.span.bytes, personal: personal, message: message.span.bytes,
        into: &output)
    }.hex
  }
}

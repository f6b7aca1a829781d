// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// Nothing of a secret is left behind; each test is a process of its own.
  @Suite(.timeLimit(.minutes(20))) struct RedactorMemoryTests {
    /// The end of the secret in some forms, masked; made byte by byte.
    private static func needles(_ secret: HiddenSecret) -> [[UInt8]] {
      let tail = secret.maskedTail
      let digits = Array("0123456789abcdef".utf8)
      let hexadecimal = tail.flatMap { byte -> [UInt8] in
        let plain = byte ^ MemoryScan.mask
        return [digits[Int(plain >> 4)] ^ MemoryScan.mask, digits[Int(plain & 15)] ^ MemoryScan.mask]
      }
      return [tail, Array(hexadecimal.suffix(16))]
    }

    private static func counts(_ secret: HiddenSecret) throws -> [Int] {
      try needles(secret).map { try #require(MemoryScan.count(ofMasked: $0)) }
    }

    @Test func aRedactorIsGoneWithItsLastOwner() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret()
        do {
          let redactor = try Redactor(secret.environment())
          // The environment's memory holds the value; the tables hold one byte of it in a node.
          #expect(try RedactorMemoryTests.counts(secret)[0] <= 2)
          let copy = redactor
          let output = secret.bytes().withBytes { copy.redact($0) }
          #expect(output?.count == "[redacted:SECRET]".utf8.count)
          #expect(try RedactorMemoryTests.counts(secret)[0] <= 2)
          withExtendedLifetime((redactor, copy)) {}
        }
        #expect(try RedactorMemoryTests.counts(secret) == [0, 0])
      }
    }

    @Test func aStreamWipesWhatItHeldBack() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret()
        do {
          let redactor = try Redactor(secret.environment())
          let before = try RedactorMemoryTests.counts(secret)
          var stream = RedactionStream(redactor)
          // The whole secret, one byte at a time, and then all but its last byte.
          for round in 0..<2 {
            let bytes = secret.bytes()
            for index in 0..<secret.byteCount - round {
              bytes.withBytes { bytes in stream.append(bytes.extracting(index..<index + 1)) { _ in } }
            }
          }
          #expect(stream.heldByteCount > 20)
          stream.finish { _ in }
          #expect(try RedactorMemoryTests.counts(secret) == before)
          withExtendedLifetime(redactor) {}
        }
        #expect(try RedactorMemoryTests.counts(secret) == [0, 0])
      }
    }

    @Test func joinedFieldsAreWiped() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret()
        let redactor = try Redactor(secret.environment())
        // The caller's string stays; nothing else may hold the secret afterwards.
        let string = secret.string()
        // Longer than what temporary memory has room for on the stack.
        let filler = String(repeating: "no secret here ", count: 300)
        let before = try RedactorMemoryTests.counts(secret)
        #expect(redactor.redact([filler, string, filler]) == [filler, "[redacted:SECRET]", filler])
        #expect(try RedactorMemoryTests.counts(secret) == before)
        withExtendedLifetime((redactor, string)) {}
      }
    }
  }
#endif

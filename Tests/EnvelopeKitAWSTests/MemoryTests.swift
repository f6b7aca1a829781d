// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS && os(Linux)
  import EnvelopeKit
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// What is left of a data key on its way from AWS KMS and back; each test is a process of its own.
  ///
  /// The TLS library decrypts in a buffer that it gives back to the system unwiped, which cannot be helped from here
  /// (`Docs/ThreatModel.md`): one copy of each answer's text may stay there until the memory is used again. Nothing else
  /// may stay anywhere, and nothing of what is sent.
  @Suite(.timeLimit(.minutes(20))) struct MemoryTests {
    /// A data key as it may lie about: its last 16 bytes, and 24 characters of its base64, both masked.
    private struct Needles {
      let raw: [UInt8]
      let base64: [UInt8]

      init(_ key: borrowing DataKey) {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        (raw, base64) = key.withBytes { bytes in
          var (raw, base64): ([UInt8], [UInt8]) = ([], [])
          for offset in 16..<32 { raw.append(bytes.byte(at: offset) ^ MemoryScan.mask) }
          for offset in stride(from: 12, to: 30, by: 3) {
            let group = (0..<3).reduce(0) { $0 << 8 | Int(bytes.byte(at: offset + $1)) }
            for shift in [18, 12, 6, 0] { base64.append(digits[group >> shift & 63] ^ MemoryScan.mask) }
          }
          return (raw, base64)
        }
      }

      /// Expects that the key is gone, and of its text no more copies than answers have carried it.
      func expectGone(answers: Int) throws {
        #expect(try #require(MemoryScan.count(ofMasked: raw)) == 0)
        #expect(try #require(MemoryScan.count(ofMasked: base64)) <= answers)
      }
    }

    @Test func aDataKeyLeavesNothingOnItsWay() async {
      await #expect(processExitsWith: .success) {
        let key = try await KeyService.key()
        let keyring = try TestClient().keyring(key.arn)
        var needles: [Needles] = []
        do {
          let generated = try await keyring.generateDataKey(for: ["function": "f"])
          needles.append(Needles(generated.dataKey))
          #expect(try #require(MemoryScan.count(ofMasked: needles[0].raw)) >= 1)
          let wrapped = try await keyring.wrap(generated.dataKey, for: ["function": "f"])
          let unwrapped = try await keyring.unwrap(wrapped, for: ["function": "f"])
          #expect(unwrapped.source == wrapped[0])
        }
        // The first answer and the last carried it, the request between them too.
        try needles[0].expectGone(answers: 2)
      }
    }

    @Test func whatIsSentLeavesNothing() async {
      await #expect(processExitsWith: .success) {
        let key = try await KeyService.key()
        let keyring = try TestClient().keyring(key.arn)
        let needles: Needles
        do {
          let dataKey = try DataKey.generate()
          needles = Needles(dataKey)
          _ = try await keyring.wrap(dataKey, for: ["function": "f"])
        }
        try needles.expectGone(answers: 0)
      }
    }

    /// The answer comes in two parts, or breaks off and is asked for again.
    @Test(arguments: ["chunked", "truncated", "close-after"])
    func anAnswerInPartsLeavesNothingEither(fault: String) async {
      await #expect(processExitsWith: .success) { [fault = fault as String] in
        let key = try await KeyService.key()
        let test = try TestClient()
        let keyring = try test.keyring(key.arn)
        var needles: [Needles] = []
        let wrapped: [WrappedDataKey]
        do {
          let generated = try await keyring.generateDataKey(for: [:])
          needles.append(Needles(generated.dataKey))
          wrapped = generated.wrapped
        }
        try await test.account.fail([fault])
        _ = try await keyring.unwrap(wrapped, for: [:])
        try needles[0].expectGone(answers: 3)
      }
    }
  }
#endif

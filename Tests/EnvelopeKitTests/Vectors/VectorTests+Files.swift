// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

extension VectorTests {
  /// Opens a file that arrives in pieces of several sizes; the outcome is the same for all.
  func openFile(_ vector: VectorFile, using holder: Holder) async throws {
    let (file, context) = try (vector.bytes("file"), vector.context)
    let (keyring, sender) = (try MultiKeyring([holder.keyring]), try Self.sender(of: vector))
    var failure: EnvelopeError?
    for splitting in Splitting.allCases {
      let opened = try await OpenedStream.open(
        file, splitting: splitting, context: context, using: keyring, anonymousSender: sender)
      let code = opened.failure?.code.rawValue ?? "success"
      #expect(code == vector.expected, "\(splitting)")
      let byteCount = code == "unsupportedSuite" ? 0 : try vector.number(code == "success" ? "byte-count" : "verified")
      let plaintext = (0..<Int(byteCount)).map { UInt8($0 % 251) }
      if splitting == .byteByByte || code == "success" {
        #expect(opened.plaintext == plaintext, "\(splitting)")
      } else {
        #expect(plaintext.starts(with: opened.plaintext), "\(splitting)")
      }
      failure = opened.failure
    }
    if let failure { throw failure }
    var reader = ByteReader(file)
    let header = try Header(from: &reader, expecting: .file)
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring, anonymousSender: sender)
    try checkSchedule(of: unlocked, vector, holder)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// swift-crypto as its users write it: measured for the tables, and left out for the thresholds, which do not need it and
/// would wait minutes for its build.
///
/// AES.GCM is measured beside both suites, so that each is compared with it in the same rounds; ChaChaPoly beside suite 01.
enum SwiftCrypto {
  #if MEASURES_SWIFT_CRYPTO
    static func measures(beside suite: AlgorithmSuite) -> [Measure] {
      let aesGCM = Measure("AES.GCM", over: "into")
      return suite == .aegis256 ? [aesGCM] : [Measure("ChaChaPoly", over: "into"), aesGCM]
    }

    static func sealing(_ work: ValueWork) -> [Contender] {
      let crypto = SwiftCryptoWork(work)
      return work.suite == .aegis256 ? [crypto.aesGCMSeal] : [crypto.chaChaPolySeal, crypto.aesGCMSeal]
    }

    static func opening(_ work: ValueWork) throws -> [Contender] {
      let crypto = SwiftCryptoWork(work)
      return try work.suite == .aegis256 ? [crypto.aesGCMOpen()] : [crypto.chaChaPolyOpen(), crypto.aesGCMOpen()]
    }

    static var streamMeasures: [Measure] { [Measure("AES.GCM", over: "one")] }

    static func streams(_ work: StreamWork) throws -> [Contender] { [try SwiftCryptoStream(work).contender] }
  #else
    static var streamMeasures: [Measure] { [] }

    static func streams(_ work: StreamWork) throws -> [Contender] { [] }

    static func measures(beside suite: AlgorithmSuite) -> [Measure] { [] }

    static func sealing(_ work: ValueWork) -> [Contender] { [] }

    static func opening(_ work: ValueWork) throws -> [Contender] { [] }
  #endif
}

#if MEASURES_SWIFT_CRYPTO
  import Crypto

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  private struct SwiftCryptoWork {
    let plaintext: [UInt8]
    let associatedData: [UInt8]
    let symmetricKey = SymmetricKey(size: .bits256)

    init(_ work: ValueWork) { (plaintext, associatedData) = (work.plaintext, work.associatedData) }

    var chaChaPolySeal: Contender {
      Contender("ChaChaPoly") { count in
        for _ in 0..<count {
          let sealed = try ChaChaPoly.seal(plaintext, using: symmetricKey, authenticating: associatedData).combined
          precondition(sealed.count > plaintext.count)
        }
      }
    }

    var aesGCMSeal: Contender {
      Contender("AES.GCM") { count in
        for _ in 0..<count {
          let sealed = try AES.GCM.seal(plaintext, using: symmetricKey, authenticating: associatedData).combined
          precondition(sealed != nil)
        }
      }
    }

    func chaChaPolyOpen() throws -> Contender {
      let sealed = try ChaChaPoly.seal(plaintext, using: symmetricKey, authenticating: associatedData).combined
      return Contender("ChaChaPoly") { count in
        for _ in 0..<count {
          let box = try ChaChaPoly.SealedBox(combined: sealed)
          let opened = try ChaChaPoly.open(box, using: symmetricKey, authenticating: associatedData)
          precondition(opened.count == plaintext.count)
        }
      }
    }

    func aesGCMOpen() throws -> Contender {
      guard let sealed = try AES.GCM.seal(plaintext, using: symmetricKey, authenticating: associatedData).combined
      else {
        preconditionFailure("AES-GCM with its usual nonce has a combined form")
      }
      return Contender("AES.GCM") { count in
        for _ in 0..<count {
          let box = try AES.GCM.SealedBox(combined: sealed)
          let opened = try AES.GCM.open(box, using: symmetricKey, authenticating: associatedData)
          precondition(opened.count == plaintext.count)
        }
      }
    }
  }

  /// AES.GCM on chunks of 64 KiB, from memory to memory: each has a nonce of its own.
  private struct SwiftCryptoStream {
    let operation: ValueOperation
    let plaintext: Memory
    let output: Memory
    let symmetricKey = SymmetricKey(size: .bits256)
    /// Nonce, ciphertext and tag of each chunk.
    let sealed: Memory
    private static let sealedByteCount = 12 + PlainStream.chunkByteCount + 16

    init(_ work: StreamWork) throws {
      (operation, plaintext, output) = (work.operation, work.plaintext, work.output)
      guard operation == .open else {
        sealed = .empty
        return
      }
      sealed = Memory(plaintext.byteCount / PlainStream.chunkByteCount * Self.sealedByteCount)
      try seal(into: sealed)
    }

    var contender: Contender {
      Contender("AES.GCM") { count in
        for _ in 0..<count { try operation == .seal ? seal(into: output) : open() }
      }
    }

    private func seal(into output: Memory) throws {
      for index in 0..<plaintext.byteCount / PlainStream.chunkByteCount {
        let start = plaintext.base + index * PlainStream.chunkByteCount
        let chunk = UnsafeRawBufferPointer(start: start, count: PlainStream.chunkByteCount)
        guard let combined = try AES.GCM.seal(chunk, using: symmetricKey).combined else {
          preconditionFailure("AES-GCM with its usual nonce has a combined form")
        }
        combined.copyBytes(to: output.base + index * Self.sealedByteCount, count: Self.sealedByteCount)
      }
    }

    private func open() throws {
      for index in 0..<plaintext.byteCount / PlainStream.chunkByteCount {
        let start = sealed.base + index * Self.sealedByteCount
        let box = try AES.GCM.SealedBox(combined: UnsafeRawBufferPointer(start: start, count: Self.sealedByteCount))
        let opened = try AES.GCM.open(box, using: symmetricKey)
        opened.copyBytes(to: output.base + index * PlainStream.chunkByteCount, count: PlainStream.chunkByteCount)
      }
    }
  }
#endif

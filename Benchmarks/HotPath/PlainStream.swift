// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import CSodium
import Dispatch
import EnvelopeKit

/// The plain calls that the chunks of a file take, one call for each.
struct PlainStream {
  static let chunkByteCount = 64 << 10

  /// Where the chunks go.
  enum Target {
    /// One after the other.
    case memory
    /// All into the same buffer, which stays in the processor's cache.
    case buffer
  }

  let isAEGIS256: Bool
  private let key = Memory(PlainSodium.keyByteCount)

  init(_ suite: AlgorithmSuite) { isAEGIS256 = suite == .aegis256 }

  var tagByteCount: Int { isAEGIS256 ? 32 : 16 }
  var sealedChunkByteCount: Int { Self.chunkByteCount + tagByteCount }

  /// Seals whole chunks.
  func seal(_ plaintext: Memory, into output: Memory, _ target: Target = .memory, threadCount: Int = 1) {
    let count = plaintext.byteCount / Self.chunkByteCount
    run(count, threadCount) { (index) in
      let source = plaintext.base + index * Self.chunkByteCount
      sealChunk(source, index, into: output.base + (target == .memory ? index * sealedChunkByteCount : 0))
    }
  }

  /// Opens what ``seal(_:into:_:threadCount:)`` wrote for a plaintext of this length.
  func open(_ sealed: Memory, byteCount: Int, into output: Memory, _ target: Target = .memory, threadCount: Int = 1) {
    run(byteCount / Self.chunkByteCount, threadCount) { (index) in
      let source = sealed.base + index * sealedChunkByteCount
      openChunk(source, index, into: output.base + (target == .memory ? index * Self.chunkByteCount : 0))
    }
  }

  /// Each thread has its own part of the chunks.
  private func run(_ count: Int, _ threadCount: Int, _ body: (Int) -> Void) {
    guard threadCount > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
        for index in count * thread / threadCount..<count * (thread + 1) / threadCount { body(index) }
      }
    }
  }

  /// Zeros and the chunk's number, as long as the longest nonce; the shorter one is its end.
  private func withNonce(_ index: Int, _ body: (UnsafePointer<UInt8>) -> Int32) {
    var nonce: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, UInt64(index).bigEndian)
    let status = withUnsafeBytes(of: &nonce) { bytes in
      body(bytes.bindMemory(to: UInt8.self).baseAddress.unsafelyUnwrapped + (isAEGIS256 ? 0 : 20))
    }
    precondition(status == 0)
  }

  func sealChunk(_ source: UnsafePointer<UInt8>, _ index: Int, into output: UnsafeMutablePointer<UInt8>) {
    withNonce(index) { nonce in
      let length = UInt64(Self.chunkByteCount)
      return isAEGIS256
        ? crypto_aead_aegis256_encrypt(output, nil, source, length, nil, 0, nil, nonce, key.base)
        : crypto_aead_chacha20poly1305_ietf_encrypt(output, nil, source, length, nil, 0, nil, nonce, key.base)
    }
  }

  func openChunk(_ source: UnsafePointer<UInt8>, _ index: Int, into output: UnsafeMutablePointer<UInt8>) {
    withNonce(index) { nonce in
      let length = UInt64(sealedChunkByteCount)
      return isAEGIS256
        ? crypto_aead_aegis256_decrypt(output, nil, nil, source, length, nil, 0, nonce, key.base)
        : crypto_aead_chacha20poly1305_ietf_decrypt(output, nil, nil, source, length, nil, 0, nonce, key.base)
    }
  }
}

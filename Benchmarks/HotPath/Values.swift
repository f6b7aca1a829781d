// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

enum ValueOperation: String, CaseIterable {
  case seal
  case open
}

struct Size {
  let name: String
  let byteCount: Int

  static let all = [
    Size(name: "16B", byteCount: 16), Size(name: "64B", byteCount: 64), Size(name: "256B", byteCount: 256),
    Size(name: "1KiB", byteCount: 1 << 10), Size(name: "4KiB", byteCount: 4 << 10),
    Size(name: "16KiB", byteCount: 16 << 10), Size(name: "64KiB", byteCount: 64 << 10),
    Size(name: "1MiB", byteCount: 1 << 20), Size(name: "16MiB", byteCount: 16 << 20),
  ]
}

/// One value with a key at hand: into the caller's buffer, and returning bytes; beside the plain calls, and
/// swift-crypto's where it is measured.
func compareValues(_ operation: ValueOperation, _ size: Size) {
  let measures = [
    Measure("plain"), Measure("into", over: "plain", countsAllocations: true),
    Measure("bytes", over: "plain", countsAllocations: true),
  ]
  compare("\(operation.rawValue)-\(size.name)", measures + SwiftCrypto.measures) {
    let work = try await ValueWork(byteCount: size.byteCount)
    return switch operation {
    case .seal: [work.plainSeal, work.sealInto, work.sealBytes] + SwiftCrypto.sealing(work)
    case .open: try [work.plainOpen(), work.openInto(), work.openBytes()] + SwiftCrypto.opening(work)
    }
  }
}

/// A hundred values, all of which are there at once: apart from the others, which would find the memory that these
/// have just given back to the system.
func compareBatches(_ operation: ValueOperation, _ size: Size) {
  let measures = [Measure("plain"), Measure("batch", over: "plain", countsAllocations: true)]
  compare("\(operation.rawValue)-batch-\(size.name)", measures) {
    let work = try await ValueWork(byteCount: size.byteCount)
    return switch operation {
    case .seal: [work.plainSeal, work.sealBatch]
    case .open: try [work.plainOpen(), work.openBatch()]
    }
  }
}

/// One plaintext and everything that seals and opens it.
struct ValueWork {
  static let batchCount = 100

  let plaintext: [UInt8]
  let associatedData = Array("orders/17".utf8)
  let sealer: Sealer
  let opener: Opener

  init(byteCount: Int) async throws {
    plaintext = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let keyring = KeysetKeyring(try .generate())
    let context: EncryptionContext = ["table": "orders"]
    sealer = try await Sealer(context: context, using: keyring)
    opener = try await Opener(
      for: sealer.seal(plaintext, authenticating: associatedData), context: context, using: keyring)
  }

  var plainSeal: Contender {
    let (plaintext, associatedData) = (Memory(plaintext), Memory(associatedData))
    let (key, output) = (Memory(PlainSodium.keyByteCount), Memory(plaintext.byteCount + 40))
    return Contender("plain") { count in
      for _ in 0..<count { PlainSodium.seal(plaintext, authenticating: associatedData, key: key, into: output) }
    }
  }

  var sealInto: Contender {
    let output = Memory(plaintext.count + sealer.overheadByteCount)
    return Contender("into") { count in
      for _ in 0..<count { try sealOnce(into: output) }
    }
  }

  private func sealOnce(into output: Memory) throws {
    let buffer = UnsafeMutableRawBufferPointer(start: output.base, count: output.byteCount)
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    try sealer.seal(plaintext.span.bytes, authenticating: associatedData.span.bytes, into: &span)
    let written = span.finalize(for: buffer)
    precondition(written == output.byteCount)
  }

  var sealBytes: Contender {
    Contender("bytes") { count in
      for _ in 0..<count {
        let envelope = try sealer.seal(plaintext, authenticating: associatedData)
        precondition(envelope.count > plaintext.count)
      }
    }
  }

  var sealBatch: Contender {
    let plaintexts = Array(repeating: plaintext, count: Self.batchCount)
    let associatedData = Array(repeating: associatedData, count: Self.batchCount)
    return Contender("batch", operationsPerCall: Self.batchCount) { count in
      for _ in 0..<count {
        let envelopes = try sealer.seal(plaintexts, authenticating: associatedData)
        precondition(envelopes.count == plaintexts.count)
      }
    }
  }

  func plainOpen() -> Contender {
    let (plaintext, associatedData) = (Memory(plaintext), Memory(associatedData))
    let (key, sealed) = (Memory(PlainSodium.keyByteCount), Memory(plaintext.byteCount + 40))
    let output = Memory(plaintext.byteCount)
    PlainSodium.seal(plaintext, authenticating: associatedData, key: key, into: sealed)
    return Contender("plain") { count in
      for _ in 0..<count { PlainSodium.open(sealed, authenticating: associatedData, key: key, into: output) }
    }
  }

  func openInto() throws -> Contender {
    let envelope = try sealer.seal(plaintext, authenticating: associatedData)
    let output = Memory(plaintext.count)
    return Contender("into") { count in
      for _ in 0..<count { try openOnce(envelope, into: output) }
    }
  }

  private func openOnce(_ envelope: [UInt8], into output: Memory) throws {
    let buffer = UnsafeMutableRawBufferPointer(start: output.base, count: output.byteCount)
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    try opener.open(envelope.span.bytes, authenticating: associatedData.span.bytes, into: &span)
    let written = span.finalize(for: buffer)
    precondition(written == output.byteCount)
  }

  func openBytes() throws -> Contender {
    let envelope = try sealer.seal(plaintext, authenticating: associatedData)
    return Contender("bytes") { count in
      for _ in 0..<count {
        let opened = try opener.open(envelope, authenticating: associatedData)
        precondition(opened.byteCount == plaintext.count)
      }
    }
  }

  func openBatch() throws -> Contender {
    let envelopes = Array(
      repeating: try sealer.seal(plaintext, authenticating: associatedData), count: Self.batchCount)
    let associatedData = Array(repeating: associatedData, count: Self.batchCount)
    return Contender("batch", operationsPerCall: Self.batchCount) { count in
      for _ in 0..<count {
        try opener.open(envelopes, authenticating: associatedData) { _, opened in
          precondition(opened.byteCount == plaintext.count)
        }
      }
    }
  }
}

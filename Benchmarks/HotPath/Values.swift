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

extension AlgorithmSuite {
  /// The suite's part of a test's name: suite 01 has none.
  var mark: String { self == .aegis256 ? "aegis256-" : "" }
}

/// One value with a key at hand: into the caller's buffer, and returning bytes; beside the plain calls, swift-crypto's
/// where it is measured, and suite 01 beside suite 02.
func compareValues(_ operation: ValueOperation, _ suite: AlgorithmSuite, _ size: Size) {
  var measures = [
    Measure("plain"), Measure("into", over: "plain", countsAllocations: true),
    Measure("bytes", over: "plain", countsAllocations: true),
  ]
  if suite == .aegis256 { measures.append(Measure("suite01", over: "into")) }
  measures += SwiftCrypto.measures(beside: suite)
  compare("\(operation.rawValue)-\(suite.mark)\(size.name)", measures) {
    let work = try await ValueWork(suite, byteCount: size.byteCount)
    var contenders =
      switch operation {
      case .seal: [work.plainSeal, work.sealInto(), work.sealBytes] + SwiftCrypto.sealing(work)
      case .open: try [work.plainOpen(), work.openInto(), work.openBytes()] + SwiftCrypto.opening(work)
      }
    if suite == .aegis256 {
      let other = try await ValueWork(.chaCha20Poly1305, byteCount: size.byteCount)
      contenders.append(operation == .seal ? other.sealInto("suite01") : try other.openInto("suite01"))
    }
    return contenders
  }
}

/// A hundred values in one call, given one after the other in the same memory, beside one call for each into a buffer, and
/// suite 01 beside suite 02.
///
/// Sealing can also return all envelopes. These comparisons are apart from the other comparisons, which would
/// find the memory that these have just given back to the system.
func compareBatches(_ operation: ValueOperation, _ suite: AlgorithmSuite, _ size: Size) {
  var measures = [
    Measure("plain"), Measure("into"), Measure("batch", over: "plain", alsoOver: "into", countsAllocations: true),
  ]
  if suite == .aegis256 { measures.append(Measure("suite01", over: "batch")) }
  if operation == .seal {
    measures.append(Measure("kept", over: "plain", alsoOver: "into", countsAllocations: true))
    if suite == .aegis256 { measures.append(Measure("suite01kept", over: "kept")) }
  }
  compare("\(operation.rawValue)-batch-\(suite.mark)\(size.name)", measures) {
    let work = try await ValueWork(suite, byteCount: size.byteCount)
    var contenders =
      switch operation {
      case .seal: [work.plainSeal, work.sealInto(), work.sealBatch(), work.sealKept()]
      case .open: try [work.plainOpen(), work.openInto(), work.openBatch()]
      }
    if suite == .aegis256 {
      let other = try await ValueWork(.chaCha20Poly1305, byteCount: size.byteCount)
      contenders +=
        operation == .seal
        ? [other.sealBatch("suite01"), other.sealKept("suite01kept")] : [try other.openBatch("suite01")]
    }
    return contenders
  }
}

/// One plaintext and everything that seals and opens it.
struct ValueWork {
  static let batchCount = 100

  let suite: AlgorithmSuite
  let plaintext: [UInt8]
  let associatedData = Array("orders/17".utf8)
  let sealer: Sealer
  let opener: Opener

  init(_ suite: AlgorithmSuite, byteCount: Int) async throws {
    self.suite = suite
    plaintext = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let keyring = KeysetKeyring(try .generate())
    let context: EncryptionContext = ["table": "orders"]
    sealer = try await Sealer(context: context, suite: suite, using: keyring)
    opener = try await Opener(
      for: sealer.seal(plaintext, authenticating: associatedData), context: context, using: keyring)
  }

  var plainSeal: Contender {
    let (plaintext, associatedData) = (Memory(plaintext), Memory(associatedData))
    let (key, output) = (Memory(PlainSodium.keyByteCount), Memory(plaintext.byteCount + plainOverheadByteCount))
    if suite == .aegis256 {
      return Contender("plain") { count in
        for _ in 0..<count {
          PlainSodium.sealAEGIS256(plaintext, authenticating: associatedData, key: key, into: output)
        }
      }
    }
    return Contender("plain") { count in
      for _ in 0..<count { PlainSodium.seal(plaintext, authenticating: associatedData, key: key, into: output) }
    }
  }

  /// Nonce and tag.
  private var plainOverheadByteCount: Int { suite == .aegis256 ? 32 + 32 : 24 + 16 }

  func sealInto(_ name: String = "into") -> Contender {
    let output = Memory(plaintext.count + sealer.overheadByteCount)
    return Contender(name) { count in
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

  func sealBatch(_ name: String = "batch") -> Contender {
    let plaintexts = Array(repeating: plaintext, count: Self.batchCount)
    let associatedData = Array(repeating: associatedData, count: Self.batchCount)
    let byteCount = plaintext.count + sealer.overheadByteCount
    return Contender(name, operationsPerCall: Self.batchCount) { count in
      for _ in 0..<count {
        try sealer.seal(plaintexts, authenticating: associatedData) { _, envelope in
          precondition(envelope.byteCount == byteCount)
        }
      }
    }
  }

  /// The same, all envelopes returned together.
  func sealKept(_ name: String = "kept") -> Contender {
    let plaintexts = Array(repeating: plaintext, count: Self.batchCount)
    let associatedData = Array(repeating: associatedData, count: Self.batchCount)
    return Contender(name, operationsPerCall: Self.batchCount) { count in
      for _ in 0..<count {
        let envelopes = try sealer.seal(plaintexts, authenticating: associatedData)
        precondition(envelopes.count == plaintexts.count)
      }
    }
  }

  func plainOpen() -> Contender {
    let (plaintext, associatedData) = (Memory(plaintext), Memory(associatedData))
    let (key, sealed) = (Memory(PlainSodium.keyByteCount), Memory(plaintext.byteCount + plainOverheadByteCount))
    let output = Memory(plaintext.byteCount)
    if suite == .aegis256 {
      PlainSodium.sealAEGIS256(plaintext, authenticating: associatedData, key: key, into: sealed)
      return Contender("plain") { count in
        for _ in 0..<count {
          PlainSodium.openAEGIS256(sealed, authenticating: associatedData, key: key, into: output)
        }
      }
    }
    PlainSodium.seal(plaintext, authenticating: associatedData, key: key, into: sealed)
    return Contender("plain") { count in
      for _ in 0..<count { PlainSodium.open(sealed, authenticating: associatedData, key: key, into: output) }
    }
  }

  func openInto(_ name: String = "into") throws -> Contender {
    let envelope = try sealer.seal(plaintext, authenticating: associatedData)
    let output = Memory(plaintext.count)
    return Contender(name) { count in
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

  func openBatch(_ name: String = "batch") throws -> Contender {
    let envelopes = Array(
      repeating: try sealer.seal(plaintext, authenticating: associatedData), count: Self.batchCount)
    let associatedData = Array(repeating: associatedData, count: Self.batchCount)
    return Contender(name, operationsPerCall: Self.batchCount) { count in
      for _ in 0..<count {
        try opener.open(envelopes, authenticating: associatedData) { _, opened in
          precondition(opened.byteCount == plaintext.count)
        }
      }
    }
  }
}

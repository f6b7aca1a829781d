// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EnvelopeKit
import EnvelopeKitTelemetry
import Logging

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Records that are logged to /dev/null: by swift-log's own handler, which writes each in one call to the system as the
/// sealed one does, and by a handler that does nothing.
///
/// Allocations of the last are those of the call that logs.
func compareLogRecords(_ suite: AlgorithmSuite) {
  for byteCount in [50, 200, 1024, 8192] {
    compare(
      "log-\(suite.mark)\(byteCount)B",
      [
        Measure("none", countsAllocations: true), Measure("stream", countsAllocations: true),
        Measure("sealed", over: "stream", countsAllocations: true),
      ]
    ) {
      let null = open("/dev/null", O_WRONLY)
      let writer = try await RecordWriter(
        to: .descriptor(null), context: ["function": "checkout"], suite: suite,
        using: KeysetKeyring(try .generate()))
      let message = String(repeating: "m", count: byteCount)
      let handlers: [(String, Logger)] = [
        ("none", Logger(label: "shop") { _ in SwiftLogNoOpLogHandler() }),
        ("stream", Logger(label: "shop") { StreamLogHandler(label: $0, stream: NullStream(number: null)) }),
        ("sealed", Logger(label: "shop") { SealedLogHandler(label: $0, writer: writer, metadataProvider: nil) }),
      ]
      return handlers.map { name, logger in
        Contender(name) { for _ in 0..<$0 { logger.info("\(message)", metadata: ["request": "0123456789abcdef"]) } }
      }
    }
  }
}

/// Writes to a descriptor what it is given.
private struct NullStream: TextOutputStream, Sendable {
  let number: Int32

  mutating func write(_ string: String) {
    var string = string
    string.withUTF8 { _ = systemWrite(number, $0.baseAddress, $0.count) }
  }
}

private func systemWrite(_ number: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int {
  write(number, bytes, count)
}

/// Lines of a sealed log that are opened, beside the cipher alone on the same payloads.
func compareOpeningRecords(_ suite: AlgorithmSuite) {
  for byteCount in [200, 1024] {
    compare(
      "log-open-\(suite.mark)\(byteCount)B",
      [Measure("plain"), Measure("lines", over: "plain", countsAllocations: true)]
    ) {
      let count = 1000
      let keyring = KeysetKeyring(try .generate())
      let (sink, lines) = RecordSink.lines(byteLimit: 1 << 26)
      let writer = try await RecordWriter(to: sink, context: ["function": "checkout"], suite: suite, using: keyring)
      let logger = Logger(label: "shop") { SealedLogHandler(label: $0, writer: writer, metadataProvider: nil) }
      let message = String(repeating: "m", count: byteCount)
      for _ in 0..<count { logger.info("\(message)") }
      writer.close()
      var sealed: [[UInt8]] = []
      for await line in lines { sealed.append(line) }
      let plain = PlainRecord(suite, byteCount: byteCount)
      return [
        Contender("plain", operationsPerCall: count) { for _ in 0..<$0 * count { plain.open() } },
        Contender("lines", operationsPerCall: count) {
          for _ in 0..<$0 { try await openAll(sealed, using: keyring, expecting: count * byteCount) }
        },
      ]
    }
  }
}

/// A payload that the cipher alone opens.
private struct PlainRecord {
  let isAEGIS: Bool
  let sealed: Memory
  let output: Memory
  let key = Memory(32)
  let associatedData = Memory(80)

  init(_ suite: AlgorithmSuite, byteCount: Int) {
    isAEGIS = suite == .aegis256
    let plaintext = Memory(byteCount)
    (sealed, output) = (Memory(byteCount + (isAEGIS ? 64 : 40)), Memory(byteCount))
    if isAEGIS {
      PlainSodium.sealAEGIS256(plaintext, authenticating: associatedData, key: key, into: sealed)
    } else {
      PlainSodium.seal(plaintext, authenticating: associatedData, key: key, into: sealed)
    }
  }

  func open() {
    if isAEGIS {
      PlainSodium.openAEGIS256(sealed, authenticating: associatedData, key: key, into: output)
    } else {
      PlainSodium.open(sealed, authenticating: associatedData, key: key, into: output)
    }
  }
}

private func openAll(_ lines: [[UInt8]], using keyring: KeysetKeyring, expecting byteCount: Int) async throws {
  var reader = try RecordReader(context: ["function": "checkout"], using: keyring)
  var opened = 0
  for line in lines {
    while let header = try reader.read(
      line.span.bytes,
      { (item, _, payload) throws(EnvelopeError) in if case .record = item { opened += payload.byteCount } })
    {
      try await reader.unlock(header)
    }
  }
  precondition(opened >= byteCount, "all records open")
}

/// Masking secrets in a record of 200 bytes that has none, with one secret and with 200.
func compareRedaction() {
  compare("redact-200B", [Measure("one"), Measure("two-hundred", over: "one", countsAllocations: true)]) {
    let text =
      "GET /orders/4711?page=2 took 31 ms for tenant blue; the answer had 18 items and status 200, cached until noon. "
      + "user=4711 region=eu-central-1 retries=0 bytes=18312 peer=10.0.0.7:443 build=2026.11.27"
    precondition((190...210).contains(text.utf8.count))
    func redactor(_ count: Int) throws -> Redactor {
      var redactor = try Redactor(OpenedEnvironment([:]))
      for number in 0..<count {
        var random = SystemRandomNumberGenerator()
        let secret = (0..<16 + number % 24).map { _ in UInt8.random(in: 33...126, using: &random) }
        redactor = try redactor.adding(secret.span.bytes, named: "SECRET_\(number)")
      }
      return redactor
    }
    let (one, many) = (try redactor(1), try redactor(200))
    return [
      Contender("one") { for _ in 0..<$0 { precondition(one.redact(text) == text) } },
      Contender("two-hundred") { for _ in 0..<$0 { precondition(many.redact(text) == text) } },
    ]
  }
}

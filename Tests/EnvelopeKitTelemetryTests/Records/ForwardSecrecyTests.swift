// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  #if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    @testable import EnvelopeKit

    /// In a process that logs to a recipient, nothing is found in its memory that opens what it has logged.
    @Suite(.timeLimit(.minutes(20))) struct ForwardSecrecyTests {
      @Test(arguments: [1, 2, 300, 999, 2500]) func memoryOpensNothingOfBefore(recordCount: Int) async throws {
        let service = try LogService()
        let (output, error, input) = (Pipe(), Pipe(), Pipe())
        let process = try service.start("hold", records: recordCount, output: output, error: error, input: input)
        // The process has logged all when it says so, and the pipe may not hold all.
        let reading = Task { try output.fileHandleForReading.readToEnd() ?? Data() }
        while !String(decoding: error.fileHandleForReading.availableData, as: UTF8.self).contains("held") {
          try #require(process.isRunning)
        }
        let memory = try ProcessMemory(of: process.processIdentifier)
        try input.fileHandleForWriting.close()
        let lines = LogService.lines(of: try await reading.value).lines
        process.waitUntilExit()
        let log = try await service.open(lines)
        #expect(log.findings.isEmpty && log.logs.count == recordCount)

        var needles = Needles()
        var last: [UInt8] = []
        for line in lines {
          let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
          guard let text = object["header"] as? String, let bytes = Base64URL.decode(text.dropFirst(4).utf8) else {
            continue
          }
          last = try await needles.add(header: bytes, service: service, upTo: 1000)
        }
        let used = log.records.filter { $0.segment == log.records.last?.segment && $0.type != .end }.count
        // What the process needs for the next record is there: so this looks where keys lie. Chains and keys of the future
        // lead to nothing of the past.
        let current = try needles.chain(from: last, steps: used)
        let past = needles.all.filter { $0.bytes != current && !needles.isFuture($0.name, from: used) }
        #expect(past.count > 2 * recordCount)
        let counts = memory.counts(of: [current] + past.map(\.bytes))
        #expect(counts[0] > 0)
        for (needle, count) in zip(past, counts.dropFirst()) where count > 0 {
          Issue.record("\(needle.name) is \(count) times in memory")
        }
      }

      /// The keys that open a log.
      private struct Needles {
        var all: [(name: String, bytes: [UInt8])] = []
        private var segments: [[UInt8]] = []

        /// Adds all keys of a segment; returns its first chain.
        mutating func add(header: [UInt8], service: LogService, upTo count: Int) async throws -> [UInt8] {
          let parsed = try Header(records: header)
          let unlocked = try await UnlockedHeader.unlock(
            parsed, context: LogService.context, using: service.identity, anonymousSender: .accepted)
          var chain = GrowingBuffer()
          try chain.append(capacity: 32) { (output) throws(EnvelopeError) in
            try unlocked.keys.append(.records, to: &output)
          }
          let first = chain.withBytes { [UInt8](copying: $0) }
          guard !segments.contains(parsed.salt) else { return first }
          segments.append(parsed.salt)
          all.append(("data-key \(segments.count)", unlocked.dataKey.withBytes { [UInt8](copying: $0) }))
          all.append(("root-key \(segments.count)", try Self.rootKey(unlocked.dataKey, parsed)))
          for purpose in [KeySchedule.Purpose.payload, .header] {
            all.append(
              ("\(purpose) \(segments.count)", try unlocked.keys.key(purpose).withBytes { [UInt8](copying: $0) }))
          }
          var chainBytes = first
          for sequence in 0..<count {
            let next = try Self.step(chainBytes)
            all.append(("chain \(segments.count) \(sequence)", chainBytes))
            all.append(("key \(segments.count) \(sequence)", Array(next[32...])))
            chainBytes = Array(next[..<32])
          }
          return first
        }

        /// The key that all others of a segment are derived from (`Docs/Format.md`, section Key schedule).
        private static func rootKey(_ dataKey: borrowing DataKey, _ header: Header) throws -> [UInt8] {
          var message: [UInt8] = []
          message.append(lengthPrefixed16: try LogService.context.canonicalBytes())
          message += header.form.bytes + header.salt
          let output = try [UInt8].appending(capacity: 64) { (output) throws(EnvelopeError) in
            try dataKey.withBytes { (key) throws(EnvelopeError) in
              try unsafe BLAKE2b.derive(
                64, key: key, salt: header.salt.span.bytes, personal: "EnvelopeKit v1", message: message.span.bytes,
                into: &output)
            }
          }
          return Array(output[..<32])
        }

        /// Whether a chain or key is one that the process has not come to.
        func isFuture(_ name: String, from sequence: Int) -> Bool {
          let parts = name.split(separator: " ")
          return parts.count == 3 && parts[1] == "\(segments.count)" && Int(parts[2]) ?? 0 >= sequence
        }

        func chain(from first: [UInt8], steps: Int) throws -> [UInt8] {
          var chain = first
          for _ in 0..<steps { chain = Array(try Self.step(chain)[..<32]) }
          return chain
        }

        private static func step(_ chain: [UInt8]) throws -> [UInt8] {
          try [UInt8].appending(capacity: 64) { (output) throws(EnvelopeError) in
            try unsafe Ratchet.step(chain.span.bytes, into: &output)
          }
        }
      }
    }
  #endif
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// A process is forked in the middle of a segment, and both go on.
  @Suite(.timeLimit(.minutes(20))) struct ForkedProcessTests {
    @Test func bothOpenNoNonceRepeatsAndTheReaderReportsIt() async throws {
      let service = try LogService()
      let output = Pipe()
      let process = try service.start("fork", output: output)
      let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let (lines, _) = LogService.lines(of: bytes)
      let log = try await service.open(lines)
      let messages = log.logs.map(\.message)
      for (message, count) in ["before": 10, "child": 10, "parent": 10] {
        #expect(messages.filter { $0 == message }.count == count)
      }
      // Ten sequences are there twice; the end of the parent comes once.
      #expect(log.kinds.filter { $0 == .copied }.count == 10)
      #expect(log.kinds.allSatisfy { $0 == .copied })
      var nonces: Set<[UInt8]> = []
      for line in lines {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        guard let text = object["sealed"] as? String else { continue }
        let sealed = try #require(Base64URL.decode(text.utf8))
        #expect(nonces.insert(Array(sealed.prefix(24))).inserted)
      }
      #expect(nonces.count == log.records.count)
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

extension VectorTests {
  /// Opens the lines of a sealed log, and compares all that the reader reports.
  func openRecords(_ vector: VectorFile, using holder: Holder) async throws {
    let events = try await RecordEvents.of(
      vector.lines, context: vector.context, using: MultiKeyring([holder.keyring]),
      anonymousSender: Self.sender(of: vector))
    guard vector.expected != "unsupportedSuite" else {
      #expect(!events.contains { $0.hasPrefix("record ") })
      return
    }
    #expect(events == vector.events)
    let areComplete = events.allSatisfy { $0.hasPrefix("record ") || $0.hasPrefix("other ") }
    #expect(vector.expected == (areComplete ? "success" : "damaged"))
  }
}

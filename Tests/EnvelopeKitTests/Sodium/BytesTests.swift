// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct BytesTests {
  @Test(arguments: [0, 1, 2, 15, 16, 17, 1000]) func theBodyHasTheRoomThatWasAskedFor(capacity: Int) {
    let bytes = [UInt8].appending(capacity: capacity) { output in
      #expect(output.freeCapacity == capacity)
      while !output.isFull { output.append(7) }
    }
    #expect(bytes == [UInt8](repeating: 7, count: capacity))
  }

  /// All empty arrays of a process have one storage: a count written into it by two threads is a data race.
  @Test func anEmptyArrayIsNotMadeInTheStorageOfAllEmptyArrays() {
    let none = unsafe [UInt8]().withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    #expect(none != 0)
    var place = 0
    let bytes = [UInt8].appending(capacity: 0) { output in
      unsafe output.withUnsafeMutableBytes { buffer, _ in place = Int(bitPattern: buffer.baseAddress) }
    }
    #expect(bytes.isEmpty)
    // Nor does libsodium get a null pointer.
    #expect(place != 0 && place != none)
  }

  @Test func whatABodyAppendsBeforeItThrowsIsLost() async {
    var bytes: [UInt8] = [7]
    do throws(EnvelopeError) {
      try bytes.append(addingCapacity: 2) { (span) throws(EnvelopeError) in
        try span.withRawSpan(capacity: 2) { (output) throws(EnvelopeError) in
          output.append(1)
          throw .payloadAltered
        }
      }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error == .payloadAltered)
    }
    #expect(bytes == [7])
  }
}

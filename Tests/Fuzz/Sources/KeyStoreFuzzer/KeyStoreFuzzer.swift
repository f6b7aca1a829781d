// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

/// Reads the text of a key store.
///
/// What is read is written with the same lines, and is read from that again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let store = accepted({ try read(text) }) else { return 0 }
  let written = require("a store that was read is written") { try store.text().array }
  // The first line and the order of aliases are the writer's; everything else is as it was read.
  require(lines(of: written) == lines(of: text), "a store is written with other lines than it was read with")
  let again = require("a store that was written is read") { try read(written).text().array }
  require(again == written, "a store is written otherwise the second time")
  return 0
}

private func read(_ text: [UInt8]) throws(EnvelopeError) -> KeyStore {
  try unsafe KeyStore(text: text.span.bytes)
}

private func lines(of text: [UInt8]) -> [[UInt8]] {
  text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst().map(Array.init)
    .sorted { $0.lexicographicallyPrecedes($1) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Opener {
  /// Opens many values, one after the other in the same memory, which is wiped afterwards.
  ///
  /// - Parameters:
  ///   - envelopes: The envelopes' bytes, whole.
  ///   - associatedData: The bytes given when each was sealed, in the same order.
  ///   - body: Gets the index and the plaintext of each, in order; the plaintext is valid only inside.
  /// - Throws: `invalidArgument` where the numbers differ, before anything is opened; at the first envelope that
  ///   does not open, `headerUnknown`, `malformed` or `payloadAltered`, which names its index: those before it have
  ///   been given to `body` by then; or what `body` throws.
  public func open(
    _ envelopes: [[UInt8]], authenticating associatedData: [[UInt8]],
    _ body: (_ index: Int, _ plaintext: RawSpan) throws -> Void
  ) throws {
    try Batch.check(envelopes.count, associatedData.count)
    let longest = envelopes.reduce(0) { max($0, $1.count - overheadByteCount) }
    _ = try SecretBytes(byteCount: longest) { (output) throws in
      for index in envelopes.indices {
        let (envelope, associatedData) = (envelopes[index], associatedData[index])
        try Batch.at(index) { () throws(EnvelopeError) in
          try unsafe open(envelope.span.bytes, authenticating: associatedData.span.bytes, into: &output)
        }
        try body(index, output.bytes)
        output.removeAll()
      }
    }
  }
}

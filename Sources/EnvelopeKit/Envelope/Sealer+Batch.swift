// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Sealer {
  /// Seals many values, each into an envelope of its own, with one draw of randomness for up to a hundred: short
  /// values take about two thirds of the time that they take one by one.
  ///
  /// All envelopes are kept, in memory that is new to the process. For values from a few KiB on, that takes longer than to
  /// seal them: ``seal(_:authenticating:_:)`` gives them one by one.
  ///
  /// - Parameters:
  ///   - plaintexts: Any number of values of any number of bytes.
  ///   - associatedData: What says where each value belongs, in the same order; at least one byte each.
  /// - Returns: The envelopes in the same order, no different from those sealed one by one.
  /// - Throws: `invalidArgument` where the numbers differ, or where there is no associated data for a value.
  public func seal(
    _ plaintexts: [[UInt8]], authenticating associatedData: [[UInt8]]
  ) throws(EnvelopeError) -> [[UInt8]] {
    try Batch.check(plaintexts.count, associatedData.count)
    var envelopes: [[UInt8]] = []
    envelopes.reserveCapacity(plaintexts.count)
    while envelopes.count < plaintexts.count {
      let nonces = try Nonces(for: plaintexts, from: envelopes.count, aead)
      for index in nonces.indices {
        envelopes.append(
          try [UInt8].appending(capacity: plaintexts[index].count + overheadByteCount) {
            (output) throws(EnvelopeError) in
            try seal(plaintexts, authenticating: associatedData, at: index, nonces, into: &output)
          })
      }
    }
    return envelopes
  }

  /// Seals many values, up to a hundred at once in the same memory, and gives the envelopes one after the other.
  ///
  /// - Parameters:
  ///   - plaintexts: Any number of values of any number of bytes.
  ///   - associatedData: What says where each value belongs, in the same order; at least one byte each.
  ///   - body: Gets the index and the envelope of each, in order; the envelope is valid only inside.
  /// - Throws: `invalidArgument` where the numbers differ, before anything is sealed, or where there is no associated data
  ///   for a value: those before it may have been given to `body` by then; or what `body` throws.
  public func seal(
    _ plaintexts: [[UInt8]], authenticating associatedData: [[UInt8]],
    _ body: (_ index: Int, _ envelope: RawSpan) throws -> Void
  ) throws {
    try Batch.check(plaintexts.count, associatedData.count)
    let longest = plaintexts.reduce(0) { max($0, $1.count) }
    let capacity = max(longest, Nonces.plaintextByteLimit) + Nonces.countLimit * overheadByteCount
    let total = plaintexts.reduce(0) { $0 + $1.count + overheadByteCount }
    _ = try [UInt8].appending(capacity: min(capacity, total)) { (output) throws in
      var count = 0
      while count < plaintexts.count {
        let nonces = try Nonces(for: plaintexts, from: count, aead)
        // All nonces are used before the caller's code runs, which may fork or wait.
        for index in nonces.indices {
          try seal(plaintexts, authenticating: associatedData, at: index, nonces, into: &output)
        }
        var start = 0
        for index in nonces.indices {
          let end = start + plaintexts[index].count + overheadByteCount
          try body(index, output.bytes.extracting(start..<end))
          start = end
        }
        output.removeAll()
        count = nonces.indices.upperBound
      }
    }
  }

  private func seal(
    _ plaintexts: [[UInt8]], authenticating associatedData: [[UInt8]], at index: Int, _ nonces: Nonces,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let (plaintext, associatedData) = (plaintexts[index], associatedData[index])
    try Batch.at(index) { () throws(EnvelopeError) in
      try unsafe seal(
        plaintext.span.bytes, authenticating: associatedData.span.bytes,
        nonce: nonces.bytes.span.bytes.extracting(nonces.range(of: index)), into: &output)
    }
  }

  /// The nonces of the next values, drawn together: of so few, and so short, that the last nonce is used within a fraction
  /// of a millisecond of the draw.
  private struct Nonces {
    static let countLimit = 100
    static let plaintextByteLimit = 65536

    /// Of the values that they are for.
    let indices: Range<Int>
    private let byteCount: Int
    let bytes: [UInt8]

    init(for plaintexts: [[UInt8]], from start: Int, _ aead: AEAD) throws(EnvelopeError) {
      var (end, plaintextByteCount) = (start + 1, plaintexts[start].count)
      while end < plaintexts.count, end - start < Self.countLimit,
        plaintextByteCount + plaintexts[end].count <= Self.plaintextByteLimit
      {
        plaintextByteCount += plaintexts[end].count
        end += 1
      }
      indices = start..<end
      byteCount = aead.nonceByteCount
      bytes = try Randomness.bytes(indices.count * byteCount)
    }

    /// Where the nonce of a value lies among the bytes.
    func range(of index: Int) -> Range<Int> {
      let start = (index - indices.lowerBound) * byteCount
      return start..<start + byteCount
    }
  }
}

/// What sealing and opening many values have in common.
enum Batch {
  static func check(_ count: Int, _ associatedDataCount: Int) throws(EnvelopeError) {
    guard count == associatedDataCount else {
      throw EnvelopeError(
        .invalidArgument, "There are \(count) values and associated data for \(associatedDataCount)",
        advice: "Give associated data for each value, in the same order.")
    }
  }

  /// Does something with the value at an index, which a failure then tells.
  static func at<R>(_ index: Int, _ body: () throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    do {
      return try body()
    } catch {
      throw EnvelopeError(
        error.code, "\(error.message) (index \(index) of the batch)", advice: error.advice, names: error.names)
    }
  }
}

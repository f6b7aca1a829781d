// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A part of one of several texts that a mask replaces.
package struct TextMark: Sendable {
  /// The number of the text.
  package let text: Int
  var range: MaskedRange
}

extension Redactor {
  /// Finds secrets in texts that are read one after the other.
  ///
  /// The texts are copied side by side to memory that is wiped.
  ///
  /// - Parameters:
  ///   - texts: The texts.
  ///   - order: The numbers of those that are read, at least one, in the order of reading.
  ///   - repeatsFirst: Whether the first is read again after the last.
  ///   - marks: Receives what is to be masked.
  package func addMarks(
    in texts: [String], order: some Collection<Int>, repeatsFirst: Bool = false, to marks: inout [TextMark]
  ) {
    guard let automaton, let first = order.first else { return }
    // A secret that lies in the repeated text alone has been found before.
    let again = repeatsFirst ? min(texts[first].utf8.count, automaton.layout.maximumLength - 1) : 0
    let byteCount = order.reduce(again) { $0 + texts[$1].utf8.count }
    unsafe withUnsafeTemporaryAllocation(byteCount: max(byteCount, 1), alignment: 1) { buffer in
      var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
      for index in order { texts[index].withUTF8Bytes { output.append($0) } }
      texts[first].withUTF8Bytes { output.append($0.extracting(0..<again)) }
      let count = unsafe output.finalize(for: buffer)
      let joined = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      let ranges = unsafe ranges(in: UnsafeRawBufferPointer(joined).bytes)
      unsafe joined.wipe()
      guard !ranges.isEmpty else { return }
      var position = 0
      for index in order {
        let end = position + texts[index].utf8.count
        Self.add(ranges, in: position..<end, as: index, to: &marks)
        position = end
      }
      Self.add(ranges, in: position..<byteCount, as: first, to: &marks)
    }
  }

  /// Adds the parts of ranges that lie in one text.
  private static func add(
    _ ranges: [MaskedRange], in text: Range<Int>, as index: Int, to marks: inout [TextMark]
  ) {
    // The first range that does not end before the text.
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].end <= text.lowerBound { low = middle + 1 } else { high = middle }
    }
    for var range in ranges[low...] {
      guard range.start < text.upperBound else { break }
      range.start = max(range.start, text.lowerBound) - text.lowerBound
      range.end = min(range.end, text.upperBound) - text.lowerBound
      if range.start < range.end { marks.append(TextMark(text: index, range: range)) }
    }
  }

  /// Masks what has been found in texts.
  package func redact(_ texts: [String], _ marks: [TextMark]) -> [String] {
    var texts = texts
    var byText: [Int: [MaskedRange]] = [:]
    for mark in marks { byText[mark.text, default: []].append(mark.range) }
    for (index, ranges) in byText {
      var merged: [MaskedRange] = []
      for range in ranges.sorted(by: { $0.end < $1.end }) { merged.add(range) }
      texts[index] = texts[index].withUTF8Bytes { string($0, masking: merged[...]) }
    }
    return texts
  }
}

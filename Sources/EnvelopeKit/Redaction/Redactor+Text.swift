// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Redactor {
  /// Masks the secrets in a text.
  ///
  /// Returns the same string, without allocating memory, if it has none.
  public func redact(_ text: String) -> String {
    text.withUTF8Bytes { bytes in
      let ranges = ranges(in: bytes)
      return ranges.isEmpty ? nil : string(bytes, masking: ranges[...])
    } ?? text
  }

  /// Masks the secrets in bytes; returns nil if there is none.
  public func redact(_ bytes: RawSpan) -> [UInt8]? {
    let ranges = ranges(in: bytes)
    guard !ranges.isEmpty else { return nil }
    return [UInt8].appending(capacity: length(of: bytes.byteCount, masking: ranges[...])) { output in
      append(bytes, masking: ranges[...], to: &output)
    }
  }

  /// Masks the secrets in texts that are read one after the other.
  ///
  /// A secret that begins in one text and ends in another is masked in each of them.
  public func redact(_ texts: [String]) -> [String] {
    var marks: [TextMark] = []
    addMarks(in: texts, order: texts.indices, to: &marks)
    return marks.isEmpty ? texts : redact(texts, marks)
  }

  /// The ranges to mask, in ascending order.
  func ranges(in bytes: RawSpan) -> [MaskedRange] {
    var ranges: [MaskedRange] = []
    var search = PatternSearch()
    automaton?.withTables { tables in
      tables.search(bytes, &search, continues: false) { end, pattern in
        let length = tables.length(ofPattern: pattern)
        ranges.add(
          MaskedRange(
            start: end - length, end: end, secret: tables.secret(ofPattern: pattern), matchLength: length))
      }
    }
    return ranges
  }

  private func length(of byteCount: Int, masking ranges: ArraySlice<MaskedRange>) -> Int {
    ranges.reduce(byteCount) { $0 - ($1.end - $1.start) + masks[$1.secret].utf8.count }
  }

  private func append(_ bytes: RawSpan, masking ranges: ArraySlice<MaskedRange>, to output: inout OutputRawSpan) {
    var position = 0
    for range in ranges {
      output.append(bytes.extracting(position..<range.start))
      output.append(masks[range.secret])
      position = range.end
    }
    output.append(bytes.extracting(position..<bytes.byteCount))
  }

  /// The text with masks; what a mask has left of a character is replaced by U+FFFD.
  func string(_ bytes: RawSpan, masking ranges: ArraySlice<MaskedRange>) -> String {
    unsafe String(unsafeUninitializedCapacity: length(of: bytes.byteCount, masking: ranges)) { buffer in
      let buffer = UnsafeMutableRawBufferPointer(buffer)
      var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
      append(bytes, masking: ranges, to: &output)
      return unsafe output.finalize(for: buffer)
    }
  }
}

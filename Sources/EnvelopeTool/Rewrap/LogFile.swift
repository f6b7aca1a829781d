// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file of sealed logs or traces, as lines, and the headers of its segments.
struct LogFile: ~Copyable {
  /// The copies of a segment's header that differ: some may be under other keys.
  struct Segment {
    var headers: [Header]

    /// The wrapped keys of all of them, each once.
    var entries: [WrappedDataKey] {
      var entries: [WrappedDataKey] = []
      for entry in headers.flatMap(\.wrappedKeys) where !entries.contains(entry) { entries.append(entry) }
      return entries
    }
  }

  /// How much of a file is searched for a first sealed line.
  private static let beginningByteCount = 1 << 18

  let path: Path
  private let file: Descriptor
  private let byteCount: Int
  private(set) var segments: [Segment] = []
  private(set) var recordCount = 0
  /// The numbers of the lines whose headers are damaged.
  private(set) var damagedLines: [Int] = []
  private var indices: [SegmentID: [Int]] = [:]

  /// Whether the beginning of a regular file has a line of a sealed log or trace.
  static func isLog(at path: String) -> Bool {
    guard (try? Path(path).kind) == .file, let file = try? Path(path).openForReading(),
      let byteCount = try? file.status(of: Path(path)).byteCount
    else { return false }
    var lines = RawLines(Path(path), byteCount: min(byteCount, beginningByteCount))
    var line = RecordLine()
    var (isFound, isAtEnd) = (false, false)
    while !isFound, !isAtEnd {
      let isRead = try? lines.next(of: file) { bytes, isLine, _ in
        if isLine, [.header, .record].contains(line.read(bytes)) { isFound = true }
      }
      isAtEnd = isRead != true
    }
    return isFound
  }

  /// Reads the headers of all lines.
  init(at path: String) throws(EnvelopeError) {
    let path = Path(path)
    let file = try path.openForReading()
    let byteCount = try file.status(of: path).byteCount
    var lines = RawLines(path, byteCount: byteCount)
    var line = RecordLine()
    var (segments, indices, damaged, records) = ([Segment](), [SegmentID: [Int]](), [Int](), 0)
    var isAtEnd = false
    while !isAtEnd {
      isAtEnd = try !lines.next(of: file) { (bytes, isLine, number) throws(EnvelopeError) in
        guard isLine else { return }
        let form = line.read(bytes)
        guard form == .header || form == .record else {
          if form == .damaged, bytes.contains("\"ek1:") { damaged.append(number) }
          return
        }
        if form == .record { records += 1 }
        guard line.hasHeader else { return }
        guard let id = line.segment, line.headerRange != nil,
          let header = line.headerBytes(in: bytes).flatMap({ try? Header(records: $0) })
        else { return damaged.append(number) }
        for index in indices[id] ?? [] where segments[index].headers[0].isOfSameSegment(as: header) {
          if !segments[index].headers.contains(header) { segments[index].headers.append(header) }
          return
        }
        indices[id, default: []].append(segments.count)
        segments.append(Segment(headers: [header]))
      }
    }
    self.path = path
    self.file = file
    self.byteCount = byteCount
    (self.segments, self.indices, damagedLines, recordCount) = (segments, indices, damaged, records)
  }

  /// Replaces the file by one whose headers are these, by the index of the segment; all other bytes stay.
  ///
  /// - Throws: `changedMeanwhile` if the file is another by then, or has grown; `fileFailure`.
  func replace(with headers: [Int: [UInt8]]) throws(EnvelopeError) {
    var replacement = Replacement(isSecret: false) { Console.say("envelope: \($0)") }
    replacement.removesUnfinished = true
    let texts = headers.mapValues { Array("ek1:\(Base64URL.encode($0))".utf8) }
    try path.replace(replacement) { (output) throws(EnvelopeError) in
      var lines = RawLines(path, byteCount: byteCount)
      var line = RecordLine()
      var buffer = GrowingBuffer(capacity: 1 << 21)
      var isAtEnd = false
      while !isAtEnd {
        isAtEnd = try !lines.next(of: file) { (bytes, isLine, _) throws(EnvelopeError) in
          guard isLine, let range = replaced(&line, bytes, texts) else { return buffer.append(bytes) }
          buffer.append(bytes.extracting(first: range.range.lowerBound))
          unsafe buffer.append(range.text.span.bytes)
          buffer.append(bytes.extracting(droppingFirst: range.range.upperBound))
        }
        guard isAtEnd || buffer.byteCount > 1 << 20 else { continue }
        try buffer.withBytes { (bytes) throws(EnvelopeError) in try output.writeAll(bytes, to: path) }
        buffer.remove()
      }
    } confirming: { () throws(EnvelopeError) in
      try checkIsUnchanged()
    }
  }

  /// The header of a line that is to be replaced, and by what.
  private func replaced(
    _ line: inout RecordLine, _ bytes: RawSpan, _ texts: [Int: [UInt8]]
  ) -> (range: Range<Int>, text: [UInt8])? {
    guard [.header, .record].contains(line.read(bytes)), let id = line.segment, let range = line.headerRange,
      let header = line.headerBytes(in: bytes).flatMap({ try? Header(records: $0) })
    else { return nil }
    for index in indices[id] ?? [] where segments[index].headers[0].isOfSameSegment(as: header) {
      return texts[index].map { (range, $0) }
    }
    return nil
  }

  /// Makes sure that nothing was appended, and that no other file has taken the name.
  private func checkIsUnchanged() throws(EnvelopeError) {
    var (own, other) = (stat(), stat())
    guard unsafe fstat(file.number, &own) == 0, unsafe stat(path.string, &other) == 0, own.st_ino == other.st_ino,
      own.st_dev == other.st_dev, Int(own.st_size) == byteCount
    else {
      throw EnvelopeError(
        .changedMeanwhile, "\(path) was changed meanwhile, and was left as it is now",
        advice: "Rewrap a log when no process writes to it any more, as after its rotation.")
    }
  }
}

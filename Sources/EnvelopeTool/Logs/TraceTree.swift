// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The spans of traces as lines to read, each below its parent.
struct TraceTree {
  private struct Span {
    var id = ""
    var trace = ""
    var parent = ""
    var name = ""
    var start = 0.0
    var end: Double?
    var marks: [String] = []
  }

  private var spans: [Span] = []

  /// Adds a document, and the subsegments that are in it.
  mutating func add(_ members: [MergedRecord.Member], of document: RawSpan) {
    add(members, of: document, below: Span(), depth: 0)
  }

  private mutating func add(
    _ members: [MergedRecord.Member], of document: RawSpan, below parent: Span, depth: Int
  ) {
    var span = Span(trace: parent.trace, parent: parent.id)
    var subsegments: Range<Int>?
    for member in members {
      let value = document.extracting(member.value)
      switch String(decoding: member.name, as: UTF8.self) {
      case "id": span.id = value.string(at: 0) ?? ""
      case "trace_id": span.trace = value.string(at: 0) ?? ""
      case "parent_id": span.parent = value.string(at: 0) ?? ""
      case "name": span.name = value.string(at: 0) ?? ""
      case "start_time": span.start = value.number ?? 0
      case "end_time": span.end = value.number
      case let name where ["error", "fault", "throttle"].contains(name):
        if value.byteIfAny(at: 0) == UInt8(ascii: "t") { span.marks.append(name) }
      case "subsegments": subsegments = member.value
      default: break
      }
    }
    spans.append(span)
    guard let subsegments, depth < 64 else { return }
    for range in document.elements(of: subsegments) {
      let nested = document.extracting(range)
      guard let members = try? MergedRecord.members(of: nested) else { continue }
      add(members, of: nested, below: span, depth: depth + 1)
    }
  }

  /// The lines of all traces, in the order in which they came.
  func lines(_ output: RecordOutput) -> [String] {
    var (order, traces) = ([String](), [String: [Int]]())
    for index in spans.indices {
      if traces[spans[index].trace] == nil { order.append(spans[index].trace) }
      traces[spans[index].trace, default: []].append(index)
    }
    return order.flatMap { trace in
      [output.coloured("trace \(trace.isEmpty ? "-" : EnvelopeError.shown(trace))", 1)]
        + lines(of: traces[trace] ?? [], output)
    }
  }

  private func lines(of trace: [Int], _ output: RecordOutput) -> [String] {
    let ids = Set(trace.map { spans[$0].id })
    var children: [String: [Int]] = [:]
    for index in trace.sorted(by: { spans[$0].start > spans[$1].start }) {
      let parent = spans[index].parent
      children[ids.contains(parent) && parent != spans[index].id ? parent : "", default: []].append(index)
    }
    // The last ones of each list come first. What no root leads to, as a circle, is written at the end.
    var (lines, written) = ([String](), Set<Int>())
    var stack = (children[""] ?? []).map { ($0, 0) }
    var rest = Array(trace.reversed())
    while true {
      guard let (index, depth) = stack.popLast() else {
        guard let next = rest.popLast() else { break }
        if !written.contains(next) { stack.append((next, 0)) }
        continue
      }
      guard written.insert(index).inserted else { continue }
      lines.append(line(of: spans[index], depth: depth, output))
      if !spans[index].id.isEmpty { stack += (children[spans[index].id] ?? []).map { ($0, depth + 1) } }
    }
    return lines
  }

  private func line(of span: Span, depth: Int, _ output: RecordOutput) -> String {
    let name = span.name.isEmpty ? "-" : EnvelopeError.shown(span.name)
    var line = String(repeating: "  ", count: min(depth, 64) + 1) + name
    line += "  " + output.coloured(span.end.map { Self.durationText($0 - span.start) } ?? "in progress", 2)
    for mark in span.marks { line += "  " + output.coloured(mark.uppercased(), 31) }
    return line
  }

  /// A duration in seconds, in three digits at least.
  static func durationText(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let microseconds = Int((seconds * 1_000_000).rounded())
    switch microseconds {
    case ..<1000: return "\(microseconds) µs"
    case ..<1_000_000: return "\(microseconds / 1000).\(microseconds / 100 % 10) ms"
    default: return "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10) s"
    }
  }
}

extension RawSpan {
  /// The number that JSON stands for; nil if it is none.
  fileprivate var number: Double? { Double(String(decoding: [UInt8](copying: self), as: UTF8.self)) }

  /// Where the elements of the array lie that a range holds; none if it holds none.
  fileprivate func elements(of range: Range<Int>) -> [Range<Int>] {
    var scanner = JSONScanner(at: range.lowerBound)
    var found: [Range<Int>] = []
    guard byteIfAny(at: range.lowerBound) == UInt8(ascii: "[") else { return [] }
    scanner.advance(by: 1)
    while true {
      scanner.skipBlanks(in: self)
      let start = scanner.position
      guard (try? scanner.skipValue(in: self)) != nil else { return found }
      found.append(start..<scanner.position)
      scanner.skipBlanks(in: self)
      guard byteIfAny(at: scanner.position) == UInt8(ascii: ",") else { return found }
      scanner.advance(by: 1)
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

/// Reads lines among which are those of known segments, in any order and changed.
///
/// Nothing comes out but what was sealed, under its own sequence and type, with its own clear members.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  let mode = input.byte()
  let known = input.element(of: KnownLines.all)
  let others = input.element(of: KnownLines.all)
  var lines: [[UInt8]] = []
  switch mode % 3 {
  case 0: lines = known.lines + input.rest().split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
  case 1:
    // Some lines, one of them changed.
    let all = known.lines + others.lines
    lines = input.shortBytes().map { all[Int($0) % all.count] }
    if lines.isEmpty { lines = known.lines }
    let index = input.number(below: lines.count)
    lines[index].edit(by: &input)
  default:
    // All bytes are changed, line feeds among them.
    var text = Array(known.lines.joined(separator: [10]))
    text.edit(by: &input)
    lines = text.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
  }
  read(lines, order: mode & 4 == 0 ? .complete : .any, isUnchanged: lines == known.lines)
  return 0
}

private func read(_ lines: [[UInt8]], order: RecordReader.Order, isUnchanged: Bool) {
  let keyring = Known.keyring
  require("lines are read") {
    try immediately {
      var reader = try RecordReader(context: Known.context, using: keyring, order: order)
      var counts = (records: 0, findings: 0)
      for line in lines {
        while true {
          let header = try unsafe reader.read(line.span.bytes) { (item, clear, payload) throws(EnvelopeError) in
            switch item {
            case .record(let origin):
              counts.records += 1
              check(origin, clear, payload)
            case .finding(let finding):
              counts.findings += 1
              require("\(finding)".unicodeScalars.allSatisfy(\.isPrintable), "a finding cannot be printed: \(finding)")
            case .other: break
            }
          }
          guard let header else { break }
          try await reader.unlock(header)
        }
      }
      try reader.finish { (finding) throws(EnvelopeError) in counts.findings += 1 }
      require(!isUnchanged || counts.records == 7 && counts.findings == 0, "known lines are not read as they are")
    }
  }
}

private func check(_ origin: RecordReader.Origin, _ clear: RawSpan, _ payload: RawSpan) {
  let isKnown = KnownLines.all.contains { known in
    known.holds(origin, clear: [UInt8](copying: clear), payload: [UInt8](copying: payload))
  }
  require(isKnown, "a record comes out that was not sealed: \(origin)")
}

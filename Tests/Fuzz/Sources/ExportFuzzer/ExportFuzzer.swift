// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeTool

/// Extracts the lines of a log from bytes that arrive in parts of any length.
///
/// What comes out does not depend on the parts, no line is longer than the limit, and each is searched for documents.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  let pieces = input.shortBytes().map { Int($0) }
  let bytes = input.rest()
  let found = lines(of: bytes, in: pieces)
  require(found == lines(of: bytes, in: []), "lines depend on the parts in which they arrive")
  require(found == lines(of: bytes, in: [Int](repeating: 1, count: bytes.count)), "lines differ byte for byte")
  var number = (line: 0, event: 0)
  for (line, text) in found {
    require(text.count <= LogInput.byteLimit, "a line is longer than the limit")
    require(line.form == .line || line.form == .tooLong || text.isEmpty, "a line of another form has bytes")
    let last = line.isEvent ? number.event : number.line
    require(line.number >= last, "numbers go back")
    if line.isEvent { number.event = line.number } else { number.line = line.number }
    let documents = unsafe TraceDocuments.ranges(in: text.span.bytes)
    require(documents.first == 0..<text.count, "a text is not its own first document")
    for range in documents.dropFirst() {
      require(
        text[range].first == UInt8(ascii: "{") && text[range].last == UInt8(ascii: "}"), "a document is no object")
    }
  }
  return 0
}

private func lines(of bytes: [UInt8], in pieces: [Int]) -> [(LogInput.Line, [UInt8])] {
  var input = LogInput()
  var found: [(LogInput.Line, [UInt8])] = []
  func drain(_ input: inout LogInput) {
    while let line = input.next() {
      let hasBytes = line.form == .line || line.form == .tooLong
      found.append((line, hasBytes ? input.withLine { [UInt8](copying: $0) } : []))
    }
  }
  require("parts are appended") {
    try forEachPiece(of: bytes[...], in: pieces) { (piece) throws(EnvelopeError) in
      input.append(piece)
      drain(&input)
    }
  }
  input.finish()
  drain(&input)
  return found
}

private func == (a: [(LogInput.Line, [UInt8])], b: [(LogInput.Line, [UInt8])]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Fuzzing

@testable import EnvelopeKitAWS

/// Reads the files that AWS's tools share.
///
/// No header is passed over, and what is read can be written, and is read from that as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let file = accepted({ try read(text) }) else { return 0 }
  let afterMark = text.starts(with: [0xef, 0xbb, 0xbf]) ? text.dropFirst(3) : text[...]
  let headerCount = afterMark.split(separator: UInt8(ascii: "\n")).count { trimmed($0).first == UInt8(ascii: "[") }
  require(file.sections.count == headerCount, "a section is passed over")
  var written: [UInt8] = []
  for (section, settings) in file.sections {
    written += Array("  [\(section)]  ; comment\n".utf8)
    for key in settings.keys {
      guard let value = accepted({ try file.section(named: section)?.value(of: key)?.array }) ?? nil else { continue }
      require(
        value == trimmed(value[...]) && !value.contains { $0 < 0x20 && $0 != 9 }, "a value has more than its line")
      written += Array("  \(key.uppercased()) : ".utf8) + value + Array("\n\n    # comment\n".utf8)
    }
  }
  let again = require("a file that was written is read") { try read(written) }
  require(Set(again.sections.keys) == Set(file.sections.keys), "a file is read with other sections")
  for (section, settings) in file.sections {
    for key in settings.keys {
      guard let value = accepted({ try file.section(named: section)?.value(of: key)?.array }) ?? nil else {
        require(!(again.section(named: section)?.has(key) ?? false), "a setting comes from nowhere")
        continue
      }
      require(value == (try? again.section(named: section)?.value(of: key)?.array), "a value is read otherwise")
    }
  }
  return 0
}

private func read(_ text: [UInt8]) throws(EnvelopeError) -> SharedFile {
  try unsafe SharedFile(text: SecretBytes(copying: text.span.bytes), path: Path("/home/u/.aws/config"))
}

private func trimmed(_ line: ArraySlice<UInt8>) -> [UInt8] {
  let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 9 || byte == 13 }
  return Array(line.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
}

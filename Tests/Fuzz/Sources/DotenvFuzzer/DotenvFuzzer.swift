// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeTool

/// Reads lines NAME=value.
///
/// What is read can be written, and is read from that as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let read = accepted({ try unsafe Dotenv.read(text.span.bytes) }) else { return 0 }
  // A name or value that a shell would run is refused by the writer.
  guard let written = accepted({ try Dotenv.write(read).text.array }) else { return 0 }
  let again = require("variables that were written are read") { try unsafe Dotenv.read(written.span.bytes) }
  require(again.values == read.values, "variables are read otherwise than they were written")
  let rewritten = require("variables are written again") { try Dotenv.write(again).text.array }
  require(rewritten == written, "variables are written otherwise the second time")
  let json = require("variables are written as JSON") { try VariablesJSON.write(read).array }
  let fromJSON = require("JSON that was written is read") { try unsafe VariablesJSON.read(json.span.bytes) }
  require(fromJSON.values == read.values, "variables are read otherwise from JSON")
  return 0
}

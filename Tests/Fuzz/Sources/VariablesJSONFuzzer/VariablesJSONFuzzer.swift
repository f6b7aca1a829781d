// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeTool

/// Reads variables from JSON.
///
/// What is read can be written in either form, and is read from that as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  _ = accepted { try unsafe VariablesJSON.functionARN(in: text.span.bytes) }
  guard let read = accepted({ try unsafe VariablesJSON.read(text.span.bytes) }) else { return 0 }
  for form in [VariablesJSON.Form.flat, .variables] {
    let written = require("variables are written") { try VariablesJSON.write(read, as: form).array }
    let again = require("variables that were written are read") { try unsafe VariablesJSON.read(written.span.bytes) }
    require(again.values == read.values, "variables are read otherwise than they were written")
    let rewritten = require("variables are written again") { try VariablesJSON.write(again, as: form).array }
    require(rewritten == written, "variables are written otherwise the second time")
  }
  return 0
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeTool

/// Reads lines NAME=value.
///
/// What is read can be written, and is read from that as it was; in the place of what was read, too. What readers
/// disagree about can be said of all that is read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let read = accepted({ try unsafe Dotenv.read(text.span.bytes) }) else { return 0 }
  _ = require("disagreements are found") { try unsafe Dotenv.disagreements(in: text.span.bytes) }
  // A name or value that a shell would run is refused by the writer.
  guard let written = accepted({ try Dotenv.write(read).text.array }) else { return 0 }
  let again = require("variables that were written are read") { try unsafe Dotenv.read(written.span.bytes) }
  require(again.values == read.values, "variables are read otherwise than they were written")
  let rewritten = require("variables are written again") { try Dotenv.write(again).text.array }
  require(rewritten == written, "variables are written otherwise the second time")
  // In its own place a text keeps what it says, and stays as it is from the second time on.
  let followed = require("variables are written in their own place") {
    try unsafe Dotenv.write(read, first: [], following: text.span.bytes, comments: .all).text.array
  }
  let inPlace = require("variables in their own place are read") { try unsafe Dotenv.read(followed.span.bytes) }
  require(inPlace.values == read.values, "variables are read otherwise from their own place")
  let json = require("variables are written as JSON") { try VariablesJSON.write(read).array }
  let fromJSON = require("JSON that was written is read") { try unsafe VariablesJSON.read(json.span.bytes) }
  require(fromJSON.values == read.values, "variables are read otherwise from JSON")
  return 0
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Fuzzing

@testable import EnvelopeKit

/// Reads the text of a recipient.
///
/// The bytes are the text, edits of a valid one, or the 45 bytes behind a check that fits. What is accepted is written as it
/// was read, and a data key can be wrapped for it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 3 {
  case 0: read(String(decoding: input.rest(), as: UTF8.self))
  case 1:
    var edited = text
    edited.edit(by: &input)
    read(edited)
  default:
    var bytes = input.bytes(45)
    bytes += [UInt8](repeating: 0, count: 45 - bytes.count)
    let check = require("a check is made") {
      try unsafe BLAKE2b.hash(32, personal: "EK recipient", message: bytes.span.bytes).prefix(4)
    }
    read(Base64URL.encode(bytes + check, after: "er1:"))
  }
  return 0
}

private let text = "er1:identity-111AAAAAbdk7HzrtWODepkEzH7GYUDxYo-lQGRoLiqUQ8okt0JsiTED2Q"
private let dataKey = require("a data key is made") {
  _ = Known.store
  return try DataKey.generate()
}

private func read(_ text: String) {
  guard let recipient = accepted({ try Recipient(text) }) else { return }
  require(recipient.description.utf8.elementsEqual(text.utf8), "a recipient is written otherwise than it was read")
  let wrapped = require("a recipient that was read can be sealed to") {
    try recipient.wrap(dataKey, for: Known.context)
  }
  require(wrapped.keyID == recipient.keyID && wrapped.bytes.count == 80, "an entry for a recipient is not one")
}

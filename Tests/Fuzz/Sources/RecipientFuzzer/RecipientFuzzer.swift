// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Fuzzing

@testable import EnvelopeKit

/// Reads the text of a recipient.
///
/// The bytes are the text, edits of a valid one, or the 45 or 1,229 bytes behind a check that fits. What is accepted is written as it
/// was read, and a data key can be wrapped for it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 4 {
  case 0: read(String(decoding: input.rest(), as: UTF8.self))
  case 1, 2:
    var edited = text
    edited.edit(by: &input)
    read(edited)
  default:
    let count = input.byte() % 2 == 0 ? 45 : 1229
    var bytes = input.bytes(count)
    bytes += [UInt8](repeating: 0, count: count - bytes.count)
    let check = require("a check is made") {
      try unsafe BLAKE2b.hash(32, personal: "EK recipient", message: bytes.span.bytes).prefix(4)
    }
    read(Base64URL.encode(bytes + check, after: count == 45 ? "er1:" : "er2:"))
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
  guard recipient.kem == .x25519 || XWing.isAvailable else { return }
  let wrapped = require("a recipient that was read can be sealed to") {
    try recipient.wrap(dataKey, for: Known.context)
  }
  require(
    wrapped.keyID == recipient.keyID && wrapped.bytes.count == recipient.kem.encapsulatedByteCount + 48,
    "an entry for a recipient is not one")
}

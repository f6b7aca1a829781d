// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Fuzzing

@testable import EnvelopeKit

/// Reads headers and values.
///
/// The bytes are an envelope, its text, or edits of a value that was sealed under a known key, of its context or of its
/// associated data.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 4 {
  case 0: readBytes(input.rest())
  case 1: readText(String(decoding: input.rest(), as: UTF8.self))
  case 2: openEdited(by: &input)
  default: openFor(otherThan: &input)
  }
  return 0
}

private let plaintext = Array("a secret of some length".utf8)
private let associatedData = Array("row 17".utf8)
private let sealed = require("a value is sealed") {
  let keyring = Known.keyring
  return try immediately {
    try await Envelope.seal(plaintext, context: Known.context, authenticating: associatedData, using: keyring)
  }
}

private func open(
  _ envelope: [UInt8], context: EncryptionContext = Known.context, authenticating data: [UInt8] = associatedData
) -> [UInt8]? {
  let keyring = Known.keyring
  return accepted {
    try immediately {
      try await Envelope.open(
        envelope, context: context, authenticating: data, using: keyring, anonymousSender: .accepted
      ).array
    }
  }
}

private func readBytes(_ bytes: [UInt8]) {
  var reader = ByteReader(bytes)
  if let header = accepted({ try Header(from: &reader, expecting: .value, .environment, .packedEnvironment) }) {
    require(header.bytes == Array(bytes.prefix(header.bytes.count)), "a header is encoded otherwise than it was read")
    require(reader.remainingByteCount == bytes.count - header.bytes.count, "a header's length is wrong")
  }
  _ = open(bytes, authenticating: [])
}

private func readText(_ text: String) {
  if let bytes = accepted({ try Envelope.bytes(ofText: text) }) {
    require(Envelope.text(of: bytes).utf8.elementsEqual(text.utf8), "a text is written otherwise than it was read")
    readBytes(bytes)
  }
}

private func openEdited(by input: inout FuzzedBytes) {
  var envelope = sealed
  envelope.edit(by: &input)
  let opened = open(envelope)
  require(opened == (envelope == sealed ? plaintext : nil), "an altered value opens, or the value itself does not")
}

private func openFor(otherThan input: inout FuzzedBytes) {
  var (data, pairs) = (associatedData, Known.context.pairs)
  if input.byte() % 2 == 0 {
    data.edit(by: &input)
  } else {
    let index = input.number(below: pairs.count)
    var (key, value) = pairs[index]
    if input.byte() % 2 == 0 { key.edit(by: &input) } else { value.edit(by: &input) }
    pairs[index] = (key, value)
  }
  let context = EncryptionContext(pairs)
  let isSame = (try? context.canonicalBytes()) == (try? Known.context.canonicalBytes()) && data == associatedData
  require(
    open(sealed, context: context, authenticating: data) == (isSame ? plaintext : nil),
    "a value opens for another context or other associated data")
}

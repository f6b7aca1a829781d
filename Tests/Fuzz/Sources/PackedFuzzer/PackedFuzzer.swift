// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Fuzzing

@testable import EnvelopeKit

/// Reads packed environments.
///
/// The bytes are the text of one, edits of one that was sealed under a known key, or a plaintext that is then sealed under
/// that key, which reaches the reader behind the authentication.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 3 {
  case 0: _ = open(String(decoding: input.rest(), as: UTF8.self))
  case 1: openEdited(by: &input)
  default: readPlaintext(input.rest())
  }
  return 0
}

private let values = ["API_KEY": "first value", "DATABASE_URL": "postgres://new", "EMPTY": ""]
private let sealed = require("an environment is sealed") {
  let keyring = Known.keyring
  return try immediately {
    try await SealedEnvironment.seal(values, as: .packed, context: Known.context, using: keyring)
  }
}
private let text = sealed.variables[VariableName.sealed] ?? ""

private func open(_ text: String) -> [String: [UInt8]]? {
  let variables = [VariableName.sealed: text]
  guard let sealed = accepted({ try SealedEnvironment(variables: variables) }) else { return nil }
  // A line feed at the end is not part of the text.
  let written = sealed.variables.mapValues { text.utf8.last == UInt8(ascii: "\n") ? $0 + "\n" : $0 }
  require(written == variables, "an environment is written otherwise than it was read")
  let keyring = Known.keyring
  return accepted {
    try immediately { try await sealed.open(context: Known.context, using: keyring, anonymousSender: .accepted).values }
  }
}

private func openEdited(by input: inout FuzzedBytes) {
  var edited = text
  if input.byte() % 2 == 0 {
    edited.edit(by: &input)
  } else {
    var bytes = Base64URL.decode(text.utf8.dropFirst(4)) ?? []
    bytes.edit(by: &input)
    edited = Base64URL.encode(bytes, after: EnvelopeText.headerPrefix)
  }
  let isSame = edited.utf8.elementsEqual(text.utf8) || edited.utf8.elementsEqual((text + "\n").utf8)
  let expected = isSame ? values.mapValues { Array($0.utf8) } : nil
  require(open(edited) == expected, "an altered environment opens, or the sealed one does not: \(edited)")
}

/// A header whose keys are known.
private final class KnownHeader: Sendable {
  let unlocked: UnlockedHeader
  let payloadKey: SecretBytes

  init(using keyring: some Keyring) async throws {
    unlocked = try await UnlockedHeader.make(.packedEnvironment, context: Known.context, using: keyring)
    payloadKey = try unlocked.keys.key(.payload)
  }
}

private let known = require("a header is made") {
  let keyring = Known.keyring
  return try immediately { try await KnownHeader(using: keyring) }
}
private let generation: UInt32 = 7
private let associatedData: [UInt8] = [0, 0, 0, 7]

private func readPlaintext(_ plaintext: [UInt8]) {
  let aead = AEAD.xChaCha20Poly1305
  let payload = require("a plaintext is sealed") {
    try [UInt8].appending(capacity: plaintext.count + aead.overheadByteCount) { (output) throws(EnvelopeError) in
      try known.payloadKey.withBytes { (key) throws(EnvelopeError) in
        try unsafe aead.seal(
          plaintext.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
      }
    }
  }
  let environment = SealedEnvironment(
    header: known.unlocked.header, generation: generation, payload: .packed(payload))
  guard let opened = accepted({ try environment.open(with: known.unlocked) }) else { return }
  let again = require("what was opened is sealed") {
    try SealedEnvironment.seal(
      opened.secrets, as: .packed, under: known.unlocked, generation: generation, tags: opened.tags, keeping: [:])
  }
  guard case .packed(let payload) = again.payload else { fatalError("it is sealed in another form") }
  let written = require("what was sealed is opened") {
    try SecretBytes(byteCount: payload.count) { (output) throws(EnvelopeError) in
      try known.payloadKey.withBytes { (key) throws(EnvelopeError) in
        try unsafe aead.open(payload.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
      }
    }.array
  }
  require(written == plaintext, "a plaintext is written otherwise than it was read")
}

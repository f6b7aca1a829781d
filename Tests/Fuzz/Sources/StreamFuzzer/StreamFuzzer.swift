// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Fuzzing

@testable import EnvelopeKit

/// Opens streams that arrive in pieces of any length.
///
/// The bytes are a stream, or change one that was sealed under a known key: the order of its chunks, among them chunks of
/// another stream, and then its bytes; or its context; or they are a plaintext.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  let mode = input.byte() % 4
  let pieces = input.shortBytes().map { Int($0) * 37 }
  switch mode {
  case 0: read(input.rest(), in: pieces)
  case 1: openChanged(by: &input, in: pieces)
  case 2: openForOtherContext(&input, in: pieces)
  default: sealAndOpen(&input, in: pieces)
  }
  return 0
}

/// What a stream passed on, and whether it was opened to its end.
private struct Opened: Sendable {
  var plaintext: [UInt8] = []
  var isComplete = false
}

private func open(_ bytes: [UInt8], in pieces: [Int], context: EncryptionContext = Known.context) -> Opened {
  var opened = Opened()
  guard let headerByteCount = headerByteCount(of: bytes) else { return opened }
  let keyring = Known.keyring
  opened = require("the outcome of opening is kept") {
    try immediately {
      var opened = Opened()
      do {
        var opener = try await StreamOpener(
          header: Array(bytes.prefix(headerByteCount)), context: context, using: keyring, anonymousSender: .accepted)
        try forEachPiece(of: bytes.dropFirst(headerByteCount), in: pieces) { (piece) throws(EnvelopeError) in
          try opener.append(piece) { opened.plaintext += [UInt8](copying: $0) }
        }
        try opener.finish { opened.plaintext += [UInt8](copying: $0) }
        opened.isComplete = true
      } catch {
        // The same checks of an error as everywhere.
        _ = accepted { throw error } as Void?
      }
      return opened
    }
  }
  return opened
}

/// The length of the header, if there is one.
///
/// No shorter beginning of a header shows a length, or is refused.
private func headerByteCount(of bytes: [UInt8]) -> Int? {
  guard let found = accepted({ try unsafe StreamOpener.headerByteCount(of: bytes.span.bytes) }), let count = found
  else {
    return nil
  }
  require(count <= bytes.count && count <= 1_052_779, "a header is longer than its bytes")
  for shorter in [count - 1, count / 2, 26, 6, 5, 0] where shorter < count {
    let beginning = Array(bytes.prefix(shorter))
    let found = accepted { try unsafe StreamOpener.headerByteCount(of: beginning.span.bytes) }
    require(found == .some(nil), "the beginning of a header is refused, or taken for one")
  }
  return count
}

private func read(_ bytes: [UInt8], in pieces: [Int]) {
  let opened = open(bytes, in: pieces)
  let atOnce = open(bytes, in: [])
  require(opened.isComplete == atOnce.isComplete, "a stream opens in some pieces and not in others")
  let (short, long) = (opened.plaintext, atOnce.plaintext)
  require(short.starts(with: long) || long.starts(with: short), "a stream opens to other bytes in other pieces")
}

private func openChanged(by input: inout FuzzedBytes, in pieces: [Int]) {
  let known = input.element(of: KnownStream.all)
  let bytes = known.changed(by: &input)
  let opened = open(bytes, in: pieces)
  require(opened.isComplete == (bytes == known.bytes), "an altered stream opens, or the stream itself does not")
  require(known.plaintext.starts(with: opened.plaintext), "a stream passes on what was not sealed")
  require(!opened.isComplete || opened.plaintext == known.plaintext, "a stream is complete before its end")
}

private func openForOtherContext(_ input: inout FuzzedBytes, in pieces: [Int]) {
  let known = input.element(of: KnownStream.all)
  var pairs = Known.context.pairs
  let index = input.number(below: pairs.count)
  var (key, value) = pairs[index]
  if input.byte() % 2 == 0 { key.edit(by: &input) } else { value.edit(by: &input) }
  pairs[index] = (key, value)
  let context = EncryptionContext(pairs)
  let isSame = (try? context.canonicalBytes()) == (try? Known.context.canonicalBytes())
  let opened = open(known.bytes, in: pieces, context: context)
  require(opened.isComplete == isSame, "a stream opens for another context")
  require(isSame || opened.plaintext.isEmpty, "a stream passes bytes on for another context")
}

private func sealAndOpen(_ input: inout FuzzedBytes, in pieces: [Int]) {
  let suite = input.element(of: KnownStream.suites)
  // A few bytes describe a long plaintext, too.
  let length = input.word() % 20_000
  let beginning = input.rest()
  let plaintext = beginning + (0..<length).map { UInt8(truncatingIfNeeded: $0 / 7) }
  let stream = KnownStream.seal(plaintext, suite, in: pieces)
  let chunkCount = max(1, (plaintext.count + 4095) / 4096)
  require(
    stream.count == 165 + plaintext.count + chunkCount * KnownStream.tagByteCount(suite), "a stream has another length")
  let opened = open(stream, in: pieces.reversed())
  require(opened.isComplete && opened.plaintext == plaintext, "a stream that was sealed does not open")
}

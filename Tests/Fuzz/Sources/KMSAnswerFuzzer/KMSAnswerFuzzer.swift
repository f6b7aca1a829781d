// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeKitAWS

/// Reads the responses of AWS KMS.
///
/// The first byte is the status: of a request that was accepted, or of one that was refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  let status = [200, 400, 403, 500, 503, 429, 302, 100][input.number(below: 8)]
  if status == 200 { readResponse(input.rest()) } else { readRefusal(status, &input) }
  return 0
}

private func guarded(_ bytes: [UInt8]) -> GuardedMemory {
  require("there is memory") {
    _ = Known.store
    return try GuardedMemory(capacity: bytes.count) { (output) throws(EnvelopeError) in
      unsafe output.append(bytes.span.bytes)
    }
  }
}

private func readResponse(_ body: [UInt8]) {
  let answer = KMSAnswer(body: guarded(body), requestID: nil)
  let encrypted = accepted { try answer.encrypted() }
  let decrypted = decryption(in: answer)
  let isWhole = accepted { try answer.generatedKey() } != nil
  require(isWhole == (encrypted != nil && decrypted != nil), "a response is read as one thing and not as another")
  // Members that were read, written by another writer.
  if let encrypted {
    let text = member("KeyId", encrypted.key.description) + "," + member("CiphertextBlob", base64(encrypted.ciphertext))
    let again = require("a response that was written is read") {
      try KMSAnswer(body: guarded(Array("{\(text)}".utf8)), requestID: nil).encrypted()
    }
    require(
      again.key == encrypted.key && again.ciphertext == encrypted.ciphertext, "a response is read otherwise")
  }
  if let decrypted {
    let text = member("KeyId", decrypted.key) + "," + member("Plaintext", base64(decrypted.plaintext))
    let again = decryption(in: KMSAnswer(body: guarded(Array("{\(text)}".utf8)), requestID: nil))
    require(
      again?.key == decrypted.key && again?.plaintext == decrypted.plaintext, "a response is read otherwise")
  }
}

private func decryption(in answer: KMSAnswer) -> (key: String, plaintext: [UInt8])? {
  accepted {
    let found = try answer.decrypted()
    let key = found.key.description
    return (key: key, plaintext: found.takePlaintext().array)
  }
}

private func readRefusal(_ status: Int, _ input: inout FuzzedBytes) {
  let header = input.byte() % 2 == 0 ? nil : String(decoding: input.shortBytes(), as: UTF8.self)
  let endpoint = require("an endpoint is read") { try Endpoint("https://kms.eu-central-1.amazonaws.com") }
  let date = String(decoding: input.shortBytes(), as: UTF8.self)
  let body = guarded(input.rest())
  let failure = ServiceFailure(status: status, errorType: header, date: date, body: body, requestID: nil)
  // Checks that the error is fit to be printed, whatever the service said.
  let isError: Void? = accepted { throw failure.kmsError(from: endpoint, now: 1_795_787_642) }
  require(isError == nil, "a refusal is no error")
  readElements(body)
}

/// Reads the credentials of AWS STS, which are text without tags.
private func readElements(_ body: GuardedMemory) {
  guard let elements = accepted({ try XMLElements(body, in: "Credentials") }) else { return }
  for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
    guard let text = accepted({ try elements.string(name) }) ?? nil else { continue }
    require(!text.contains("<") && !text.contains(">") && !text.contains("&"), "an element has more than its text")
  }
}

private func member(_ name: String, _ value: String) -> String { "\"\(name)\":\"\(value)\"" }

/// Padded base64, written without the reader's own code.
private func base64(_ bytes: [UInt8]) -> String {
  let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var text = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = Array(bytes[start..<min(start + 3, bytes.count)])
    let bits = (group + [0, 0]).prefix(3).reduce(0) { $0 << 8 | Int($1) }
    for index in 0..<4 { text.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : "=") }
  }
  return text
}

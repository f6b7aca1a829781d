// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

@testable import EnvelopeTool

/// Reads envelope.yaml.
///
/// What is read, written in the strictest spelling, is read as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  guard let read = accepted({ try Configuration(yaml: text) }) else { return 0 }
  let written = read.written
  let again = require("a configuration that was written is read: \(written)") { try Configuration(yaml: written) }
  require(again == read, "a configuration is read otherwise than it was written: \(written)")
  return 0
}

extension Configuration {
  fileprivate var written: String {
    let entries = functions.sorted { $0.key < $1.key }.map { "\(quotedKey($0.key)): \($0.value.written)" }
    return "{default: \(fallback.written), functions: {\(entries.joined(separator: ", "))}}"
  }
}

extension Configuration.Entry {
  fileprivate var written: String {
    var members: [String] = []
    let list = { (words: [String]) in "[\(words.map(quoted).joined(separator: ", "))]" }
    if let keys { members.append("key: \(list(keys))") }
    if let plain { members.append("plain: \(list(plain))") }
    if let context {
      let pairs = context.map { "\(quotedKey($0.key)): \(quoted($0.value))" }
      members.append("context: {\(pairs.joined(separator: ", "))}")
    }
    let words = [
      ("file", file), ("region", keyService.region), ("profile", keyService.profile),
      ("endpoint-url", keyService.endpointURL), ("ca-bundle", keyService.caBundle),
    ]
    for (name, word) in words { if let word { members.append("\(name): \(quoted(word))") } }
    return "{\(members.joined(separator: ", "))}"
  }
}

/// A key, marked as such: YAML takes what is longer than 1,024 characters for no key otherwise.
private func quotedKey(_ word: String) -> String { "? " + quoted(word) }

/// A scalar in double quotes, with an escape for all but letters and digits of ASCII.
private func quoted(_ word: String) -> String {
  var text = "\""
  for scalar in word.unicodeScalars {
    let digits = String(scalar.value, radix: 16)
    if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
      text.unicodeScalars.append(scalar)
    } else {
      text += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }
  return text + "\""
}

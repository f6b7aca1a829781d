// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Fuzzing

/// Reads environments whose variables are sealed separately.
///
/// The bytes are lines NAME=VALUE, or edits of environments that were sealed under a known key.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  if input.byte() % 2 == 0 { readLines(input.rest()) } else { openEdited(by: &input) }
  return 0
}

/// A document that was sealed under the known key.
private struct Sealed {
  let values: [String: [UInt8]]
  let document: [String: String]

  init(
    _ values: [String: String], beside plain: [String: String], after previous: [String: String]? = nil,
    context: EncryptionContext
  ) {
    self.values = values.mapValues { Array($0.utf8) }
    let keyring = Known.keyring
    let sealed = require("an environment is sealed") {
      try immediately {
        guard let previous else {
          return try await SealedEnvironment.seal(values, beside: plain, context: context, using: keyring).variables
        }
        return try await SealedEnvironment(document: previous).updated(
          to: OpenedEnvironment(values), beside: OpenedEnvironment(plain), context: context, using: keyring
        ).variables
      }
    }
    document = sealed.merging(plain) { sealed, _ in sealed }
  }
}

private let older = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://old", "EMPTY": "", "TOKEN": "t"],
  beside: ["LOG_LEVEL": "info", "REGION": "eu"], context: Known.context)
private let newer = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://new", "EMPTY": "", "LATER": "l"],
  beside: ["LOG_LEVEL": "debug", "REGION": "eu"], after: older.document, context: Known.context)
/// Of another function, under the same key.
private let foreign = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://other", "EMPTY": ""], beside: ["LOG_LEVEL": "info"],
  context: Known.otherContext)

/// Byte for byte: as strings, a name equals one that has the Kelvin sign for its K.
///
/// A line feed at the end of a sealed variable is not part of it.
private func bytes(of variables: [String: String]) -> [[UInt8]: [UInt8]] {
  var bytes: [[UInt8]: [UInt8]] = [:]
  for variable in variables {
    let hasLineFeed = isSealed(variable) && variable.value.utf8.last == UInt8(ascii: "\n")
    bytes[Array(variable.key.utf8)] = Array(variable.value.utf8.dropLast(hasLineFeed ? 1 : 0))
  }
  return bytes
}

private func isSealed(_ variable: (key: String, value: String)) -> Bool {
  SealedEnvironment.isSealed(name: variable.key, value: variable.value)
}

/// Opens variables as those of a process, or as a document, whose plain ones are verified.
private func open(_ variables: [String: String], asDocument isDocument: Bool) -> [String: [UInt8]]? {
  let read = accepted {
    try isDocument ? SealedEnvironment(document: variables) : SealedEnvironment(variables: variables)
  }
  guard let sealed = read else { return nil }
  require(
    bytes(of: sealed.variables) == bytes(of: variables.filter(isSealed)),
    "an environment is written otherwise than it was read")
  let keyring = Known.keyring
  return accepted {
    try immediately {
      try await sealed.open(context: Known.context, using: keyring, anonymousSender: .accepted).values
    }
  }
}

private func readLines(_ bytes: [UInt8]) {
  var variables: [String: String] = [:]
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    variables[String(decoding: parts[0], as: UTF8.self)] =
      parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
  }
  for isDocument in [false, true] { _ = open(variables, asDocument: isDocument) }
}

private func openEdited(by input: inout FuzzedBytes) {
  var variables = newer.document
  while !input.isAtEnd, !variables.isEmpty { edit(&variables, by: &input) }
  // That a complete older environment opens is documented: only a minimum generation tells them apart. The plain
  // variables of a process may be anything.
  let known = [newer, older]
  let document = known.first { bytes(of: $0.document) == bytes(of: variables) }
  require(
    open(variables, asDocument: true) == document?.values,
    "an altered document opens, or one that was sealed does not: \(variables)")
  let sealed = bytes(of: variables.filter(isSealed))
  let process = known.first { bytes(of: $0.document.filter(isSealed)) == sealed }
  require(
    open(variables, asDocument: false) == process?.values,
    "an altered environment opens, or one that was sealed does not: \(variables)")
}

private func edit(_ variables: inout [String: String], by input: inout FuzzedBytes) {
  let sources = [older.document, newer.document, foreign.document]
  let source = input.element(of: sources)
  let (name, other) = (input.element(of: variables.keys.sorted()), input.element(of: source.keys.sorted()))
  switch input.byte() % 10 {
  case 0: variables[name] = nil
  case 1: variables[other] = source[other]
  case 2: variables[name] = source[other]
  case 3: variables = source.filter(isSealed).merging(variables.filter { !isSealed($0) }) { sealed, _ in sealed }
  case 4: variables[other] = String(decoding: input.shortBytes(), as: UTF8.self)
  case 5: variables[String(decoding: input.shortBytes(), as: UTF8.self)] = variables[name]
  case 6: variables[name]?.edit(by: &input)
  case 7:
    let value = variables[other]
    variables[other] = variables[name]
    variables[name] = value
  default:
    // Behind the text form.
    let text = variables[name] ?? ""
    guard var bytes = Base64URL.decode(text.utf8.dropFirst(4)) else { return }
    bytes.edit(by: &input)
    variables[name] = Base64URL.encode(bytes, after: String(text.prefix(4)))
  }
}

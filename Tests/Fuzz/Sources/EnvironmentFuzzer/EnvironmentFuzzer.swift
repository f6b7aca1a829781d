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

private struct Sealed {
  let values: [String: [UInt8]]
  let variables: [String: String]

  init(_ values: [String: String], after previous: SealedEnvironment? = nil, context: EncryptionContext) {
    self.values = values.mapValues { Array($0.utf8) }
    let keyring = Known.keyring
    variables = require("an environment is sealed") {
      try immediately {
        guard let previous else {
          return try await SealedEnvironment.seal(values, context: context, using: keyring).variables
        }
        return try await previous.updated(to: OpenedEnvironment(values), context: context, using: keyring).variables
      }
    }
  }
}

private let older = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://old", "EMPTY": "", "TOKEN": "t"], context: Known.context)
private let newer = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://new", "EMPTY": "", "LATER": "l"],
  after: require("an environment is read") { try SealedEnvironment(variables: older.variables) },
  context: Known.context)
/// Of another function, under the same key.
private let foreign = Sealed(
  ["API_KEY": "first value", "DATABASE_URL": "postgres://other", "EMPTY": ""], context: Known.otherContext)

/// Byte for byte: as strings, a name equals one that has the Kelvin sign for its K.
private func bytes(of variables: [String: String]) -> [[UInt8]: [UInt8]] {
  var bytes: [[UInt8]: [UInt8]] = [:]
  for (name, value) in variables where isSealed((name, value)) { bytes[Array(name.utf8)] = Array(value.utf8) }
  return bytes
}

private func isSealed(_ variable: (key: String, value: String)) -> Bool {
  SealedEnvironment.isSealed(name: variable.key, value: variable.value)
}

private func open(_ variables: [String: String]) -> [String: [UInt8]]? {
  guard let sealed = accepted({ try SealedEnvironment(variables: variables) }) else { return nil }
  require(bytes(of: sealed.variables) == bytes(of: variables), "an environment is written otherwise than it was read")
  let keyring = Known.keyring
  return accepted { try immediately { try await sealed.open(context: Known.context, using: keyring).values } }
}

private func readLines(_ bytes: [UInt8]) {
  var variables: [String: String] = [:]
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    variables[String(decoding: parts[0], as: UTF8.self)] =
      parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
  }
  _ = open(variables)
}

private func openEdited(by input: inout FuzzedBytes) {
  var variables = newer.variables
  while !input.isAtEnd, !variables.isEmpty { edit(&variables, by: &input) }
  let opened = open(variables)
  // That a whole older environment opens is documented: nothing but a minimum generation tells them apart.
  let expected = [newer, older].first { bytes(of: $0.variables) == bytes(of: variables) }?.values
  require(opened == expected, "an altered environment opens, or a sealed one does not: \(variables)")
}

private func edit(_ variables: inout [String: String], by input: inout FuzzedBytes) {
  let sources = [older.variables, newer.variables, foreign.variables]
  let source = input.element(of: sources)
  let (name, other) = (input.element(of: variables.keys.sorted()), input.element(of: source.keys.sorted()))
  switch input.byte() % 10 {
  case 0: variables[name] = nil
  case 1: variables[other] = source[other]
  case 2: variables[name] = source[other]
  case 3: variables = source.merging(variables.filter { !isSealed($0) }) { value, _ in value }
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

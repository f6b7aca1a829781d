// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

@testable import EnvelopeKit

/// What this side says, in the words of the other.
enum Here {
  /// Opens the variables of a process, or of a document in which the allowed plain variables may differ.
  static func open(
    _ variables: [String: String], context: [String: String], using keyring: some Keyring, asDocument: Bool = false,
    allowing allowed: Set<String> = [], anonymousSender sender: AnonymousSender = .refused
  ) async throws -> PythonPeer.Outcome {
    do {
      let sealed =
        try asDocument
        ? SealedEnvironment(document: variables, allowingPlain: allowed) : SealedEnvironment(variables: variables)
      let opened = try await sealed.open(context: Here.context(context), using: keyring, anonymousSender: sender)
      var values: [String: [UInt8]] = [:]
      for name in opened.names { values[name] = opened[name]?.vectorBytes }
      return .made(values)
    } catch let error as EnvelopeError {
      return .refused(error.code.rawValue, names: error.names)
    }
  }

  static func openValue(
    _ envelope: [UInt8], authenticating data: [UInt8] = [], context: [String: String], using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> PythonPeer.Outcome {
    do {
      let plaintext = try await Envelope.open(
        envelope, context: Here.context(context), authenticating: data, using: keyring, anonymousSender: sender)
      return .made(["": plaintext.vectorBytes])
    } catch let error as EnvelopeError {
      return .refused(error.code.rawValue, names: error.names)
    }
  }

  static func context(_ pairs: [String: String]) -> EncryptionContext {
    EncryptionContext(pairs.map { (key: $0.key, value: $0.value) })
  }

  static func text(of store: KeyStore) throws -> String {
    String(decoding: try store.text().vectorBytes, as: UTF8.self)
  }

  static func environment(of values: [String: [UInt8]]) throws -> OpenedEnvironment {
    try OpenedEnvironment(capacity: values.reduce(0) { $0 + $1.value.count }) {
      (output, index) throws(EnvelopeError) in
      for (name, value) in values {
        for byte in value { output.append(byte) }
        try index.add(name, endingAt: output.byteCount)
      }
    }
  }

  // Seeded, so that a failure can be had again.

  static func values(_ random: inout SplitMix64) -> [String: [UInt8]] {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")
    var values: [String: [UInt8]] = [:]
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let length = Int.random(in: 0...100, using: &random) == 0 ? 254 : Int.random(in: 0...20, using: &random)
      var name = String(letters[Int.random(in: 0..<53, using: &random)])
      for _ in 0..<length { name.append(letters[Int.random(in: 0..<63, using: &random)]) }
      values[name] = random.bytes(Int.random(in: 0...9, using: &random) == 0 ? 5000 : Int(random.next() % 50))
    }
    return values
  }

  /// Changes, removes or adds one byte of one variable, in its text or beneath it.
  static func altered(_ variables: [String: String], _ random: inout SplitMix64) -> [String: String] {
    var altered = variables
    // Half of the changes go to what holds the header.
    let header = variables.keys.filter { $0.hasPrefix("ENVELOPE_") }
    let names = Bool.random(using: &random) ? header : variables.keys.sorted()
    guard let name = names.randomElement(using: &random), let text = variables[name] else { return altered }
    while altered == variables {
      if Bool.random(using: &random), let bytes = Base64URL.decode(text.utf8.dropFirst(4)) {
        altered[name] = text.prefix(4) + Base64URL.encode(Here.altered(bytes, &random))
      } else {
        let bytes = Here.altered(Array(text.utf8), &random).map { (0x20...0x7e).contains($0) ? $0 : 0x3d }
        altered[name] = String(decoding: bytes, as: UTF8.self)
      }
    }
    return altered
  }

  static func altered(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var altered = bytes
    let index = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0: altered.remove(at: index)
    case 1: altered.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
    case 2: altered.append(UInt8(truncatingIfNeeded: random.next()))
    case 3: altered.removeSubrange(index...)
    case 4: altered[index] = UInt8.random(in: 0...5, using: &random) ^ (bytes[index] < 6 ? 0 : 0x80)
    default: altered[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    return altered == bytes ? Here.altered(bytes, &random) : altered
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// No bit of a sealed environment can change, and no byte go or come, without being noticed and named.
@Suite(.timeLimit(.minutes(20))) struct EnvironmentFlipTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let header = "ENVELOPE_HEADER"
  private let packed = "ENVELOPE_SEALED"

  private func sealed(_ form: SealedEnvironment.Form) async throws -> ([String: String], KeysetKeyring) {
    let keyring = KeysetKeyring(try .generate())
    let sealed = try await SealedEnvironment.seal(Planted.values, as: form, context: context, using: keyring)
    return (sealed.variables, keyring)
  }

  @Test func everyFlippedBitOfHeaderAndTrailer() async throws {
    let (variables, keyring) = try await sealed(.separate)
    let bytes = try variables.bytes(of: header)
    let parts = HeaderPart.parts([(.generation, 4), (.count, 2), (.manifest, 32)])
    #expect(parts.count == bytes.count)
    var seen: [HeaderPart: Set<EnvelopeError.Code>] = [:]
    for (index, part) in zip(bytes.indices, parts) {
      for bit in 0..<8 {
        let altered = variables.setting(header, to: bytes.flipping(bit: bit, of: index))
        let error = await expectError(at: "\(part), byte \(index), bit \(bit)", part.codesWhenFlipped) {
          try await altered.open(context: context, using: keyring)
        }
        if let error { seen[part, default: []].insert(error.code) }
      }
    }
    #expect(seen[.count] == [.variablesAdded, .variablesMissing])
    #expect(try await variables.open(context: context, using: keyring).strings == Planted.values)
  }

  @Test func everyFlippedBitOfAPackedEnvironment() async throws {
    let (variables, keyring) = try await sealed(.packed)
    let bytes = try variables.bytes(of: packed)
    let parts = HeaderPart.parts([(.payload, bytes.count - HeaderPart.headerByteCount)])
    for (index, part) in zip(bytes.indices, parts) {
      for bit in 0..<8 {
        let altered = variables.setting(packed, to: bytes.flipping(bit: bit, of: index))
        await expectError(at: "\(part), byte \(index), bit \(bit)", part.codesWhenFlipped) {
          try await altered.open(context: context, using: keyring)
        }
      }
    }
    #expect(try await variables.open(context: context, using: keyring).strings == Planted.values)
  }

  @Test func everyFlippedBitOfAVariableNamesIt() async throws {
    let (variables, keyring) = try await sealed(.separate)
    for name in Planted.values.keys {
      let bytes = try variables.bytes(of: name)
      for index in bytes.indices {
        for bit in 0..<8 {
          let altered = variables.setting(name, to: bytes.flipping(bit: bit, of: index))
          await expectError(.variablesAltered, names: [name]) {
            try await altered.open(context: context, using: keyring)
          }
        }
      }
    }
  }

  @Test func everyTruncationAndExtension() async throws {
    let (variables, keyring) = try await sealed(.separate)
    let bytes = try variables.bytes(of: header)
    for count in bytes.indices {
      let altered = variables.setting(header, to: Array(bytes[..<count]))
      await expectError(.malformed) { try await altered.open(context: context, using: keyring) }
    }
    let extended = variables.setting(header, to: bytes + [0])
    await expectError(.malformed) { try await extended.open(context: context, using: keyring) }
    for name in Planted.values.keys {
      let bytes = try variables.bytes(of: name)
      for count in bytes.indices {
        let altered = variables.setting(name, to: Array(bytes[..<count]))
        await expectError(count < 28 ? .malformed : .variablesAltered, names: [name]) {
          try await altered.open(context: context, using: keyring)
        }
      }
      let extended = variables.setting(name, to: bytes + [0])
      await expectError(.variablesAltered, names: [name]) {
        try await extended.open(context: context, using: keyring)
      }
    }
  }

  @Test func everyTruncationAndExtensionOfAPackedEnvironment() async throws {
    let (variables, keyring) = try await sealed(.packed)
    let bytes = try variables.bytes(of: packed)
    for count in bytes.indices {
      let altered = variables.setting(packed, to: Array(bytes[..<count]))
      let isCut = count < HeaderPart.headerByteCount + 4 + 24 + 16
      await expectError(isCut ? .malformed : .payloadAltered) {
        try await altered.open(context: context, using: keyring)
      }
    }
    let extended = variables.setting(packed, to: bytes + [0])
    await expectError(.payloadAltered) { try await extended.open(context: context, using: keyring) }
  }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func everyFlippedBitOfTheText(form: SealedEnvironment.Form) async throws {
    let (variables, keyring) = try await sealed(form)
    let codes =
      EnvelopeFlipTests.codes + [.variablesAltered, .variablesAdded, .variablesMissing, .variablePutBack]
    for (name, text) in variables {
      let text = Array(text.utf8)
      for index in text.indices {
        for bit in 0..<8 {
          let altered = String(decoding: text.flipping(bit: bit, of: index), as: UTF8.self)
          // A sealed variable without its prefix is a plain one, and missing from the sealed ones.
          let isPrefix = index < 4
          let isVariable = name != header && name != packed
          let expected: [EnvelopeError.Code] =
            isPrefix
            ? [isVariable ? .variablesMissing : .malformed] : isVariable ? [.malformed, .variablesAltered] : codes
          await expectError(at: "\(name), character \(index), bit \(bit)", expected) {
            try await variables.setting(name, toText: altered).open(context: context, using: keyring)
          }
        }
      }
    }
  }
}

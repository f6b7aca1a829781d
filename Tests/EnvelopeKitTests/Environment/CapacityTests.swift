// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import EnvelopeKit

/// How many secrets fit under the 4,096 bytes that AWS Lambda allows, measured on compact JSON.
@Suite(.timeLimit(.minutes(20))) struct CapacityTests {
  private let limit = 4096

  private func byteCount(
    _ count: Int, _ form: SealedEnvironment.Form, _ keyring: some Keyring
  ) async throws -> Int {
    // Names of twelve characters, values of twenty bytes.
    var values: [String: String] = [:]
    for number in 0..<count {
      values[String(format: "SECRET_%05d", number)] = String(format: "value-%014d", number)
    }
    #expect(values.allSatisfy { $0.key.utf8.count == 12 && $0.value.utf8.count == 20 })
    let variables = try await SealedEnvironment.seal(
      values, as: form, context: ["function": "checkout"], using: keyring
    ).variables
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let json = try encoder.encode(variables)
    // By hand: {"K":"V","K":"V"}
    let lengths = variables.map { name, value in 6 + name.utf8.count + value.utf8.count }
    #expect(json.count == 1 + lengths.reduce(0, +))
    return json.count
  }

  private func most(_ form: SealedEnvironment.Form, _ keyring: some Keyring) async throws -> Int {
    var (fits, tooMany) = (0, 200)
    while tooMany - fits > 1 {
      let middle = (fits + tooMany) / 2
      if try await byteCount(middle, form, keyring) <= limit { fits = middle } else { tooMany = middle }
    }
    return fits
  }

  @Test func underOneKeyset() async throws {
    let keyring = KeysetKeyring(try .generate())
    let (separate, packed) = (try await most(.separate, keyring), try await most(.packed, keyring))
    print("Capacity under one keyset: \(separate) separate, \(packed) packed")
    // What README.md says.
    #expect(separate == 44 && packed == 78)
  }

  @Test func underOneKeyInAWSKMS() async throws {
    let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    let keyring = StubKeyring(scheme: .awsKMS, keyID: String(arn.prefix(75)), wrappedByteCount: 184)
    let (separate, packed) = (try await most(.separate, keyring), try await most(.packed, keyring))
    print("Capacity under one key in AWS KMS: \(separate) separate, \(packed) packed")
    #expect(separate >= 41 && packed >= 74)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import CSodium
import EnvelopeKit

/// Opening an environment of variables of 32 bytes, the unwrap of its data key included: from its parsed form, and
/// from its text.
func compareOpeningEnvironments(of count: Int) {
  let measures = [
    Measure("plain"), Measure("unguarded"), Measure("opened", over: "plain", countsAllocations: true),
    Measure("text", over: "plain", countsAllocations: true),
  ]
  compare("environment-open-\(count)", measures) {
    let work = try EnvironmentWork(count: count)
    let sealed = try await work.seal()
    let variables = sealed.variables
    let plain = PlainEnvironment(count: count)
    return [
      Contender("plain") { calls in
        for _ in 0..<calls { plain.open() }
      },
      Contender("unguarded") { calls in
        for _ in 0..<calls { plain.openUnguarded() }
      },
      Contender("opened") { calls in
        for _ in 0..<calls { try await work.open(sealed) }
      },
      Contender("text") { calls in
        for _ in 0..<calls { try await work.open(SealedEnvironment(variables: variables)) }
      },
    ]
  }
}

/// Sealing the same, the wrapping of a new data key included: to its parsed form, and to its text.
func compareSealingEnvironments(of count: Int) {
  let measures = [
    Measure("plain"), Measure("sealed", over: "plain", countsAllocations: true),
    Measure("text", over: "plain", countsAllocations: true),
  ]
  compare("environment-seal-\(count)", measures) {
    let work = try EnvironmentWork(count: count)
    let opened = try OpenedEnvironment(work.values)
    let plain = PlainEnvironment(count: count)
    return [
      Contender("plain") { calls in
        for _ in 0..<calls { plain.seal() }
      },
      Contender("sealed") { calls in
        for _ in 0..<calls {
          blackHole(try await SealedEnvironment.seal(opened, context: work.context, using: work.keyring))
        }
      },
      Contender("text") { calls in
        for _ in 0..<calls {
          blackHole(try await SealedEnvironment.seal(opened, context: work.context, using: work.keyring).variables)
        }
      },
    ]
  }
}

/// An environment, the key that wraps its data key and the context that it is for.
struct EnvironmentWork {
  static let valueByteCount = 32
  static let firstName = "VARIABLE_1000"

  let values: [String: String]
  let keyring: KeysetKeyring
  let context: EncryptionContext = ["function": "checkout"]

  init(count: Int) throws {
    values = Dictionary(
      uniqueKeysWithValues: (0..<count).map {
        ("VARIABLE_\(1000 + $0)", String(repeating: "v", count: Self.valueByteCount))
      })
    keyring = KeysetKeyring(try .generate())
  }

  func seal() async throws -> SealedEnvironment {
    try await SealedEnvironment.seal(values, context: context, using: keyring)
  }

  func open(_ sealed: SealedEnvironment) async throws {
    let opened = try await sealed.open(context: context, using: keyring)
    precondition(opened[Self.firstName] != nil)
  }
}

/// The plain calls that an environment of the same size takes (Docs/Format.md): what is hashed has the right length,
/// not the right content, and what is opened was sealed beforehand.
final class PlainEnvironment {
  private let count: Int
  private let key = Memory(PlainSodium.keyByteCount)
  private let digest = Memory(64)
  private let context = Memory(20)
  private let schedule = Memory(2 + 20 + 21)
  private let header = Memory(148)
  private let wrapped = Memory(72)
  private let dataKey = Memory(PlainSodium.keyByteCount)
  private let wrapping = Memory(1 + 2 + 14 + 20)
  private let name = Memory(Array(EnvironmentWork.firstName.utf8))
  private let value = Memory(EnvironmentWork.valueByteCount)
  private let sealed: Memory
  private let listed: Memory
  private let nonces: Memory
  private let opened: Memory

  init(count: Int) {
    self.count = count
    sealed = Memory(12 + value.byteCount + PlainSodium.tagByteCount)
    listed = Memory(6 + count * (2 + name.byteCount + 4 + sealed.byteCount))
    nonces = Memory(12 * count)
    opened = Memory(count * value.byteCount)
    PlainSodium.seal(dataKey, authenticating: wrapping, key: key, into: wrapped)
    PlainSodium.sealVariable(value, name: name, key: key, into: sealed)
  }

  func open() {
    guard let arena = sodium_malloc(opened.byteCount) else { preconditionFailure("no memory") }
    open(into: arena.assumingMemoryBound(to: UInt8.self))
    sodium_mprotect_readonly(arena)
    sodium_free(arena)
  }

  /// The same into ordinary memory that is there beforehand: what guarded memory costs is the difference.
  func openUnguarded() { open(into: opened.base) }

  private func open(into arena: UnsafeMutablePointer<UInt8>) {
    PlainSodium.hash(context, 32, key: key, into: digest)  // the header's check of the context
    PlainSodium.hash(context, 32, key: key, into: digest)  // the wrapping key narrowed to the function
    PlainSodium.open(wrapped, authenticating: wrapping, key: key, into: dataKey)
    deriveKeys()
    compare(32)  // the commitment
    PlainSodium.hash(header, 16, key: key, into: digest)
    compare(16)  // the header's tag
    for index in 0..<count {
      PlainSodium.openVariable(sealed, name: name, key: key, into: arena + index * value.byteCount)
    }
    PlainSodium.hash(listed, 32, key: key, into: digest)
    compare(32)  // the manifest
  }

  func seal() {
    randombytes_buf(dataKey.base, dataKey.byteCount)
    PlainSodium.hash(context, 32, key: key, into: digest)  // the wrapping key narrowed to the function
    PlainSodium.seal(dataKey, authenticating: wrapping, key: key, into: wrapped)
    randombytes_buf(header.base, 16)  // the salt
    PlainSodium.hash(context, 32, key: key, into: digest)  // the header's check of the context
    deriveKeys()
    PlainSodium.hash(header, 16, key: key, into: digest)
    randombytes_buf(nonces.base, nonces.byteCount)
    for _ in 0..<count { PlainSodium.sealVariable(value, name: name, key: key, into: sealed) }
    PlainSodium.hash(listed, 32, key: key, into: digest)
  }

  /// The root key with the commitment, and of it the keys for payload, header and manifest.
  private func deriveKeys() {
    PlainSodium.hash(schedule, 64, key: key, into: digest)
    for _ in 0..<3 { PlainSodium.hash(Memory.empty, 32, key: key, into: digest) }
  }

  private func compare(_ byteCount: Int) {
    precondition(sodium_memcmp(digest.base, digest.base, byteCount) == 0)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import CSodium
import EnvelopeKit

/// Generating a data key with its wrapped form, wrapping one that is there, and unwrapping it, under a local keyset.
func compareDataKeys() {
  let measures = [Measure("plain"), Measure("envelope", over: "plain", countsAllocations: true)]
  let context: EncryptionContext = ["function": "checkout"]
  compare("data-key-generate", measures) {
    let (plain, keyring) = (PlainDataKey(), KeysetKeyring(try .generate()))
    return [
      Contender("plain") { calls in
        for _ in 0..<calls {
          plain.generate()
          plain.wrap()
        }
      },
      Contender("envelope") { calls in
        for _ in 0..<calls {
          let generated = try await keyring.generateDataKey(for: context)
          precondition(generated.wrapped.count == 1)
        }
      },
    ]
  }
  compare("data-key-wrap", measures) {
    let (plain, keyring) = (PlainDataKey(), KeysetKeyring(try .generate()))
    return [
      Contender("plain") { calls in
        for _ in 0..<calls { plain.wrap() }
      },
      Contender("envelope") { calls in
        let dataKey = try DataKey.generate()
        for _ in 0..<calls {
          let wrapped = try await keyring.wrap(dataKey, for: context)
          precondition(wrapped.count == 1)
        }
      },
    ]
  }
  compare("data-key-unwrap", measures) {
    let (plain, keyring) = (PlainDataKey(), KeysetKeyring(try .generate()))
    let wrapped = try await keyring.generateDataKey(for: context).wrapped
    plain.wrap()
    return [
      Contender("plain") { calls in
        for _ in 0..<calls { plain.unwrap() }
      },
      Contender("envelope") { calls in
        for _ in 0..<calls {
          let unwrapped = try await keyring.unwrap(wrapped, for: context)
          precondition(unwrapped.source == wrapped[0])
        }
      },
    ]
  }
}

/// Reading a header from its text, without any key.
func measureHeaders() {
  compare("header-parse", [Measure("envelope", countsAllocations: true)]) {
    let variables = try await EnvironmentWork(count: 0).seal().variables
    return [
      Contender("envelope") { calls in
        for _ in 0..<calls { blackHole(try SealedEnvironment(variables: variables)) }
      }
    ]
  }
}

/// The plain calls that data keys take.
private struct PlainDataKey {
  private let secret = Memory(PlainSodium.keyByteCount)
  private let narrowed = Memory(PlainSodium.keyByteCount)
  private let dataKey = Memory(PlainSodium.keyByteCount)
  private let associatedData = Memory(1 + 2 + 14 + 20)
  private let function = Memory(11)
  private let wrapped = Memory(72)

  func generate() { randombytes_buf(dataKey.base, dataKey.byteCount) }

  func wrap() {
    PlainSodium.hash(function, narrowed.byteCount, key: secret, into: narrowed)
    PlainSodium.seal(dataKey, authenticating: associatedData, key: narrowed, into: wrapped)
  }

  func unwrap() {
    PlainSodium.hash(function, narrowed.byteCount, key: secret, into: narrowed)
    PlainSodium.open(wrapped, authenticating: associatedData, key: narrowed, into: dataKey)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Synchronization

/// A keyring that wraps like a good one, and breaks one promise.
struct BrokenKeyring: Keyring {
  enum Flaw: Sendable, Equatable {
    // What is generated and wrapped.
    case failsToGenerate, constantKey, sameKeyAlways, noEntry, seventeenEntries, oneKeyIDTwice, wrapsAnotherKey
    case failsToWrap, sameKeyForCallsAtOnce
    // Contexts.
    case ignoresContext, ignoresCase, ignoresSpelling, ignoresValues, ordersMatter, refusesEmptyContext
    // What is unwrapped.
    case anotherKey, sourceOfItsOwn, lastIsSource, ignoresKeyID, ignoresTail, opensAnything, asksFirstOnly
    case unwrapFailedForForeign, foreignErrorType, malformedForAltered, emptyListOpens, cachesByKeyID
    case leaksKey(Leak)
  }

  enum Leak: Sendable, CaseIterable { case hexadecimal, base64, numbers, advice, property, wrap }

  struct OwnError: Error {
    let key: [UInt8]
  }

  private final class Memory: Sendable {
    let generated = Mutex<[UInt8]?>(nil)
    let unwrapped = Mutex<[KeyID: [UInt8]]>([:])
    let calls = Mutex(0)
  }

  private let good: any Keyring
  private let flaw: Flaw
  private let memory = Memory()

  init(_ good: any Keyring, _ flaw: Flaw) {
    self.good = good
    self.flaw = flaw
  }

  /// How many entries it was asked to unwrap.
  var callCount: Int { memory.calls.withLock { $0 } }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    if flaw == .failsToGenerate { throw OwnError(key: []) }
    if flaw == .refusesEmptyContext, context.pairs.isEmpty { throw EnvelopeError(.unwrapFailed, "No context") }
    let drawn = try DataKey.generate()
    var bytes = copy(of: drawn)
    let isAlwaysTheSame = flaw == .sameKeyAlways || flaw == .sameKeyForCallsAtOnce && context["conformance-call"] != nil
    bytes = memory.generated.withLock { last in
      if isAlwaysTheSame, let last { return last }
      last = bytes
      return bytes
    }
    if flaw == .constantKey { bytes = [UInt8](repeating: 7, count: 32) }
    let dataKey = try Self.dataKey(bytes)
    return GeneratedDataKey(dataKey: try Self.dataKey(bytes), wrapped: try await entries(of: dataKey, for: context))
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    switch flaw {
    case .failsToWrap: throw EnvelopeError(.systemFailure, "It does not wrap")
    case .wrapsAnotherKey: return try await good.wrap(DataKey.generate(), for: context)
    case .leaksKey(.wrap):
      do {
        return try await entries(of: dataKey, for: context)
      } catch {
        throw OwnError(key: copy(of: dataKey))
      }
    default: return try await entries(of: dataKey, for: context)
    }
  }

  private func entries(of dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    let wrapped = try await good.wrap(dataKey, for: changed(context))
    switch flaw {
    case .noEntry: return []
    case .oneKeyIDTwice: return wrapped + wrapped
    case .seventeenEntries:
      return try wrapped
        + (1...16).map { try WrappedDataKey(scheme: .other, keyID: KeyID("filler.\($0)"), bytes: wrapped[0].bytes) }
    case .ignoresTail, .opensAnything:
      // Under a scheme that has any length.
      return try wrapped.map { try WrappedDataKey(scheme: .other, keyID: $0.keyID, bytes: $0.bytes) }
    default: return wrapped
    }
  }

  /// The context as the keyring binds it.
  private func changed(_ context: EncryptionContext) -> EncryptionContext {
    switch flaw {
    case .ignoresContext, .opensAnything: [:]
    case .ignoresCase: EncryptionContext(context.pairs.map { ($0.key.lowercased(), $0.value.lowercased()) })
    case .ignoresSpelling:
      EncryptionContext(
        context.pairs.map {
          ($0.key.precomposedStringWithCanonicalMapping, $0.value.precomposedStringWithCanonicalMapping)
        })
    case .ignoresValues:
      // Of the kind of envelope, other values are none.
      EncryptionContext(context.pairs.map { ($0.key, $0.key == "envelope-kind" ? $0.value : "v") })
    case .ordersMatter:
      EncryptionContext(
        context.pairs.isEmpty
          ? [] : [(key: "all", value: context.pairs.map { $0.key + "\n" + $0.value }.joined(separator: "\n"))])
    default: context
    }
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    memory.calls.withLock { $0 += wrapped.count }
    let own = try await good.wrap(DataKey.generate(), for: [:])
    switch flaw {
    case .emptyListOpens where wrapped.isEmpty:
      return UnwrappedDataKey(dataKey: try .generate(), source: own[0])
    case .cachesByKeyID:
      for entry in wrapped {
        if let bytes = memory.unwrapped.withLock({ $0[entry.keyID] }) {
          return UnwrappedDataKey(dataKey: try Self.dataKey(bytes), source: entry)
        }
      }
    case .unwrapFailedForForeign where !wrapped.contains { entry in own.contains { $0.keyID == entry.keyID } }:
      throw EnvelopeError(.unwrapFailed, "No key of ours")
    case .opensAnything where !wrapped.isEmpty:
      do { return try await unwrapGood(wrapped, own, context) } catch {
        return UnwrappedDataKey(dataKey: try .generate(), source: wrapped[0])
      }
    default: break
    }
    do {
      return try await unwrapGood(wrapped, own, context)
    } catch let error as EnvelopeError {
      throw worse(error)
    }
  }

  /// Unwraps, and returns something that is not quite right.
  private func unwrapGood(
    _ wrapped: [WrappedDataKey], _ own: [WrappedDataKey], _ context: EncryptionContext
  ) async throws -> UnwrappedDataKey {
    let asked = flaw == .asksFirstOnly ? Array(wrapped.prefix(1)) : wrapped
    let translated = asked.map { translate($0, own) }
    let unwrapped = try await good.unwrap(translated, for: changed(context))
    let source = translated.firstIndex(of: unwrapped.source).map { asked[$0] } ?? unwrapped.source
    var bytes = copy(of: unwrapped.dataKey)
    memory.unwrapped.withLock { $0[source.keyID] = bytes }
    switch flaw {
    case .anotherKey:
      bytes[31] ^= 1
      return UnwrappedDataKey(dataKey: try Self.dataKey(bytes), source: source)
    case .sourceOfItsOwn: return UnwrappedDataKey(dataKey: try Self.dataKey(bytes), source: own[0])
    case .lastIsSource: return UnwrappedDataKey(dataKey: try Self.dataKey(bytes), source: wrapped[wrapped.count - 1])
    default: return UnwrappedDataKey(dataKey: try Self.dataKey(bytes), source: source)
    }
  }

  /// The entry as the good keyring is asked about it.
  private func translate(_ entry: WrappedDataKey, _ own: [WrappedDataKey]) -> WrappedDataKey {
    let changed: WrappedDataKey? =
      switch flaw {
      case .ignoresKeyID: try? WrappedDataKey(scheme: own[0].scheme, keyID: own[0].keyID, bytes: entry.bytes)
      case .ignoresTail, .opensAnything:
        try? WrappedDataKey(scheme: own[0].scheme, keyID: entry.keyID, bytes: Array(entry.bytes.prefix(72)))
      default: nil
      }
    return changed ?? entry
  }

  /// The error as this keyring throws it.
  private func worse(_ error: EnvelopeError) -> any Error {
    let key = memory.generated.withLock { $0 } ?? []
    switch flaw {
    case .leaksKey(.hexadecimal):
      return EnvelopeError(error.code, "The key " + key.map { String(format: "%02x", $0) }.joined() + " is wrong")
    case .leaksKey(.base64): return EnvelopeError(error.code, "The key \(Data(key).base64EncodedString()) is wrong")
    case .leaksKey(.numbers): return EnvelopeError(error.code, "The key \(key) is wrong")
    case .leaksKey(.advice): return EnvelopeError(error.code, "It is wrong", advice: "Do not use \(key).")
    case .leaksKey(.property): return OwnError(key: key)
    case .foreignErrorType: return OwnError(key: [])
    case .malformedForAltered where error.code == .unwrapFailed: return EnvelopeError(.malformed, "It is wrong")
    default: return error
    }
  }

  private static func dataKey(_ bytes: [UInt8]) throws -> DataKey {
    try DataKey(SecretBytes(copying: unsafe bytes.span.bytes))
  }
}

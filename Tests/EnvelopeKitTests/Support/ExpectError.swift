// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Expects an `EnvelopeError` with one of some codes, which shows no planted secret; gives it back.
@discardableResult
func expectError<R: ~Copyable>(
  _ codes: EnvelopeError.Code..., names: [String]? = nil, at comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  await expectError(at: comment, codes, names: names, sourceLocation: sourceLocation, body)
}

/// Expects an `EnvelopeError` with one of a list of codes, as the other function of this name.
@discardableResult
func expectError<R: ~Copyable>(
  at comment: String, _ codes: [EnvelopeError.Code], names: [String]? = nil,
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  let wanted = codes.map(\.rawValue).joined(separator: " or ")
  do {
    _ = try await body()
    Issue.record("\(comment): \(wanted) expected, and it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(
      codes.contains(error.code), "\(comment): \(wanted) expected, not \(error.code.rawValue)",
      sourceLocation: sourceLocation)
    if let names { #expect(error.names == names, "\(comment)", sourceLocation: sourceLocation) }
    expectHarmless(error, sourceLocation: sourceLocation)
    return error
  } catch {
    Issue.record("\(comment): \(wanted) expected, not \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

private let harmless = Recorder<String>()

/// Expects that an error shows no planted secret, however it is printed.
private func expectHarmless(_ error: EnvelopeError, sourceLocation: SourceLocation) {
  let message = error.message + error.advice + error.names.joined()
  // Thousands of flips throw the same few errors.
  guard harmless.insert(message) else { return }
  #expect(plantedSecrets(in: message + shown(error)) == [], sourceLocation: sourceLocation)
  #expect(!error.message.isEmpty && !error.message.hasSuffix("."), sourceLocation: sourceLocation)
}

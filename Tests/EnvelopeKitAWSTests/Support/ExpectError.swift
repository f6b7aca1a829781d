// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

/// Expects an `EnvelopeError` with a code, told as errors are, and gives it back.
@discardableResult
func expectError<R: ~Copyable>(
  _ code: EnvelopeError.Code, saying part: String = "", at comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  do {
    _ = try await body()
    Issue.record("\(comment): \(code.rawValue) expected, and it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(error.code == code, "\(comment): \(error.code.rawValue): \(error)", sourceLocation: sourceLocation)
    #expect(
      !error.message.isEmpty && !error.message.hasSuffix(".")
        && (error.advice.isEmpty || !error.advice.hasSuffix("..")),
      "\(error)", sourceLocation: sourceLocation)
    if !part.isEmpty { #expect("\(error)".contains(part), "\(error)", sourceLocation: sourceLocation) }
    return error
  } catch {
    Issue.record("\(comment): \(code.rawValue) expected, not \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

/// Expects any `EnvelopeError`, and gives it back.
func expectAnyError<R: ~Copyable>(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  do {
    _ = try await body()
    Issue.record("an error expected, and it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    return error
  } catch {
    Issue.record("an EnvelopeError expected, not \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

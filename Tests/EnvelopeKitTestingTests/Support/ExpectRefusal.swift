// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

/// Expects an `EnvelopeError` with a code and, where given, the name that AWS KMS has for it; gives it back.
@discardableResult
func expectRefusal<R: ~Copyable>(
  _ code: EnvelopeError.Code, _ serviceError: String? = nil, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  do {
    _ = try await body()
    Issue.record("\(comment): \(code.rawValue) expected, and it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(error.code == code, "\(comment): \(error)", sourceLocation: sourceLocation)
    if let serviceError {
      #expect(error.serviceError == serviceError, "\(comment)", sourceLocation: sourceLocation)
      #expect(error.requestID?.hasPrefix("fake-request-") == true, sourceLocation: sourceLocation)
      #expect(!error.message.isEmpty && !error.message.hasSuffix("."), sourceLocation: sourceLocation)
      #expect(error.advice.hasSuffix("."), sourceLocation: sourceLocation)
    }
    return error
  } catch {
    Issue.record("\(comment): \(code.rawValue) expected, not \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

/// The same for what does not wait.
@discardableResult
func expectRefusal<R>(
  _ code: EnvelopeError.Code, _ serviceError: String, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, now body: () throws -> R
) -> EnvelopeError? {
  do {
    _ = try body()
    Issue.record("\(comment): \(code.rawValue) expected, and it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(error.code == code && error.serviceError == serviceError, "\(comment)", sourceLocation: sourceLocation)
    #expect(error.requestID != nil && !error.advice.isEmpty, "\(comment)", sourceLocation: sourceLocation)
    return error
  } catch {
    Issue.record("\(comment): \(code.rawValue) expected, not \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

extension Keyring {
  /// Whether a new data key under a context can be made, and unwraps to itself.
  func works(for context: EncryptionContext = ["function": "f"]) async throws -> Bool {
    let generated = try await generateDataKey(for: context)
    return try await unwraps(generated, for: context)
  }

  func unwraps(_ generated: borrowing GeneratedDataKey, for context: EncryptionContext = ["function": "f"]) async throws
    -> Bool
  {
    let unwrapped = try await unwrap(generated.wrapped, for: context)
    return copy(of: unwrapped.dataKey) == copy(of: generated.dataKey)
  }
}

/// A copy of a data key that nobody wipes: for comparing in tests.
func copy(of dataKey: borrowing DataKey) -> [UInt8] {
  dataKey.withBytes { bytes in
    unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }
}

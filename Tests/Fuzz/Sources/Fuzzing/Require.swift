// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// Ends the process, which libFuzzer reports as a crash, unless a condition holds.
public func require(_ condition: Bool, _ failure: @autoclosure () -> String) {
  guard condition else { fatalError(failure()) }
}

/// Runs what must not fail.
public func require<R: ~Copyable>(_ purpose: String, _ body: () throws -> R) -> R {
  do {
    return try body()
  } catch {
    fatalError("\(purpose): \(error)")
  }
}

/// Runs a reader on bytes from outside.
///
/// - Returns: What it read, or nil if it refused the bytes with an error of ours that is fit to be printed.
public func accepted<R: ~Copyable>(_ body: () throws -> R) -> R? {
  do {
    return try body()
  } catch let error as EnvelopeError {
    let text = "\(error)" + (error.serviceError ?? "") + (error.requestID ?? "")
    require(!error.message.isEmpty, "an error says nothing: \(error.code)")
    require(
      text.unicodeScalars.allSatisfy(\.isPrintable), "an error cannot be printed: \(text.debugDescription)")
    return nil
  } catch {
    fatalError("an error of another type: \(error)")
  }
}

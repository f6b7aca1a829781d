// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Chooses which error to throw if no entry of a header unwraps.
///
/// A key that is held and fails says more than one that is missing, and a key that was destroyed or is narrowed to other
/// functions says more than a keyring that holds none. Of several that say as much, the first counts.
struct UnwrapFailures {
  private var failure: (any Error)?
  private var absence: EnvelopeError?

  /// Adds what a keyring threw for some entries.
  mutating func add(_ error: any Error, among entries: [WrappedDataKey]) {
    // A service that has lost a key says so itself: that is a failure of a key that is held.
    guard let missing = error as? EnvelopeError, missing.code == .keyNotFound, missing.serviceError == nil else {
      failure = failure ?? error
      return
    }
    if missing != .keyNotFound(among: entries) { absence = absence ?? missing }
  }

  /// The error to throw for all entries of the header.
  func error(among wrapped: [WrappedDataKey]) -> any Error {
    failure ?? absence ?? EnvelopeError.keyNotFound(among: wrapped)
  }
}

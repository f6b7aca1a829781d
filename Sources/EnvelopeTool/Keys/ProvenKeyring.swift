// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Synchronization

/// Has generated its first data key before it is needed, which proves that the keys can seal.
///
/// Each data key is handed out once.
final class ProvenKeyring: Keyring {
  private let keyring: MultiKeyring
  private let context: EncryptionContext
  private let first: Mutex<GeneratedDataKey?>

  /// Generates the first data key.
  ///
  /// - Parameter context: The context that keyrings receive.
  init(_ keyring: MultiKeyring, for context: EncryptionContext) async throws {
    (self.keyring, self.context) = (keyring, context)
    first = Mutex(try await keyring.generateDataKey(for: context))
  }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    if try context.canonicalBytes() == self.context.canonicalBytes(),
      context.pairs.elementsEqual(self.context.pairs, by: ==), let generated = first.withLock({ $0.take() })
    {
      return generated
    }
    return try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    try await keyring.unwrap(wrapped, for: context)
  }
}

extension Document {
  /// Opens what was just sealed and compares it, before it is written.
  ///
  /// - Returns: Why that is not possible here: whoever seals may not be allowed to open, and holds no recipient's identity.
  /// - Throws: What opening throws if the result does not open for another reason; `unwrapFailed` if it differs.
  func readBack(
    _ secrets: OpenedEnvironment, _ settings: FunctionSettings, using keyring: MultiKeyring
  ) async throws -> EnvelopeError? {
    let obstacles: Set<EnvelopeError.Code> = [
      .keyAccessDenied, .keyNotFound, .keyServiceUnavailable, .keyServiceThrottled,
    ]
    guard let sealed else { return nil }
    do {
      let opened = try await sealed.open(context: settings.context, using: keyring, anonymousSender: .accepted)
      let isSame =
        opened.names == secrets.names
        && secrets.secrets.allSatisfy { secret in
          secret.withBytes { mine in opened[secret.name]?.withBytes { mine.equalsInConstantTime($0) } ?? false }
        }
      guard isSame else {
        throw EnvelopeError(
          .unwrapFailed, "The result opens to other values than those that were sealed",
          advice: "Nothing was written. Run the command again, and check this machine's memory.")
      }
      return nil
    } catch let error as EnvelopeError where obstacles.contains(error.code) {
      return error
    }
  }
}

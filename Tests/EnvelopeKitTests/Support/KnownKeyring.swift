// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// One data key and one entry, whatever is asked: what a former reader or an anonymous sender has kept.
struct KnownKeyring: Keyring {
  let entry: WrappedDataKey
  let dataKey: [UInt8]

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    GeneratedDataKey(dataKey: try DataKey(copying: dataKey), wrapped: [entry])
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] { [entry] }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    UnwrappedDataKey(dataKey: try DataKey(copying: dataKey), source: entry)
  }
}

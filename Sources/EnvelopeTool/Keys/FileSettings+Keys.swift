// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension FileSettings {
  /// A keyring that seals under every key, and the keys in words.
  func sealing() async throws -> (keyring: MultiKeyring, keys: [String]) {
    try await ToolKeys.sealing(keys, keyService)
  }

  /// A keyring that opens with any key of the key store, and with the named keys of AWS KMS.
  func opening(_ entries: [WrappedDataKey]) async throws -> MultiKeyring {
    try await ToolKeys.opening(entries, kms: keys.filter(ToolKeys.isKMS), keyService)
  }
}

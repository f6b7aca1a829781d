// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// What hands secrets to a function by other means than a file.
protocol SecretsManager {
  func bytes(of name: String) async throws -> [UInt8]
}

enum BroughtStore {
  static func open(from manager: some SecretsManager) async throws -> OpenedEnvironment {
    var text = try await manager.bytes(of: "checkout.keys")
    let store = try KeyStore(wiping: &text)  // its bytes are 0 now, also if this throws
    let secrets = try await HandlerSecrets.open(using: store.keyring(), function: "checkout")
    return secrets
  }
}

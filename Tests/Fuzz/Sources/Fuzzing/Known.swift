// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

/// Keys and a context that the fuzzers know: those of most texts in Tests/Vectors.
package enum Known {
  package static let context: EncryptionContext = ["app": "shop", "function": "orders", "stage": "prod"]
  package static let otherContext: EncryptionContext = ["app": "shop", "function": "mails", "stage": "prod"]

  private static let text = """
    envelope-keys 2
    keyset Vh0dNZkcTqfV 1
    version 1 1700000001 WP5yMB1z0cKv2HnaraoMGZFa0c9n53URBZkoWt3nNBc
    identity identity-111 1
    version 1 1700000001 UZQmR3pavW7hUpEiqcEf4w_5jrQx__v9J9W5SfnwE_k
    default Vh0dNZkcTqfV
    end

    """

  package static let store = require("the known store is read") {
    SteadyRandomness.start()
    return try SecretBytes(copying: text).withBytes { (text) throws(EnvelopeError) in try KeyStore(text: text) }
  }

  /// Wraps with the keyset, and unwraps with both.
  package static let keyring = require("the known store has keys") { try store.keyring() }
}

extension SecretBytes {
  /// Copies a string.
  package init(copying text: String) {
    self = unsafe SecretBytes(copying: Array(text.utf8).span.bytes)
  }

  /// A copy that nobody wipes.
  package var array: [UInt8] { withBytes { [UInt8](copying: $0) } }
}

extension OpenedEnvironment {
  /// The values by name, which nobody wipes.
  package var values: [String: [UInt8]] {
    var values: [String: [UInt8]] = [:]
    for secret in secrets { values[secret.name] = secret.withBytes { [UInt8](copying: $0) } }
    return values
  }
}

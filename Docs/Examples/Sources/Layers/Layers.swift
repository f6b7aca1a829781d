// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import EnvelopeKitFiles

/// What a handler needs from its layer.
struct Model: ~Copyable {
  let weights: SecretBytes
  let certificate: SecretBytes
}

@main
struct Layers {
  static func main() async {
    await HandlerSecrets.runOrExit {
      guard CommandLine.arguments.count == 2 else { return print("Usage: Layers FILE") }
      let model = try await load(CommandLine.arguments[1], using: KeyStore.open().keyring())
      print("The model has \(model.weights.byteCount) bytes, the certificate \(model.certificate.byteCount)")
    }
  }

  static func load(_ path: String, using keyring: some Keyring) async throws -> Model {
    let layer = try await SealedArchive(  // one unwrap for all its files
      at: path, context: ["layer": "models", "layer-version": "7"], using: keyring)
    return Model(
      weights: try layer.read("models/classifier.bin"),
      certificate: try layer.read("certificates/ca.pem", limit: 65_536))
  }
}

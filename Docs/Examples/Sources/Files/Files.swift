// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Opens a sealed file at an offset: `Files FILE`.
@main
struct Files {
  static func main() async {
    await HandlerSecrets.runOrExit {
      try await readLayer(of: CommandLine.arguments[1], using: KeyStore.open().keyring())
    }
  }

  static func readLayer(of path: String, using keyring: KeysetKeyring) async throws {
    let model = try await SealedFile(
      at: path, context: ["function": "recommender", "model": "7"], using: keyring)
    let layer = try model.read(1_000_000..<1_004_096)  // verified, in memory that is wiped
    print("\(layer.byteCount) bytes of \(model.byteCount)")
  }
}

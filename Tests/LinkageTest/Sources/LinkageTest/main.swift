// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

let keyring = KeysetKeyring(try Keyset.generate())
let sealed = try await SealedEnvironment.seal(
  ["GREETING": "hello"], context: ["function": "linkage"], using: keyring)
let opened = try await HandlerSecrets.open(using: keyring, function: "linkage", variables: sealed.variables)
print(try opened.require("GREETING").revealingString())

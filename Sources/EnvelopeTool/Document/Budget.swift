// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// What variables take of the bytes that the platform gives a function.
struct Budget {
  /// One variable and its bytes in the JSON that the platform measures.
  struct Cost: Equatable {
    let name: String
    let byteCount: Int
  }

  /// Each variable's bytes, its quotes, colon and comma included.
  let costs: [Cost]
  /// What the wrapped keys take of the variable that holds the header.
  let keyCosts: [Cost]
  /// All bytes together.
  let byteCount: Int
  /// Whether the variables are packed into one.
  let isPacked: Bool

  init(_ document: Document) throws(EnvelopeError) {
    let variables = try document.variables()
    isPacked = document.sealed?.form == .packed
    costs = variables.secrets.map { Cost(name: $0.name, byteCount: VariablesJSON.cost(of: $0)) }
    keyCosts = (document.sealed?.wrappedKeys ?? []).map { key in
      // Scheme and two lengths.
      let byteCount = 4 + key.keyID.string.utf8.count + key.bytes.count
      return Cost(name: "\(key.scheme) \(key.keyID)", byteCount: Base64URL.encodedLength(of: byteCount))
    }
    byteCount = VariablesJSON.compactByteCount(costs: costs.map(\.byteCount))
  }

  var freeByteCount: Int { LambdaLimits.byteLimit - byteCount }

  /// How many more sealed variables fit, with names of 12 characters and values of 20 bytes.
  var roomForMore: Int {
    guard freeByteCount > 0 else { return 0 }
    if isPacked {
      // 4 + 12 + 20 bytes, which take four characters for three; a spare bit or two is not counted on.
      return freeByteCount * 3 / 4 / 36
    }
    // "NAME":"ev1:…", with 48 bytes in base64url.
    return freeByteCount / (12 + 6 + 4 + Base64URL.encodedLength(of: 20 + AEAD.chaCha20Poly1305.overheadByteCount))
  }
}

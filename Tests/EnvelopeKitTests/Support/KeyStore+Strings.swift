// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

extension KeyStore {
  /// Reads a store from a string that holds its secrets, as no caller should.
  init(reading text: String) throws(EnvelopeError) { try unsafe self.init(text: Array(text.utf8).span.bytes) }

  /// The text with its secrets in a string, where nobody wipes it.
  var string: String {
    get throws(EnvelopeError) { try String(decoding: text().copy(), as: UTF8.self) }
  }
}

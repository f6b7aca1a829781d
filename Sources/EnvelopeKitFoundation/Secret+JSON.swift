// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Secret {
  /// The value decoded from JSON.
  ///
  /// Foundation copies the text while it decodes, and does not wipe those copies.
  ///
  /// - Parameter type: What to decode.
  /// - Throws: `typeMismatch` where the value is not JSON of that type; the message shows nothing of it.
  public func json<T: Decodable>(as type: T.Type = T.self) throws(EnvelopeError) -> T {
    let data = withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe Data($0) } }
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      // The decoder's own error quotes the text.
      throw EnvelopeError(
        .typeMismatch, "The variable \(name) is not JSON that \(type) can be decoded from",
        advice: "Seal it again with a value of that form.", names: [name])
    }
  }
}

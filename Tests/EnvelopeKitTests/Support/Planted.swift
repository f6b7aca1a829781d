// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

/// The secrets that tests seal, none of which may ever be shown.
enum Planted {
  static let password = "hunter2-Vb93kQpZ!xW"
  static let url = "postgres://app:Tr0ub4dor&3@db.internal/orders"
  static let token = "tok_9fQ2mZ7LwX4sR8vN1cKd"
  static let texts = [password, url, token]

  /// A data key and a wrapping key, recognizable wherever they show up.
  static let dataKey = (0..<32).map { UInt8(201 - $0 * 3) }
  static let wrappingKey = (0..<32).map { UInt8(17 + $0 * 7) }

  static let values = ["DATABASE_URL": url, "PASSWORD": password, "TOKEN": token]

  /// Every form in which a planted secret could be shown.
  static let needles: [[UInt8]] = (texts.map { Array($0.utf8) } + [dataKey, wrappingKey]).flatMap(needles)

  static func needles(of secret: [UInt8]) -> [[UInt8]] {
    let base64URL = Base64URL.encode(secret)
    let base64 = String(base64URL.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    var needles = [secret.hex, secret.hex.uppercased(), base64URL, base64].map { Array($0.utf8) }
    for start in 0...secret.count - 4 {
      let window = secret[start..<start + 4]
      needles.append(Array(window.map { String($0) }.joined(separator: ", ").utf8))
      needles.append(Array(window.map { String($0) }.joined(separator: ",").utf8))
    }
    for start in 0...secret.count - 8 { needles.append(Array(secret[start..<start + 8])) }
    return needles
  }
}

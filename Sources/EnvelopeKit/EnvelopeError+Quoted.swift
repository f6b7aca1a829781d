// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension EnvelopeError {
  /// A name from outside in a form that is safe to print: in quotes, ASCII, at most 64 bytes of it.
  package static func quoted(_ name: String) -> String {
    let printable = name.utf8.prefix(64).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    return "'\(String(decoding: printable, as: UTF8.self))\(name.utf8.count > 64 ? "…" : "")'"
  }
}

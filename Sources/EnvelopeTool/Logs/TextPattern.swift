// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

#if canImport(Darwin)
  @unsafe @preconcurrency import Darwin
#elseif canImport(Glibc)
  @unsafe @preconcurrency import Glibc
#elseif canImport(Musl)
  @unsafe @preconcurrency import Musl
#endif

/// A POSIX extended regular expression, which matches within one line.
@safe
final class TextPattern {
  private var expression = unsafe regex_t()

  /// Compiles an expression.
  ///
  /// - Throws: `usage` if it is none.
  init(_ text: String) throws(EnvelopeError) {
    let code = unsafe regcomp(&expression, text, REG_EXTENDED | REG_NEWLINE | REG_NOSUB)
    guard code != 0 else { return }
    var reason = [CChar](repeating: 0, count: 256)
    _ = unsafe regerror(code, &expression, &reason, reason.count)
    let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    throw EnvelopeError(
      .usage,
      "\(EnvelopeError.quoted(text)) is not a regular expression: \(String(decoding: bytes, as: UTF8.self))",
      advice: "Write a POSIX extended regular expression, for example: --grep 'timeout|refused'")
  }

  deinit { unsafe regfree(&expression) }

  /// Whether a line of the text matches.
  func matches(_ text: [UInt8]) -> Bool {
    // The system's function ends at a zero byte.
    let characters = text.map { CChar(bitPattern: $0 == 0 ? .space : $0) } + [0]
    return unsafe regexec(&expression, characters, 0, nil, 0) == 0
  }
}

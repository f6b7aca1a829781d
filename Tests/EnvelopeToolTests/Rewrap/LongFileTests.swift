// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct LongFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func mayHoldSealed(_ bytes: [UInt8], partByteCount: Int = 512) throws -> Bool {
    let path = Path(folder.path + "/file")
    try Data(bytes).write(to: URL(filePath: path.string))
    return try LongFile.mayHoldSealed(
      path.openForReading(), byteCount: bytes.count, of: path, partByteCount: partByteCount)
  }

  private static let digits = "RUsBAgGHlWHS762bYFNym7"
  private static let escaped = ("ek1:" + digits).utf8.map { "\\u00" + String($0, radix: 16) }.joined()

  /// A mark is found wherever parts begin and end.
  @Test(arguments: ["ek1:" + digits, "ev1:" + digits, escaped, "EK\u{1}\u{2}\u{1}"]) func findsMark(text: String) throws
  {
    let mark = Array(text.utf8)
    for offset in 340...540 {
      var bytes = [UInt8](repeating: UInt8(ascii: "#"), count: 2000)
      bytes.replaceSubrange(offset..<offset + mark.count, with: mark)
      #expect(try mayHoldSealed(bytes), "\(text) at \(offset)")
    }
    #expect(try mayHoldSealed(mark))
    #expect(try !mayHoldSealed(mark.dropLast()))
  }

  @Test(arguments: [
    "", "e", "\\", "ek1:", "ev1:" + digits.dropLast() + ".", "ek2:" + digits, "Ek1:" + digits, "\\u00", "\\u0065k1:",
    "EK", "EK\u{1}", "EK\u{2}\u{1}\u{1}", "EK\u{1}\u{6}\u{1}", "ENVELOPE_HEADER=", "\\u006" + digits,
  ])
  func findsNothingElse(text: String) throws { #expect(try !mayHoldSealed(Array(text.utf8))) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeyIDTests {
  @Test(arguments: ["a", "~", "!", String(repeating: "k", count: 255)])
  func printableCharactersAreTaken(text: String) throws {
    #expect(try KeyID(text).string == text)
  }

  @Test(arguments: [
    "", " ", "a b", "a\n", "\u{1b}[31m", "é", "a\u{301}", "\u{7f}", "\0", "\u{202e}x",
    String(repeating: "k", count: 256),
  ])
  func everythingElseIsRefused(text: String) async {
    await expectError(.invalidArgument) { try KeyID(text) }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// What people write by hand is read as python-dotenv reads it, or refused.
@Suite(.timeLimit(.minutes(20))) struct DotenvAgreement {
  /// The first word answers each line, so that a text without variables has a line too.
  private static let python = """
    import io, sys, dotenv
    for line in open(sys.argv[1]):
      text = io.TextIOWrapper(io.BytesIO(bytes.fromhex(line)), encoding="utf-8").read()
      values = dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False)
      print("-", *[n.encode().hex() + "=" + ("" if v is None else v.encode().hex()) for n, v in values.items()])
    """

  private static let pieces = [
    "A=", "B=", "C =", "D= ", "export E=", "export\tF=", "a", "b c", "1", "é", "x=y", "$x", "${x}", "`x`", "{\"a\":1}",
    "it's",
    " ", "  ", "\t", "\n", "\n", "\n\n", "#", " # c", " #'", "'", "'", "\"", "\"", "\\n", "\\t", "\\\"", "\\d", "\\\\",
    "\\",
    "'x y'", "\"x y\"", "'x\ny'", "\"x\ny\"", "'#'", "\\'", "\\f", "\u{feff}", "A='a'\nB=\"b\"\n",
  ]

  @Test(arguments: seeds)
  func readsAsPythonDoesOrRefuses(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var taken: [(text: [UInt8], values: Variables)] = []
    for _ in 0..<8_000 {
      var text = ["", "", "A=", "B='", "C=\""].randomElement(using: &generator) ?? ""
      for _ in 0..<Int.random(in: 0...8, using: &generator) {
        text += Self.pieces.randomElement(using: &generator) ?? ""
      }
      // In single quotes `sh` keeps these, and so do we; in double ones `sh` and we drop the backslash.
      let isDisputed =
        text.contains("'") && (text.contains("\\\\") || text.contains("\\'"))
        || text.contains("\\$") || text.contains("\\`")
      if isDisputed { continue }
      if Bool.random(using: &generator) {
        text = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
      }
      if !text.isEmpty, let values = try? Dotenv.values(of: text) { taken.append((Array(text.utf8), values)) }
    }
    try #require(taken.count > 500)
    let folder = try TemporaryFolder()
    try folder.write(Array(taken.map { Hex.text($0.text) }.joined(separator: "\n").utf8), to: "texts")
    let answers = Hex.lines(try folder.runPython(Self.python, "texts"))
    try #require(answers.count == taken.count)
    for (one, answer) in zip(taken, answers) {
      #expect(
        Hex.variables(answer.dropFirst()) == one.values, "\(String(decoding: one.text, as: UTF8.self).debugDescription)"
      )
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// What is written is read by those who are to read it: by us, by dash and bash, and by python-dotenv.
@Suite(.timeLimit(.minutes(20))) struct DotenvReaders {
  /// What a person's `sh` may be, in a locale of bytes and in one of UTF-8.
  private static let shells = [
    ["/bin/dash", "-c", "LC_ALL=C"], ["/bin/bash", "-c", "LC_ALL=C"], ["/bin/bash", "-c", "LC_ALL=C.UTF-8"],
    ["/bin/bash", "--posix", "-c", "LC_ALL=C.UTF-8"],
  ]

  private static let python = """
    import sys, dotenv
    for name, value in dotenv.dotenv_values(sys.argv[1], interpolate=False).items():
      sys.stdout.buffer.write(b"%s=%s\\0" % (name.encode(), value.encode()))
    """

  private static let pieces = [
    "'", "'", "\"", "\"", "\\", "\\", "\\\\", "$", "`", "\n", "\n", "\r", "\r\n", " ", " ", "#", " #", "\t", "=", "~",
    "é", "日本語", "🗝", "ā\u{301}", "\u{81}", "\u{feff}", "\u{2028}", "\u{a0}", "\u{7f}", "\u{1}", "\u{1b}", "!", "!!",
    "&", ";", "|",
    ">", "<", "(", ")", "*", "?", "[", "{a,b}", "%", "%s", "\\n", "\\r", "\\0", "\\x41", "\\'", "\\\"", "\\$", "\\`",
    "''", "$'", "$\"",
    "a", "B", "0", "_", "word", "export ", "V000=", "\nV001=x\n", "EOF", "$V000", "${V000}", "$((1+1))", "${x:=1}",
    "$$", "touch canary",
    "$(touch canary)", "`touch canary`", ";touch canary;", "\ntouch canary\n", "&& touch canary", "| touch canary",
    "> canary",
    "';touch canary;'", "\";touch canary;\"", "<(touch canary)", "${x:-$(touch canary)}", "a[$(touch canary)]",
    "-----BEGIN PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/==\n", "-----END PRIVATE KEY-----\n",
    "postgres://u:p%40@h:5432/db?x=1&y=2", "{\"a\": [1, null]}",
  ]

  /// Three hundred variables of up to a dozen pieces, one of them written first.
  private static func randomValues(using generator: inout SplitMix64) -> Variables {
    var values: Variables = ["ENVELOPE_HEADER": Array("ek1:abc".utf8)]
    for number in 0..<300 {
      let count = Int.random(in: 0...12, using: &generator)
      // Few kinds of pieces in some values, so that those with a bare or single-quoted spelling come up as well.
      let kinds = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }
      let value = (0..<count).map { _ in kinds.randomElement(using: &generator) ?? "" }.joined()
      values["V" + "00\(number)".suffix(3)] = Array(value.utf8)
    }
    return values
  }

  @Test(arguments: seeds)
  func allReadTheSame(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let values = Self.randomValues(using: &generator)
    let (text, announced) = try Dotenv.written(values, first: ["ENVELOPE_HEADER"])
    #expect(!announced.isEmpty && announced.count < values.count)
    compare(try Dotenv.values(of: text), with: values, reader: "Dotenv")

    let folder = try TemporaryFolder()
    try folder.write(text, to: "variables.env")
    for shell in Self.shells {
      try compare(Self.read(in: folder, by: shell) { values[$0] != nil }, with: values, reader: "\(shell)")
    }
    // Announced values may differ there, and must not make others differ.
    let fromPython = Self.withoutNames(
      announced,
      EnvelopeToolTests.values(ofNULTerminated: try folder.runPython(Self.python, "variables.env")) { _ in true })
    compare(fromPython, with: Self.withoutNames(announced, values), reader: "python-dotenv")
    // Nothing ran.
    #expect(try folder.files == ["variables.env"])
  }

  /// Whatever is announced does differ in python-dotenv, or has escapes, which Node does not undo.
  @Test(arguments: seeds)
  func pythonOrNodeReadsAnnouncedValuesDifferently(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let values = Self.randomValues(using: &generator)
    let (text, announced) = try Dotenv.written(values)
    let folder = try TemporaryFolder()
    try folder.write(text, to: "variables.env")
    let fromPython = EnvelopeToolTests.values(
      ofNULTerminated: try folder.runPython(Self.python, "variables.env")
    ) { _ in true }
    #expect(Set(fromPython.keys) == Set(values.keys))
    let escapes = Array("\"\\".utf8)
    #expect(
      announced.allSatisfy { fromPython[$0] != values[$0] || values[$0]?.contains(where: escapes.contains) == true })
  }

  /// Every variable that bash knows of itself is refused, or is one like any other.
  @Test func noShellRunsAValueForItsName() throws {
    let folder = try TemporaryFolder()
    let known = String(decoding: try folder.run("/bin/bash", ["-c", "compgen -v"]), as: UTF8.self)
    let secret = Array("a[$(touch canary)]".utf8)
    var values: Variables = [
      "LC_TIME": secret, "HISTSIZE": secret, "IGNOREEOF": secret, "MAILCHECK": secret, "TMOUT": secret,
    ]
    for name in known.split(separator: "\n").map(String.init) {
      do {
        _ = try Dotenv.written([name: secret])
        values[name] = secret
      } catch {
        #expect(error.code == .invalidArgument)
      }
    }
    try folder.write(try Dotenv.written(values).0, to: "variables.env")
    for shell in Self.shells {
      try compare(Self.read(in: folder, by: shell) { values[$0] != nil }, with: values, reader: "\(shell)")
    }
    #expect(try folder.files == ["variables.env"])
  }

  private static func read(
    in folder: TemporaryFolder, by shell: [String], where isIncluded: (String) -> Bool
  ) throws -> Variables {
    let script = "\(shell.last ?? ""); set -a; . ./variables.env && exec /usr/bin/env -0"
    let bytes = try folder.run(shell[0], shell.dropFirst().dropLast() + [script])
    return EnvelopeToolTests.values(ofNULTerminated: bytes, where: isIncluded)
  }

  private static func withoutNames(_ names: [String], _ values: Variables) -> Variables {
    values.filter { !names.contains($0.key) }
  }

  /// Shows only what differs, for the whole would fill pages.
  private func compare(
    _ read: Variables, with written: Variables, reader: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let names = Set(read.keys).union(written.keys).filter { read[$0] != written[$0] }.sorted()
    for name in names.prefix(3) {
      let (before, after) = (written[name], read[name])
      Issue.record(
        """
        \(reader) reads \(name) as \(after.map { String(decoding: $0, as: UTF8.self).debugDescription } ?? "nothing") \
        and it was \(before.map { String(decoding: $0, as: UTF8.self).debugDescription } ?? "nothing")
        """, sourceLocation: sourceLocation)
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

/// Trees that nobody would make on purpose, or somebody did to deceive.
@Suite(.timeLimit(.minutes(20))) struct RewrapOddFilesTests {
  let sandbox: Sandbox
  let key: String
  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder("tree")
    try sandbox.seal("AA=1\n", to: "tree/app.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
  }

  private func rewrap(_ arguments: String...) throws -> Outcome {
    try sandbox.start(["rewrap", "tree", "--function", "app"] + arguments).wait()
  }

  /// Otherwise a file would stay under a key that was removed from the tree, and nobody be told.
  @Test func whatCannotBeLookedAtIsTold() throws {
    try sandbox.shell(#"cp tree/app.env "tree/$(printf 'x\377.env')""#).succeeded()
    // A path that is longer than the system takes, made step by step.
    try sandbox.shell(
      """
      cd tree && name=$(printf '%0200d' 0)
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do mkdir $name && cd -P $name; done
      """
    ).succeeded()
    let result = try rewrap().failed(74, saying: "not UTF-8")
    #expect(result.messages.contains("Rewrapped 1 file, 2 failed."))
    #expect(result.messages.contains("0000: Cannot look at it: "))
    #expect(try sandbox.keyIDs(of: "tree/app.env") == ["\(key).2"])
    try rewrap().failed(74, saying: "1 file as it should be, 2 failed.")
  }

  /// A former reader could pad a file so that `--remove` does not reach it, and remove the padding later.
  @Test func paddedFilesFail() throws {
    let padding = Data(repeating: UInt8(ascii: "#"), count: 17_000_000)
    let line = Data("\n".utf8)
    let sealed = try sandbox.readBytes("tree/app.env")
    try sandbox.seal("AA=1\n", "--format", "json", to: "app.json")
    let json = try sandbox.read("app.json").dropFirst()
    let escaped = json.replacing("ek1:R", with: "\\u0065\\u006B1\\u003a\\u0052").replacing("ev1:", with: "e\\u00761:")
    let lines = String(decoding: sealed, as: UTF8.self).split(separator: "\n").filter { $0.contains("=") }
    let texts = lines.map { $0.drop { $0 != "=" }.dropFirst() }
    let header = try Envelope.bytes(ofText: String(texts[0]))
    let member = Data("{\"X\": \"".utf8) + padding + Data("\",".utf8)
    let files: [(name: String, content: Data)] = [
      ("before", padding + line + sealed), ("after", sealed + padding), ("around", padding + line + sealed + padding),
      ("zeros", sealed + Data(count: 17_000_000)), ("json", member + Data(json.utf8)),
      ("escaped", member + Data(escaped.utf8)), ("text", padding + Data(texts[1].utf8)), ("value", padding + header),
    ]
    for (name, content) in files { try content.write(to: URL(filePath: sandbox.path("tree/\(name)"))) }
    let result = try rewrap().failed(74, saying: "\(files.count) failed")
    for (name, _) in files {
      #expect(result.messages.contains("tree/\(name): It is longer than 16,777,216 bytes and seems to hold"), "\(name)")
    }
    for (name, content) in files { #expect(try sandbox.readBytes("tree/\(name)") == content) }
  }

  /// A repository has large files of other kinds, programs among them that know the names and marks.
  @Test func longFileWithNothingSealedIsPassedOver() throws {
    try sandbox.shell(
      """
      cd tree && head -c 17000000 /dev/zero > zeros && head -c 17000000 /dev/urandom > random
      { printf 'ENVELOPE_HEADER\\0ek1:\\0"ev1:\\0=ev1:AAAA\\0EK\\1\\0'; cat zeros; } > program
      { echo '{"a": "ek1:... \\u0065 ENVELOPE_SEALED='; tr '\\0' ' ' < zeros; } > page
      """
    ).succeeded()
    try rewrap().succeeded()
    #expect(try sandbox.keyIDs(of: "tree/app.env") == ["\(key).2"])
  }

  @Test func namesOfFilesSteerNoTerminalAndForgeNoLine() throws {
    let name = "tree/a\u{1b}[2Kb\u{9b}31m\nRewrapped 9 files.\r\t\u{7f}ü.env"
    try sandbox.write("ek1:" + String(repeating: "A", count: 30), to: name)
    try sandbox.write(try sandbox.read("tree/app.env"), to: name.replacingOccurrences(of: "tree/a", with: "tree/c"))
    let dry = try rewrap("--dry-run")
    let shown = "\\u{1b}[2Kb\\u{9b}31m\\u{a}Rewrapped 9 files.\\u{d}\\u{9}\\u{7f}ü.env'"
    #expect(dry.text.split(separator: "\n").map { $0.prefix { $0 != "\t" } } == ["tree/app.env", "'tree/c\(shown)"])
    let result = try rewrap().failed(65, saying: "'tree/a\(shown): ")
    for text in [dry.text, dry.messages, result.messages] {
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control })
      #expect(!text.split(separator: "\n").contains { $0.hasPrefix("Rewrapped 9") })
    }
  }

  /// Somebody may still open it, and whoever removes a key would not know.
  @Test func aFileThatGitCouldNotMergeFails() throws {
    let sealed = try sandbox.read("tree/app.env")
    let conflict = sealed.split(separator: "\n").map { "<<<<<<< ours\n\($0)\n=======\n\($0)\n>>>>>>> theirs\n" }
    try sandbox.write(conflict.joined(), to: "tree/merged.env")
    try rewrap().failed(65, saying: "tree/merged.env: ")
    // A page that shows the beginning of one is no such file.
    let header = try #require(sealed.split(separator: "\n").first { $0.hasPrefix("ENVELOPE_HEADER=") })
    try sandbox.write("As in\n\n    \(header.prefix(60))…\n", to: "tree/merged.env")
    #expect(try !rewrap().succeeded().messages.contains("merged"))
  }

  /// Of an environment with very many variables every text changes when it is sealed anew, and all around them stays.
  @Test func manyVariablesAreSealedAnewInTheirPlaces() throws {
    let names = (0..<4000).map { "V\($0)" }
    let text = names.map { "\($0)=value of \($0)\n" }.joined() + "PLAIN='a  b'\n"
    try sandbox.seal(text, "--plain", "PLAIN", to: "tree/app.env")
    let sealed = try sandbox.read("tree/app.env").split(separator: "\n").filter { !$0.hasPrefix("PLAIN=") }
    let before = "# The first line\n" + sealed.joined(separator: "\n") + "\nPLAIN='a  b' # stays\n"
    try sandbox.write(before, to: "tree/app.env")
    try sandbox.envelope("reseal", "tree", "--function", "app").succeeded()
    let after = try sandbox.read("tree/app.env")
    let lines = zip(before.split(separator: "\n"), after.split(separator: "\n"))
    #expect(before.count == after.count)
    #expect(lines.filter { $0 != $1 }.count == names.count + 1)
    #expect(lines.allSatisfy { $0.prefix { $0 != "=" } == $1.prefix { $0 != "=" } })
    #expect(try sandbox.opened("tree/app.env").count { $0.value == "value of \($0.key)" } == names.count)
  }
}

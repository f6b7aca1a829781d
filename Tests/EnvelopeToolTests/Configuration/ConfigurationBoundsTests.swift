// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import Foundation
  import Testing

  @testable import EnvelopeTool

  @Suite("envelope.yaml that was made to take long", .timeLimit(.minutes(20))) struct ConfigurationBoundsTests {
    /// Each line names the one before three times: without a bound, the parser hashes 3²⁵ words.
    static let bomb =
      "a0: &a0 [x]\n" + (1...25).map { "a\($0): &a\($0) {[*a\($0 - 1)]: [*a\($0 - 1), *a\($0 - 1)]}\n" }.joined()

    @Test(arguments: [
      bomb, "default: &a {}", "functions: {&a x: {}}", "[&a b]", "- &a b", "a:\n  &a b", "a:\n\t&a b", "\u{feff}&a b",
      "a: !t &a b",
      "? a\n: b", "{? a: b}", "[?a]", "a: \"x #\", &a b", "a: 'x #' &a b", "a: \"\n # \", &a [b]", "a: x\r# c\r&a b",
      "# c\u{85}&a b",
      "# c\u{2028}&a b", "a: b:&a", "{a:&a b}", "{\"a\":&a b}", "[a,&a b]", "a: \"R & D\"",
    ])
    func anchorsAndExplicitKeysAreRefused(yaml: String) throws {
      #expect(Configuration.lineBeyondBounds(of: yaml) != nil)
      #expect { try Configuration(yaml: yaml) } throws: { "\($0)".contains("anchors (&)") }
    }

    @Test(arguments: [
      "# this & that?\ndefault:\n  key: main # & more\n", "default: {context: {team: R&D, area: \"R&D\"}}\n",
      "default:\n  endpoint-url: https://host/?a=b&c=%&d\n", "",
    ])
    func otherAmpersandsAreTaken(yaml: String) throws {
      #expect(Configuration.lineBeyondBounds(of: yaml) == nil)
      _ = try Configuration(yaml: yaml)
    }

    @Test func lineIsNamed() {
      #expect(Configuration.lineBeyondBounds(of: "a: b\n# &\nc: &d e\n") == 3)
    }

    /// As large as is read, in the shapes that cost the parser most: nesting, keys that are maps, many of everything.
    @Test(arguments: [
      String(repeating: "[", count: 65_000), String(repeating: "{", count: 65_000),
      String(repeating: "- ", count: 32_000),
      String(repeating: "[", count: 900) + String(repeating: "a,", count: 32_000),
      String(
        repeating: String(repeating: "{", count: 200) + "a: b" + String(repeating: "}: c", count: 199) + "}\n",
        count: 60),
      "[" + String(repeating: "{[a]: b}, ", count: 6_500) + "]", String(repeating: "---\n", count: 16_000),
      String(repeating: "a: b\n", count: 13_000), (0..<6_000).map { "k\($0): v\n" }.joined(),
      "a: \"" + String(repeating: "\\u0041", count: 10_000) + "\"", "<<: {a: b}\n<<: {a: b}\n",
    ])
    func otherShapesEndInAnError(yaml: String) {
      #expect(throws: (any Error).self) { try Configuration(yaml: yaml) }
    }

    @Test func duplicateKeysAreNamed() {
      #expect { try Configuration(yaml: "functions:\n  a: {}\n  a: {}\n") } throws: {
        "\($0)".contains("'a' stands there twice")
      }
    }

    @Test func filesThatAreTooLongOrNoFilesAreRefused() throws {
      let sandbox = try Sandbox()
      let seal = ["seal", "-", "--function", "app"]
      try sandbox.write(Self.bomb, to: "envelope.yaml")
      try sandbox.start(seal).wait().failed(78, saying: "line 1: anchors (&)")
      try sandbox.write(String(repeating: "#\n", count: 33_000), to: "envelope.yaml")
      try sandbox.start(seal).wait().failed(78, saying: "longer than 65,536 bytes")
      try Data("default: {key: \u{e9}}".utf8.map { $0 == 0xc3 ? 0xff : $0 }).write(
        to: URL(fileURLWithPath: sandbox.path("envelope.yaml")))
      try sandbox.start(seal).wait().failed(78, saying: "not UTF-8")
      try FileManager.default.removeItem(atPath: sandbox.path("envelope.yaml"))
      try sandbox.makePipe("envelope.yaml")
      try sandbox.start(seal).wait().failed(78, saying: "is not a file")
    }
  }
#endif

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
      bomb, "default: &a {}", "functions: {&a x: {}}", "[&a b]", "- &a b", "a:\n  &a b", "\u{feff}&a b",
      "a: b\n? &a c\n: d", "a: \"x #\"\nb: &a b", "a: \"\n # \"\nb: &a [b]", "{\"a\":&a b}", "[a,&a b]",
    ])
    func anchorsAreRefused(yaml: String) throws {
      #expect { try Configuration(yaml: yaml) } throws: { "\($0)".contains("anchors (&) are not supported") }
    }

    @Test(arguments: ["a: *b", "*b", "[*b]", "*a : b", "a: b\n? *c\n: d"])
    func aliasesAreRefused(yaml: String) throws {
      #expect { try Configuration(yaml: yaml) } throws: { "\($0)".contains("aliases (*) are not supported") }
    }

    @Test(arguments: ["default: !!map {}", "!a b", "a: !!binary YQ==", "[!t b]", "! a"])
    func tagsAreRefused(yaml: String) throws {
      #expect { try Configuration(yaml: yaml) } throws: { "\($0)".contains("tags (!) are not supported") }
    }

    @Test(arguments: [
      "# this & that?\ndefault:\n  key: main # & more\n", "default: {context: {team: R&D, area: \"R & D *x !y ?\"}}\n",
      "default:\n  endpoint-url: https://host/?a=b&c=%&d\n", "", "---\n", "# nothing\n", "---\ndefault: {}\n...\n",
      "\u{feff}default: {}\n", "? default\n: key: main\n", "default:\n", "default: ~\n", "default: null\n",
      "default:\r\n  key: main\r\n",
    ])
    func otherTextIsTaken(yaml: String) throws {
      _ = try Configuration(yaml: yaml)
    }

    @Test(arguments: [
      ("a: b\n# &\nc: &d e\n", 3), ("default:\n  key: [a\n", 3), ("default: {}\ndefault: {}\n", 2),
      ("functions:\n  a: {}\n  b: {}\n  a: {}\n", 4), ("default: {}\n---\ndefault: {}\n", 3), ("\tdefault: {}\n", 1),
      ("default:\n  key: a\n bad\n", 3), ("default:\n  color: red\n", 2), ("default:\n- a\n", 2),
      ("functions:\n  [a]: {}\n", 2), ("default:\n  key: {a: b}\n", 2), ("default: {key: \"\u{0}\"}\n", 1),
    ])
    func lineOfFirstFaultIsNamed(yaml: String, line: Int) {
      #expect { try Configuration(yaml: yaml) } throws: { "\($0)".contains("envelope.yaml, line \(line): ") }
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
        "\($0)".contains("line 3: 'a' is given twice")
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

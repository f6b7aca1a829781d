// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct IgnorePatternsTests {
  private func leavesOut(_ path: String, _ patterns: String, isFolder: Bool = true) -> Bool? {
    let names = path.split(separator: "/").map { Array($0.utf8) }
    return IgnorePatterns(text: patterns).leavesOut(names[...], isFolder: isFolder)
  }

  static let matching: [(patterns: String, path: String)] = [
    ("build", "build"), ("build", "a/b/build"), ("build/", "a/build"), ("/build", "build"), ("/build/", "build"),
    ("a/build", "a/build"), ("a/build/", "a/build"), ("*", "x"), ("*.tmp", "a/x.tmp"), ("b*d", "build"), ("*/", "x"),
    ("b**d", "build"), ("?uild", "build"), ("a/*", "a/b"), ("a/*/c", "a/b/c"), ("**/c", "c"), ("**/c", "a/b/c"),
    ("a/**", "a/b"), ("a/**", "a/b/c"), ("a/**/c", "a/c"), ("a/**/c", "a/x/y/c"), ("**/a/**", "x/a/y"),
    ("#x\nbuild", "build"), ("\n\nbuild  ", "build"), ("build\r\n", "build"), ("\u{feff}build", "build"),
    ("!build\nbuild", "build"), ("**", "a/b"), (".build", ".build"), ("é*", "éa"),
  ]

  @Test(arguments: matching) func leavesOutWhatMatches(_ example: (patterns: String, path: String)) {
    #expect(leavesOut(example.path, example.patterns) == true)
  }

  static let others: [(patterns: String, path: String)] = [
    ("build", "builds"), ("build", "build/x"), ("/build", "a/build"), ("a/build", "build"), ("a/build", "x/a/build"),
    ("#build", "build"), ("a/*", "a"), ("a/*", "a/b/c"),
    ("a/**", "a"), ("a/**/c", "a/x"), ("a/?", "a/bc"), ("?", "ab"), ("Build", "build"), ("", "a"), ("/", "a"),
    ("a//b", "a/b"), ("[b]uild", "build"), ("bui\\ld", "build"), ("\\#x", "#x"), ("build\u{a0}", "build"),
  ]

  @Test(arguments: others) func searchesTheRest(
    _ example: (patterns: String, path: String)
  ) {
    #expect(leavesOut(example.path, example.patterns) == nil)
  }

  @Test func lastPatternDecides() {
    #expect(leavesOut("build", "build\n!build") == false)
    #expect(leavesOut("build", "!build\n*") == true)
    #expect(leavesOut("a/b", "*\n!*/") == false)
    #expect(leavesOut("keep", "*\n!keep/\n") == false && leavesOut("other", "*\n!keep/\n") == true)
  }

  @Test func patternForFoldersMatchesNoFile() {
    #expect(leavesOut("build", "build/", isFolder: false) == nil)
    #expect(leavesOut("build", "build", isFolder: false) == true)
  }

  /// What is not understood may have been meant to take anything back.
  @Test(arguments: ["![b]uild", "!\\build", "!a//b"]) func patternThatIsNotUnderstoodTakesBack(line: String) {
    #expect(leavesOut("build", "*\n\(line)\n") == false)
    #expect(leavesOut("x", line) == false)
  }

  /// A pattern that was made to be tried in very many ways ends soon.
  @Test func manyStarsEndSoon() {
    let stars = String(repeating: "*a", count: 2_000) + "b"
    #expect(leavesOut(String(repeating: "a", count: 4_000), stars) == nil)
    let folders = String(repeating: "**/a/", count: 500) + "b"
    #expect(leavesOut(String(repeating: "a/", count: 1_000), folders) == nil)
  }

  /// git is asked about the same patterns, where it is installed.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git")), arguments: [1, 2, 3] as [UInt64])
  func agreesWithGit(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let sandbox = try Sandbox()
    try sandbox.shell("git init -q").succeeded()
    let words = ["a", "b", "*", "**", "?", "a*", "*b", "ab", "*a*"]
    var paths: [String] = []
    for one in ["a", "b", "ab", "ba"] {
      paths.append(one)
      for two in ["a", "b", "ab"] { paths += ["\(one)/\(two)", "\(one)/\(two)/a", "\(one)/\(two)/b"] }
    }
    for path in paths { try sandbox.makeFolder(path) }
    for _ in 0..<40 {
      let lines = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        let names = (0..<Int.random(in: 1...3, using: &random)).map { _ in words.randomElement(using: &random) ?? "a" }
        let (first, last) = (Bool.random(using: &random), Bool.random(using: &random))
        return (Int.random(in: 0..<4, using: &random) == 0 ? "!" : "") + (first ? "/" : "")
          + names.joined(separator: "/") + (last ? "/" : "")
      }
      let text = lines.joined(separator: "\n") + "\n"
      try sandbox.write(text, to: ".gitignore")
      let told = try sandbox.shell("git check-ignore \(paths.joined(separator: " "))").text.split(separator: "\n")
      let patterns = IgnorePatterns(text: text)
      for path in paths {
        let names = path.split(separator: "/").map { Array($0.utf8) }
        // What lies in a folder that is left out is left out with it.
        let isLeftOut = names.indices.contains { patterns.leavesOut(names[...$0], isFolder: true) == true }
        #expect(isLeftOut == told.contains(path[...]), "\(lines) \(path)")
      }
    }
  }
}

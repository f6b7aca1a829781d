// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// Variables are written into the place of others, around which everything stays.
@Suite(.timeLimit(.minutes(20))) struct DotenvFollowing {
  private static func written(
    _ values: Variables, following model: String, first: [String] = ["H"], comments: DotenvComments = .all,
    for style: Dotenv.Style = .shell
  ) throws(EnvelopeError) -> (text: String, announced: [String], comments: DotenvComments) {
    let bytes = Array(model.utf8)
    let document = try unsafe Dotenv.write(
      OpenedEnvironment(values: values), first: first, following: bytes.span.bytes, comments: comments, for: style)
    let text = document.text.withBytes { $0.array }
    return (String(decoding: text, as: UTF8.self), document.announced, document.comments)
  }

  @Test(
    arguments: [
      // The header goes first; what has the same value keeps its spelling, the rest its place.
      ("A=My App\n", ["A": "My App", "H": "h"], "H=h\n\nA=My App\n"),
      (
        "# c\n\nexport  B = \"b\"  # d\n\tA='x\ny'\n", ["A": "x\ny", "B": "b"],
        "# c\n\nexport  B = \"b\"  # d\n\tA='x\ny'\n"
      ),
      ("B=1 # b\n\n# a\nA='1'\n# e", ["A": "2", "B": "3"], "# b\nB=3\n\n# a\nA=2\n# e\n"),
      ("H=0\n\n# c\nB=1\n", ["H": "h", "B": "1"], "H=h\n\n# c\nB=1\n"),
      ("# top\n# of it\nH=0\nB=1", ["H": "h", "B": "1"], "# top\n# of it\nH=h\nB=1\n"),
      // What is gone goes with the comment behind it; comments of their own stay.
      ("# a\nA=1 # x\n# b\nB=2\n", ["B": "2"], "# a\n# b\nB=2\n"),
      ("# a\nA=1\n", [:], "# a\n"),
      // What is new follows in the order of names, if the text is in that order.
      ("H=0\n\nA=1\n# c\nC=3\n# e\n", ["H": "0", "A": "1", "B": "2", "C": "3"], "H=0\n\nA=1\nB=2\n# c\nC=3\n# e\n"),
      ("H=0\n\n# b\n# c\nC=3\n", ["H": "0", "A": "1", "C": "3"], "H=0\n\nA=1\n# b\n# c\nC=3\n"),
      ("# t\n\n# c\nC=3\n", ["A": "1", "B": "2", "C": "3"], "# t\n\nA=1\nB=2\n# c\nC=3\n"),
      ("A=1\nC=3\n# e\n", ["A": "1", "C": "3", "D": "4", "E": "5"], "A=1\nC=3\nD=4\nE=5\n# e\n"),
      // In another order it stands behind the last.
      ("C=3\nA=1\n\n# e\n", ["A": "1", "B": "2", "C": "3"], "C=3\nA=1\nB=2\n\n# e\n"),
      ("# c\n", ["A": "1", "H": "h"], "H=h\n\n# c\nA=1\n"), ("", ["A": "1", "H": "h"], "H=h\n\nA=1\n"),
      ("H=0\n", ["A": "1", "H": "0"], "H=0\nA=1\n"), ("A=1", ["A": "1"], "A=1\n"),
      // Line ends are LF; inside quotes they are part of the value, unless all are of Windows.
      ("# c\r\nA=1\r\nB='x\r\ny'\r\n", ["A": "1", "B": "x\ny"], "# c\nA=1\nB='x\ny'\n"),
      ("# c\r\nA=1\nB='x\r\ny' \r\n", ["A": "1", "B": "x\r\ny"], "# c\nA=1\nB='x\r\ny' \n"),
      ("\u{feff}# c\nA=1\n", ["A": "1", "H": "h"], "H=h\n\n# c\nA=1\n"),
    ] as [(String, [String: String], String)])
  func writesInThePlaceOfOthers(_ model: String, _ values: [String: String], _ text: String) throws {
    let written = try Self.written(values.bytes, following: model)
    #expect(written.text == text)
    #expect(try Dotenv.values(of: written.text) == values.bytes)
  }

  @Test func announcesOnlyWhatIsSpelledAnew() throws {
    let written = try Self.written(["A": "it's $5", "B": "it's $5"].bytes, following: "A=it's $5\nB=1\n")
    #expect(written.text == "A=it's $5\nB=\"it's \\$5\"\n" && written.announced == ["B"])
  }

  @Test func refusesToFollowWhatCannotBeRead() {
    expect(.malformed, saying: "Line 2") { _ = try Self.written(["A": [0x31]], following: "A=1\n\(marker)\n") }
  }

  /// A kept spelling must not run where a written one is refused.
  @Test func refusesNamesThatAShellKeepsInAnySpelling() {
    expect(.invalidArgument, saying: "PS1 for itself", names: ["PS1"]) {
      _ = try Self.written(["PS1": Array("$(\(marker))".utf8)], following: "PS1='$(\(marker))'\n")
    }
  }

  @Test(
    arguments: [
      ("# OLD_TOKEN=x\n", ["OLD_TOKEN"]), ("#TOKEN=x\n", ["TOKEN"]), ("  ##  export TOKEN=x\n", ["TOKEN"]),
      ("# token=x\n", ["token"]), ("# TOKEN = x\n", ["TOKEN"]), ("# was TOKEN=x until May\n", ["TOKEN"]),
      ("# the old one: DB_PASSWORD='x'\n", ["DB_PASSWORD"]), ("# lower a=x\n", ["a"]),
      ("# KEY=\"-----BEGIN\n# MII\n# -----END\"\n", []), ("# A_KEY='x\n# y\n# z'\n", ["A_KEY"]),
      ("# AB=\"x\n# AC=y\n# z\"\n# AD=w\n", ["AB", "AD"]), ("# -----BEGIN KEY-----\n# MII\n# -----END KEY-----\n", []),
      ("# AB=`x\n# y`\n", ["AB"]), ("# CREDS=\"{\\\"type\\\": 1,\n#  \\\"key\\\": 2\n# }\"\n", ["CREDS"]),
      ("# AB=c\\\n# d\n", ["AB"]), ("# AB==c\n", ["AB"]), ("# A_TOKEN+=c\n", ["A_TOKEN"]),
      ("# DATABASE_URL: x://u:p@h\n", ["DATABASE_URL"]), ("# a: 1\n", ["a"]),
    ] as [(String, [String])]) func commentsThatSetVariablesAreLeftOut(_ model: String, _ names: [String]) throws
  {
    let values = ["a": "1", "b": "2"].bytes
    let text = "# kept\n\(model)# kept, too\na=1\n\(model)b=2\n"
    let written = try Self.written(
      values, following: text, comments: DotenvComments(keepsAll: false, names: ["a", "b"]))
    #expect(written.text == "# kept\n# kept, too\na=1\nb=2\n")
    #expect(written.comments.leftOut == names)
    #expect(try Self.written(values, following: text).text == text)
  }

  @Test(arguments: [
    "# Database\n", "#\n", "# see https://example.com/?a=b&c=d\n", "# TOKEN=\n", "# TOKEN= \n", "# if A == B\n",
    "# hint = in lower case\n", "# TOKEN is set elsewhere\n", "# 1A=x\n", "# an = sign\n", "# ======\n", "# == A ==\n",
    "# NOTE: all of it\n",
  ]) func otherCommentsAreKept(_ comment: String) throws {
    let written = try Self.written(
      ["x": [0x31]], following: comment + "x=1\n", comments: DotenvComments(keepsAll: false, names: ["x"]))
    #expect(written.text == comment + "x=1\n" && written.comments.leftOut.isEmpty && written.comments.keptCount == 1)
  }

  /// Behind a plain value that keeps its line, as behind one that does not.
  @Test func commentsBehindValuesAreLeftOut() throws {
    let comments = DotenvComments(keepsAll: false, names: [])
    let written = try Self.written(
      ["A": "a b", "B": "2", "C": "3"].bytes, following: "A=a b  # was A_OLD=x\nB=1 # was B_OLD=x\nC='3' # kept\n",
      comments: comments)
    #expect(written.text == "A=a b\nB=2\nC='3' # kept\n" && written.comments.leftOut == ["A_OLD", "B_OLD"])
  }

  @Test func withoutCommentsOnlyTheVariablesAreLeft() throws {
    let written = try Self.written(
      ["A": "1 2", "H": "h"].bytes, following: "# c\n\n\nA=1 2 # d\nB=2\n\n# e", comments: .none)
    #expect(written.text == "H=h\n\nA=1 2\n")
  }

  @Test func dockerGetsWhatIsBehindTheSign() throws {
    let written = try Self.written(
      ["A": "a b", "B": "{\"a\": 1}", "C": "it's $x \\"].bytes,
      following: "# c\nexport A='a b' # d\nB='{\"a\": 1}'\nC=\"it's \\$x \\\\\"\n", for: .docker)
    #expect(written.text == "# c\n# d\nA=a b\nB={\"a\": 1}\nC=it's $x \\\n" && written.announced.isEmpty)
  }

  @Test(arguments: [" a", "a ", "a #b", "'a'", "\"a\"", "`a`", "'a", "\ta"])
  func whatDockerTakesAndWeReadOtherwiseIsRefused(_ value: String) throws {
    expect(.invalidArgument, saying: "read other values", names: ["A"]) {
      _ = try Self.written(["A": value, "B": "1"].bytes, following: "B=1\n", for: .docker)
    }
    // What is opened is for Docker alone.
    let opened = try Dotenv.write(OpenedEnvironment(values: ["A": value].bytes), for: .docker)
    #expect(opened.text.withBytes { $0.array } == Array("A=\(value)\n".utf8))
  }

  @Test(arguments: ["a\nb", "\n", "a\r", "a\rb", String(repeating: "x", count: 65_534)])
  func whatDockerCannotHoldIsRefused(_ value: String) throws {
    for first in [[], ["A"]] {
      expect(.invalidArgument, saying: "The value of A ", names: ["A"]) {
        _ = try Dotenv.write(OpenedEnvironment(values: ["A": value].bytes), first: first, for: .docker)
      }
    }
  }

  /// Whatever the text and the variables, what is written is read back, and a second time nothing changes.
  @Test(arguments: seeds) func readsBackWhatIsWritten(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let pieces = [
      "A=1\n", "B='x\ny' # c\n", "\n", "# c\n", "C=\"a\\n\"\r\n", " D = e f \n", "export E=\n", "# D=1\n", "  # '\n",
      "F=x",
      "H=h\n", "\r\n", "\u{feff}", "G='a\r\nb'\n", "I=it's\n", "J=$x #y",
    ]
    var count = 0
    for _ in 0..<2_000 {
      var model = ""
      for _ in 0..<Int.random(in: 0...8, using: &generator) { model += pieces.randomElement(using: &generator) ?? "" }
      guard let before = try? Dotenv.values(of: model) else { continue }
      count += 1
      var values = before.filter { _ in Int.random(in: 0..<4, using: &generator) > 0 }
      for name in ["A", "BB", "H", "Z"] where Bool.random(using: &generator) {
        values[name] = Array((["x", "it's", "a\nb", " "].randomElement(using: &generator) ?? "").utf8)
      }
      let comments = DotenvComments(keepsAll: Bool.random(using: &generator), names: [])
      let written = try Self.written(values, following: model, comments: comments).text
      #expect(try Dotenv.values(of: written) == values, "\(model.debugDescription)")
      #expect(try Self.written(values, following: written).text == written, "\(model.debugDescription)")
    }
    #expect(count > 500)
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// Python's `json` and ours understand each other.
@Suite(.timeLimit(.minutes(20))) struct VariablesJSONReaders {
  private static let pieces = [
    "a", "B", "0", " ", "\"", "\\", "/", "\u{8}", "\u{c}", "\n", "\r", "\t", "\u{1}", "\u{1f}", "\u{7f}", "\u{80}",
    "é", "日本", "🗝", "\u{2028}", "\u{feff}", "\u{ffff}", "\u{10ffff}", "e\u{301}", "{", "}", "[", "]", ":", ",",
    "\\u0041", "\\n",
    "<", "'", "$(x)",
  ]

  private static func randomValues(using generator: inout SplitMix64) -> Variables {
    var values: Variables = [:]
    for number in 0..<Int.random(in: 0...40, using: &generator) {
      let count = Int.random(in: 0...12, using: &generator)
      values["V\(number)"] = (0..<count).flatMap { _ in Array((pieces.randomElement(using: &generator) ?? "").utf8) }
    }
    return values
  }

  /// Lines of `document`; answers each with the length of its compact form and `name=value` for each variable.
  private static let reader = """
    import sys, json
    def unique(pairs):
      assert len(dict(pairs)) == len(pairs)
      return dict(pairs)
    for line in open(sys.argv[1]):
      v = json.loads(bytes.fromhex(line).decode("utf-8-sig"), object_pairs_hook=unique)
      if isinstance(v.get("Variables"), dict): v = v["Variables"]
      compact = json.dumps(v, separators=(",", ":"), ensure_ascii=False)
      pairs = [n.encode().hex() + "=" + str(x).encode().hex() for n, x in v.items()]
      print(len(compact.encode()), *pairs)
    """

  /// Documents in many spellings; each line is one, and `name=value` for each variable.
  private static let writer = """
    import sys, json, random
    r = random.Random(int(sys.argv[1]))
    alphabet = [chr(c) for c in range(1, 0x180)] + list("\\\\\\\\\\"\\"/{}[]\\u65e5\\u2028\\ufeff\\uffff\\U0001f5dd\\U0010ffff")
    def text(n): return "".join(r.choice(alphabet) for _ in range(r.randrange(n)))
    def any(depth):
      k = r.randrange(8 if depth else 6)
      if k == 0: return None
      if k == 1: return r.choice([True, False])
      if k == 2: return r.randrange(-10**r.randrange(1, 30), 10**20)
      if k == 3: return r.uniform(-1, 1) * 10 ** r.randrange(-300, 300)
      if k < 6: return text(12) + r.choice(["", "\\0"])
      if k == 6: return [any(depth - 1) for _ in range(r.randrange(4))]
      return {text(8): any(depth - 1) for _ in range(r.randrange(4))}
    for _ in range(300):
      v = {"V%d" % i: r.choice([text(20), text(20), text(20), any(0)]) for i in range(r.randrange(8))}
      v = {n: x for n, x in v.items() if x is not None and not (isinstance(x, str) and "\\0" in x)}
      d = v
      form = r.randrange(3)
      if form == 1: d = {"Variables": v}
      if form == 2:
        d = {text(6) + "!": any(4) for _ in range(r.randrange(5))}
        d["Environment"] = {"Variables": v}
        d = dict(r.sample(list(d.items()), len(d)))
      s = json.dumps(d, ensure_ascii=r.choice([True, False]), indent=r.choice([None, 0, 1, 4, "\\t"]),
        separators=r.choice([None, (",", ":"), (" ,\\r\\n", "\\t: ")]))
      expected = {n: x if isinstance(x, str) else json.dumps(x) for n, x in v.items()}
      print(s.encode().hex(), *[n.encode().hex() + "=" + x.encode().hex() for n, x in expected.items()])
    """

  @Test(arguments: seeds)
  func pythonReadsWhatWeWrite(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let all = (0..<100).map { _ in Self.randomValues(using: &generator) }
    let texts = try all.map { try VariablesJSON.written($0, as: Bool.random(using: &generator) ? .flat : .variables) }
    let folder = try TemporaryFolder()
    try folder.write(Array(texts.map(Hex.text).joined(separator: "\n").utf8), to: "documents")
    let answers = Hex.lines(try folder.runPython(Self.reader, "documents"))
    try #require(answers.count == all.count)
    for (values, answer) in zip(all, answers) {
      #expect(Hex.variables(answer.dropFirst()) == values)
      #expect(try VariablesJSON.compactByteCount(of: OpenedEnvironment(values: values)) == Int(answer[0]))
    }
  }

  @Test(arguments: seeds)
  func weReadWhatPythonWrites(seed: UInt64) throws {
    for line in Hex.lines(try TemporaryFolder().runPython(Self.writer, "\(seed)")) {
      let document = Hex.bytes(line[0])
      #expect(
        try VariablesJSON.values(of: document) == Hex.variables(line.dropFirst()),
        "\(String(decoding: document, as: UTF8.self))")
    }
  }

  /// Whatever we take of documents with a few bytes changed, Python takes as well and reads the same.
  @Test(arguments: seeds)
  func weTakeNothingThatPythonRefuses(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var taken: [(text: [UInt8], values: Variables)] = []
    for _ in 0..<3_000 {
      var text = try VariablesJSON.written(["A": Array("x\"\n日".utf8), "B": Array("x\u{1}0".utf8)])
      text.mutate(with: Array("\"\\{}[]:,utfn0123abdeE+-. \n\t\u{e9}".utf8), using: &generator)
      // Numbers are kept as they are written, which Python does not.
      if let values = try? VariablesJSON.values(of: text), values.values.allSatisfy({ $0.first == 0x78 }) {
        taken.append((text, values))
      }
    }
    try #require(taken.count > 50)
    let folder = try TemporaryFolder()
    try folder.write(Array(taken.map { Hex.text($0.text) }.joined(separator: "\n").utf8), to: "documents")
    let answers = Hex.lines(try folder.runPython(Self.reader, "documents"))
    #expect(answers.count == taken.count)
    for (one, answer) in zip(taken, answers) { #expect(Hex.variables(answer.dropFirst()) == one.values) }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension ConformanceRun {
  mutating func checkContexts() async {
    // Beside the pairs given, some that have another spelling in bytes.
    let extra = [(key: "conformance", value: "caf\u{e9}"), (key: "\u{c5}ngstr\u{f6}m", value: "a")]
    let sealed = options.isLimitedToContext ? context : EncryptionContext(context.pairs + extra)
    guard let reader, let sample = await sample(sealed, for: .context) else { return }
    await expectUnwraps(
      sample.entries, of: sample.generated.dataKey, for: sealed, .context, "Under a context with letters like é, it")
    await expectUnwraps(
      sample.entries, of: sample.generated.dataKey, for: EncryptionContext(sealed.pairs.reversed()), .context,
      "Under the same pairs in another order, it")
    // One sentence for each way to be wrong: a keyring that ignores the context is wrong every time.
    var wrong: [(problem: String, names: [String])] = []
    for (name, other) in Self.otherContexts(than: sealed) {
      guard
        let problem = await problem(
          unwrapping: sample.entries, of: sample.generated.dataKey, for: other, with: reader, codes: refusalCodes)
      else { continue }
      if let index = wrong.firstIndex(where: { $0.problem == problem }) {
        wrong[index].names.append(name)
      } else {
        wrong.append((problem, [name]))
      }
    }
    for (problem, names) in wrong {
      fail(.context, "Under a context with \(names.joined(separator: "; or ")) it \(problem)")
    }
  }

  private static func otherContexts(than context: EncryptionContext) -> [(String, EncryptionContext)] {
    let pairs = context.pairs
    var others: [(String, [(key: String, value: String)])] = [
      ("a pair more", pairs + [("one more", "pair")]),
      ("no pair at all", pairs.isEmpty ? [("not", "empty")] : []),
    ]
    for (index, pair) in pairs.enumerated() {
      func replaced(_ what: String, _ key: String, _ value: String) {
        // Not every pair has letters, or another spelling.
        guard !(key.utf8.elementsEqual(pair.key.utf8) && value.utf8.elementsEqual(pair.value.utf8)),
          !pairs.enumerated().contains(where: { $0.offset != index && $0.element.key.utf8.elementsEqual(key.utf8) })
        else { return }
        var changed = pairs
        changed[index] = (key, value)
        others.append(("\(what) in pair \(index + 1)", changed))
      }
      var fewer = pairs
      fewer.remove(at: index)
      others.append(("a pair less", fewer))
      replaced("another value", pair.key, pair.value + "x")
      replaced("another key", pair.key + "x", pair.value)
      replaced("a blank behind the value", pair.key, pair.value + " ")
      replaced("the value in other letters", pair.key, pair.value.otherCase)
      replaced("the key in other letters", pair.key.otherCase, pair.value)
      replaced("an equal string of other bytes as the value", pair.key, pair.value.otherSpelling)
      replaced("an equal string of other bytes as the key", pair.key.otherSpelling, pair.value)
      replaced("key and value exchanged", pair.value, pair.key)
    }
    return others.map { ($0, EncryptionContext($1)) }
  }

  mutating func checkContextLimits() async {
    if options.isLimitedToContext { return }
    let limit = EncryptionContext.canonicalByteLimit
    let longest = EncryptionContext([(key: "k", value: String(repeating: "v", count: limit - 5))])
    for (name, context) in [("The empty context", EncryptionContext()), ("A context of 8 KiB", longest)] {
      do {
        let generated = try await writer.generateDataKey(for: context)
        await expectUnwraps(generated.wrapped, of: generated.dataKey, for: context, .contextLimits, name)
      } catch let error as EnvelopeError where error.code == .invalidArgument {
        continue
      } catch {
        fail(.contextLimits, "\(name) was not refused with invalidArgument: generateDataKey", threw: error)
      }
    }
  }
}

extension String {
  /// The same with capital letters small, or where there are none, small ones capital.
  fileprivate var otherCase: String {
    let small = lowercased()
    return small == self ? uppercased() : small
  }

  /// The same string by other bytes, where it has one of the letters with a mark that are used here.
  fileprivate var otherSpelling: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
          switch scalar {
          case "\u{e9}": ["e", "\u{301}"]
          case "\u{c5}": ["A", "\u{30a}"]
          case "\u{f6}": ["o", "\u{308}"]
          default: [scalar]
          }
        }))
  }
}

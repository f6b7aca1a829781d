// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  /// A command and the words that name it, such as `keys rotate`.
  struct CommandEntry: Sendable {
    let path: [String]
    let summary: String
    let discussion: String
    /// Whether there are commands below it.
    let isParent: Bool

    /// Every command, each after the one that it is below.
    static let all = entries(of: EnvelopeCommand.self, at: [])

    private static func entries(of command: any ParsableCommand.Type, at path: [String]) -> [CommandEntry] {
      let (configuration, below) = (command.configuration, command.configuration.subcommands)
      let entry = CommandEntry(
        path: path, summary: configuration.abstract, discussion: configuration.discussion, isParent: !below.isEmpty)
      return [entry] + below.flatMap { entries(of: $0, at: path + [$0._commandName]) }
    }

    /// The command that arguments name.
    ///
    /// - Throws: `usage` for a word in the place of a command that is none; the advice names those that are near.
    static func named(by arguments: [String]) throws(EnvelopeError) -> CommandEntry {
      let isHelp = arguments.first == "help"
      var entry = all[0]
      for word in isHelp ? arguments.dropFirst() : arguments[...] {
        guard isHelp || entry.isParent, !word.hasPrefix("-") else { break }
        guard let next = all.first(where: { $0.path == entry.path + [word] }) else {
          throw .noCommand(entry.path + [word], near: near(word, below: entry.path))
        }
        entry = next
      }
      return entry
    }

    /// The commands below one whose names are nearest to a word, or begin with it.
    private static func near(_ word: String, below path: [String]) -> [CommandEntry] {
      let candidates = all.filter { $0.path.count > path.count && $0.path.starts(with: path) }
      let distances = candidates.map { ($0, $0.path.last.map { distance(word, $0) } ?? .max) }
      let limit = min(2, word.count - 1)
      let least = distances.map(\.1).min() ?? .max
      if least <= limit { return distances.filter { $0.1 == least }.map(\.0) }
      return word.isEmpty ? [] : candidates.filter { $0.path.last?.hasPrefix(word) ?? false }
    }

    /// How many letters to insert, remove or replace, or neighbours to swap, to turn one word into another.
    private static func distance(_ a: String, _ b: String) -> Int {
      let (a, b) = (Array(a.utf8.prefix(64)), Array(b.utf8.prefix(64)))
      var (before, row) = ([Int](), Array(0...b.count))
      for i in a.indices {
        var next = [i + 1]
        for j in b.indices {
          var cost = min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] == b[j] ? 0 : 1))
          if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
          next.append(cost)
        }
        (before, row) = (row, next)
      }
      return row[b.count]
    }
  }

  extension EnvelopeError {
    fileprivate static func noCommand(_ path: [String], near: [CommandEntry]) -> EnvelopeError {
      let names = near.map { "envelope " + $0.path.joined(separator: " ") }
      let parent = (["envelope help"] + path.dropLast()).joined(separator: " ")
      return EnvelopeError(
        .usage, "There is no command \(quoted(path.joined(separator: " ")))",
        advice: names.isEmpty ? "See: \(parent)" : "Did you mean: \(names.joined(separator: ", or: "))")
    }
  }
#endif

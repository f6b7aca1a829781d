// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import Testing

  @testable import EnvelopeTool

  /// The help of every command, at any width.
  @Suite(.timeLimit(.minutes(20))) struct HelpTests {
    let sandbox: Sandbox
    init() throws { sandbox = try Sandbox() }

    static let paths = CommandEntry.all.map(\.path)

    private func help(_ path: [String], columns: Int) throws -> [Substring] {
      let result = try sandbox.start(["help"] + path, with: ["COLUMNS": "\(columns)"]).wait().succeeded()
      #expect(result.messages.isEmpty)
      return result.text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func words(_ lines: [Substring]) -> [Substring] {
      lines.flatMap { $0.split(separator: " ") }.filter { $0 != "\\" }
    }

    @Test(arguments: paths) func everyLineFits(path: [String]) throws {
      let wide = try help(path, columns: 100_000)
      for columns in [60, 80, 120] {
        let lines = try help(path, columns: columns)
        for line in lines { #expect(line.count <= columns, "\(line)") }
        #expect(words(lines) == words(wide), "\(path)")
      }
    }

    /// A line ends only where the next word does not fit, or its paragraph ends.
    @Test(arguments: paths) func linesAreFilled(path: [String]) throws {
      let wide = try help(path, columns: 100_000)
      for columns in [60, 80, 120] {
        var rest = try help(path, columns: columns)[...]
        for paragraph in wide {
          var run = [rest.removeFirst()]
          while words(run).count < words([paragraph]).count { run.append(rest.removeFirst()) }
          for (line, next) in zip(run, run.dropFirst()) {
            let text = line.hasSuffix(" \\") ? line.dropLast(2) : line
            let word = try #require(next.split(separator: " ").first)
            // The usage keeps an option and its value together.
            let room = word.hasPrefix("[") ? next.trimmingPrefix { $0 == " " }.count : word.count
            #expect(text.count + 1 + room + (line == text ? 0 : 2) > columns, "\(line)\n\(next)")
          }
        }
        #expect(rest.isEmpty)
      }
    }

    /// "Speed" in Docs/Decisions.md says why.
    @Test func everyCommandStatesItsName() {
      var commands: [any ParsableCommand.Type] = [EnvelopeCommand.self]
      var names: [String] = []
      while let command = commands.popLast() {
        names.append(command.configuration.commandName ?? "none of \(command)")
        commands += command.configuration.subcommands
      }
      #expect(names.sorted() == Self.paths.map { $0.last ?? "envelope" }.sorted())
    }

    @Test func paragraphsAreOneLine() {
      for entry in CommandEntry.all {
        let lines = entry.discussion.split(separator: "\n", omittingEmptySubsequences: false)
        for (line, next) in zip(lines, lines.dropFirst()) {
          let isHeading = line.allSatisfy { $0.isUppercase || $0 == " " }
          let goesOn = !line.isEmpty && !next.isEmpty && !next.hasPrefix(" ")
          #expect(isHeading || !goesOn, "\(entry.path): \(line)")
        }
      }
    }

    @Test func exitCodesAreTableThatFits80Columns() throws {
      let lines = try help([], columns: 80)
      let start = try #require(lines.firstIndex(of: "EXIT CODES")) + 1
      let rows = lines[start...].prefix { $0.hasPrefix("  ") }
      let codes = rows.map { $0.split(separator: " ")[0] }
      #expect(codes == ["0", "64", "65", "66", "69", "70", "71", "73", "74", "77", "78"])
    }

    @Test(arguments: ["0", "-1", "x", "", "1", "39"]) func widthThatIsNoneIsNotTaken(columns: String) throws {
      let result = try sandbox.envelope("help", "seal", with: ["COLUMNS": columns]).succeeded()
      let longest = result.text.split(separator: "\n").map(\.count).max() ?? 0
      #expect(longest <= (["1", "39"].contains(columns) ? HelpText.minimumColumns : 80))
    }

    static let verbs: Set<Substring> = [
      "Accept", "Add", "Cancel", "Choose", "Create", "Disable", "Edit", "Enable", "End", "Explain", "Export", "Extract",
      "Import",
      "Initialize", "Keep", "List", "Lock", "Migrate", "Open", "Remove", "Reseal", "Restrict", "Rewrap", "Rotate",
      "Run",
      "Schedule", "Seal", "Set", "Show", "Start", "Unlock", "Verify", "Write",
    ]

    @Test func summariesAreImperative() {
      for entry in CommandEntry.all {
        let first = entry.summary.prefix { $0.isLetter }
        #expect(Self.verbs.contains(first), "\(entry.path): \(entry.summary)")
        #expect(entry.summary.hasSuffix("."), "\(entry.path)")
      }
    }
  }
#endif

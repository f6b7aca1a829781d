// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import Testing

  /// Finds in thousands of environments what botocore finds.
  ///
  /// A difference must be one of ``AllowedDifference``, which `Docs/AWS.md` lists by name. `ENVELOPE_DIFFERENTIAL_SEED`
  /// is the seed of other environments, and `ENVELOPE_DIFFERENTIAL_REPORT` a file for all differences.
  @Suite(.timeLimit(.minutes(20))) struct BotocoreDifferentialTests {
    /// The bold words at the start of each entry in the section of the page.
    @Test func pageListsDifferences() throws {
      let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Docs/AWS.md")
      let page = try String(contentsOf: path.standardized, encoding: .utf8)
      let start = try #require(page.firstRange(of: "## Differences from botocore\n"))
      let section = page[start.upperBound...].prefix(
        upTo: page[start.upperBound...].firstRange(of: "\n## ")?.lowerBound ?? page.endIndex)
      let names = section.matches(of: /(?m)^- \*\*(.+?)\.\*\*/).map { String($0.output.1).replacing("`", with: "") }
      #expect(names.sorted() == AllowedDifference.all.map(\.name).sorted())
    }

    @Test func findsWhatBotocoreFinds() async throws {
      let seed = ProcessInfo.processInfo.environment["ENVELOPE_DIFFERENTIAL_SEED"]
      let environments = try AWSEnvironments(count: 2200, seed: seed ?? "botocore")
      var (same, uses, surprises) = (0, [String: Int](), [EnvironmentComparison]())
      for environment in environments.all {
        for (name, findings) in environment.otherwise where findings != environment.botocore {
          uses[name, default: 0] += 1
        }
        for comparison in await environment.comparisons() {
          if comparison.isSame {
            same += 1
          } else if let difference = AllowedDifference.all.first(where: { $0.explains(comparison) }) {
            uses[difference.name, default: 0] += 1
          } else {
            surprises.append(comparison)
          }
        }
      }
      for surprise in surprises.prefix(20) { Issue.record("\(surprise)") }
      #expect(surprises.isEmpty, "\(surprises.count) differences beside \(same) that are the same")
      for difference in AllowedDifference.all where seed == nil {
        #expect(uses[difference.name] != nil, "\(difference.name) explains nothing: remove it here and in Docs/AWS.md")
      }
      // Most environments find something.
      let found = environments.all.count { $0.botocore.credentials.refusal == nil }
      #expect(environments.all.count >= 2000 && found * 2 > environments.all.count)
      if let path = ProcessInfo.processInfo.environment["ENVELOPE_DIFFERENTIAL_REPORT"] {
        let text = surprises.map { "\($0)" }.joined(separator: "\n\n========\n") + "\n\(uses)\nsame: \(same)\n"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
    }
  }
#endif

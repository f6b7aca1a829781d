// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import TestSupport

  /// AWS environments that Tests/Python/aws_environments.py writes, and what botocore finds in each.
  ///
  /// The program serves the metadata and AWS STS of the environments as long as this exists.
  final class AWSEnvironments: Sendable {
    let all: [AWSEnvironmentCase]
    private let folder: TemporaryFolder
    private let process: Process
    private let input: Pipe

    struct Failure: Error {
      let description: String
    }

    /// Generates environments; the same seed gives the same.
    init(count: Int, seed: String) throws {
      guard let python = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"], !python.isEmpty else {
        throw Failure(
          description: "ENVELOPE_TEST_PYTHON names no Python interpreter with botocore: run Tests/run")
      }
      folder = try TemporaryFolder()
      (process, input) = (Process(), Pipe())
      let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Python/aws_environments.py")
      process.executableURL = URL(filePath: python)
      process.arguments = ["-B", script.standardized.path, folder.path + "/cases", String(count), seed]
      process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
      process.standardInput = input
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      var text = Data()
      while !text.suffix(4).elementsEqual(Data("\n{}\n".utf8)) {
        let more = output.fileHandleForReading.availableData
        guard !more.isEmpty else {
          throw Failure(description: "aws_environments.py failed; its error is above")
        }
        text += more
      }
      all = try text.split(separator: 10).dropLast().map { try JSONDecoder().decode(AWSEnvironmentCase.self, from: $0) }
    }
  }

  /// One environment, and what botocore finds in it.
  struct AWSEnvironmentCase: Decodable, Sendable {
    let number: Int
    let variables: [String: String]
    /// The profile that the caller names.
    let profile: String?
    /// What the environment has that may be read in more than one way.
    let tags: Set<String>
    let files: [String: String]
    let botocore: Findings
    /// What botocore finds if a variable counted otherwise, by the name of the difference.
    let otherwise: [String: Findings]

    struct Findings: Decodable, Sendable, Hashable {
      let region: Finding
      let endpoint: Finding
      let bundle: Finding
      let credentials: Finding
    }

    /// A value, an access key, or the kind of refusal.
    struct Finding: Decodable, Sendable, Hashable {
      var value: String?
      var id: String?
      var secret: String?
      var token: String?
      var method: String?
      var refusal: String?
      var error: String?
    }
  }

  extension AWSEnvironmentCase: CustomStringConvertible {
    /// The environment as an issue shows it.
    var description: String {
      let variables = variables.filter { $0.key != "PATH" }.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
      let files = files.sorted { $0.key < $1.key }.map { "--- \($0)\n\($1)" }
      return "environment \(number), profile \(profile ?? "none"), \(tags.sorted())\n"
        + (variables + files).joined(separator: "\n")
    }
  }
#endif

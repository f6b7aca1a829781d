// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  /// A process of its own that logs to a recipient.
  struct LogService {
    static let context: EncryptionContext = ["function": "service"]

    /// Opens what any of the processes wrote.
    let identity: KeysetKeyring
    private let recipient: String

    init() throws {
      identity = KeysetKeyring(try .generate(.identity))
      recipient = "\(try identity.keyset.recipient())"
    }

    /// Starts the process.
    func start(
      _ mode: String, file: String = "-", tasks: Int = 1, records: Int? = nil, output: Pipe? = nil, error: Pipe? = nil,
      input: Pipe? = nil
    ) throws -> Process {
      let process = Process()
      process.executableURL = URL(filePath: try #require(BuiltProgram.path(named: "LogService"), "run Tests/run"))
      process.arguments = [mode, recipient, file, "\(tasks)"] + (records.map { ["\($0)"] } ?? [])
      process.standardInput = input ?? FileHandle.nullDevice
      if let output { process.standardOutput = output }
      if let error { process.standardError = error }
      try process.run()
      return process
    }

    func open(_ lines: [[UInt8]]) async throws -> OpenedLog {
      try await OpenedLog(lines, context: Self.context, using: identity, sender: .accepted)
    }

    /// The complete lines of bytes, and whether bytes follow them.
    static func lines(of bytes: Data) -> (lines: [[UInt8]], isCut: Bool) {
      var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { [UInt8]($0) }
      let rest = lines.popLast() ?? []
      return (lines, !rest.isEmpty)
    }
  }
#endif

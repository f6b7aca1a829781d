// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

extension Sandbox {
  static let logContext: EncryptionContext = ["service": "shop"]

  /// Begins a segment under the default key, which is created if there is none.
  func sealedLines(
    _ context: EncryptionContext = logContext, key: String? = nil, after previous: (salt: [UInt8], last: Int)? = nil
  ) async throws -> SealedLines {
    if !FileManager.default.fileExists(atPath: keyStore) { try makeKey("default") }
    return try await SealedLines.begin(context: context, using: keyring(for: key), after: previous)
  }

  /// A complete segment with records of these messages: a header line, the beginning, the records, and the end.
  func sealedLog(_ messages: String...) async throws -> [String] {
    var lines = try await sealedLines()
    for message in messages { try lines.log(message) }
    try lines.end()
    return lines.lines
  }

  /// Writes lines, each with a line feed.
  func write(lines: [String], to name: String = "shop.log") throws {
    try write(lines.map { $0 + "\n" }.joined(), to: name)
  }

  /// Runs `envelope logs` with the context of these logs.
  @discardableResult
  func logs(_ arguments: String..., input: String = "") throws -> Outcome {
    try start(["logs"] + arguments + ["--context", "service=shop"], input: Data(input.utf8)).wait()
  }

  /// Runs `envelope traces` with the context of these logs.
  @discardableResult
  func traces(_ arguments: String..., input: String = "") throws -> Outcome {
    try start(["traces"] + arguments + ["--context", "service=shop"], input: Data(input.utf8)).wait()
  }
}

/// What a line of `logs open` says.
struct OpenedLine: Decodable, Equatable {
  var time: String?
  var level: String?
  var label: String?
  var source: String?
  var message: String?
  var metadata: [String: String]?
  var segment: String?
  var sequence: Int?
  var unauthenticated: String?
}

extension Outcome {
  /// The lines of standard output.
  var lines: [String] { text.split(separator: "\n").map(String.init) }

  /// The lines of standard output, each a JSON object.
  var records: [OpenedLine] {
    get throws { try lines.map { try JSONDecoder().decode(OpenedLine.self, from: Data($0.utf8)) } }
  }

  /// The messages of the records.
  var logged: [String] { get throws { try records.map { $0.message ?? $0.unauthenticated.map { "? \($0)" } ?? "-" } } }

  /// Expects that something was found, which standard error says.
  @discardableResult
  func found(_ parts: String..., location: SourceLocation = #_sourceLocation) -> Outcome {
    #expect(ending == .exit(65), "\(messages)", sourceLocation: location)
    for part in parts { #expect(messages.contains(part), "\(messages)", sourceLocation: location) }
    return self
  }
}

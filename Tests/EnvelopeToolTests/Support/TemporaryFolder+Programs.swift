// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

extension TemporaryFolder {
  var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

  /// The names of the files inside.
  var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  /// Runs a program inside with an all but empty environment, and returns what it writes.
  func run(_ program: String, _ arguments: [String]) throws -> [UInt8] {
    try #require(FileManager.default.isExecutableFile(atPath: program), "\(program) is not there; run Tests/run")
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = url
    process.environment = ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"]
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd().map { Array($0) } ?? []
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) ended with \(process.terminationStatus)")
    return bytes
  }

  /// Runs a script in the tests' Python, which has python-dotenv.
  func runPython(_ script: String, _ argument: String) throws -> [UInt8] {
    let python = try #require(
      ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"],
      "ENVELOPE_TEST_PYTHON names no Python with python-dotenv; run Tests/run, which sets it up")
    return try run(python, ["-c", script, argument])
  }
}

/// Variables out of `NAME=value`, each ended by a NUL byte; those of other names are left out.
func values(ofNULTerminated bytes: [UInt8], where isIncluded: (String) -> Bool) -> Variables {
  var values: Variables = [:]
  for entry in bytes.split(separator: 0) {
    guard let end = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
    let name = String(decoding: entry[..<end], as: UTF8.self)
    if isIncluded(name) { values[name] = Array(entry[(end + 1)...]) }
  }
  return values
}

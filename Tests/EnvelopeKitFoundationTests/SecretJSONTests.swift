// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFoundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct SecretJSONTests {
  private struct Database: Decodable, Equatable {
    let host: String
    let port: Int
  }

  private func secret(_ json: String) throws -> Secret {
    try OpenedEnvironment(["DATABASE": json]).require("DATABASE")
  }

  @Test func aValueIsDecoded() throws {
    let secret = try secret(#" {"host": "dätabase", "port": 5432, "more": [null]} "#)
    #expect(try secret.json(as: Database.self) == Database(host: "dätabase", port: 5432))
    let ports: [String: Int] = try self.secret(#"{"a": 1}"#).json()
    #expect(ports == ["a": 1])
  }

  @Test(arguments: [
    "", "hunter2", #"{"host": "hunter2"}"#, #"{"host": "hunter2", "port": "hunter2"}"#,
    #"{"host": "hunter2", "port": 99999999999999999999}"#, #"{"host": "hunter2", "port": 1} hunter2"#,
    #"{"host": "hunter2", "port": 1"#, #"["hunter2"]"#, #"{"hunter2": 1, "hunter2": 1}"#, "\u{0}hunter2",
  ])
  func whatIsNotOfTheTypeIsRefusedAndNotShown(json: String) throws {
    let error = try #require(throws: EnvelopeError.self) { try secret(json).json(as: Database.self) }
    #expect(error.code == .typeMismatch && error.names == ["DATABASE"])
    var dumped = ""
    dump(error, to: &dumped)
    for text in [error.message, error.advice, "\(error)", String(reflecting: error), dumped] {
      #expect(!text.contains("hunter2"))
    }
  }
}

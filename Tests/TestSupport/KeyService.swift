// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Tests/Python/key_service.py, a server that others wrote as AWS KMS over TLS: one for all tests of a run.
///
/// Tests that run side by side do not meet: each has an ``Account`` of its own.
package final class KeyService: Sendable {
  /// What the server tells when it is ready: its addresses, a certificate authority, access keys.
  package let ready: [String: String]
  private let folder: TemporaryFolder
  private let process: Process
  private let input: Pipe

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private static let started = Result { try KeyService() }

  /// The server, started by whoever asks first.
  package static var shared: KeyService { get throws { try started.get() } }

  private init() throws {
    guard let python = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"], !python.isEmpty else {
      throw Failure(description: "ENVELOPE_TEST_PYTHON names no Python interpreter with moto: run Tests/run")
    }
    folder = try TemporaryFolder()
    (process, input) = (Process(), Pipe())
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Python/key_service.py")
    process.executableURL = URL(filePath: python)
    process.arguments = ["-B", script.standardized.path, folder.path]
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(10) {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failure(description: "key_service.py did not start; its words are above") }
      line += more
    }
    ready = try JSONDecoder().decode([String: String].self, from: line)
  }

  package func url(_ name: String) throws -> String {
    guard let url = ready[name] else { throw Failure(description: "key_service.py has no \(name)") }
    return url
  }

  /// Gives a command, and decodes what is answered.
  package func perform<Answer: Decodable>(_ command: some Encodable, as type: Answer.Type = Answer.self) async throws
    -> Answer
  {
    guard let control = URL(string: try url("control")) else { throw Failure(description: "There is no control") }
    var request = URLRequest(url: control, timeoutInterval: 600)
    request.httpMethod = "POST"
    request.httpBody = try JSONEncoder().encode(command)
    let (data, response) = try await URLSession.shared.data(for: request)
    guard (response as? HTTPURLResponse)?.statusCode == 200 else {
      throw Failure(description: String(decoding: data, as: UTF8.self))
    }
    return try JSONDecoder().decode(Answer.self, from: data)
  }

  package struct Key: Decodable, Sendable {
    package let key_id: String
    package let arn: String
    package let alias: String?
    package let alias_arn: String?
  }

  private struct KeyValues: Encodable {
    var alias: String?
    var state: String?
    var multi_region: Bool?
    var region: String?
    var key: String?
    var to: String?
  }

  /// Makes a key, with an alias of its own.
  package func makeKey(
    state: String? = nil, isMultiRegion: Bool = false, region: String = "us-east-1"
  ) async throws -> Key {
    let alias = "alias/test-\(UUID().uuidString)"
    let values = KeyValues(alias: alias, state: state, multi_region: isMultiRegion, region: region)
    return try await perform(["create_key": values])
  }

  /// Makes a replica of a multi-Region key.
  package func replicate(_ key: Key, from region: String = "us-east-1", to other: String) async throws -> Key {
    try await perform(["replicate_key": KeyValues(region: region, key: key.key_id, to: other)])
  }

  /// Lets an alias stand for a key.
  package func moveAlias(_ alias: String, to key: Key) async throws {
    _ = try await perform(["update_alias": KeyValues(alias: alias, key: key.key_id)], as: [String: String].self)
  }

  /// Changes a key's state: `disable_key`, `enable_key`, `schedule_key_deletion`, `cancel_key_deletion`.
  package func change(_ key: Key, by operation: String) async throws {
    _ = try await perform([operation: KeyValues(key: key.key_id)], as: [String: Bool].self)
  }

  private struct CryptoValues: Encodable {
    var key: String?
    var plaintext: Data?
    var ciphertext: Data?
    var context: [String: String]?
  }

  package struct Encrypted: Decodable, Sendable {
    package let ciphertext: Data
    package let key: String
  }

  package struct Decrypted: Decodable, Sendable {
    package let plaintext: Data
    package let key: String
  }

  /// What boto3's Encrypt answers.
  package func encrypt(_ text: Data, under key: String, context: [String: String]? = nil) async throws -> Encrypted {
    try await perform(["encrypt": CryptoValues(key: key, plaintext: text, context: context)])
  }

  /// What boto3's Decrypt answers.
  package func decrypt(_ ciphertext: Data, context: [String: String]? = nil) async throws -> Decrypted {
    try await perform(["decrypt": CryptoValues(ciphertext: ciphertext, context: context)])
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension KeyService {
  /// Makes an account of a test's own.
  package func account() -> Account {
    Account(service: self, id: "AKID" + UUID().uuidString.replacing("-", with: "").prefix(28))
  }

  /// An access key id of a test's own: what is signed with it is counted, held back and answered wrongly on command.
  package struct Account: Sendable {
    package let service: KeyService
    package let id: String

    private struct Command: Encodable {
      let account: String
      var faults: [String]?
      var quota: Int?
      var hold: Bool?
      var wait: Int?
      var wait_hangups: Int?
      var release: Bool?
      var counts: Bool?
      /// How long the server lets a command wait, in seconds.
      var timeout = 300
    }

    private struct Done: Decodable {
      let ok: Bool
    }

    /// What has come so far.
    package struct Counts: Decodable, Sendable {
      package struct Request: Decodable, Sendable {
        package struct Body: Decodable, Sendable {
          package let KeyId: String?
          package let EncryptionContext: [String: String]?
          package let GrantTokens: [String]?
          package let NumberOfBytes: Int?
        }

        package let target: String?
        package let tls: String?
        package let host: String?
        package let session_token: String?
        package let user_agent: String?
        package let body: Body
        package let form: [String: String]
        package let authorization: String
        package let status: Int?
        package let headers: [String]
        package let connection: Int
      }

      package let total: Int
      package let max_concurrent: Int
      package let redirects_followed: Int
      package let hangups: Int
      package let bytes_sent: Int
      package let faults_left: Int
      package let requests: [Request]

      /// The operations in the order in which they came.
      package var operations: [String] {
        requests.map { ($0.target ?? "").replacing("TrentService.", with: "") }
      }
    }

    private func tell(_ command: Command) async throws {
      _ = try await service.perform(command, as: Done.self)
    }

    /// Has the next requests answered wrongly, one after the other.
    package func fail(_ faults: [String]) async throws { try await tell(Command(account: id, faults: faults)) }

    /// Throttles from now on what comes beyond so many requests a second.
    package func limit(to quota: Int) async throws { try await tell(Command(account: id, quota: quota)) }

    /// Holds requests back from now on, or lets them go.
    package func hold(_ isHeld: Bool) async throws { try await tell(Command(account: id, hold: isHeld)) }

    /// Lets slow answers go on.
    package func release() async throws { try await tell(Command(account: id, release: true)) }

    /// Waits until so many requests have come.
    package func wait(for count: Int) async throws { try await tell(Command(account: id, wait: count)) }

    /// Waits until clients have hung up so many times.
    package func wait(forHangups count: Int) async throws {
      try await tell(Command(account: id, wait_hangups: count))
    }

    package func counts() async throws -> Counts { try await service.perform(Command(account: id, counts: true)) }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension KeyService {
  /// Makes metadata of a test's own, of an instance and of a container.
  package func metadata() -> Metadata {
    Metadata(service: self, name: "T" + UUID().uuidString.replacing("-", with: ""))
  }

  /// Where AWS gives credentials to what it runs.
  package struct Metadata: Sendable {
    package let service: KeyService
    let name: String

    package var url: String { get throws { try service.url("metadata") + "/t/" + name } }

    private struct Command: Encodable {
      let metadata: String
      var mode: [String]?
      var at: String?
      var expires_in: Int?
      var authorization: String?
      var access_key: String?
      var secret_key: String?
      var session_token: String?
      var role: String?
      var expiration: String?
      var counts: Bool?
    }

    private struct Done: Decodable {
      let ok: Bool
    }

    package struct Counts: Decodable, Sendable {
      package let token: Int
      package let role: Int
      package let credentials: Int
      package let container: Int
      package let refused: Int
      package let redirects_followed: Int
    }

    /// Has the next answers be as told, at one step only where one is named.
    package func answer(
      _ modes: [String] = [], at step: String? = nil, expiresIn seconds: Int? = nil, authorization: String? = nil
    ) async throws {
      _ = try await service.perform(
        Command(metadata: name, mode: modes, at: step, expires_in: seconds, authorization: authorization), as: Done.self
      )
    }

    /// Names the role of the instance, and the text of the expiration.
    package func change(role: String? = nil, expiration: String? = nil) async throws {
      _ = try await service.perform(Command(metadata: name, role: role, expiration: expiration), as: Done.self)
    }

    /// Has it give these credentials.
    package func give(_ session: Session) async throws {
      _ = try await service.perform(
        Command(
          metadata: name, access_key: session.access_key, secret_key: session.secret_key,
          session_token: session.session_token), as: Done.self)
    }

    package func counts() async throws -> Counts {
      try await service.perform(Command(metadata: name, counts: true))
    }
  }

  /// Credentials that the server checks on its strict listeners.
  package struct Session: Decodable, Sendable {
    package let access_key: String
    package let secret_key: String
    package let session_token: String?

    package init(access_key: String, secret_key: String, session_token: String?) {
      self.access_key = access_key
      self.secret_key = secret_key
      self.session_token = session_token
    }
  }

  private struct Actions: Encodable {
    let actions: [String]
  }

  /// Makes a user who may do some things.
  package func makeUser(_ actions: [String] = ["kms:*"]) async throws -> Session {
    try await perform(["create_user": Actions(actions: actions)])
  }

  private struct Role: Decodable {
    let arn: String
  }

  /// Creates a role that may do some things, and returns its ARN.
  package func makeRole(_ actions: [String] = ["kms:*"]) async throws -> String {
    try await perform(["create_role": Actions(actions: actions)], as: Role.self).arn
  }

  /// Takes on a role that may do some things.
  package func makeSession(_ actions: [String] = ["kms:*"]) async throws -> Session {
    try await perform(["create_session": Actions(actions: actions)])
  }
}

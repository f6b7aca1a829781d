// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension KeyService {
  /// Creates a user of the proxy for one test.
  package func proxy() -> Proxy { Proxy(service: self, user: "u" + UUID().uuidString) }

  /// An HTTP proxy that tunnels to this machine, and the user whose requests it counts.
  package struct Proxy: Sendable {
    private let service: KeyService
    package let user: String

    fileprivate init(service: KeyService, user: String) { (self.service, self.user) = (service, user) }

    /// The address with a user and a password, as variables have it.
    ///
    /// - Parameter password: `refused` and `demanded` make the proxy refuse.
    package func url(password: String = "secret") throws -> String {
      try service.url("proxy").replacing("http://", with: "http://\(user):\(password)@")
    }

    private struct Command: Encodable {
      let proxy: String
    }

    private struct Requests: Decodable {
      let requests: [String]
    }

    /// The requests of this user, such as `CONNECT localhost:4711`.
    package func requests() async throws -> [String] {
      try await service.perform(Command(proxy: user), as: Requests.self).requests
    }
  }
}

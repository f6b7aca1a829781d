// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Keeps credentials until shortly before they end, and looks for new ones once, however many ask.
  actor CredentialCache {
    private let find: @Sendable () async throws -> AWSCredentials
    private let now: @Sendable () -> UInt64
    private var current: AWSCredentials?
    private var flight: Task<AWSCredentials, any Error>?
    // After a look in vain, when to look again while those at hand still serve; in seconds since 1970.
    private var nextLook: UInt64 = 0

    /// How long before their end credentials are looked for anew, in seconds.
    static let headStart: UInt64 = 300

    /// - Parameters:
    ///   - find: Looks once.
    ///   - now: Seconds since 1970.
    init(
      now: @escaping @Sendable () -> UInt64 = { Clock.now }, find: @escaping @Sendable () async throws -> AWSCredentials
    ) {
      self.find = find
      self.now = now
    }

    /// Credentials that have not ended.
    ///
    /// Where new ones cannot be had, those at hand serve until they end.
    func credentials() async throws -> AWSCredentials {
      if let current, hasTime(current, atLeast: Self.headStart) || hasTime(current, atLeast: 1) && now() < nextLook {
        return current
      }
      do {
        return try await look()
      } catch {
        guard let current, hasTime(current, atLeast: 1), !Task.isCancelled else { throw error }
        nextLook = now() + 10
        return current
      }
    }

    /// Forgets credentials that the service has refused, unless others have come meanwhile.
    func forget(_ refused: AWSCredentials) {
      if current?.isSame(as: refused) == true { current = nil }
    }

    private func look() async throws -> AWSCredentials {
      let task = flight ?? takeOff()
      do {
        let found = try await task.value
        if flight == task {
          (flight, current) = (nil, found)
          // Some are given with less time than that left.
          if !hasTime(found, atLeast: Self.headStart) { nextLook = now() + 10 }
        }
        return found
      } catch {
        if flight == task { flight = nil }
        throw error
      }
    }

    private func takeOff() -> Task<AWSCredentials, any Error> {
      // A task of its own: whoever asked first may be cancelled, and the others still get their answer.
      let find = find
      let task = Task { try await find() }
      flight = task
      return task
    }

    private func hasTime(_ credentials: AWSCredentials, atLeast seconds: UInt64) -> Bool {
      credentials.expiration.map { $0 >= now() + seconds } ?? true
    }
  }
#endif

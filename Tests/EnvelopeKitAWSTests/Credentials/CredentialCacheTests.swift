// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Synchronization
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct CredentialCacheTests {
    /// A clock and a source of credentials that a test drives.
    private final class World: Sendable {
      struct State {
        var now: UInt64 = 1_000_000
        var looks = 0
        var lifetime: UInt64? = 3600
        var isDown = false
      }
      let state = Mutex(State())

      var looks: Int { state.withLock { $0.looks } }

      func find() throws -> AWSCredentials {
        let (number, expiration, isDown) = state.withLock { state in
          state.looks += 1
          return (state.looks, state.lifetime.map { state.now + $0 }, state.isDown)
        }
        guard !isDown else { throw EnvelopeError(.credentialsMissing, "Nobody answers") }
        return try AWSCredentials(
          accessKeyID: "KEY\(number)", sessionToken: nil, expiration: expiration,
          secret: SecretBytes(copying: "secret"))
      }

      func cache() -> CredentialCache {
        CredentialCache(now: { self.state.withLock { $0.now } }, find: { try self.find() })
      }

      func pass(_ seconds: UInt64) { state.withLock { $0.now += seconds } }
      func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    }

    @Test func theyServeUntilFiveMinutesBeforeTheirEnd() async throws {
      let world = World()
      let cache = world.cache()
      #expect(try await cache.credentials().accessKeyID == "KEY1")
      world.pass(3300)
      #expect(try await cache.credentials().accessKeyID == "KEY1")
      world.pass(1)
      #expect(try await cache.credentials().accessKeyID == "KEY2")
      #expect(world.looks == 2)
    }

    @Test func lastingOnesServeForEver() async throws {
      let world = World()
      world.state.withLock { $0.lifetime = nil }
      let cache = world.cache()
      for _ in 0..<3 {
        #expect(try await cache.credentials().accessKeyID == "KEY1")
        world.pass(1 << 40)
      }
    }

    @Test func whereNoNewOnesComeTheOldServeToTheirEndAndNotBeyond() async throws {
      let world = World()
      let cache = world.cache()
      _ = try await cache.credentials()
      world.setDown(true)
      world.pass(3400)
      #expect(try await cache.credentials().accessKeyID == "KEY1")
      // The source is not asked at every call.
      #expect(try await cache.credentials().accessKeyID == "KEY1")
      #expect(world.looks == 2)
      world.pass(10)
      #expect(try await cache.credentials().accessKeyID == "KEY1")
      #expect(world.looks == 3)
      world.pass(190)
      await expectError(.credentialsMissing) { _ = try await cache.credentials() }
      world.setDown(false)
      #expect(try await cache.credentials().accessKeyID == "KEY5")
    }

    @Test func thoseGivenWithLittleTimeLeftAreNotLookedForAtEveryCall() async throws {
      let world = World()
      world.state.withLock { $0.lifetime = 100 }
      let cache = world.cache()
      for _ in 0..<5 { #expect(try await cache.credentials().accessKeyID == "KEY1") }
      world.pass(10)
      #expect(try await cache.credentials().accessKeyID == "KEY2")
    }

    @Test func aFailureIsNotKept() async throws {
      let world = World()
      let cache = world.cache()
      world.setDown(true)
      await expectError(.credentialsMissing) { _ = try await cache.credentials() }
      world.setDown(false)
      #expect(try await cache.credentials().accessKeyID == "KEY2")
    }

    @Test func refusedOnesAreForgottenOnce() async throws {
      let world = World()
      let cache = world.cache()
      let first = try await cache.credentials()
      await cache.forget(first)
      #expect(try await cache.credentials().accessKeyID == "KEY2")
      await cache.forget(first)
      #expect(try await cache.credentials().accessKeyID == "KEY2")
    }

    @Test func manyWhoAskAtOnceCauseOneLook() async throws {
      let world = World()
      let cache = world.cache()
      try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<500 { group.addTask { try await cache.credentials().accessKeyID } }
        for try await id in group { #expect(id == "KEY1") }
      }
      #expect(world.looks == 1)
    }
  }
#endif

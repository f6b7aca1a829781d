// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import TestSupport
import Testing

@testable import EnvelopeTool

/// What becomes of a header's entries, for every header that can be made of a few keys and every wish about them,
/// beside a model that knows nothing of entries.
@Suite(.timeLimit(.minutes(20))) struct RewrapPlanTests {
  /// Whose key an entry is: two of the store, a recipient whose identity is elsewhere, a key of nobody known, one of AWS
  /// KMS that nobody names.
  enum Owner: String, CaseIterable {
    case rotated, fresh, glass, stranger, service
  }

  /// A wish in words, and what it says of owners: wanted ones, and versions that are removed.
  struct Wish: CustomTestStringConvertible {
    let testDescription: String
    let wish: KeyWish
    var wanted: [Owner] = []
    var removed: [Owner: Set<Int>] = [:]
    var isChange = true
  }

  typealias Versions = [Owner: Set<Int>]

  let store: KeyStore
  let ids: [Owner: String]
  let glass: (old: Recipient, new: Recipient)

  init() throws {
    var store = KeyStore()
    let (rotated, fresh) = (try Keyset.generate(), try Keyset.generate())
    try store.add(rotated, alias: "rotated")
    try store.add(fresh, alias: "fresh")
    _ = try store.rotate("rotated")
    let identity = try Keyset.generate(.identity)
    glass = (try identity.recipient(), try identity.rotated().recipient())
    ids = [
      .rotated: rotated.id.string, .fresh: fresh.id.string, .glass: identity.id.string,
      .stranger: try Keyset.generate().id.string, .service: "arn:aws:kms:eu-west-1:111122223333:key/stranger",
    ]
    self.store = store
  }

  private func id(_ owner: Owner) -> String { ids[owner] ?? "" }

  private func entry(_ owner: Owner, _ version: Int) throws -> WrappedDataKey {
    switch owner {
    case .rotated, .fresh, .stranger:
      try WrappedDataKey(
        scheme: .keyset, keyID: KeyID("\(id(owner)).\(version)"), bytes: [UInt8](repeating: 0, count: 72))
    case .glass:
      try WrappedDataKey(
        scheme: .recipient, keyID: KeyID("\(id(owner)).\(version)"), bytes: [UInt8](repeating: 0, count: 80))
    case .service: try WrappedDataKey(scheme: .awsKMS, keyID: KeyID(id(owner)), bytes: [0])
    }
  }

  /// The versions that key ids name, by owner.
  private func versions(_ keyIDs: [KeyID]) throws -> Versions {
    var versions: Versions = [:]
    for keyID in keyIDs {
      let owner = try #require(Owner.allCases.first { keyID.string.hasPrefix(id($0)) })
      let version = owner == .service ? 1 : try #require(Int(keyID.string.dropFirst(id(owner).count + 1)))
      #expect(versions[owner, default: []].insert(version).inserted, "an entry is there twice")
    }
    return versions
  }

  private static let newest: [Owner: Int] = [.rotated: 2, .fresh: 1, .glass: 2]
  private static let ofStore: Set<Owner> = [.rotated, .fresh]

  private var wishes: [Wish] {
    func change(_ text: String, adding: [String], removing: [String], _ wanted: [Owner], _ removed: Versions) -> Wish {
      Wish(
        testDescription: text, wish: .change(adding: adding, removing: removing), wanted: wanted, removed: removed)
    }
    let new = glass.new.description
    let all: Set = [1, 2, 3]
    return [
      change("newest", adding: [], removing: [], [], [:]),
      change("add rotated", adding: ["rotated"], removing: [], [.rotated], [:]),
      change("add by id", adding: [id(.fresh), "fresh"], removing: [], [.fresh], [:]),
      change("add glass", adding: [new], removing: [], [.glass], [:]),
      change("remove rotated", adding: [], removing: ["rotated"], [], [.rotated: all]),
      change("remove by id", adding: [], removing: [id(.fresh)], [], [.fresh: all]),
      change("remove a version", adding: [], removing: ["\(id(.rotated)).1"], [], [.rotated: [1]]),
      change("remove stranger", adding: [], removing: [id(.stranger)], [], [.stranger: all]),
      change("remove service", adding: [], removing: [id(.service)], [], [.service: all]),
      change("remove glass", adding: [], removing: [new], [], [.glass: all]),
      change("replace glass", adding: [new], removing: [glass.old.description], [.glass], [.glass: all]),
      change("replace", adding: ["fresh"], removing: ["rotated"], [.fresh], [.rotated: all]),
      Wish(testDescription: "to rotated", wish: .only(["rotated"]), wanted: [.rotated], isChange: false),
      Wish(
        testDescription: "to rotated and glass", wish: .only(["rotated", new]), wanted: [.rotated, .glass],
        isChange: false),
      Wish(testDescription: "configured", wish: .configured, wanted: [.fresh, .glass], isChange: false),
    ]
  }

  private func failure(of body: () async throws -> Void) async throws -> EnvelopeError.Code? {
    do {
      try await body()
      return nil
    } catch let error as EnvelopeError {
      return error.code
    }
  }

  /// Every header of at least one entry.
  private var headers: [Versions] {
    var headers: [Versions] = [[:]]
    for (owner, choices) in [
      (.rotated, [[], [1], [2], [1, 2], [3], [1, 3]]), (.fresh, [[], [1]]), (.glass, [[], [1], [2], [1, 2]]),
      (.stranger, [[], [1]]), (.service, [[], [1]]),
    ] as [(Owner, [Set<Int>])] {
      headers = headers.flatMap { header in
        choices.map { choice in choice.isEmpty ? header : header.merging([owner: choice]) { $1 } }
      }
    }
    return headers.filter { !$0.isEmpty }
  }

  /// What the help promises; nil where the key that is wanted is older here than there.
  private func expected(_ header: Versions, _ wish: Wish) -> Versions? {
    var after: Versions = [:]
    for owner in Owner.allCases {
      let before = header[owner] ?? []
      let rest = before.subtracting(wish.removed[owner] ?? [])
      guard let newest = Self.newest[owner] else {
        after[owner] = wish.isChange ? rest : []
        continue
      }
      let isNewerThere = rest.contains { $0 > newest }
      if wish.wanted.contains(owner) {
        if isNewerThere || !wish.isChange && before.contains(where: { $0 > newest }) { return nil }
        // Nobody can make sure here that the recipient opens what is new, so what is older stays, unless told.
        after[owner] = owner == .glass && wish.isChange ? rest.union([newest]) : [newest]
      } else if wish.isChange {
        after[owner] = Self.ofStore.contains(owner) && !rest.isEmpty && !isNewerThere ? [newest] : rest
      }
    }
    return after.filter { !$0.value.isEmpty }
  }

  @Test func everyHeaderAndEveryWish() async throws {
    var configuration = Configuration()
    configuration.functions["app"] = Configuration.Entry(keys: ["fresh", glass.new.description])
    let context: EncryptionContext = ["function": "app"]
    var count = 0
    for wish in wishes {
      // Without the configuration, where it names keys that a wish does not: they are known then.
      let search = try ContextSearch(
        function: "app", isForNoFunction: false, context: [], keyService: KeyServiceSettings(),
        configuration: wish.testDescription == "configured" ? configuration : Configuration())
      var keys = try RewrapKeys(wish.wish, opening: [], search: search, store: store)
      for header in headers {
        count += 1
        let text = "\(wish.testDescription): \(header)"
        var entries: [WrappedDataKey] = []
        for (owner, versions) in header { for version in versions { entries.append(try entry(owner, version)) } }
        guard let after = expected(header, wish) else {
          let code = try await failure(of: { _ = try await keys.plan(entries, 0) })
          #expect(code == .keyNotFound, "\(text)")
          continue
        }
        let plan = try await keys.plan(entries, 0)
        let added =
          plan.added.isEmpty ? [] : try await MultiKeyring(plan.added.map(\.keyring)).wrap(.generate(), for: context)
        #expect(try versions((plan.kept + added).map(\.keyID)) == after, "\(text)")
        #expect(plan.isNothing == (after == header), "\(text)")
        #expect(
          Set(plan.lost.map(\.id)) == Set(header.keys.filter { after[$0] == nil }.map { id($0) }), "\(text)")

        // Sealed anew, it is under the newest version of each; what is not known here or was not named is refused.
        let isUnknown = after.contains { owner, versions in
          switch owner {
          case .stranger, .service: true
          case .glass: !wish.wanted.contains(.glass)
          case .rotated, .fresh: versions.contains { $0 > Self.newest[owner] ?? 0 }
          }
        }
        if isUnknown || after.isEmpty {
          let code = try await failure(of: { _ = try await keys.sealing(plan, 0) })
          #expect(code == (isUnknown ? .keyNotFound : .invalidArgument), "\(text)")
        } else {
          let sealed = try await keys.sealing(plan, 0).generateDataKey(for: context).wrapped
          let newest = Versions(uniqueKeysWithValues: after.keys.map { ($0, [Self.newest[$0] ?? 0]) })
          #expect(try versions(sealed.map(\.keyID)) == newest, "\(text)")
        }
      }
    }
    #expect(count == 15 * 191)
  }

  /// An older text must not take the place of a newer one, nor one that was given to open with be all that is left.
  @Test func aRecipientsOlderTextIsRefused() async throws {
    let search = try ContextSearch(
      function: "app", isForNoFunction: false, context: [], keyService: KeyServiceSettings(),
      configuration: Configuration())
    let entries = [try entry(.rotated, 2), try entry(.glass, 1), try entry(.glass, 2)]
    for wish in [KeyWish.change(adding: [glass.old.description], removing: []), .only([glass.old.description])] {
      var keys = try RewrapKeys(wish, opening: [], search: search, store: store)
      let code = try await failure(of: { _ = try await keys.plan(entries, 0) })
      #expect(code == .keyNotFound)
    }
    let newest = KeyWish.change(adding: [], removing: [])
    for (named, opens) in [(glass.old, false), (glass.new, true)] {
      var keys = try RewrapKeys(newest, opening: [named.description], search: search, store: store)
      let plan = try await keys.plan(entries, 0)
      guard opens else {
        let code = try await failure(of: { _ = try await keys.sealing(plan, 0) })
        #expect(code == .keyNotFound)
        continue
      }
      let sealed = try await keys.sealing(plan, 0).generateDataKey(for: ["function": "app"]).wrapped
      #expect(try versions(sealed.map(\.keyID)) == [.rotated: [2], .glass: [2]])
    }
  }

  /// Of two texts of one recipient the newer counts, in whatever order they are given.
  @Test func ofTwoTextsOfARecipientTheNewerCounts() async throws {
    let search = try ContextSearch(
      function: "app", isForNoFunction: false, context: [], keyService: KeyServiceSettings(),
      configuration: Configuration())
    for texts in [[glass.old, glass.new], [glass.new, glass.old]] {
      var keys = try RewrapKeys(.only(texts.map(\.description)), opening: [], search: search, store: store)
      #expect(try await keys.plan([try entry(.glass, 2)], 0).isNothing)
      #expect(try await !keys.plan([try entry(.glass, 1)], 0).isNothing)
    }
  }

  @Test func aKeyIsNotAddedAndRemovedAtOnce() async throws {
    let search = ContextSearch(candidates: [])
    for (added, removed) in [
      ("fresh", "fresh"), ("fresh", id(.fresh)), (id(.fresh), "fresh"), (glass.new.description, glass.new.description),
    ] {
      let code = try await failure(of: {
        _ = try RewrapKeys(
          .change(adding: [added], removing: ["rotated", removed]), opening: [], search: search, store: store)
      })
      #expect(code == .usage)
    }
    let code = try await failure(of: {
      _ = try RewrapKeys(.change(adding: [], removing: []), opening: ["nobody"], search: search, store: store)
    })
    #expect(code == .keyNotFound)
  }
}

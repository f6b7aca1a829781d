// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// What creating a grant returned.
  public struct Grant: Hashable, Sendable {
    /// Names it for retiring and revoking.
    public let id: String
    /// Lets it be used at once, before the whole service knows of it.
    public let token: String
  }

  /// Which encryption contexts a grant is for, compared byte by byte.
  public enum GrantConstraint: Sendable {
    /// Exactly these pairs.
    case encryptionContextEquals(EncryptionContext)
    /// These pairs and any others.
    case encryptionContextSubset(EncryptionContext)
  }

  /// Grants somebody the use of a key.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - grantee: Who may use it.
  ///   - operations: What they may do with it; at least one.
  ///   - constraint: Under which contexts; nil for any.
  ///   - retiringPrincipal: Who may retire the grant, beside the owner.
  /// - Throws: `keyNotFound`; `keyDisabled`; `keyInvalidState`; `invalidArgument` where there is no operation, or the
  ///   constraint's context breaks a limit or is empty; `systemFailure` where there is no randomness.
  public func createGrant(
    on key: KeyID, to grantee: Principal, for operations: Set<Operation>, constraint: GrantConstraint? = nil,
    retiringPrincipal: Principal? = nil
  ) throws(EnvelopeError) -> Grant {
    let grant = Grant(
      id: Base64URL.encode(try Randomness.bytes(24)), token: "fake-token-" + Base64URL.encode(try Randomness.bytes(24)))
    var pairCount = 1
    switch constraint {
    case .encryptionContextEquals(let context), .encryptionContextSubset(let context):
      _ = try context.canonicalBytes()
      pairCount = context.pairs.count
    case nil: break
    }
    return try manage { [pairCount] (state) throws(Refusal) in
      guard !operations.isEmpty, pairCount > 0 else {
        throw Refusal(.validation, "A grant needs at least one operation, and its constraint at least one pair")
      }
      try state.check(.createGrant, of: key)
      state.grantTokens.insert(grant.token)
      state.grants[grant.id] = GrantRecord(
        grant: grant, key: key, grantee: grantee, operations: operations, constraint: constraint,
        retiringPrincipal: retiringPrincipal, isKnown: !state.areGrantsDelayed)
      return grant
    }
  }

  /// Gives a grant up, as whoever it was made for does when done.
  ///
  /// - Parameters:
  ///   - grant: The grant.
  ///   - principal: Who retires it: its retiring principal, or the owner.
  /// - Throws: `keyNotFound` where it is gone, `keyAccessDenied` for anybody else.
  public func retireGrant(_ grant: Grant, as principal: Principal) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      let record = try state.grant(grant)
      guard principal == .owner || principal == record.retiringPrincipal else {
        throw Refusal(.accessDenied, "\(EnvelopeError.quoted(principal.name)) may not retire the grant")
      }
      state.remove(grant)
    }
  }

  /// Takes a grant away.
  ///
  /// - Throws: `keyNotFound` where it is gone.
  public func revokeGrant(_ grant: Grant) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      _ = try state.grant(grant)
      state.remove(grant)
    }
  }

  /// From now on new grants work with their token alone, and ones that are taken away still work without one.
  public func delayGrants() { state.withLock { $0.areGrantsDelayed = true } }

  /// Makes every grant known, forgets those taken away, and ends the delay.
  public func settleGrants() {
    state.withLock { state in
      state.areGrantsDelayed = false
      state.grants = state.grants.filter { !$0.value.isRemoved }
      for id in state.grants.keys { state.grants[id]?.isKnown = true }
    }
  }

  /// A grant as the service keeps it.
  struct GrantRecord: Sendable {
    let grant: Grant
    let key: KeyID
    let grantee: Principal
    let operations: Set<Operation>
    let constraint: GrantConstraint?
    let retiringPrincipal: Principal?
    /// Whether the whole service knows of it, so that no token is needed.
    var isKnown: Bool
    /// Whether it was taken away, which the whole service does not know yet.
    var isRemoved = false

    /// Whether it lets a call through.
    func permits(_ operation: Operation, key: KeyID, _ request: Request) -> Bool {
      guard self.key == key, grantee == request.principal, operations.contains(operation),
        isKnown || !isRemoved && request.grantTokens.contains(grant.token)
      else { return false }
      switch constraint {
      case .encryptionContextEquals(let context):
        guard let wanted = try? context.canonicalBytes() else { return false }
        return wanted == (try? request.context.canonicalBytes())
      case .encryptionContextSubset(let context):
        return context.pairs.allSatisfy { pair in
          request.context[pair.key].map { $0.utf8.elementsEqual(pair.value.utf8) } ?? false
        }
      case nil:
        return true
      }
    }
  }
}

extension FakeKeyService.State {
  fileprivate func grant(_ grant: FakeKeyService.Grant) throws(FakeKeyService.Refusal) -> FakeKeyService.GrantRecord {
    guard let record = grants[grant.id], !record.isRemoved else {
      throw FakeKeyService.Refusal(.notFound, "The key service has no such grant, or no longer")
    }
    return record
  }

  fileprivate mutating func remove(_ grant: FakeKeyService.Grant) {
    // One that nobody knows of yet has nothing to linger.
    if areGrantsDelayed, grants[grant.id]?.isKnown == true {
      grants[grant.id]?.isRemoved = true
    } else {
      grants[grant.id] = nil
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Every operation in every state of a key.
///
/// The outcomes are those of AWS KMS's table "Key states of AWS KMS keys" (key-state.html in its developer guide), where
/// the key is "Enabled", "Disabled" and "Pending deletion"; a key that was deleted there does not exist:
///
///     ok  done
///     D   DisabledException                   keyDisabled
///     I   KMSInvalidStateException            keyInvalidState
///     N   NotFoundException                   keyNotFound
///
/// KMS says D or I to the use of a key whose deletion is pending; here it is I.
@Suite(.timeLimit(.minutes(20))) struct KeyStateTests {
  typealias State = StateSubject.State
  typealias Body = @Sendable (inout StateSubject) async throws -> Void

  struct Operation: Sendable, CustomTestStringConvertible {
    let name: String
    /// What it corresponds to in AWS KMS, or why nothing does.
    let service: String
    /// The outcomes in the order of the states.
    let outcomes: String
    /// Nil runs it for both.
    var kind: Keyset.Kind?
    let body: Body

    init(_ name: String, _ service: String, _ outcomes: String, _ kind: Keyset.Kind? = nil, _ body: @escaping Body) {
      (self.name, self.service, self.outcomes, self.kind, self.body) = (name, service, outcomes, kind, body)
    }

    var testDescription: String { "\(name) (\(service))" }

    func code(in state: State) -> EnvelopeError.Code? {
      let index = State.allCases.firstIndex(of: state) ?? 0
      switch outcomes.split(separator: " ")[index] {
      case "ok": return nil
      case "D": return .keyDisabled
      case "I": return .keyInvalidState
      case "N": return .keyNotFound
      case "E": return .keyExists
      default: return .invalidArgument
      }
    }
  }

  // swift-format-ignore
  static let operations: [Operation] = [
    //                                                            enabled
    //                                                            |  disabled
    //                                                            |  |  pending
    //                                                            |  |  |  due
    //                                                            |  |  |  |  destroyed
    Operation("wrap", "Encrypt",                                 "ok D  I  N  N") {
      _ = try await $0.keyring.wrap(try .generate(), for: StateSubject.context)
    },
    Operation("generateDataKey", "GenerateDataKey",              "ok D  I  N  N") {
      _ = try await $0.keyring.generateDataKey(for: StateSubject.context)
    },
    Operation("unwrap", "Decrypt",                               "ok D  I  N  N") {
      _ = try await $0.keyring.unwrap($0.wrapped, for: StateSubject.context)
    },
    Operation("unwrap with any key of the store", "Decrypt",     "ok D  I  N  N") {
      _ = try await $0.store.keyring().unwrap($0.wrapped, for: StateSubject.context)
    },
    Operation("rotate", "RotateKeyOnDemand",                     "ok D  I  N  N") {
      try $0.store.rotate($0.id)
    },
    Operation("setRotationPeriod", "EnableKeyRotation",          "ok D  I  N  N") {
      try $0.store.setRotationPeriod(days: 90, of: $0.id)
    },
    Operation("setRotationPeriod to nil", "DisableKeyRotation",  "ok D  I  N  N") {
      try $0.store.setRotationPeriod(days: nil, of: $0.id)
    },
    Operation("enable", "EnableKey",                             "ok ok I  N  N") { try $0.store.enable($0.id) },
    Operation("disable", "DisableKey",                           "ok ok I  N  N") { try $0.store.disable($0.id) },
    Operation("scheduleDeletion", "ScheduleKeyDeletion",         "ok ok I  N  N") {
      try $0.store.scheduleDeletion(of: $0.id, afterDays: 7)
    },
    Operation("cancelDeletion", "CancelKeyDeletion",             "I  I  ok N  N") {
      try $0.store.cancelDeletion(of: $0.id)
    },
    Operation("setPolicy", "PutKeyPolicy",                       "ok ok ok N  N") {
      try $0.store.setPolicy(KeyPolicy(operations: [.unwrap]), of: $0.id)
    },
    // What is left of a destroyed key is its id, and that it was destroyed.
    Operation("require", "DescribeKey; it forgets deleted keys", "ok ok ok ok ok") { _ = try $0.store.require($0.id) },
    Operation("addAlias", "CreateAlias",                         "ok ok I  N  N") {
      try $0.store.addAlias("more", for: $0.id)
    },
    Operation("moveAlias to it", "UpdateAlias, target",          "ok ok I  N  N") {
      try $0.store.moveAlias("spare", to: $0.id)
    },
    // The aliases of a key that is due go with its secrets, when the store is next written.
    Operation("moveAlias from it", "UpdateAlias, source",        "ok ok ok ok N") {
      try $0.store.moveAlias("subject", to: $0.other)
    },
    Operation("removeAlias", "DeleteAlias",                      "ok ok ok ok N") { try $0.store.removeAlias("subject") },
    // No counterpart in KMS, whose keys have no default; as a new alias for it.
    Operation("setDefault", "CreateAlias",                       "ok ok I  N  N") { try $0.store.setDefault($0.id) },
    // No counterpart in KMS, whose material is not told apart; as what else changes a key.
    Operation("setMinimumVersion", "none",                       "ok ok I  N  N") {
      try $0.store.setMinimumVersion(1, of: $0.id)
    },
    // No counterpart in KMS, whose keys do not leave it; as any other use.
    Operation("exporting", "none",                               "ok D  I  N  N", .symmetric) {
      _ = try $0.store.exporting($0.id, narrowedTo: [.noFunction])
    },
    Operation("exporting an identity", "none",                   "X  D  I  N  N", .identity) {
      _ = try $0.store.exporting($0.id, narrowedTo: [.noFunction])
    },
    // KMS refuses GetPublicKey for what is not enabled. Here the public half is public, and was handed out long ago.
    Operation("recipient", "GetPublicKey, more lenient",         "ok ok ok N  N", .identity) {
      _ = try $0.store.require($0.id).recipient()
    },
    Operation("recipient of a symmetric key", "GetPublicKey",    "X  X  X  N  N", .symmetric) {
      _ = try $0.store.require($0.id).recipient()
    },
    // KMS draws the ids itself. An id is never used again.
    Operation("add the same id", "none",                         "E  E  E  E  E") {
      try $0.store.add($0.store.require($0.id))
    },
  ]

  @Test(arguments: operations, State.allCases)
  func everyOperationInEveryState(operation: Operation, state: State) async throws {
    for kind in [Keyset.Kind.symmetric, .identity] where operation.kind ?? kind == kind {
      var subject = try await StateSubject(state, kind)
      let before = try subject.text
      do {
        try await operation.body(&subject)
        #expect(operation.code(in: state) == nil, "\(kind), \(state): it succeeded")
      } catch let error as EnvelopeError {
        #expect(operation.code(in: state) == error.code, "\(kind), \(state): \(error)")
        #expect(try subject.text == before, "\(kind), \(state): what was refused has changed something")
      }
    }
  }

  /// Every method that changes a store is in the table, but for those that name no key of it.
  @Test func everyOperationIsInTheTable() {
    #expect(Self.operations.count == 24)
    #expect(Self.operations.allSatisfy { $0.outcomes.split(separator: " ").count == State.allCases.count })
  }

  @Test func whatIsDoneHasTheStateThatItIsSaidToHave() async throws {
    var enabled = try await StateSubject(.disabled, .symmetric)
    try enabled.store.enable(enabled.id)
    #expect(try enabled.store.require(enabled.id).state == .enabled)
    _ = try await enabled.keyring.unwrap(enabled.wrapped, for: StateSubject.context)

    var disabled = try await StateSubject(.enabled, .symmetric)
    try disabled.store.disable(disabled.id)
    #expect(try disabled.store.require(disabled.id).state == .disabled)
  }

  /// As with AWS KMS: somebody must decide that it is used again.
  @Test(arguments: [State.enabled, .disabled]) func cancellingADeletionLeavesTheKeyDisabled(state: State) async throws {
    var subject = try await StateSubject(state, .symmetric)
    try subject.store.scheduleDeletion(of: subject.id)
    try subject.store.cancelDeletion(of: subject.id)
    #expect(try subject.store.require(subject.id).state == .disabled)
    let disabled = subject
    await expectError(.keyDisabled) {
      try await disabled.keyring.unwrap(disabled.wrapped, for: StateSubject.context)
    }
    try subject.store.enable(subject.id)
    _ = try await subject.keyring.unwrap(subject.wrapped, for: StateSubject.context)
  }

  @Test(arguments: [Int.min, -1, 0, 1, 6, 31, 365, .max])
  func aDeletionAfterFewerOrMoreDaysIsRefused(days: Int) async throws {
    var subject = try await StateSubject(.enabled, .symmetric)
    #expect(throws: EnvelopeError.self) { try subject.store.scheduleDeletion(of: subject.id, afterDays: days) }
    #expect(try subject.store.require(subject.id).state == .enabled)
  }

  @Test(arguments: [7, 30]) func aDeletionComesToTheSecond(days: Int) async throws {
    var subject = try await StateSubject(.enabled, .symmetric)
    let end = try subject.store.scheduleDeletion(of: subject.id, afterDays: days, now: 1_000_000)
    #expect(end == 1_000_000 + UInt64(days) * 86_400)
    let keyset = try subject.store.require(subject.id)
    #expect(keyset.state(at: end - 1) == .pendingDeletion(at: end))
    #expect(keyset.state(at: end) == .destroyed(at: end) && keyset.state(at: .max) == .destroyed(at: end))
    await expectError(.keyInvalidState) { try keyset.checkState(at: end - 1) }
    await expectError(.keyNotFound) { try keyset.checkState(at: end) }
    #expect(try subject.store.destroyOverdue(at: end - 1) == [])
    #expect(try subject.store.destroyOverdue(at: end).map(\.string) == [subject.id])
    #expect(try subject.store.destroyOverdue(at: end) == [])
  }

  @Test func anUnstatedNumberOfDaysIsThirty() async throws {
    var subject = try await StateSubject(.enabled, .symmetric)
    let (before, end, after) = (Clock.now, try subject.store.scheduleDeletion(of: subject.id), Clock.now)
    #expect((before...after).contains(end - 30 * 86_400))
  }

  /// No secret, no version, no alias and nothing that was said of it is left; whether it is in the text or not.
  @Test(arguments: [Keyset.Kind.symmetric, .identity]) func destroyedIsDestroyed(kind: Keyset.Kind) async throws {
    var subject = try await StateSubject(.enabled, kind)
    let secret = try subject.store.require(subject.id).versions[0].keys[0].withBytes { [UInt8](copying: $0) }
    #expect(try subject.text.contains(Base64URL.encode(secret)))
    try subject.store.setPolicy(KeyPolicy(operations: [.unwrap]), of: subject.id)
    try subject.store.setDefault(subject.id)
    _ = try subject.store.scheduleDeletion(of: subject.id, afterDays: 7, now: 1000)
    _ = try subject.store.destroyOverdue()
    let keyset = try subject.store.require(subject.id)
    #expect(keyset.versions.isEmpty && keyset.primary == 0 && keyset.kind == kind && keyset.policy == .unrestricted)
    #expect(subject.store.aliases == ["spare": try KeyID(subject.other)])
    let text = try subject.text
    #expect(!text.contains(Base64URL.encode(secret)))
    let read = try KeyStore(reading: text)
    #expect(try read.require(subject.id).state == .destroyed(at: 1000 + 7 * 86_400))
    for store in [subject.store, read] {
      let error = await expectError(.keyNotFound) {
        try await store.keyring().unwrap(subject.wrapped, for: StateSubject.context)
      }
      #expect(error?.message.contains("was destroyed") == true)
    }
  }
}

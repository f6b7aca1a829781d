// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeyPolicyTests {
  private func scope(_ name: String) throws -> FunctionScope { try FunctionScope(function: name) }

  private func store(_ policy: KeyPolicy, _ kind: Keyset.Kind = .symmetric) throws -> KeyStore {
    var store = KeyStore()
    try store.add(.generate(kind), alias: "key")
    try store.setPolicy(policy, of: "key")
    return store
  }

  private static let contexts: [(EncryptionContext, String?)] = [
    (["function": "a"], "a"), (["function": "b", "stage": "prod"], "b"), ([:], nil), (["stage": "a"], nil),
    (["function": "e\u{301}"], "e\u{301}"), (["function": "\u{e9}"], "\u{e9}"), (["function": "aa"], "aa"),
    (["Function": "a"], nil), (["function": "A"], "A"),
  ]

  /// Every policy, of every kind, for every context: what it names is done, and nothing else.
  @Test(arguments: [Keyset.Kind.symmetric, .identity]) func whatAPolicyNamesIsDoneAndNothingElse(
    kind: Keyset.Kind
  ) async throws {
    let functions: [[FunctionScope]?] = [
      nil, [.noFunction], [try scope("a")], [try scope("b"), .noFunction, try scope("a")], [try scope("\u{e9}")],
    ]
    let operations: [Set<KeyPolicy.Operation>] = [[.wrap], [.unwrap], [.wrap, .unwrap]]
    for functions in functions {
      for operations in operations {
        let store = try store(KeyPolicy(functions: functions, operations: operations), kind)
        let keyring = try store.keyring()
        var free = store
        try free.setPolicy(.unrestricted, of: "key")
        for (context, function) in Self.contexts {
          let names = functions.map { $0.map { $0.function.map { Array($0.utf8) } } }
          let isNamed = names?.contains(function.map { Array($0.utf8) }) ?? true
          let comment = "\(String(describing: functions)) \(operations) \(context.pairs)"
          let entries = try await free.keyring().wrap(try .generate(), for: context)
          if isNamed && operations.contains(.wrap) {
            _ = try await keyring.wrap(try .generate(), for: context)
            _ = try await keyring.generateDataKey(for: context)
          } else {
            await expectError(.keyAccessDenied, at: comment) { try await keyring.wrap(try .generate(), for: context) }
            await expectError(.keyAccessDenied, at: comment) { try await keyring.generateDataKey(for: context) }
          }
          if isNamed && operations.contains(.unwrap) {
            _ = try await keyring.unwrap(entries, for: context)
          } else {
            await expectError(.keyAccessDenied, at: comment) { try await keyring.unwrap(entries, for: context) }
          }
        }
      }
    }
  }

  @Test func aPolicyHasLimits() async throws {
    let many = try (0..<257).map { try scope("f\($0)") }
    await expectError(.invalidArgument) { try KeyPolicy(operations: []) }
    await expectError(.invalidArgument) { try KeyPolicy(functions: []) }
    await expectError(.invalidArgument) { try KeyPolicy(functions: many) }
    await expectError(.invalidArgument) { try KeyPolicy(functions: [scope("a"), scope("a")]) }
    await expectError(.invalidArgument) { try KeyPolicy(functions: [.noFunction, .noFunction]) }
    let most = try KeyPolicy(functions: Array(many.dropLast()).reversed())
    #expect(most.functions?.count == 256 && most.functions == most.functions?.sorted())
    // Names that Unicode holds equal are two.
    #expect(try KeyPolicy(functions: [scope("\u{e9}"), scope("e\u{301}")]).functions?.count == 2)
    #expect(
      try KeyPolicy(functions: [scope("b"), .noFunction, scope("a")]).functions?.map(\.function) == [nil, "a", "b"])
    #expect(try KeyPolicy() == .unrestricted)
  }

  @Test func scopesAreComparedAndShownByBytes() async throws {
    #expect(try scope("\u{e9}") != scope("e\u{301}") && scope("a") == scope("a"))
    #expect(try Set([scope("\u{e9}"), scope("e\u{301}"), .noFunction]).count == 3)
    #expect(try FunctionScope.noFunction < scope("\u{0}") && scope("Z") < scope("a") && scope("a") < scope("aa"))
    #expect(FunctionScope.noFunction.description == "no function")
    #expect(try scope("a\u{1b}[31m").description == "'a\\u{1b}[31m'")
    for name in ["", String(repeating: "x", count: 1025)] {
      await expectError(.invalidArgument) { try FunctionScope(function: name) }
    }
  }
}

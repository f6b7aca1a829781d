// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension FakeKeyService {
  /// Somebody who calls the service; names are compared as UTF-8 bytes.
  public struct Principal: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, as the log of calls shows it.
    public let name: String

    /// Names somebody.
    public init(_ name: String) { self.name = name }

    /// Names somebody.
    public init(stringLiteral name: String) { self.init(name) }

    /// The owner of all keys, who may do everything that is not denied.
    public static let owner: Principal = "owner"

    /// The name.
    public var description: String { name }

    /// Whether the names have the same bytes.
    public static func == (a: Principal, b: Principal) -> Bool { a.name.utf8.elementsEqual(b.name.utf8) }

    /// Hashes the name's bytes.
    public func hash(into hasher: inout Hasher) {
      for byte in name.utf8 { hasher.combine(byte) }
    }
  }

  /// Allows somebody to use a key, and takes back a denial.
  ///
  /// - Parameters:
  ///   - operations: What to allow.
  ///   - key: The key.
  ///   - principal: Who is allowed; everybody but the owner may do nothing at first.
  /// - Throws: `keyNotFound`.
  public func allow(
    _ operations: Set<Operation> = Set(Operation.allCases), on key: KeyID, for principal: Principal
  ) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      try state.change(key) { key in
        key.rules[principal, default: Rule()].allowed.formUnion(operations)
        key.rules[principal, default: Rule()].denied.subtract(operations)
      }
    }
  }

  /// Denies somebody the use of a key, whatever else allows it: the owner too, and grants with their tokens.
  ///
  /// - Parameters:
  ///   - operations: What to deny.
  ///   - key: The key.
  ///   - principal: Who is denied it.
  /// - Throws: `keyNotFound`.
  public func deny(
    _ operations: Set<Operation> = Set(Operation.allCases), on key: KeyID, for principal: Principal
  ) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      try state.change(key) { key in
        key.rules[principal, default: Rule()].denied.formUnion(operations)
        key.rules[principal, default: Rule()].allowed.subtract(operations)
      }
    }
  }

  /// What a key's policy says about one principal.
  struct Rule: Sendable {
    var allowed: Set<Operation> = []
    var denied: Set<Operation> = []
  }
}

extension FakeKeyService.State {
  /// Checks that a principal may use a key, and that the key's state allows it.
  func checkUse(
    _ operation: FakeKeyService.Operation, of key: FakeKeyService.Key, by request: FakeKeyService.Request
  ) throws(FakeKeyService.Refusal) {
    let rule = key.rules[request.principal] ?? FakeKeyService.Rule()
    let isAllowed = request.principal == .owner || rule.allowed.contains(operation)
    guard !rule.denied.contains(operation),
      isAllowed || grants.values.contains(where: { $0.permits(operation, key: key.id, request) })
    else {
      throw FakeKeyService.Refusal(
        .accessDenied,
        "\(EnvelopeError.quoted(request.principal.name)) may not perform \(operation.rawValue) with the key \(key.id)")
    }
    if let kind = key.state.refusalOfUse { throw .state(kind, key) }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Which functions a key of a store serves, and for what.
///
/// It is kept by whoever keeps the store: a rule, not cryptography. What cannot be used at all by whoever has it is a
/// narrowed key, ``KeyStore/exporting(_:narrowedTo:)``.
public struct KeyPolicy: Sendable, Hashable {
  /// What a key can be used for.
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    /// Sealing.
    case wrap
    /// Opening.
    case unwrap
  }

  /// The functions, in ascending order; nil for any, and for none.
  public let functions: [FunctionScope]?
  /// What it may be used for; at least one.
  public var operations: Set<Operation> { Set(Operation.allCases.filter(allows)) }

  // Not kept as a set: to look up the type of one takes longer than to read a store.
  private let wraps: Bool
  private let unwraps: Bool

  /// How many functions a policy may name.
  public static let functionLimit = 256
  /// Everything, for every function: what a new key has.
  public static let unrestricted = KeyPolicy(uncheckedFunctions: nil, wraps: true, unwraps: true)

  /// Makes a policy.
  ///
  /// - Parameters:
  ///   - functions: Those that the key serves, 1 to ``functionLimit``; nil for any.
  ///   - operations: What it may be used for; at least one.
  /// - Throws: `invalidArgument` where a limit is broken or a function is there twice.
  public init(
    functions: [FunctionScope]? = nil, operations: Set<Operation> = Set(Operation.allCases)
  ) throws(EnvelopeError) {
    guard !operations.isEmpty, functions.map({ (1...Self.functionLimit).contains($0.count) }) ?? true,
      functions.map({ Set($0).count == $0.count }) ?? true
    else {
      throw EnvelopeError(
        .invalidArgument, "A policy names 1 to \(Self.functionLimit) different functions, or any, and an operation")
    }
    self.init(
      uncheckedFunctions: functions?.sorted(), wraps: operations.contains(.wrap), unwraps: operations.contains(.unwrap))
  }

  private init(uncheckedFunctions functions: [FunctionScope]?, wraps: Bool, unwraps: Bool) {
    self.functions = functions
    self.wraps = wraps
    self.unwraps = unwraps
  }

  private func allows(_ operation: Operation) -> Bool {
    switch operation {
    case .wrap: wraps
    case .unwrap: unwraps
    }
  }

  /// Whether it allows an operation for an envelope of this context.
  func allows(_ operation: Operation, for context: EncryptionContext) -> Bool {
    allows(operation) && functions.map { $0.contains { $0.covers(context) } } ?? true
  }
}

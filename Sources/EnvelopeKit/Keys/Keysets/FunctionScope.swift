// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Which envelopes a key serves: those for one function, or those that name none.
public struct FunctionScope: Sendable, CustomStringConvertible {
  /// The function's name; nil for envelopes whose context has no pair `function`.
  public let function: String?

  /// Envelopes whose context has no pair `function`.
  public static let noFunction = FunctionScope(unchecked: nil)
  /// The longest name in bytes of UTF-8.
  public static let byteLimit = 1024

  /// Envelopes for one function.
  ///
  /// - Throws: `invalidArgument` where the name is empty or longer than ``byteLimit``.
  public init(function: String) throws(EnvelopeError) {
    guard (1...Self.byteLimit).contains(function.utf8.count) else {
      throw EnvelopeError(.invalidArgument, "A function's name has 1 to \(Self.byteLimit) bytes")
    }
    self.init(unchecked: function)
  }

  init(unchecked function: String?) { self.function = function }

  /// Whether an envelope of this context is one of these.
  func covers(_ context: EncryptionContext) -> Bool { self == FunctionScope(unchecked: context.function) }

  /// The name in quotes, or `no function`.
  public var description: String { function.map { EnvelopeError.quoted($0) } ?? "no function" }
}

// By bytes: as strings, names that Unicode holds equal would be one.
extension FunctionScope: Hashable, Comparable {
  private var bytes: [UInt8] { function.map { Array($0.utf8) } ?? [] }

  /// Whether both have the same bytes.
  public static func == (a: FunctionScope, b: FunctionScope) -> Bool { a.bytes == b.bytes }

  /// The order of the names' bytes; no function comes first.
  public static func < (a: FunctionScope, b: FunctionScope) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

  /// Hashes the name's bytes.
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

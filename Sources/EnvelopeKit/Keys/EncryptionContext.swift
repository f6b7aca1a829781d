// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// String pairs that are bound to an envelope, not stored in it, and supplied again to open it.
///
/// A context is not secret. Keys and values are compared as UTF-8 bytes. A pair `function` names the function
/// that an environment is for. Keys and values must not be empty, keys must differ, and the canonical form
/// must not exceed 8 KiB; a context that breaks this is refused with `invalidArgument` when it is used.
public struct EncryptionContext: Sendable {
  /// The longest canonical form in bytes.
  public static let canonicalByteLimit = 8192

  /// The pairs, in the order given.
  public let pairs: [(key: String, value: String)]
  // It is asked for several times in every use.
  private let canonicalForm: Result<[UInt8], EnvelopeError>

  /// Makes a context of pairs; an empty one binds nothing.
  public init(_ pairs: some Sequence<(key: String, value: String)> = EmptyCollection()) {
    self.pairs = Array(pairs)
    canonicalForm = Self.canonicalForm(of: self.pairs)
  }

  /// The value of the pair `function`, or nil.
  public var function: String? { self["function"] }

  /// The value of a key, or nil.
  public subscript(key: String) -> String? {
    pairs.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  /// The same pairs and one more.
  public func adding(_ value: String, for key: String) -> EncryptionContext {
    EncryptionContext(pairs + [(key, value)])
  }

  /// The pairs sorted by the bytes of the key, each key and value after its 16-bit length.
  ///
  /// - Throws: `invalidArgument` where the context breaks a limit.
  package func canonicalBytes() throws(EnvelopeError) -> [UInt8] { try canonicalForm.get() }

  private static func canonicalForm(of pairs: [(key: String, value: String)]) -> Result<[UInt8], EnvelopeError> {
    var bytes: [UInt8] = []
    var previous: String?
    for (key, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      guard !key.utf8.isEmpty, !value.utf8.isEmpty else {
        return .failure(EnvelopeError(.invalidArgument, "The encryption context has an empty key or value"))
      }
      if let previous, previous.utf8.elementsEqual(key.utf8) {
        return .failure(EnvelopeError(.invalidArgument, "The encryption context has a key twice"))
      }
      guard bytes.count + 4 + key.utf8.count + value.utf8.count <= canonicalByteLimit else {
        return .failure(
          EnvelopeError(
            .invalidArgument, "The encryption context is longer than \(canonicalByteLimit) bytes"))
      }
      bytes.append(lengthPrefixed16: key.utf8)
      bytes.append(lengthPrefixed16: value.utf8)
      previous = key
    }
    return .success(bytes)
  }
}

extension EncryptionContext: ExpressibleByDictionaryLiteral {
  /// Makes a context of pairs written out.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// String pairs that are bound to an envelope, not stored in it, and supplied again to open it.
///
/// A context is not secret. Keys and values are compared as UTF-8 bytes. The pair `function` names the function that
/// an environment is for. Keys and values must not be empty, keys must differ, the canonical form must not exceed
/// 8 KiB, and the key `envelope-kind` is reserved for the context that keyrings receive. Sealing and opening throw
/// `invalidArgument` for a context that breaks these rules.
public struct EncryptionContext: Sendable {
  /// The longest canonical form in bytes; the pair `envelope-kind` is not counted.
  public static let canonicalByteLimit = 8192

  private let given: [(key: String, value: String)]
  private var use: EnvelopeUse?
  // Computed once: every use needs it several times.
  private let canonicalForm: Result<CanonicalForm, EnvelopeError>

  /// The canonical bytes of the caller's pairs, and where the pair `envelope-kind` belongs among them.
  private struct CanonicalForm {
    var bytes: [UInt8] = []
    var useOffset = 0
  }

  /// Creates a context of pairs; an empty one binds nothing.
  public init(_ pairs: some Sequence<(key: String, value: String)> = EmptyCollection()) {
    var given = Array(pairs)
    // A keyring may rebuild the context that it receives, so the pair is recognized.
    if let index = given.firstIndex(where: { $0.key.utf8.elementsEqual(EnvelopeUse.contextKey.utf8) }),
      let use = EnvelopeUse(rawValue: given[index].value)
    {
      self.use = use
      given.remove(at: index)
    }
    self.given = given
    function = Self.value(of: "function", in: given)
    canonicalForm = Self.canonicalForm(of: given)
  }

  /// The pairs in the order given.
  ///
  /// The context that a keyring receives has `envelope-kind` as its last pair.
  public var pairs: [(key: String, value: String)] {
    use.map { given + [(EnvelopeUse.contextKey, $0.rawValue)] } ?? given
  }

  /// The value of the pair `function`, or nil.
  public let function: String?

  /// The value of a key, or nil.
  public subscript(key: String) -> String? {
    if let use, key == EnvelopeUse.contextKey { return use.rawValue }
    return Self.value(of: key, in: given)
  }

  private static func value(of key: String, in pairs: [(key: String, value: String)]) -> String? {
    pairs.first { $0.key.utf8.count == key.utf8.count && $0.key.withUTF8Bytes { $0.starts(with: key) } }?.value
  }

  /// Returns the same pairs and one more.
  public func adding(_ value: String, for key: String) -> EncryptionContext {
    EncryptionContext(pairs + [(key, value)])
  }

  /// Returns the context that keyrings receive: the caller's pairs and the kind of envelope.
  ///
  /// - Throws: `invalidArgument` if the context breaks a limit or has the pair `envelope-kind` already.
  package func forKeyrings(_ use: EnvelopeUse) throws(EnvelopeError) -> EncryptionContext {
    try check()
    guard self.use == nil else {
      throw EnvelopeError(
        .invalidArgument, "The encryption context has the reserved key \(EnvelopeUse.contextKey)",
        advice: "Use another key for the pair.")
    }
    var context = self
    context.use = use
    return context
  }

  /// The pairs sorted by the bytes of the key, each key and value after its 16-bit length.
  ///
  /// - Throws: `invalidArgument` if the context breaks a limit.
  package func canonicalBytes() throws(EnvelopeError) -> [UInt8] {
    let form = try canonicalForm.get()
    guard use != nil else { return form.bytes }
    return try [UInt8].appending(capacity: canonicalByteCount) { (output) throws(EnvelopeError) in
      try appendCanonical(to: &output)
    }
  }

  /// Throws `invalidArgument` if the context breaks a limit.
  func check() throws(EnvelopeError) { _ = try canonicalForm.get() }

  /// The length of the canonical form in bytes.
  var canonicalByteCount: Int {
    let pair = use.map { 4 + EnvelopeUse.contextKey.utf8.count + $0.rawValue.utf8.count } ?? 0
    return pair + ((try? canonicalForm.get().bytes.count) ?? 0)
  }

  /// Appends the canonical form, of ``canonicalByteCount`` bytes, without a copy in between.
  func appendCanonical(to output: inout OutputRawSpan) throws(EnvelopeError) {
    let form = try canonicalForm.get()
    let bytes = unsafe form.bytes.span.bytes
    guard let use else { return output.append(bytes) }
    output.append(bytes.extracting(first: form.useOffset))
    output.append(lengthPrefixed16: EnvelopeUse.contextKey)
    output.append(lengthPrefixed16: use.rawValue)
    output.append(bytes.extracting(droppingFirst: form.useOffset))
  }

  private static func canonicalForm(of pairs: [(key: String, value: String)]) -> Result<CanonicalForm, EnvelopeError> {
    var form = CanonicalForm()
    var previous: String?
    for (key, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      guard !key.utf8.isEmpty, !value.utf8.isEmpty else {
        return .failure(EnvelopeError(.invalidArgument, "The encryption context has an empty key or value"))
      }
      guard !key.utf8.elementsEqual(EnvelopeUse.contextKey.utf8) else {
        return .failure(
          EnvelopeError(
            .invalidArgument, "The encryption context has the reserved key \(EnvelopeUse.contextKey)",
            advice: "Use another key for the pair."))
      }
      if let previous, previous.utf8.elementsEqual(key.utf8) {
        return .failure(EnvelopeError(.invalidArgument, "The encryption context has a key twice"))
      }
      guard form.bytes.count + 4 + key.utf8.count + value.utf8.count <= canonicalByteLimit else {
        return .failure(
          EnvelopeError(
            .invalidArgument, "The encryption context is longer than \(canonicalByteLimit) bytes"))
      }
      form.bytes.append(lengthPrefixed16: key.utf8)
      form.bytes.append(lengthPrefixed16: value.utf8)
      if key.utf8.lexicographicallyPrecedes(EnvelopeUse.contextKey.utf8) { form.useOffset = form.bytes.count }
      previous = key
    }
    return .success(form)
  }
}

extension EncryptionContext: ExpressibleByDictionaryLiteral {
  /// Creates a context of the pairs of a literal.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Header {
  /// The header's bytes.
  package var bytes: [UInt8] { taggedBytes + tag }

  /// Every byte before the tag, which is what the tag is made over.
  var taggedBytes: [UInt8] {
    var bytes = form.bytes
    // Room for the tag that follows, too.
    bytes.reserveCapacity(wrappedKeys.reduce(81) { $0 + 4 + $1.keyID.string.utf8.count + $1.bytes.count })
    bytes += salt
    bytes += contextCheck
    bytes.append(UInt8(wrappedKeys.count))
    for key in wrappedKeys {
      bytes.append(key.scheme.rawValue)
      bytes.append(UInt8(key.keyID.string.utf8.count))
      bytes.append(contentsOf: key.keyID.string.utf8)
      bytes.append(lengthPrefixed16: key.bytes)
    }
    bytes += commitment
    return bytes
  }

  /// Reads a header of one of the given kinds, and leaves the reader behind it.
  init(from reader: inout ByteReader, expecting kinds: Kind...) throws(EnvelopeError) {
    guard try reader.take(2) == Self.magic else {
      throw EnvelopeError(.malformed, "This is not an envelope", advice: "Copy all of it again.")
    }
    let version = try reader.takeByte()
    let kindByte = try reader.takeByte()
    let suiteByte = try reader.takeByte()
    guard version == Self.version, (1...5).contains(kindByte) else {
      throw EnvelopeError(
        .unsupportedVersion, "The envelope has a version or kind that this release does not know",
        advice: "Open it with a newer release.")
    }
    guard let suite = AlgorithmSuite(rawValue: suiteByte) else {
      throw EnvelopeError(
        .unsupportedSuite, "The envelope has an algorithm suite that this release does not know",
        advice: "Open it with a newer release.")
    }
    guard let kind = Kind(rawValue: kindByte), kinds.contains(kind) else {
      throw EnvelopeError(.malformed, "The envelope is of another kind than expected here")
    }
    switch kind {
    case .value: form = .value(suite)
    case .environment, .packedEnvironment:
      guard suite == .chaCha20Poly1305 else {
        throw EnvelopeError(.malformed, "An environment has an algorithm suite that environments do not have")
      }
      form = kind == .environment ? .environment : .packedEnvironment
    case .file:
      guard let chunkSize = ChunkSize(exponent: try reader.takeByte()) else {
        throw EnvelopeError(.malformed, "The file has chunks of a size that is not allowed")
      }
      form = .file(suite, chunkSize)
    case .records: form = .records(suite)
    }
    salt = try reader.take(Self.saltByteCount)
    contextCheck = try reader.take(Self.contextCheckByteCount)
    wrappedKeys = try Self.takeWrappedKeys(from: &reader)
    commitment = try reader.take(Self.commitmentByteCount)
    tag = try reader.take(Self.tagByteCount)
  }

  /// Whether bytes begin with a whole header of an environment.
  package static func isOfEnvironment(_ bytes: [UInt8]) -> Bool {
    var reader = ByteReader(bytes)
    return (try? Header(from: &reader, expecting: .environment, .packedEnvironment)) != nil
  }

  private static func takeWrappedKeys(from reader: inout ByteReader) throws(EnvelopeError) -> [WrappedDataKey] {
    let count = Int(try reader.takeByte())
    guard (1...keyCountLimit).contains(count) else {
      throw EnvelopeError(.malformed, "An envelope has 1 to \(keyCountLimit) wrapped keys, not \(count)")
    }
    var keys: [WrappedDataKey] = []
    for _ in 0..<count {
      let scheme = WrappingScheme(rawValue: try reader.takeByte())
      let idBytes = try reader.take(Int(reader.takeByte()))
      let length = Int(try reader.takeUInt16())
      guard scheme.wrappedByteCounts.contains(length) else {
        throw EnvelopeError(.malformed, "A wrapped data key has a length that its scheme does not have")
      }
      guard let id = try? KeyID(String(decoding: idBytes, as: UTF8.self)), Array(id.string.utf8) == idBytes else {
        throw EnvelopeError(.malformed, "A key id in the header is not printable ASCII")
      }
      keys.append(try WrappedDataKey(scheme: scheme, keyID: id, bytes: reader.take(length)))
    }
    try checkWrappedKeys(keys, orThrow: .malformed)
    return keys
  }

  /// 1 to 16 entries, at most one for a key id, and a passphrase stands alone.
  static func checkWrappedKeys(
    _ keys: [WrappedDataKey], orThrow code: EnvelopeError.Code
  ) throws(EnvelopeError) {
    guard (1...keyCountLimit).contains(keys.count) else {
      throw EnvelopeError(code, "An envelope has 1 to \(keyCountLimit) wrapped keys, not \(keys.count)")
    }
    guard Set(keys.map(\.keyID)).count == keys.count else {
      throw EnvelopeError(code, "An envelope has a wrapped key twice for one key id")
    }
    guard keys.count == 1 || !keys.contains(where: { $0.scheme == .passphrase }) else {
      throw EnvelopeError(code, "A passphrase must stand alone in its header")
    }
  }
}

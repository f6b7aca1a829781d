// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens many values of one sealer, synchronously, after one call to the keyring.
///
/// Safe to share between threads. It opens envelopes whose header is, byte for byte, that of the envelope it
/// was made for, under the context it was made with. The key lies in a guarded allocation of its own, at least four
/// pages: for values with many headers, use ``Envelope/open(_:context:authenticating:using:)`` with a ``CachingKeyring``.
public struct Opener: Sendable {
  /// The entry of the header that the data key was unwrapped from.
  public let source: WrappedDataKey
  /// How many bytes an envelope is longer than its plaintext.
  public let overheadByteCount: Int
  private let aead: AEAD
  private let header: [UInt8]
  private let payloadKey: GuardedMemory
  // Behind one pointer: whether there is one is asked at every open, and to look at an existential takes ten times as
  // long.
  private let watcher: Watcher?

  private final class Watcher: Sendable {
    let observer: any EnvelopeObserver

    init(_ observer: any EnvelopeObserver) { self.observer = observer }
  }

  /// Unwraps the data key of an envelope and verifies its header.
  ///
  /// - Parameters:
  ///   - envelope: Any one of the sealer's envelopes.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept an envelope that was opened through the entry of a recipient.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite` before a key is used, `contextDiffers`,
  ///   `headerAltered`, `anonymousSender`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    for envelope: [UInt8], context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws {
    try await self.init(for: envelope, use: .value, context: context, using: keyring, anonymousSender: sender)
  }

  init(
    for envelope: [UInt8], use: EnvelopeUse, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender
  ) async throws {
    do {
      try await self.init(
        unobserved: envelope, use: use, context: context, using: keyring, anonymousSender: sender)
    } catch {
      keyring.observer?.observe(EnvelopeEvent(.openFailed, failure: error))
      throw error
    }
  }

  private init(
    unobserved envelope: [UInt8], use: EnvelopeUse, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender
  ) async throws {
    var reader = ByteReader(envelope)
    let parsed = try Header(from: &reader, expecting: .value)
    aead = parsed.suite.aead
    guard reader.remainingByteCount >= aead.overheadByteCount else { throw EnvelopeError.truncated }
    try aead.checkIsAvailable()
    let unlocked = try await UnlockedHeader.unlock(
      parsed, for: use, context: context, using: keyring, anonymousSender: sender)
    guard let source = unlocked.source else {
      throw EnvelopeError(.keyNotFound, "The header was not unwrapped")
    }
    self.source = source
    watcher = keyring.observer.map { Watcher($0) }
    header = reader.consumed
    overheadByteCount = header.count + aead.overheadByteCount
    payloadKey = try unlocked.keys.guardedKey(.payload)
  }

  /// Whether the system keeps the key out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { payloadKey.isLocked }

  /// Appends the plaintext to a buffer of the caller's, and allocates nothing.
  ///
  /// - Parameters:
  ///   - envelope: The envelope's bytes, whole.
  ///   - associatedData: The bytes given when it was sealed.
  ///   - output: Has room for the envelope's length less ``overheadByteCount``.
  /// - Throws: `headerUnknown` where the header is another, `malformed` where the envelope is too short,
  ///   `payloadAltered`, `bufferTooSmall`; nothing is appended then.
  public func open(
    _ envelope: RawSpan, authenticating associatedData: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      try openUnobserved(envelope, authenticating: associatedData, into: &output)
    } catch {
      watcher?.observer.observe(EnvelopeEvent(.openFailed, source: source, failure: error))
      throw error
    }
    watcher?.observer.observe(EnvelopeEvent(.opened, source: source))
  }

  @inline(__always)
  private func openUnobserved(
    _ envelope: RawSpan, authenticating associatedData: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard envelope.byteCount >= overheadByteCount else { throw Self.failure(ofShort: envelope) }
    guard unsafe envelope.extracting(first: header.count).hasSamePublicBytes(as: header.span.bytes) else {
      throw .headerUnknown
    }
    let sealed = envelope.extracting(droppingFirst: header.count)
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try aead.open(sealed, authenticating: associatedData, key: key, into: &output)
    }
  }

  /// Why an envelope does not open that is shorter than any with the opener's header: it has another header, or was cut.
  @inline(never)
  private static func failure(ofShort envelope: RawSpan) -> EnvelopeError {
    var reader = ByteReader([UInt8](copying: envelope))
    guard let header = try? Header(from: &reader, expecting: .value),
      reader.remainingByteCount >= header.suite.aead.overheadByteCount
    else { return .truncated }
    return .headerUnknown
  }

  /// Opens an envelope into bytes of its own, wiped when their owner lets go of them.
  ///
  /// - Throws: `headerUnknown` where the header is another, `malformed` where it is too short, `payloadAltered`.
  public func open(
    _ envelope: [UInt8], authenticating associatedData: [UInt8]
  ) throws(EnvelopeError) -> SecretBytes {
    let capacity = max(0, envelope.count - overheadByteCount)
    return try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      try unsafe open(envelope.span.bytes, authenticating: associatedData.span.bytes, into: &output)
    }
  }
}

extension EnvelopeError {
  fileprivate static let headerUnknown = EnvelopeError(
    .headerUnknown, "The envelope has another header than the one that this opener was created for",
    advice: "Create an opener for it.")
}

extension Opener: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

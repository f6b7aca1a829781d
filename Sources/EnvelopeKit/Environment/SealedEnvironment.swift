// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Environment variables sealed together under one data key (`Docs/Format.md`, section Environments).
///
/// It reveals the key ids, the generation and, unless it is packed, names and lengths. Opening detects variables that
/// were altered, swapped, renamed, added, removed or rolled back. It does not detect a whole older environment unless
/// a minimum generation is demanded.
///
/// A *document* is a file or an API response in which plain variables may stand beside the sealed ones. Read it with
/// ``init(document:allowingPlain:)-(OpenedEnvironment,_)``: opening then also verifies the plain variables. The
/// environment of a process, which holds variables of many origins, is read with ``init(variables:)``: its plain
/// variables are never looked at.
public struct SealedEnvironment: Sendable {
  /// How the variables are laid out.
  public enum Form: Sendable, Hashable {
    /// Each variable is sealed under its own name; `ENVELOPE_HEADER` holds the header.
    case separate
    /// All are sealed into the one variable `ENVELOPE_SEALED`, hiding names and each length: the smallest form.
    case packed
  }

  /// One variable of the separate form.
  struct Entry: Sendable, Equatable {
    let name: String
    /// The bytes nonce ‖ ciphertext ‖ tag, which share an array with those of other variables.
    let sealed: ArraySlice<UInt8>
  }

  enum Payload: Sendable, Equatable {
    /// The entries are in ascending order of their names' bytes.
    case separate(Trailer, [Entry])
    /// The bytes nonce ‖ ciphertext ‖ tag.
    case packed([UInt8])
  }

  /// What follows the header of the separate form, besides the generation.
  struct Trailer: Sendable, Equatable {
    let count: UInt16
    let manifest: [UInt8]
    let plain: PlainTags
  }

  package let header: Header
  /// When it was sealed: seconds since 1970, or one more than the generation before.
  public let generation: UInt32
  let payload: Payload
  /// The plain variables of the document; nil if it was not read from a document, so that they are not known.
  public let plain: OpenedEnvironment?
  /// The names of plain variables that may differ from those sealed with the document.
  let allowedPlain: Set<String>

  init(
    header: Header, generation: UInt32, payload: Payload, plain: OpenedEnvironment? = nil,
    allowedPlain: Set<String> = []
  ) {
    self.header = header
    self.generation = generation
    self.payload = payload
    self.plain = plain
    self.allowedPlain = allowedPlain
  }

  /// The greatest number of variables.
  public static let countLimit = Int(UInt16.max)

  /// The most bytes that the manifest's 32-bit length can describe.
  static let sealedByteLimit = Int(UInt32.max)

  /// How the variables are laid out.
  public var form: Form {
    switch payload {
    case .separate: .separate
    case .packed: .packed
    }
  }

  /// The names of the sealed variables in ascending order of their bytes; none if they are packed.
  public var names: [String] {
    switch payload {
    case .separate(_, let entries): entries.map(\.name)
    case .packed: []
    }
  }

  /// The wrapped data keys as the header lists them: not verified before the environment has been opened.
  public var wrappedKeys: [WrappedDataKey] { header.wrappedKeys }

  /// Makes entries, whose sealed bytes `body` appends to one array; it returns each one's name.
  static func entries(
    of count: Int, capacity: Int, _ body: (Int, inout OutputRawSpan) throws(EnvelopeError) -> String
  ) throws(EnvelopeError) -> [Entry] {
    guard count > 0 else { return [] }
    var (names, ends) = ([] as [String], [0])
    names.reserveCapacity(count)
    ends.reserveCapacity(count + 1)
    let bytes = try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
      for index in 0..<count {
        names.append(try body(index, &output))
        ends.append(output.byteCount)
      }
    }
    return names.indices.map { Entry(name: names[$0], sealed: bytes[ends[$0]..<ends[$0 + 1]]) }
  }

  /// The hash that ties all variables together.
  static func manifest(
    generation: UInt32, plain: PlainTags, entries: [Entry], keys: borrowing KeySchedule
  ) throws(EnvelopeError) -> [UInt8] {
    let byteCount = entries.reduce(8 + plain.bytes.count) { $0 + 2 + $1.name.utf8.count + 4 + $1.sealed.count }
    let message = [UInt8].appending(capacity: byteCount) { output in
      output.append(bigEndian: generation)
      output.append(bigEndian: UInt16(truncatingIfNeeded: entries.count))
      unsafe output.append(lengthPrefixed16: plain.bytes.span.bytes)
      let entries = entries.span
      for index in entries.indices {
        output.append(lengthPrefixed16: entries[index].name)
        output.append(bigEndian: UInt32(entries[index].sealed.count))
        unsafe output.append(entries[index].sealed.span.bytes)
      }
    }
    return try keys.authenticate(message, with: .manifest, byteCount: manifestByteCount)
  }

  static let manifestByteCount = 32
}

extension SealedEnvironment: Equatable {
  /// Whether both have the same sealed bytes; plain variables are not compared.
  public static func == (a: SealedEnvironment, b: SealedEnvironment) -> Bool {
    a.header == b.header && a.generation == b.generation && a.payload == b.payload
  }
}

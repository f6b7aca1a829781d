// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// The sealed variables to put into the function's environment, beside any plain ones: names to values.
  public var variables: [String: String] {
    switch payload {
    case .separate(let trailer, let entries):
      var bytes = header.bytes
      bytes.append(bigEndian: generation)
      bytes.append(bigEndian: trailer.count)
      bytes += trailer.manifest
      bytes += trailer.plain.bytes
      var variables = [VariableName.header: Base64URL.encode(bytes, after: EnvelopeText.headerPrefix)]
      variables.reserveCapacity(entries.count + 1)
      for entry in entries {
        variables[entry.name] = unsafe Base64URL.encode(
          entry.sealed.span.bytes, after: EnvelopeText.variablePrefix)
      }
      return variables
    case .packed(let sealed):
      var bytes = header.bytes
      bytes.append(bigEndian: generation)
      return [VariableName.sealed: Base64URL.encode(bytes + sealed, after: EnvelopeText.headerPrefix)]
    }
  }

  /// Whether a variable belongs to a sealed environment, as its name or the beginning of its value tells.
  public static func isSealed(name: String, value: String) -> Bool {
    name == VariableName.header || name == VariableName.sealed || isSealed(value)
  }

  private static func isSealed(_ value: String) -> Bool {
    value.withUTF8Bytes { $0.starts(with: EnvelopeText.variablePrefix) }
  }

  /// Finds a sealed environment among the variables of a process; plain ones are passed over.
  ///
  /// Opening verifies it. For a file or an API response, use ``init(document:allowingPlain:)-(OpenedEnvironment,_)``,
  /// which verifies the plain variables, too.
  ///
  /// - Throws: `noHeader` where there is none; `malformed` where there are two, or where header, trailer or a
  ///   variable is not what it should be; `unsupportedVersion`, `unsupportedSuite`.
  public init(variables: [String: String]) throws(EnvelopeError) {
    var sealed: [Variable] = []
    // One of them is the header.
    sealed.reserveCapacity(max(variables.count - 1, 0))
    for (name, value) in variables where Self.isSealed(value) { sealed.append(Variable(name: name, value: value)) }
    switch (variables[VariableName.header], variables[VariableName.sealed]) {
    case (nil, nil):
      throw EnvelopeError(
        .noHeader, "There is no sealed environment: neither \(VariableName.header) nor \(VariableName.sealed) is set",
        advice: sealed.isEmpty
          ? "Put the sealed variables into the environment." : "Put the header beside the sealed variables.")
    case (.some, .some):
      throw EnvelopeError(
        .malformed, "There are two sealed environments: \(VariableName.header) and \(VariableName.sealed) are both set",
        advice: "Remove the variables of the environment that is out of date.")
    case (let text?, nil):
      try self.init(header: text, variables: sealed)
    case (nil, let text?):
      guard sealed.isEmpty else {
        throw EnvelopeError(
          .malformed, "There are sealed variables beside \(VariableName.sealed), which holds all of them",
          advice: "Remove those that are out of date.")
      }
      try self.init(packed: text)
    }
  }

  /// A sealed variable as it was found.
  private struct Variable {
    let name: String
    let value: String
  }

  /// The first 16 bytes of a name, or all of them and zeros, as a number of the same order.
  private static func beginning(of name: String) -> UInt128 {
    var beginning: UInt128 = 0
    name.withUTF8Bytes { name in
      unsafe withUnsafeMutableBytes(of: &beginning) { beginning in
        unsafe name.extracting(first: 16).withUnsafeBytes { unsafe beginning.copyMemory(from: $0) }
      }
    }
    return UInt128(bigEndian: beginning)
  }

  private init(header text: String, variables: [Variable]) throws(EnvelopeError) {
    let (header, generation, trailer) = try Self.reading(VariableName.header, text) {
      (reader) throws(EnvelopeError) in
      let header = try Header(from: &reader, expecting: .environment)
      let generation = try reader.takeUInt32()
      let count = try reader.takeUInt16()
      let manifest = try reader.take(Self.manifestByteCount)
      return (header, generation, Trailer(count: count, manifest: manifest, plain: try PlainTags(reader.takeRest())))
    }
    guard variables.count <= Self.countLimit else {
      throw EnvelopeError(.malformed, "There are more than \(Self.countLimit) sealed variables")
    }
    let capacity = variables.reduce(0) { $0 + Base64URL.decodedLength(of: $1.value.utf8.count) }
    // Two numbers are compared and moved faster than two pairs of strings.
    var order = variables.indices.map { (beginning: Self.beginning(of: variables[$0].name), index: $0) }
    order.sort { a, b in
      a.beginning == b.beginning ? variables[a.index].name < variables[b.index].name : a.beginning < b.beginning
    }
    let entries = try Self.entries(of: variables.count, capacity: capacity) { (place, output) throws(EnvelopeError) in
      let index = order[place].index
      let (name, value) = (variables[index].name, variables[index].value)
      try VariableName.check(name, orThrow: .malformed)
      let start = output.byteCount
      guard
        EnvelopeText.append(
          decoding: value, prefix: EnvelopeText.variablePrefix, ignoresLineFeed: true, to: &output),
        (AEAD.chaCha20Poly1305.overheadByteCount...Self.sealedByteLimit).contains(output.byteCount - start)
      else {
        throw EnvelopeError(
          .malformed,
          "The sealed variable \(name) is damaged or cut off: it is too short, or not ev1: and URL-safe base64",
          advice: "Copy all of it again from where it was sealed.", names: [name])
      }
      return name
    }
    self.init(header: header, generation: generation, payload: .separate(trailer, entries))
  }

  private init(packed text: String) throws(EnvelopeError) {
    let (header, generation, sealed) = try Self.reading(VariableName.sealed, text) { (reader) throws(EnvelopeError) in
      let header = try Header(from: &reader, expecting: .packedEnvironment)
      let generation = try reader.takeUInt32()
      let sealed = reader.takeRest()
      guard sealed.count >= AEAD.xChaCha20Poly1305.overheadByteCount else { throw .truncated }
      return (header, generation, sealed)
    }
    self.init(header: header, generation: generation, payload: .packed(sealed))
  }

  /// Reads the text of a variable that begins with a header.
  ///
  /// - Throws: `malformed`, which names the variable; what `read` throws otherwise.
  private static func reading<R>(
    _ name: String, _ text: String, _ read: (inout ByteReader) throws(EnvelopeError) -> R
  ) throws(EnvelopeError) -> R {
    do throws(EnvelopeError) {
      var reader = ByteReader(
        try EnvelopeText.decode(text, prefix: EnvelopeText.headerPrefix, ignoresLineFeed: true))
      return try read(&reader)
    } catch {
      guard error.code == .malformed else { throw error }
      let reason = error.message.prefix(1).lowercased() + error.message.dropFirst()
      throw EnvelopeError(
        .malformed, "\(name) is damaged or cut off: \(reason)",
        advice: "Copy all of it again from where it was sealed.")
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// Finds a sealed environment in a document: a file or an API response that holds nothing but the function's variables.
  ///
  /// Its plain variables become ``plain``. Opening, updating, rewrapping and resealing verify them, and throw
  /// `plainVariablesAltered` if they are not those that were sealed with the document.
  ///
  /// - Parameters:
  ///   - variables: All variables of the document.
  ///   - allowed: The names of plain variables that may be added, changed or missing, such as a `LOG_LEVEL` that an
  ///     operator sets. Never allow a name that steers where secrets go.
  /// - Throws: `noHeader`, `unsupportedVersion`, `unsupportedSuite`; `malformed` if there are two sealed
  ///   environments, or if header, trailer or a sealed variable is not what it should be.
  public init(document variables: OpenedEnvironment, allowingPlain allowed: Set<String> = []) throws(EnvelopeError) {
    var sealed: [String: String] = [:]
    var plain: [Secret] = []
    for secret in variables.secrets {
      guard secret.looksSealed else {
        plain.append(secret)
        continue
      }
      guard let text = try? secret.revealingString() else {
        throw EnvelopeError(
          .malformed, "The sealed variable \(secret.name) is not UTF-8", advice: "Restore it from where it was sealed.",
          names: [secret.name])
      }
      sealed[secret.name] = text
    }
    self = try SealedEnvironment(variables: sealed).with(plain: OpenedEnvironment(merging: plain), allowing: allowed)
  }

  /// Finds a sealed environment in a document of strings; see the other initializer of this name.
  ///
  /// - Throws: As that one, and `malformed` for a name that no variable can have.
  public init(document variables: [String: String], allowingPlain allowed: Set<String> = []) throws(EnvelopeError) {
    for name in variables.keys { try VariableName.checkValid(name, orThrow: .malformed) }
    try self.init(document: OpenedEnvironment(variables), allowingPlain: allowed)
  }
}

extension SealedEnvironment {
  /// The same document, in which these plain variables may differ.
  package func allowing(plain names: Set<String>) -> SealedEnvironment { with(plain: plain, allowing: names) }
}

extension Secret {
  /// Whether the variable belongs to a sealed environment, as its name or the beginning of its value shows.
  package var looksSealed: Bool {
    let beginning = withBytes { [UInt8](copying: $0.extracting(first: 4)) }
    return SealedEnvironment.isSealed(name: name, value: String(decoding: beginning, as: UTF8.self))
  }
}

extension OpenedEnvironment {
  /// Gathers variables, copied into guarded memory of their own.
  package init(merging secrets: [Secret]) throws(EnvelopeError) {
    let capacity = secrets.reduce(0) { $0 + $1.byteCount }
    try self.init(capacity: capacity) { (output, index) throws(EnvelopeError) in
      for secret in secrets {
        secret.withBytes { output.append($0) }
        try index.add(secret.name, endingAt: output.byteCount)
      }
    }
  }
}

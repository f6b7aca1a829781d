// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// A file of variables: sealed ones, plain ones, or both.
struct Document {
  /// How the variables are written down.
  enum Layout: Equatable {
    case dotenv
    /// Lines for the env files of Docker and kubectl; it is written, and read as `dotenv`.
    case docker
    /// One JSON object of names and values.
    case json
    /// The document `{"Variables": {…}}` that AWS's own command line takes.
    case lambda
    /// What AWS answers about a function; it is read, and written as `lambda`.
    case answer

    /// Whether it has lines, and so comments and blank lines.
    var hasComments: Bool { self == .dotenv || self == .docker }
  }

  let layout: Layout
  /// The sealed variables; nil where there are none.
  let sealed: SealedEnvironment?
  /// The others.
  let plain: OpenedEnvironment

  /// The greatest length of a file that is read, in bytes.
  static let byteLimit = 16 << 20

  init(layout: Layout, sealed: SealedEnvironment?, plain: OpenedEnvironment) {
    self.layout = layout
    self.sealed = sealed
    self.plain = plain
  }

  /// Separates sealed variables from plain ones.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`; `noHeader` if there are sealed variables and no
  ///   header.
  init(_ variables: OpenedEnvironment, layout: Layout) throws(EnvelopeError) {
    guard variables.secrets.contains(where: \.looksSealed) else {
      self.init(layout: layout, sealed: nil, plain: variables)
      return
    }
    let sealed = try SealedEnvironment(document: variables)
    self.init(layout: layout, sealed: sealed, plain: sealed.plain ?? variables)
  }

  /// The environment, which must be there.
  func requireSealed(in file: String) throws(EnvelopeError) -> SealedEnvironment {
    guard let sealed else { throw Self.nothingSealed(in: file) }
    return sealed
  }

  static func nothingSealed(in file: String) -> EnvelopeError {
    EnvelopeError(
      .noHeader, "Nothing in \(file.shownInput) is sealed",
      advice: "Seal it: envelope seal FILE --function NAME -o SEALED")
  }

  /// Whether a text holds this document and nothing else.
  func isWritten(in text: borrowing SecretBytes) -> Bool {
    let read = text.withBytes { text in try? Document(text: text) }
    guard let read, read.layout == layout, read.sealed == sealed, read.plain.names == plain.names else { return false }
    return plain.secrets.allSatisfy { secret in
      secret.withBytes { mine in read.plain[secret.name]?.withBytes { mine.equalsInConstantTime($0) } ?? false }
    }
  }

  /// All variables as they are written down: sealed ones in their text form, plain ones as they are.
  func variables() throws(EnvelopeError) -> OpenedEnvironment {
    let sealed = try OpenedEnvironment(self.sealed?.variables ?? [:])
    return try OpenedEnvironment(merging: sealed.secrets + plain.secrets)
  }
}

extension OpenedEnvironment {
  /// One variable.
  init(_ name: String, _ value: borrowing SecretBytes) throws(EnvelopeError) {
    try self.init(capacity: value.byteCount) { (output, index) throws(EnvelopeError) in
      value.withBytes { output.append($0) }
      try index.add(name, endingAt: output.byteCount)
    }
  }
}

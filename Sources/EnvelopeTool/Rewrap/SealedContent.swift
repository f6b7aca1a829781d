// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What is sealed in a file: the environment among its variables, or one value.
enum SealedContent {
  case environment(Document, SealedEnvironment)
  case value([UInt8], ValueForm)

  /// How a value is written down.
  enum ValueForm: Equatable {
    case bytes
    /// The text form, with a line feed after it or without.
    case text(lineFeed: Bool)
  }

  /// Looks for something sealed in a file's bytes; nil if it holds none, or is no document and only mentions it.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `noHeader` if it is a document or a value that
  ///   cannot be read.
  init?(_ bytes: borrowing SecretBytes, of path: String) throws(EnvelopeError) {
    switch bytes.withBytes({ Self.kind(of: $0) }) {
    case .nothing: return nil
    case .value(.bytes): self = .value(bytes.withBytes { [UInt8](copying: $0) }, .bytes)
    case .value(.text(let lineFeed)):
      let text = bytes.withBytes {
        String(decoding: [UInt8](copying: lineFeed ? $0.extracting(droppingLast: 1) : $0), as: UTF8.self)
      }
      self = .value(try Envelope.bytes(ofText: text), .text(lineFeed: lineFeed))
    case .perhapsVariables:
      do throws(EnvelopeError) {
        let document = try Document(text: bytes, of: path)
        guard let sealed = document.sealed else { return nil }
        self = .environment(document, sealed)
      } catch {
        guard bytes.withBytes({ DamagedDocument.isMeant(by: $0) }) else { return nil }
        throw error
      }
    }
  }

  /// What is sealed in a file that was named for it.
  ///
  /// - Throws: As ``init(_:of:)``; `malformed` if it is no file of variables either, `noHeader` if none is sealed.
  static func require(_ bytes: borrowing SecretBytes, of path: String) throws(EnvelopeError) -> SealedContent {
    if let sealed = try SealedContent(bytes, of: path) { return sealed }
    guard bytes.withBytes({ !$0.holdsEnvelope(orHeader: true) }) else {
      throw EnvelopeError(
        .noHeader, "\(path.shownInputAtStart) has something sealed amid other text",
        advice: "Put it into a file of its own.")
    }
    _ = try Document(text: bytes, of: path)
    throw Document.nothingSealed(in: path)
  }

  private enum Kind {
    case nothing
    case value(ValueForm)
    /// What it says once it has been read shows it.
    case perhapsVariables
  }

  private static func kind(of bytes: RawSpan) -> Kind {
    let beginning = [UInt8](copying: bytes.extracting(first: 4))
    if beginning.starts(with: Array("EK".utf8) + [1]) { return .value(.bytes) }
    // A page can begin with the prefix, too.
    if beginning == Array("ek1:".utf8), bytes.isSealedText(at: 0) {
      return .value(.text(lineFeed: bytes.byte(at: bytes.byteCount - 1) == .lineFeed))
    }
    // If the header was lost, its variables are still there. JSON can spell every one of them with escapes.
    let words = [VariableName.header, VariableName.sealed, "ev1:"] + (VariablesText.isJSON(bytes) ? ["\\u"] : [])
    return words.contains { bytes.contains(Array($0.utf8)) } || bytes.isWideText ? .perhapsVariables : .nothing
  }

  /// The header, which nobody has verified.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  func header() throws(EnvelopeError) -> Header {
    switch self {
    case .environment(_, let sealed): sealed.header
    case .value(let envelope, _): try Envelope.header(of: envelope)
    }
  }

  /// The file's bytes with this in the place of what was sealed in it.
  ///
  /// Where the texts that have changed are there once each, everything around them stays as it is: comments, order,
  /// plain variables.
  ///
  /// - Parameters:
  ///   - before: What was sealed in it.
  ///   - bytes: What the file holds.
  func text(replacing before: SealedContent, in bytes: borrowing SecretBytes) throws(EnvelopeError) -> SecretBytes {
    switch (self, before) {
    case (.value(let envelope, .bytes), _): return unsafe SecretBytes(copying: envelope.span.bytes)
    case (.value(let envelope, .text(let lineFeed)), _):
      let text = Array((Envelope.text(of: envelope) + (lineFeed ? "\n" : "")).utf8)
      return unsafe SecretBytes(copying: text.span.bytes)
    case (.environment(let document, let sealed), .environment(_, let old)):
      let (now, then) = (sealed.variables, old.variables)
      let whole = Document(layout: document.layout, sealed: sealed, plain: document.plain)
      // The texts may stand elsewhere in the file than where they are read, as in a member that is ignored.
      if let spliced = Self.splice(now, in: bytes, replacing: then), whole.isWritten(in: spliced) { return spliced }
      let all = try whole.variables()
      return try Document.sealedText(of: all, layout: document.layout, portable: false, following: bytes)
    case (.environment, .value):
      throw EnvelopeError(.invalidArgument, "A value does not become an environment")
    }
  }

  /// Nil if one of the texts that have changed is not there, or not once.
  private static func splice(
    _ now: [String: String], in bytes: borrowing SecretBytes, replacing then: [String: String]
  ) -> SecretBytes? {
    guard now.count == then.count else { return nil }
    var replaced: [[UInt8]: [UInt8]] = [:]
    for (name, text) in now where then[name] != text {
      guard let old = then[name] else { return nil }
      replaced[Array(old.utf8)] = Array(text.utf8)
    }
    return bytes.withBytes { $0.replacing(replaced) }
  }

  /// Runs `body`, which opens a value; if its payload does not verify, the error names the option for associated data.
  static func advisingAssociatedData<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as EnvelopeError where error.code == .payloadAltered {
      throw EnvelopeError(
        error.code, error.message, advice: "If it was sealed with associated data, give that: --associated-data TEXT")
    }
  }
}

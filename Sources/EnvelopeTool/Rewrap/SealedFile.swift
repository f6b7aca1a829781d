// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What is sealed in a file: the environment among its variables, or one value.
enum SealedFile {
  case environment(Document, SealedEnvironment)
  case value([UInt8], ValueForm)

  /// How a value is written down.
  enum ValueForm: Equatable {
    case bytes
    /// The text form, with a line feed after it or without.
    case text(lineFeed: Bool)
  }

  /// Looks for something sealed in a file's bytes; nil where nothing is.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `noHeader` where it begins or looks like something sealed and is not;
  ///   `noVariables` where it names what holds an environment and is no file of variables, such as a page about it.
  init?(_ bytes: borrowing SecretBytes, of path: String) throws(EnvelopeError) {
    switch bytes.withBytes({ Self.kind(of: $0) }) {
    case .nothing: return nil
    case .value(.bytes): self = .value(bytes.withBytes { [UInt8](copying: $0) }, .bytes)
    case .value(.text(let lineFeed)):
      let text = bytes.withBytes {
        String(decoding: [UInt8](copying: lineFeed ? $0.extracting(droppingLast: 1) : $0), as: UTF8.self)
      }
      self = .value(try Envelope.bytes(ofText: text), .text(lineFeed: lineFeed))
    case .variables:
      do throws(EnvelopeError) {
        let document = try Document(text: bytes, of: path)
        guard let sealed = document.sealed else { return nil }
        self = .environment(document, sealed)
      } catch {
        let holdsVariables = bytes.withBytes { (try? VariablesText.read($0)) != nil }
        throw holdsVariables ? error : EnvelopeError(.noVariables, error.message, advice: error.advice)
      }
    }
  }

  /// Reads a file that something must be sealed in.
  ///
  /// - Throws: As ``init(_:of:)``; where nothing is sealed in it, `malformed` if it is no file of variables, and else
  ///   `noHeader`.
  init(readFrom path: String) throws(EnvelopeError) {
    let bytes = try Document.readText(path)
    guard let sealed = try SealedFile(bytes, of: path) else {
      _ = try Document(text: bytes, of: path)
      throw Document.nothingSealed(in: path)
    }
    self = sealed
  }

  private enum Kind {
    case nothing
    case value(ValueForm)
    case variables
  }

  private static func kind(of bytes: RawSpan) -> Kind {
    let beginning = [UInt8](copying: bytes.extracting(first: 4))
    if beginning.starts(with: Array("EK".utf8) + [1]) { return .value(.bytes) }
    if beginning == Array("ek1:".utf8) {
      return .value(.text(lineFeed: bytes.byte(at: bytes.byteCount - 1) == .lineFeed))
    }
    return [VariableName.header, VariableName.sealed].contains { bytes.contains(Array($0.utf8)) }
      ? .variables : .nothing
  }

  /// The header, which nobody has verified.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`.
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
  func text(replacing before: SealedFile, in bytes: borrowing SecretBytes) throws(EnvelopeError) -> SecretBytes {
    switch (self, before) {
    case (.value(let envelope, .bytes), _): return unsafe SecretBytes(copying: envelope.span.bytes)
    case (.value(let envelope, .text(let lineFeed)), _):
      let text = Array((Envelope.text(of: envelope) + (lineFeed ? "\n" : "")).utf8)
      return unsafe SecretBytes(copying: text.span.bytes)
    case (.environment(let document, let sealed), .environment(_, let old)):
      let (now, then) = (sealed.variables, old.variables)
      if let spliced = Self.splice(now, in: bytes, replacing: then) { return spliced }
      let all = try Document(layout: document.layout, sealed: sealed, plain: document.plain).variables()
      return try Document.text(of: all, layout: document.layout, portable: false)
    case (.environment, .value):
      throw EnvelopeError(.invalidArgument, "A value does not become an environment")
    }
  }

  private static func splice(
    _ now: [String: String], in bytes: borrowing SecretBytes, replacing then: [String: String]
  ) -> SecretBytes? {
    guard now.count == then.count else { return nil }
    var spliced = bytes.withBytes { SecretBytes(copying: $0) }
    for (name, text) in now where then[name] != text {
      guard let old = then[name],
        let next = spliced.withBytes({ $0.replacingOnly(Array(old.utf8), by: Array(text.utf8)) })
      else { return nil }
      spliced = next
    }
    return spliced
  }
}

extension RawSpan {
  /// Whether the bytes occur.
  fileprivate func contains(_ wanted: [UInt8]) -> Bool { offset(of: wanted, from: 0) != nil }

  /// Where the bytes occur first, from an offset on.
  private func offset(of wanted: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first, byteCount - start >= wanted.count else { return nil }
    for offset in start...byteCount - wanted.count where byte(at: offset) == first {
      if wanted.indices.allSatisfy({ byte(at: offset + $0) == wanted[$0] }) { return offset }
    }
    return nil
  }

  /// The bytes with others in the place of some; nil where those do not occur, or more than once.
  fileprivate func replacingOnly(_ old: [UInt8], by new: [UInt8]) -> SecretBytes? {
    guard let start = offset(of: old, from: 0), offset(of: old, from: start + 1) == nil else { return nil }
    return SecretBytes(byteCount: byteCount - old.count + new.count) { output in
      output.append(extracting(first: start))
      unsafe output.append(new.span.bytes)
      output.append(extracting(droppingFirst: start + old.count))
    }
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

/// What came of reading a text: every variable's bytes.
typealias Variables = [String: [UInt8]]

extension OpenedEnvironment {
  var values: Variables {
    get throws(EnvelopeError) {
      var values: Variables = [:]
      for name in names { values[name] = try require(name).withBytes { $0.array } }
      return values
    }
  }

  /// An environment of bytes, which need not be UTF-8.
  init(values: Variables) throws(EnvelopeError) {
    try self.init(capacity: values.reduce(0) { $0 + $1.value.count }) { (output, index) throws(EnvelopeError) in
      for (name, value) in values {
        unsafe output.append(value.span.bytes)
        try index.add(name, endingAt: output.byteCount)
      }
    }
  }
}

extension RawSpan {
  var array: [UInt8] { (0..<byteCount).map { byte(at: $0) } }
}

extension Dotenv {
  static func values(of text: [UInt8]) throws(EnvelopeError) -> Variables {
    try unsafe read(text.span.bytes).values
  }

  static func values(of text: String) throws(EnvelopeError) -> Variables { try values(of: Array(text.utf8)) }

  /// The text, and the names announced.
  static func written(_ values: Variables, first: [String] = []) throws(EnvelopeError) -> ([UInt8], [String]) {
    let document = try write(OpenedEnvironment(values: values), first: first)
    return (document.text.withBytes { $0.array }, document.announced)
  }
}

extension VariablesJSON {
  static func values(of text: [UInt8]) throws(EnvelopeError) -> Variables {
    try unsafe read(text.span.bytes).values
  }

  static func values(of text: String) throws(EnvelopeError) -> Variables { try values(of: Array(text.utf8)) }

  static func written(
    _ values: Variables, as form: Form = .flat, first: [String] = []
  ) throws(EnvelopeError) -> [UInt8] {
    try write(OpenedEnvironment(values: values), as: form, first: first).withBytes { $0.array }
  }

  static func compactByteCount(of environment: OpenedEnvironment) -> Int {
    compactByteCount(costs: environment.secrets.map { cost(of: $0) })
  }
}

extension [String: String] {
  /// The same in bytes.
  var bytes: Variables { mapValues { Array($0.utf8) } }
}

/// Stands in every text that must be refused, and in no error.
let marker = "hunter2"

/// Expects an error of this kind which says this and does not show the marker.
func expect(
  _ code: EnvelopeError.Code, saying fragment: String, names: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation, from body: () throws -> Void
) {
  let error = #expect(throws: EnvelopeError.self, sourceLocation: sourceLocation) { try body() }
  guard let error else { return }
  #expect(error.code == code, sourceLocation: sourceLocation)
  #expect(error.message.contains(fragment), "\(error)", sourceLocation: sourceLocation)
  #expect(error.names == names, sourceLocation: sourceLocation)
  #expect(!error.description.contains(marker), sourceLocation: sourceLocation)
}

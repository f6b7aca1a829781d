// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Variables in JSON (RFC 8259), strictly read.
///
/// Three documents are taken: a flat object `{"NAME": "value"}`; `{"Variables": {…}}`, which the AWS command line
/// takes for `--environment`; and the response of `aws lambda get-function-configuration` or `aws lambda get-function`,
/// whose other members are ignored. A number or Boolean is taken as it is written. Values of another type, names that are
/// not valid or there twice, NUL characters in values, surrogates without their other half, and nesting deeper than 64 are
/// refused.
enum VariablesJSON {
  /// Reads variables, each value straight into guarded memory.
  ///
  /// - Throws: `malformed`, which says where and never shows what is there but for a variable's name.
  static func read(_ text: RawSpan) throws(EnvelopeError) -> OpenedEnvironment {
    if let offset = text.firstOffsetOutsideUTF8 { throw .json(at: offset, in: text, "is not UTF-8") }
    // No line of JSON begins so, not even within a string.
    if let offset = text.firstConflictMark { throw .mergeConflict(at: offset, in: text) }
    guard let offset = try place(in: text).offset else { return try OpenedEnvironment(capacity: 0) { _, _ in } }
    // A value is never longer than its text.
    return try OpenedEnvironment(capacity: text.byteCount - offset) { (output, index) throws(EnvelopeError) in
      var scanner = JSONScanner(at: offset)
      try scanner.readObject(in: text) { (scanner, name, start) throws(EnvelopeError) in
        guard let name, VariableName.isValid(name) else {
          throw .json(at: start, in: text, "is not the name of a variable")
        }
        try readValue(of: name, in: text, with: &scanner, into: &output)
        do {
          try index.add(name, endingAt: output.byteCount)
        } catch {
          // The name is valid, so what is wrong is that it is there already.
          throw .json(at: start, in: text, "sets \(EnvelopeError.quoted(name)) a second time", names: [name])
        }
      }
    }
  }

  /// What is around the variables of a text.
  ///
  /// - Throws: `malformed`, as ``read(_:)``.
  static func form(of text: RawSpan) throws(EnvelopeError) -> Form { try place(in: text).form }

  /// The ARN of the function that an answer of AWS is about, or nil in any other text.
  ///
  /// - Throws: `malformed`, as ``read(_:)``.
  static func functionARN(in text: RawSpan) throws(EnvelopeError) -> String? {
    try member("FunctionArn", ofAnswer: text)
  }

  /// The name of that function, or nil in any other text.
  ///
  /// - Throws: `malformed`, as ``read(_:)``.
  static func functionName(in text: RawSpan) throws(EnvelopeError) -> String? {
    try member("FunctionName", ofAnswer: text)
  }

  private static func member(_ name: String, ofAnswer text: RawSpan) throws(EnvelopeError) -> String? {
    var scanner = JSONScanner(at: text.byteOrderMarkLength)
    scanner.skipBlanks(in: text)
    guard try form(of: text) == .answer else { return nil }
    var top = try members(in: text, with: &scanner)
    if let configuration = try top.configuration(in: text) { top = try members(at: configuration, in: text) }
    guard let offset = top.offsets[name]?.first else { return nil }
    var value = JSONScanner(at: offset.value)
    var bytes: [UInt8] = []
    try value.readString(in: text) { bytes.append($0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func readValue(
    of name: String, in text: RawSpan, with scanner: inout JSONScanner, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let start = scanner.position
    let kind: String
    switch text.byteIfAny(at: start) {
    case .doubleQuote?:
      var hasNUL = false
      try scanner.readString(in: text) { byte in
        if byte == 0 { hasNUL = true }
        output.append(byte)
      }
      guard hasNUL else { return }
      kind = "a NUL character"
    case UInt8(ascii: "{")?: kind = "an object"
    case UInt8(ascii: "[")?: kind = "an array"
    case UInt8(ascii: "n")?: kind = "null"
    default:
      try scanner.skipValue(in: text)
      output.append(text.extracting(start..<scanner.position))
      return
    }
    throw .json(
      at: start, in: text, "gives the variable \(EnvelopeError.quoted(name)) \(kind)", advice: "Give it a string.",
      names: [name])
  }

  /// Checks the whole text, and finds the object whose members are the variables; nil where a function has none.
  private static func place(in text: RawSpan) throws(EnvelopeError) -> (offset: Int?, form: Form) {
    var scanner = JSONScanner(at: text.byteOrderMarkLength)
    scanner.skipBlanks(in: text)
    let start = scanner.position
    guard text.byteIfAny(at: start) == UInt8(ascii: "{") else { throw .json(at: start, in: text, "is not an object") }
    var top = try members(in: text, with: &scanner)
    scanner.skipBlanks(in: text)
    guard scanner.position == text.byteCount else {
      throw .json(at: scanner.position, in: text, "goes on after the object")
    }
    let configuration = try top.configuration(in: text)
    if let configuration { top = try members(at: configuration, in: text) }
    if let environment = try top.object("Environment", in: text) {
      var scanner = JSONScanner(at: environment)
      if let variables = try members(in: text, with: &scanner).object("Variables", in: text) {
        return (variables, .answer)
      }
      throw .json(
        at: environment, in: text, "is an environment without variables",
        advice: "AWS leaves them out where the caller may not use the function's key: ask with another role.")
    }
    if configuration == nil, let variables = try top.object("Variables", in: text) {
      guard top.count == 1 else {
        throw .json(at: start, in: text, "has other members beside \"Variables\"", advice: "Remove them.")
      }
      return (variables, .variables)
    }
    // What AWS answers about a function without variables has no environment at all.
    if top.offsets["FunctionName"] != nil, top.offsets["FunctionArn"] != nil { return (nil, .answer) }
    return (start, .flat)
  }

  private static func members(at offset: Int, in text: RawSpan) throws(EnvelopeError) -> Members {
    var scanner = JSONScanner(at: offset)
    return try members(in: text, with: &scanner)
  }

  private static func members(
    in text: RawSpan, with scanner: inout JSONScanner
  ) throws(EnvelopeError) -> Members {
    var members = Members()
    try scanner.readObject(in: text) { (scanner, name, start) throws(EnvelopeError) in
      members.count += 1
      if let name, Members.known.contains(name) { members.offsets[name, default: []].append((start, scanner.position)) }
      try scanner.skipValue(in: text)
    }
    return members
  }

  /// The members of an object that tell one document from another.
  private struct Members {
    static let known: Set<String> = ["Environment", "Variables", "FunctionName", "FunctionArn", "Configuration"]
    var count = 0
    var offsets: [String: [(name: Int, value: Int)]] = [:]

    /// The offset of the function's configuration in the response of get-function, or nil in another document.
    func configuration(in text: RawSpan) throws(EnvelopeError) -> Int? {
      guard offsets["FunctionName"] == nil, offsets["Variables"] == nil else { return nil }
      return try object("Configuration", in: text)
    }

    /// The offset of a member that is an object, or nil if there is none.
    func object(_ name: String, in text: RawSpan) throws(EnvelopeError) -> Int? {
      guard let offsets = offsets[name] else { return nil }
      guard offsets.count == 1 else {
        throw .json(at: offsets[1].name, in: text, "sets \"\(name)\" a second time")
      }
      return text.byteIfAny(at: offsets[0].value) == UInt8(ascii: "{") ? offsets[0].value : nil
    }
  }
}

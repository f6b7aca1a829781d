// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import EnvelopeKit

/// A program of Tests/Python as a subprocess, which answers one line of JSON with another.
final class PythonPeer {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What an implementation says: what it made, or by which name it refused.
  enum Outcome: Equatable {
    case made([String: [UInt8]])
    case refused(String, names: [String])
  }

  /// What the other side opens or seals with.
  enum Holder {
    case store(String)
    case recipient(String)
    /// The cost of new entries is the logarithm of the memory and the passes.
    case passphrase([UInt8], cost: [Int] = [3, 1])

    fileprivate var fields: [String: Any] {
      switch self {
      case .store(let text): ["store": text]
      case .recipient(let text): ["recipient": text]
      case .passphrase(let bytes, let cost): ["passphrase": PythonPeer.text(of: bytes), "cost": cost]
      }
    }
  }

  private let process = Process()
  private let (input, output) = (Pipe(), Pipe())
  private var pending: [UInt8] = []

  private let script: String

  init(_ script: String = "envelope.py") throws {
    self.script = script
    guard let python = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"], !python.isEmpty else {
      throw Failure(
        description: "ENVELOPE_TEST_PYTHON names no Python interpreter with PyNaCl: run Tests/run, which sets one up")
    }
    process.executableURL = URL(filePath: python)
    let path = VectorFile.folder.deletingLastPathComponent().appending(path: "Python/\(script)").path
    process.arguments = ["-B", path, "serve"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func ask(_ command: String, _ request: [String: Any]) throws -> [String: Any] {
    var request = request
    request["command"] = command
    // Both sides refuse what the libsodium of these tests lacks.
    request["lacks"] = (AEAD.aegis256.isAvailable ? [] : ["aegis-256"]) + (XWing.isAvailable ? [] : ["x-wing"])
    try input.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: request) + [10])
    while true {
      if let end = pending.firstIndex(of: 10) {
        let line = Data(pending[..<end])
        pending.removeSubrange(...end)
        guard let answer = try JSONSerialization.jsonObject(with: line) as? [String: Any] else { break }
        return answer
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      pending += more
    }
    throw Failure(description: "\(script) gave no answer; what it wrote to standard error says why")
  }

  func ask(_ command: String, _ holder: Holder, _ request: [String: Any]) throws -> [String: Any] {
    try ask(command, request.merging(holder.fields) { $1 })
  }

  func open(
    _ variables: [String: String], context: [String: String], store: String, minimumGeneration: UInt32 = 0,
    asDocument: Bool = false, allowing allowed: Set<String> = [], anonymousSender sender: AnonymousSender = .refused
  ) throws -> Outcome {
    try open(
      variables, context: context, by: .store(store), minimumGeneration: minimumGeneration, asDocument: asDocument,
      allowing: allowed, anonymousSender: sender)
  }

  /// Opens the variables of a process, or of a document in which the allowed plain variables may differ.
  func open(
    _ variables: [String: String], context: [String: String], by holder: Holder, minimumGeneration: UInt32 = 0,
    asDocument: Bool = false, allowing allowed: Set<String> = [], anonymousSender sender: AnonymousSender = .refused
  ) throws -> Outcome {
    var request: [String: Any] = ["context": context, "variables": variables]
    request["minimum_generation"] = Int(minimumGeneration)
    request["document"] = asDocument
    request["allow"] = allowed.sorted()
    request["anonymous"] = sender == .accepted
    let answer = try ask("open", holder, request)
    return try Self.refusal(answer) ?? .made(Self.decode(answer["values"] as? [String: String]))
  }

  func seal(
    _ values: [String: [UInt8]], beside plain: [String: String] = [:], form: String, context: [String: String],
    store: String, key: String? = nil
  ) throws -> [String: String] {
    try seal(values, beside: plain, form: form, context: context, by: .store(store), key: key)
  }

  /// Seals an environment; the result contains the plain variables.
  func seal(
    _ values: [String: [UInt8]], beside plain: [String: String] = [:], form: String, context: [String: String],
    by holder: Holder, key: String? = nil
  ) throws -> [String: String] {
    var request: [String: Any] = ["context": context, "form": form]
    request["values"] = values.mapValues { Self.text(of: $0) }
    request["plain"] = plain.mapValues { Self.text(of: Array($0.utf8)) }
    request["key"] = key
    let answer = try ask("seal", holder, request)
    guard let variables = answer["variables"] as? [String: String] else { throw Failure(description: "\(answer)") }
    return variables
  }

  func openValue(
    _ envelope: [UInt8], authenticating data: [UInt8], context: [String: String], store: String,
    anonymousSender sender: AnonymousSender = .refused
  ) throws -> Outcome {
    try openValue(envelope, authenticating: data, context: context, by: .store(store), anonymousSender: sender)
  }

  /// Opens a value, or an envelope of another kind that has the form of one.
  func openValue(
    _ envelope: [UInt8], authenticating data: [UInt8], context: [String: String], by holder: Holder,
    anonymousSender sender: AnonymousSender = .refused, kind: String? = nil
  ) throws -> Outcome {
    var request: [String: Any] = ["context": context, "associated_data": Self.text(of: data)]
    request["envelope"] = Envelope.text(of: envelope)
    request["anonymous"] = sender == .accepted
    request["envelope_kind"] = kind
    let answer = try ask("open-value", holder, request)
    return try Self.refusal(answer) ?? .made(Self.decode(["": answer["plaintext"] as? String ?? "?"]))
  }

  func sealValue(
    _ plaintext: [UInt8], authenticating data: [UInt8], context: [String: String], store: String,
    suite: AlgorithmSuite = .chaCha20Poly1305
  ) throws -> [UInt8] {
    try sealValue(plaintext, authenticating: data, context: context, by: .store(store), suite: suite)
  }

  func sealValue(
    _ plaintext: [UInt8], authenticating data: [UInt8], context: [String: String], by holder: Holder,
    kind: String? = nil, suite: AlgorithmSuite = .chaCha20Poly1305
  ) throws -> [UInt8] {
    var request: [String: Any] = ["context": context, "associated_data": Self.text(of: data)]
    request["plaintext"] = Self.text(of: plaintext)
    request["suite"] = suite.rawValue
    request["envelope_kind"] = kind
    let answer = try ask("seal-value", holder, request)
    guard let text = answer["envelope"] as? String else { throw Failure(description: "\(answer)") }
    return try Envelope.bytes(ofText: text)
  }

  func openFile(
    _ file: [UInt8], context: [String: String], by holder: Holder, anonymousSender sender: AnonymousSender = .refused
  ) throws -> Outcome {
    var request: [String: Any] = ["context": context, "file": Self.text(of: file)]
    request["anonymous"] = sender == .accepted
    let answer = try ask("open-file", holder, request)
    return try Self.refusal(answer) ?? .made(Self.decode(["": answer["plaintext"] as? String ?? "?"]))
  }

  func sealFile(
    _ plaintext: [UInt8], context: [String: String], by holder: Holder, suite: AlgorithmSuite, chunkSize: ChunkSize
  ) throws -> [UInt8] {
    var request: [String: Any] = ["context": context, "plaintext": Self.text(of: plaintext)]
    request["suite"] = suite.rawValue
    request["log2"] = chunkSize.exponent
    let answer = try ask("seal-file", holder, request)
    guard let text = answer["file"] as? String else { throw Failure(description: "\(answer)") }
    return try Self.bytes(of: text)
  }

  private static func refusal(_ answer: [String: Any]) -> Outcome? {
    (answer["error"] as? String).map { .refused($0, names: answer["names"] as? [String] ?? []) }
  }

  private static func decode(_ texts: [String: String]?) throws -> [String: [UInt8]] {
    guard let texts else { throw Failure(description: "envelope.py gave no values") }
    return try texts.mapValues { try bytes(of: $0) }
  }

  static func bytes(of text: String) throws -> [UInt8] { try Envelope.bytes(ofText: "ek1:" + text) }

  static func text(of bytes: [UInt8]) -> String { String(Envelope.text(of: bytes).dropFirst(4)) }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

extension Sandbox {
  /// Writes a file of bytes that look random, the same for the same length and seed.
  @discardableResult
  func makeFile(_ name: String, byteCount: Int, seed: UInt64 = 1, mode: Int = 0o600) throws -> Data {
    var random = SplitMix64(seed: seed)
    // A prime length, so that no two chunks are the same.
    let block = Data(random.bytes(65_521))
    var bytes = Data(capacity: byteCount)
    while bytes.count < byteCount { bytes.append(block.prefix(byteCount - bytes.count)) }
    try bytes.write(to: URL(fileURLWithPath: path(name)))
    try setMode(mode, of: name)
    return bytes
  }

  /// Runs `envelope file` to its end.
  @discardableResult
  func file(_ arguments: String..., with variables: [String: String] = [:]) throws -> Outcome {
    try start(["file"] + arguments, with: variables).wait()
  }

  /// Makes `plain` and seals it as `sealed`.
  @discardableResult
  func sealFile(byteCount: Int = 200_000, _ arguments: String...) throws -> Data {
    let bytes = try makeFile("plain", byteCount: byteCount)
    try start(["file", "seal", "plain", "-o", "sealed", "--force"] + arguments).wait().succeeded()
    return bytes
  }

  /// Changes one byte of a file.
  func flip(_ offset: Int, of name: String) throws {
    var bytes = try readBytes(name)
    bytes[offset < 0 ? bytes.count + offset : offset] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path(name)))
  }

  /// Cuts a file, or appends zeros to it.
  func resize(_ name: String, to byteCount: Int) throws {
    try #require(unsafe truncate(path(name), off_t(byteCount)) == 0)
  }

  /// Expects that what commands created has a name of its own: no temporary file is left.
  func expectFiles(_ names: [String], _ location: SourceLocation = #_sourceLocation) throws {
    let found = try self.names(in: ".").filter { !$0.hasSuffix(".envelope-lock") }
    #expect(found == names.sorted(), sourceLocation: location)
  }
}

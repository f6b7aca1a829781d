// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// An attacker who can write every file and holds no key.
@Suite("SealedFile, altered", .timeLimit(.minutes(20))) struct SealedFileTamperingTests {
  let world: FileWorld

  init() throws { world = try FileWorld() }

  /// A file's header and sealed chunks.
  private struct Parts {
    var header: [UInt8]
    var chunks: [[UInt8]]

    var bytes: [UInt8] { header + chunks.joined() }
  }

  private func parts(of path: String, _ suite: AlgorithmSuite) throws -> Parts {
    let bytes = try bytes(of: path)
    let header = try SealedFile.header(of: path).bytes
    var (rest, chunks) = (bytes.dropFirst(header.count), [[UInt8]]())
    let size = 4096 + (suite == .aegis256 ? 32 : 16)
    while !rest.isEmpty {
      chunks.append(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return Parts(header: header, chunks: chunks)
  }

  private func expectRefused(
    _ bytes: [UInt8], _ codes: [EnvelopeError.Code] = [.payloadAltered], at comment: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try write(bytes, to: world.path("altered"))
    await world.expectRefused(world.path("altered"), codes, at: comment, sourceLocation: sourceLocation)
  }

  /// Where the chunks are altered: at the beginning, in the middle and at the end, in more than one stripe.
  private static let places = [0, 1, 63, 64, 65, 129]

  @Test(arguments: FileWorld.suites) func truncationIsRefused(suite: AlgorithmSuite) async throws {
    let path = try await world.seal(FileWorld.content(3 * 4096 + 100), suite: suite)
    let parts = try parts(of: path, suite)
    let (all, header, size) = (parts.bytes, parts.header.count, parts.chunks[0].count)
    for chunk in 0...3 {
      for offset in -34...34 {
        let end = header + chunk * size + offset
        guard end < all.count, end > 0 else { continue }
        try await expectRefused(Array(all[..<end]), [.payloadAltered, .malformed], at: "cut at \(chunk) \(offset)")
      }
    }
    for end in stride(from: 0, to: header, by: 7) {
      try await expectRefused(Array(all[..<end]), [.malformed, .fileFailure], at: "header cut at \(end)")
    }
  }

  @Test(arguments: FileWorld.suites) func chunksStayInTheirPlaces(suite: AlgorithmSuite) async throws {
    let path = try await world.seal(FileWorld.content(130 * 4096), suite: suite)
    let parts = try parts(of: path, suite)
    try #require(parts.chunks.count == 130)
    let foreign = try self.parts(of: await world.seal(FileWorld.content(130 * 4096), as: "other", suite: suite), suite)
    for place in Self.places {
      var altered = parts
      altered.chunks.remove(at: place)
      try await expectRefused(altered.bytes, at: "dropped \(place)")
      altered = parts
      altered.chunks.insert(parts.chunks[place], at: place)
      try await expectRefused(altered.bytes, at: "doubled \(place)")
      altered = parts
      altered.chunks.swapAt(place, place == 129 ? 128 : place + 1)
      try await expectRefused(altered.bytes, at: "swapped \(place)")
      altered = parts
      altered.chunks[place] = foreign.chunks[place]
      try await expectRefused(altered.bytes, at: "foreign \(place)")
    }
  }

  @Test(arguments: FileWorld.suites) func extensionIsRefused(suite: AlgorithmSuite) async throws {
    for length in [0, 1, 4096, 8192, 10_000] {
      let path = try await world.seal(FileWorld.content(length), suite: suite)
      let all = try bytes(of: path)
      for tail in [1, 15, 16, 17, 32, 33, 4096, 4112, 4128] {
        try await expectRefused(
          all + [UInt8](repeating: 0, count: tail), [.payloadAltered, .malformed], at: "\(length) and \(tail)")
      }
      try await expectRefused(all + all, [.payloadAltered, .malformed], at: "\(length) twice")
    }
  }

  @Test(arguments: FileWorld.suites) func flippedBitsAreRefused(suite: AlgorithmSuite) async throws {
    let path = try await world.seal(FileWorld.content(4096 + 300), suite: suite)
    let parts = try parts(of: path, suite)
    let all = parts.bytes
    let headerCodes: [EnvelopeError.Code] = [
      .malformed, .unsupportedVersion, .unsupportedSuite, .contextDiffers, .keyNotFound, .unwrapFailed, .headerAltered,
      .fileFailure,
    ]
    for position in all.indices where position < parts.header.count || position % 97 == 0 {
      var altered = all
      altered[position] ^= 1 << UInt8(position % 8)
      let isInHeader = position < parts.header.count
      try await expectRefused(altered, isInHeader ? headerCodes : [.payloadAltered], at: "flipped at \(position)")
    }
  }

  /// The chunk size is in the header, and bound to the data key.
  @Test func chunkSizeIsBound() async throws {
    let path = try await world.seal(FileWorld.content(100))
    var all = try bytes(of: path)
    for exponent in UInt8.min...UInt8.max where exponent != 12 {
      all[5] = exponent
      let codes: [EnvelopeError.Code] = (13...20).contains(exponent) ? [.headerAltered] : [.malformed]
      try write(all, to: world.path("altered"))
      await expectError(codes[0], at: "\(exponent)") { try await world.file(world.path("altered")) }
    }
  }
}

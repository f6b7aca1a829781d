// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@testable import EnvelopeKitFiles

/// Whatever is printed, dumped or reflected, no secret shows.
@Suite(.timeLimit(.minutes(20))) struct RedactionTests {
  @Test func noPublicTypeShowsASecret() async throws {
    let secret = (0..<32).map { UInt8(17 + $0 * 7) }
    let memory = try GuardedMemory(capacity: 32) { unsafe $0.append(secret.span.bytes) }
    let log = AuditLog(at: "/nowhere/keys.log", key: try WrappingKey(in: memory, at: 0))
    let checkpoint = try AuditLog.Checkpoint("0:" + String(repeating: "A", count: 43))
    let world = try FileWorld()
    let values: [(type: String, value: Any)] = [
      ("SealedFile", try await world.file(world.seal(secret))), ("FilePlace", FilePlace.standardInput),
      ("FileOptions", FileOptions()),
      ("AuditLog", log), ("Checkpoint", checkpoint), ("KeyStoreFile", try KeyStoreFile(at: "/nowhere/keys")),
    ]
    let needles = [
      secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), Data(secret).base64EncodedString(),
      Base64URL.encode(secret), secret[0..<4].map { String($0) }.joined(separator: ", "),
    ]
    #expect(shown(secret).contains(needles[3]))
    for (type, value) in values {
      let text = shown(value)
      for needle in needles { #expect(!text.contains(needle) && !text.contains(needle.prefix(12)), "\(type)") }
    }
    // A public type that is new must be put into the list.
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/EnvelopeKitFiles")
    let files = try #require(FileManager.default.enumerator(at: sources.standardized, includingPropertiesForKeys: nil))
    let declaration = /public (?:[a-z]+ )*(?:struct|class|actor|enum|protocol) (\w+)/
    var names: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      names.formUnion(text.matches(of: declaration).map { String($0.output.1) })
    }
    #expect(names.count >= 3 && names.subtracting(values.map(\.type)) == [])
  }
}

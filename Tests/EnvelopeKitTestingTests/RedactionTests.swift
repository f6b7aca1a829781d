// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EnvelopeKitTesting

/// Whatever of this module is printed, dumped or reflected, no key shows.
@Suite(.timeLimit(.minutes(20))) struct RedactionTests {
  /// Public types that nothing can be said about: there are no instances.
  private static let unprintable: Set<String> = ["KeyringConformance"]

  /// Instances of every other public type, of one service with one key.
  private static func instances(
    _ service: FakeKeyService, _ key: KeyID
  ) async throws -> [(type: String, value: Any)] {
    let keyring = service.keyring(for: "alias/a", alsoUnwrappingWith: [key.string])
    let grant = try service.createGrant(on: key, to: "somebody", for: [.decrypt])
    _ = try await keyring.generateDataKey(for: [:])
    let broken = BrokenKeyring(try KeysetKeyring(.generate()), .leaksKey(.hexadecimal))
    let failures = await KeyringConformance.failures(of: broken)
    let failure = try #require(failures.first)
    return [
      ("FakeKeyService", service), ("FakeKeyring", keyring), ("Grant", grant), ("KeyState", try service.state(of: key)),
      ("GrantConstraint", FakeKeyService.GrantConstraint.encryptionContextEquals(["a": "b"])),
      ("Principal", FakeKeyService.Principal.owner), ("Operation", FakeKeyService.Operation.decrypt),
      ("Fault", FakeKeyService.Fault.throttling), ("Call", try #require(service.calls.first)),
      ("Outcome", FakeKeyService.Call.Outcome.pending),
      ("Role", KeyringConformance.Role.wrapsOnly(unwrappedBy: keyring)),
      ("Options", KeyringConformance.Options()), ("Check", KeyringConformance.Check.wrap), ("Failure", failure),
      ("NotConforming", KeyringConformance.NotConforming(failures: failures)),
    ]
  }

  @Test func noKeyIsShown() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    try service.rotate(key)
    let material = try #require(service.state.withLock { $0.keys[key]?.material })
    #expect(material.count == 2)
    for (type, value) in try await Self.instances(service, key) {
      for value: Any in [value, [value], ["key": value], Optional(value) as Any, (1, value)] {
        let text = shown(value)
        for version in material {
          #expect(try version.withBytes { (key) throws(EnvelopeError) in !KeySearch.shows(text, key) }, "\(type)")
        }
      }
    }
    // What the service keeps inside shows none either, should somebody get hold of it.
    let inside = service.state.withLock { shown($0) }
    for version in material {
      #expect(try version.withBytes { (key) throws(EnvelopeError) in !KeySearch.shows(inside, key) })
    }
    #expect(shown(service).contains("FakeKeyService(1 keys)"))
    #expect(Mirror(reflecting: service).children.isEmpty)
    #expect(Mirror(reflecting: service.keyring(for: key)).children.map(\.label) == ["names"])
  }

  /// A public type that is new here must be put into one of the two lists.
  @Test func everyPublicTypeIsChecked() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    let sources = root.appending(path: "Sources/EnvelopeKitTesting")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let declaration = /public (?:[a-z]+ )*(?:struct|class|actor|enum|protocol) (\w+)/
    var names: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      names.formUnion(text.matches(of: declaration).map { String($0.output.1) })
    }
    #expect(names.count > 12)
    let service = try FakeKeyService()
    let checked = Set(try await Self.instances(service, service.createKey(alias: "alias/a")).map(\.type))
    #expect(names.subtracting(checked.union(Self.unprintable)) == [])
  }
}

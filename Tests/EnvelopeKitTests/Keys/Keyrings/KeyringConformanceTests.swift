// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitTesting
import Testing

@testable import EnvelopeKit

/// The keyrings of this module keep what a keyring promises.
@Suite(.timeLimit(.minutes(20))) struct KeyringConformanceTests {
  private static func options(stranger: any Keyring) -> KeyringConformance.Options {
    var options = KeyringConformance.Options()
    options.stranger = stranger
    return options
  }

  @Test func anIdentityConforms() async throws {
    let keyring = KeysetKeyring(try .generate(.identity).rotated())
    let options = Self.options(stranger: KeysetKeyring(try .generate(.identity)))
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
  }

  @Test func aRecipientsKeyringConforms() async throws {
    let identities = try (0..<2).map { _ in try Keyset.generate(.identity) }
    var options = Self.options(stranger: KeysetKeyring(try .generate(.identity)))
    options.role = .wrapsOnly(unwrappedBy: KeysetKeyring(identities[0], alsoUnwrappingWith: [identities[1]]))
    let keyring = try RecipientKeyring(identities.map { try $0.recipient() })
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
  }

  @Test func aKeysetAndAnIdentityTogetherConform() async throws {
    let keyring = try MultiKeyring(
      [KeysetKeyring(.generate()), KeysetKeyring(.generate(.identity))] as [any Keyring])
    let options = Self.options(stranger: KeysetKeyring(try .generate()))
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
  }

  @Test func aKeysetAndABreakGlassRecipientConform() async throws {
    let (local, identity) = (try Keyset.generate(), try Keyset.generate(.identity))
    let keyring = try MultiKeyring(
      [KeysetKeyring(local), RecipientKeyring([identity.recipient()])] as [any Keyring])
    var options = Self.options(stranger: KeysetKeyring(try .generate()))
    options.role = .wrapsOnly(unwrappedBy: KeysetKeyring(local, alsoUnwrappingWith: [identity]))
    // It unwraps one of the two entries, so of a keyring that only wraps it breaks that promise and no other.
    let failures = await KeyringConformance.failures(of: keyring, options: options)
    #expect(failures.map(\.check) == [.role])
  }

  @Test func anObservedKeyringConforms() async throws {
    let recorder = EventRecorder()
    let keyring = ObservedKeyring(KeysetKeyring(try .generate()), observer: recorder)
    let options = Self.options(stranger: KeysetKeyring(try .generate()))
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
    #expect(recorder.events.count > 100)
  }

  @Test func aNarrowedKeyConforms() async throws {
    var store = KeyStore()
    try store.add(.generate(), alias: "whole")
    var options = Self.options(stranger: KeysetKeyring(try .generate()))
    options.isLimitedToContext = true
    let function = try #require(options.context.function)
    let narrowed = try store.exporting("whole", narrowedTo: [FunctionScope(function: function)])
    #expect(await KeyringConformance.failures(of: try narrowed.keyring(), options: options) == [])
  }

  @Test func aPassphraseConforms() async throws {
    let keyring = try PassphraseKeyring(SecretBytes(Array("correct horse".utf8)), cost: .cheap)
    var options = Self.options(
      stranger: try PassphraseKeyring(SecretBytes(Array("correct Horse".utf8)), cost: .cheap))
    // An altered cost may be one that is not allowed.
    options.refusalCodes.insert(.malformed)
    let failures = await KeyringConformance.failures(of: keyring, options: options)
    // A passphrase stands alone in its header: beside other entries it is not looked at.
    #expect(Set(failures.map(\.check)) == [.foreignEntries])
  }
}

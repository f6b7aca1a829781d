// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// An attacker who can write every document and holds no key: random edits, each of which opening must refuse, or
/// return exactly what was sealed together once.
@Suite(.timeLimit(.minutes(20))) struct AttackerModelTests {
  /// What was sealed together, and what opening returns of it.
  private struct Original {
    let variables: [String: String]
    let plain: [String: String]
    let secrets: [String: String]

    var document: [String: String] { variables.merging(plain) { $1 } }
  }

  /// The documents of one function, in the order they were written, and those of another.
  private struct World {
    var own: [Original] = []
    var foreign: [Original] = []

    var all: [Original] { own + foreign }
  }

  private let keyring: KeysetKeyring
  private static let context: EncryptionContext = ["function": "checkout"]

  init() throws { keyring = KeysetKeyring(try .generate()) }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed], 1...2)
  func noEditIsAccepted(form: SealedEnvironment.Form, seed: Int) async throws {
    var random = SplitMix64(seed: UInt64(seed))
    let world = try await world(form)
    var (refusals, accepted, untouched) = ([:] as [EnvelopeError.Code: Int], 0, 0)
    for number in 0..<25_000 {
      let start = random.element(of: world.own)
      var document = start.document
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        DocumentEdit.random(using: &random).apply(to: &document, from: world.all.map(\.document), using: &random)
      }
      do {
        let sealed = try SealedEnvironment(document: document)
        let opened = try await sealed.open(context: Self.context, using: keyring)
        let (secrets, plain) = (try opened.strings, try #require(try sealed.plain?.strings))
        // A whole older document opens, as the threat model says.
        let isOriginal = world.own.contains { $0.secrets == secrets && $0.plain == plain }
        #expect(isOriginal, "edit \(number) of seed \(seed): \(document)")
        accepted += 1
        untouched += document == start.document ? 1 : 0
      } catch let error as EnvelopeError {
        refusals[error.code, default: 0] += 1
      }
      if number.isMultiple(of: 50) { try await checkRewrites(of: document, from: world) }
      // The reader of a process compares no plain variable, and returns none.
      guard let opened = try? await SealedEnvironment(variables: document).open(context: Self.context, using: keyring)
      else { continue }
      let secrets = try opened.strings
      #expect(world.own.contains { $0.secrets == secrets }, "edit \(number) of seed \(seed): \(document)")
    }
    // The edits reach every check, and some undo each other.
    var expected: Set<EnvelopeError.Code> = [
      .plainVariablesAltered, .malformed, .contextDiffers, .headerAltered, .noHeader,
    ]
    expected.formUnion(
      form == .packed ? [.payloadAltered] : [.variablesAltered, .variablesAdded, .variablesMissing, .variablePutBack])
    #expect(expected.isSubset(of: refusals.keys), "\(refusals)")
    #expect(untouched < accepted && accepted < 8_000, "\(accepted) accepted, \(untouched) of them untouched")
  }

  /// What does not open is neither rewrapped nor resealed, and a result opens to what was sealed together once.
  private func checkRewrites(of document: [String: String], from world: World) async throws {
    guard let sealed = try? SealedEnvironment(document: document) else { return }
    let opens = (try? await sealed.open(context: Self.context, using: keyring)) != nil
    let rewrapped = try? await sealed.rewrapped(
      Rewrapping(adding: KeysetKeyring(.generate())), context: Self.context, using: keyring)
    let resealed = try? await sealed.resealed(context: Self.context, using: keyring, sealingWith: keyring)
    #expect((rewrapped != nil) == opens && (resealed != nil) == opens, "\(document)")
    for result in [rewrapped, resealed].compactMap({ $0 }) {
      let secrets = try await result.open(context: Self.context, using: keyring).strings
      let plain = try #require(try result.plain?.strings)
      #expect(world.own.contains { $0.secrets == secrets && $0.plain == plain }, "\(document)")
    }
  }

  private func world(_ form: SealedEnvironment.Form) async throws -> World {
    var world = World()
    for function in ["checkout", "refunds"] {
      let context: EncryptionContext = ["function": function]
      var secrets = ["API_KEY": "one of \(function)", "TOKEN": "t", "EMPTY": ""]
      var plain = ["DATABASE_HOST": "db.\(function)", "LOG_LEVEL": "info"]
      var sealed = try await SealedEnvironment.seal(secrets, beside: plain, as: form, context: context, using: keyring)
      var originals = [Original(variables: sealed.variables, plain: plain, secrets: secrets)]
      for step in 1...3 {
        secrets["API_KEY"] = "key \(step) of \(function)"
        if step == 2 { plain["DATABASE_HOST"] = "db2.\(function)" }
        if step == 3 { (secrets["TOKEN"], plain["TOKEN2"]) = (nil, "plain") }
        sealed = try await sealed.updated(
          to: OpenedEnvironment(secrets), beside: OpenedEnvironment(plain), context: context, using: keyring)
        originals.append(Original(variables: sealed.variables, plain: plain, secrets: secrets))
      }
      // Sealed anew, under another data key, and once with nothing plain.
      for plain in [plain, [:]] {
        let anew = try await SealedEnvironment.seal(secrets, beside: plain, as: form, context: context, using: keyring)
        originals.append(Original(variables: anew.variables, plain: plain, secrets: secrets))
      }
      if function == "checkout" { world.own = originals } else { world.foreign = originals }
    }
    return world
  }
}

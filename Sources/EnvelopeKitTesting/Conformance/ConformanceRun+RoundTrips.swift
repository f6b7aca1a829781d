// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension ConformanceRun {
  /// What keyrings are there for.
  mutating func checkRoundTrips() async {
    // Envelopes add a pair to the context, for which a keyring of one context is not made.
    guard !options.isLimitedToContext else { return }
    await checkRoundTrip("An envelope") { writer, reader, context in
      let envelope = try await Envelope.seal(Self.value, context: context, authenticating: [1], using: writer)
      guard let reader else { return true }
      let opened = try await Envelope.open(
        envelope, context: context, authenticating: [1], using: reader, anonymousSender: .accepted)
      return opened.withBytes { [UInt8](copying: $0) } == Self.value
    }
    await checkRoundTrip("A value of a sealer") { writer, reader, context in
      let sealer = try await Sealer(context: context, using: writer)
      let envelopes = [try sealer.seal(Self.value, authenticating: [1]), try sealer.seal([], authenticating: [2])]
      guard let reader else { return true }
      let opener = try await Opener(
        for: envelopes[0], context: context, using: reader, anonymousSender: .accepted)
      let first = try opener.open(envelopes[0], authenticating: [1])
      let second = try opener.open(envelopes[1], authenticating: [2])
      return first.withBytes { [UInt8](copying: $0) } == Self.value && second.byteCount == 0
    }
    for (name, form) in [("An environment", SealedEnvironment.Form.separate), ("A packed environment", .packed)] {
      await checkRoundTrip(name) { writer, reader, context in
        let sealed = try await SealedEnvironment.seal(["NAME": "value"], as: form, context: context, using: writer)
        guard let reader else { return true }
        let read = try SealedEnvironment(variables: sealed.variables)
        let opened = try await read.open(context: context, using: reader, anonymousSender: .accepted)
        return try opened.require("NAME").revealingString() == "value"
      }
    }
  }

  /// What is sealed; no secret.
  private static let value = Array("a value".utf8)

  private mutating func checkRoundTrip(
    _ name: String, _ body: (any Keyring, (any Keyring)?, EncryptionContext) async throws -> Bool
  ) async {
    do {
      if !(try await body(writer, reader, context)) { fail(.roundTrip, "\(name) did not open to what was sealed") }
    } catch {
      fail(.roundTrip, "\(name) was not sealed and opened: the keyring or EnvelopeKit", threw: error)
    }
  }
}

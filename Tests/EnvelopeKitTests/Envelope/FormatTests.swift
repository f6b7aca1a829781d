// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Envelopes of format version 1 that open in every release; never change them.
///
/// They were not made by this code: a Python script wrote them from the format's description, with `hashlib` for
/// BLAKE2b and libsodium for the ciphers. Wrapping key, data key, salts and nonces are fixed.
@Suite(.timeLimit(.minutes(20))) struct FormatTests {
  private let context: EncryptionContext = ["stage": "prod", "function": "checkout"]
  private let values = ["API_KEY": "k-123", "EMPTY": "", "_z": "é"]

  private func keyring() throws -> KeysetKeyring {
    let secret = Planted.wrappingKey
    let memory = try GuardedMemory(capacity: 32) { (output) throws(EnvelopeError) in
      unsafe output.append(secret.span.bytes)
    }
    let version = Keyset.Version(number: 1, created: 0, keys: [try WrappingKey(in: memory, at: 0)])
    return KeysetKeyring(try Keyset(id: KeyID("abcdefghijkl"), versions: [version], primary: 1))
  }

  @Test func aValue() async throws {
    let text =
      "ek1:RUsBAQEBBgsQFRofJCkuMzg9QkdMKWWsYgEBDmFiY2RlZmdoaWprbC4xAEgCBwwRFhsgJSovNDk-Q0hNUldcYWZrcHWfDfhK"
      + "6Rru6noHaP-7bU4mcWpK58i0C5LsEN5XG3eIvb201r4XVP8y3_O3d0d_VErSscXg7gPNykU_BAG92qqSM5NSFLutJJuP08Co27b8"
      + "6Fb7xM3oidA6BBqKYw8u6NEDCA0SFxwhJiswNTo_RElOU1hdYmdscXYeXLzJGrTf9y4TticFhROAC7LDJASFU5syIFB9Z8c"
    let opened = try await Envelope.open(
      Envelope.bytes(ofText: text), context: ["table": "tokens"], authenticating: Array("row 17".utf8),
      using: keyring())
    #expect(opened.copy() == Array("attack at dawn".utf8))
  }

  @Test func anEnvironment() async throws {
    let variables = [
      "ENVELOPE_HEADER":
        "ek1:RUsBAgEECQ4TGB0iJywxNjtARUpPJXkG6AEBDmFiY2RlZmdoaWprbC4xAEgFCg8UGR4jKC0yNzxBRktQVVpfZGluc3j2qxnw"
        + "bs6tHmk9kn6fT_Qp-V24b2sOmlzaEsgl4kgRKjBG-m5BnWoiEk4s_kYcqBLEMy1lKzx5DklL7TP41HHLfK6-tSV8esrZpfDgD5oO"
        + "6AdqcDH2aso0v_Dbp2DYnM9lU_EAAAOz0kSD9Sb4OndAKG9YvaNfLBMRco6INnk7VWINVj5xtw",
      "API_KEY": "ev1:BgsQFRofJCkuMzg90C0vocGGQZsyDOgq4qojNZrJlu6b",
      "EMPTY": "ev1:BwwRFhsgJSovNDk-Gaj4N2vwS5aBygVAnqDZQw",
      "_z": "ev1:CA0SFxwhJiswNTo_vUKs_8NAPDM3gz_dui5abWOM",
    ]
    let opened = try await SealedEnvironment(variables: variables).open(context: context, using: keyring())
    #expect(try opened.strings == values)
    #expect(opened.generation == 1_700_000_000)
    #expect(try SealedEnvironment(variables: variables).variables == variables)
  }

  @Test func aPackedEnvironment() async throws {
    let text =
      "ek1:RUsBAwEJDhMYHSInLDE2O0BFSk9U4ybG-wEBDmFiY2RlZmdoaWprbC4xAEgKDxQZHiMoLTI3PEFGS1BVWl9kaW5zeH3SaT1z"
      + "h3jY6S8cUPgkOx2TvVgv94FUsWaHTyQ2iTz_flnjMQz5Ee5d8IKbu4DE8pXjCjOgH7t2oG65GNwsfd8vqZ5Fm4hSxYDjg32x_0k2"
      + "mJBB3Wau10EY1c2K4XgTMIJlU_EACxAVGh8kKS4zOD1CR0xRVltgZWpvdHl-mvt88Klmi6gSRaQONzvx8a_0Tdm-DL6zfY6mbANG"
      + "O24cMG9iv3YbV4ovNTQ1I4qQFwmb"
    let sealed = try SealedEnvironment(variables: ["ENVELOPE_SEALED": text])
    let opened = try await sealed.open(context: context, using: keyring())
    #expect(try opened.strings == values)
    #expect(opened.generation == 1_700_000_000)
    #expect(sealed.variables == ["ENVELOPE_SEALED": text])
  }
}

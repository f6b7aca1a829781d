import EnvelopeKit
import Testing
@Test func t() async throws {
  let k = KeysetKeyring(try Keyset.generate())
  let s = try await SealedEnvironment.seal(["A": "hello", "DATABASE_URL": "postgres://x"], context: ["function": "f"], using: k)
  print(s.variables)
  let o = try await HandlerSecrets.open(using: k, function: "f", variables: s.variables)
  print(o, try o.require("A").revealingString(), o.isLocked)
  let p = try await SealedEnvironment.seal(["A": "hello", "DATABASE_URL": "postgres://x"], as: .packed, context: ["function": "f"], using: k)
  print(try SealedEnvironment(variables: p.variables) == p, try await p.open(context: ["function": "f"], using: k).names)
  dump(o)
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// The other tests mean something only where this one passes.
@Suite("The command that the tests run", .timeLimit(.minutes(20)))
struct HarnessTests {
  @Test func wasBuiltWithItsTrait() throws {
    let result = try Sandbox().envelope("--version")
    #expect(result.ending == .exit(0), "The command envelope was built without its trait: run Tests/run")
  }
}

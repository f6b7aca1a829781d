// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct ContextSearchTests {
  /// Certificates that `envelope.yaml` names lie beside it, whatever folder a call is made in, for a function or none.
  @Test(arguments: ["app", nil])
  func pathsOfTheConfigurationBeginAtItsFolder(function: String?) throws {
    var configuration = Configuration()
    configuration.folder = Path("/etc/shop")
    configuration.fallback.keyService.caBundle = "own.pem"
    func bundle(flag: String? = nil) throws -> String? {
      try ContextSearch(
        function: function, isForNoFunction: function == nil, context: [],
        keyService: KeyServiceSettings(caBundle: flag), configuration: configuration
      ).candidates[0].keyService.caBundle
    }
    #expect(try bundle() == "/etc/shop/own.pem")
    #expect(try bundle(flag: "here.pem") == "here.pem")
    configuration.fallback.keyService.caBundle = "/root.pem"
    #expect(try bundle() == "/root.pem")
  }
}

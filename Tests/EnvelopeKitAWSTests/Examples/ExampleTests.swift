// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// What the README shows does what it says there.
  @Suite(.timeLimit(.minutes(20))) struct ExampleTests {
    @Test func cachesAndSealers() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let keyring = try test.keyring(key.arn)
      let envelope = try await KMSExamples.seal([1, 2], for: "ada", using: keyring)
      let cache = try KMSExamples.cache(keyring)
      for _ in 0..<2 {
        let opened = try await Envelope.open(
          envelope, context: ["customer": "ada"], authenticating: Array("row 17".utf8), using: cache)
        #expect(opened.withBytes { [UInt8](copying: $0) } == [1, 2])
      }
      #expect(try await test.account.counts().operations == ["GenerateDataKey", "Decrypt"])
    }

    @Test func valuesOfTheConsole() async throws {
      let (service, key, test) = (try KeyService.shared, try await KeyService.key(), try TestClient())
      var variables = [
        "AWS_LAMBDA_FUNCTION_NAME": "checkout", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
      ]
      for name in ["DB_PASSWORD", "API_KEY"] {
        let made = try await service.encrypt(
          Data(name.utf8), under: key.arn, context: ["LambdaFunctionName": "checkout"])
        variables[name] = made.ciphertext.base64EncodedString()
      }
      let secrets = try await KMSExamples.helperValues(client: test.client, variables: variables)
      #expect(try secrets.require("API_KEY").revealingString() == "API_KEY")
    }
  }
#endif

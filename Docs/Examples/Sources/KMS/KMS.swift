// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// The tests build this with the trait AWS, and run it: see Tests/EnvelopeKitAWSTests/Examples.
#if AWS
  import EnvelopeKit
  import EnvelopeKitAWS

  enum KMSExamples {
    static func handler() async -> OpenedEnvironment {
      await HandlerSecrets.runOrExit {
        let keyring = try KMSKeyring("alias/checkout", client: KMSClient())
        let secrets = try await HandlerSecrets.open(using: keyring)  // one call to AWS KMS
        return secrets
      }
    }

    static func cache(_ keyring: KMSKeyring) throws -> CachingKeyring {
      let cache = try CachingKeyring(keyring, maximumAge: .seconds(300), graceTime: .seconds(3600)) { stale in
        guard let failure = stale.failure else { return }  // AWS KMS has not responded yet
        print("AWS KMS is down (\(failure)); a key is used \(stale.overdue) beyond its time")
      }
      return cache
    }

    static func seal(_ row: [UInt8], for customer: String, using keyring: KMSKeyring) async throws -> [UInt8] {
      let sealer = try CachingSealer(using: keyring, maximumAge: .seconds(300), messageLimit: 10_000)
      let envelope = try await sealer.seal(row, context: ["customer": customer], authenticating: Array("row 17".utf8))
      return envelope
    }

    static func helperValues(client: KMSClient, variables: [String: String]? = nil) async throws -> OpenedEnvironment {
      let helper = try ConsoleHelper(client: client, accounts: KMSKeyring.Accounts(["123456789012"]))
      let opened = try await helper.open(["DB_PASSWORD", "API_KEY"], variables: variables)
      return opened.secrets
    }
  }
#endif

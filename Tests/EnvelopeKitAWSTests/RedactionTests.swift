// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Whatever is printed, dumped or reflected, no secret shows.
  @Suite(.timeLimit(.minutes(20))) struct RedactionTests {
    private let secret = "wJalrXUtnFEMI-K7MDENG-planted"

    @Test func noPublicTypeShowsASecret() async throws {
      let credentials = try AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: secret, sessionToken: secret)
      var configuration = KMSClient.Configuration()
      configuration.credentials = credentials
      let client = try KMSClient(
        configuration,
        variables: ["AWS_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": secret, "AWS_ACCESS_KEY_ID": "A"])
      let looking = try KMSClient(
        KMSClient.Configuration(),
        variables: ["AWS_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": secret, "AWS_ACCESS_KEY_ID": "A"])
      _ = try await looking.credentials.credentials()
      let opened = ConsoleHelper.Opened(secrets: try OpenedEnvironment(["A": secret]), withoutContext: [])
      let accounts = KMSKeyring.Accounts(["111122223333"])
      let values: [Any] = [
        credentials, configuration, client, looking, try KMSKeyring("alias/a", client: looking),
        try ConsoleHelper(client: looking, accounts: accounts), accounts, opened,
      ]
      for value in values {
        let text = shown(value)
        #expect(!text.contains(secret) && !text.contains(String(secret.prefix(8))), "\(type(of: value))")
      }
    }
  }
#endif

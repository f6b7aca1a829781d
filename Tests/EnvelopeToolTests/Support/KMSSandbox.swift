// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import TestSupport

  /// A folder of a test's own whose commands reach the test server as AWS KMS, with an account of their own.
  struct KMSSandbox {
    let service: KeyService
    let account: KeyService.Account
    let sandbox: Sandbox

    init() throws {
      service = try KeyService.shared
      account = service.account()
      sandbox = try Sandbox()
      sandbox.environment.merge([
        "AWS_ACCESS_KEY_ID": account.id, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": try service.url("url"), "AWS_CA_BUNDLE": try service.url("ca"),
      ]) { $1 }
    }
  }
#endif

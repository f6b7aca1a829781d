// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit

  @testable import EnvelopeKitAWS

  extension CredentialSource {
    /// A source with these variables alone, which pauses for nothing between attempts.
    init(variables: [String: String], profile: String? = nil, trustRoots: String? = nil) throws(EnvelopeError) {
      let web = try WebClient(trustRoots: trustRoots)
      let limits = AWSService.Limits(attemptTimeout: .seconds(300), deadline: .seconds(600), attemptLimit: 3)
      self.init(
        environment: AWSEnvironment(variables: variables, profile: profile), web: web,
        sts: STS(
          region: "us-east-1", web: web, limits: limits, timing: KMSClient.Timing(sleep: { _ in }),
          allowsInsecureLoopbackHTTP: false), metadataLimits: .patient)
    }
  }

  extension MetadataService.Limits {
    /// As long as a busy machine may need, without pauses.
    static var patient: Self {
      MetadataService.Limits(
        connection: .seconds(200), attempt: .seconds(300), total: .seconds(600), sleep: { _ in })
    }
  }

  extension AWSCredentials {
    /// The secret access key, copied where nobody wipes it.
    var copiedSecret: String {
      get throws {
        try withSecretAccessKey { (bytes) throws(EnvelopeError) in
          String(decoding: [UInt8](copying: bytes), as: UTF8.self)
        }
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  /// A difference from botocore that is meant, and that `Docs/AWS.md` lists by its name.
  struct AllowedDifference: Sendable {
    let name: String
    let explains: @Sendable (EnvironmentComparison) -> Bool

    init(_ name: String, _ explains: @escaping @Sendable (EnvironmentComparison) -> Bool) {
      (self.name, self.explains) = (name, explains)
    }

    /// A difference by which this library refuses an environment, with one of these texts in its error.
    private init(_ name: String, refusing texts: String...) {
      self.init(name) { comparison in
        texts.contains { comparison.ours.refusal != nil && (comparison.ours.error ?? "").contains($0) }
      }
    }

    /// A difference by which botocore fails with one of these texts in its exception.
    private init(_ name: String, failing texts: String...) {
      self.init(name) { comparison in texts.contains { (comparison.botocore.error ?? "").contains($0) } }
    }

    static let all = [
      // These two change what is expected: see aws_environments.py.
      AllowedDifference("AWS_REGION") { _ in false },
      AllowedDifference("Empty variables") { _ in false },
      AllowedDifference("Two profile variables", refusing: "AWS_PROFILE names the profile"),
      AllowedDifference("FIPS or dual stack beside an endpoint", refusing: "demanded, and the endpoint"),
      AllowedDifference("Half of an access key", refusing: "and no aws_access_key_id for the profile"),
      AllowedDifference("Shared files that are no files", refusing: "is not a file. Give the path of a file"),
      AllowedDifference("Lines that tools read differently", refusing: ", line ", "has two sections for one profile"),
      AllowedDifference("Names of Regions", refusing: "is not the name of an AWS Region"),
      AllowedDifference("Addresses of endpoints", refusing: "is not https:// and a host", "is not HTTPS"),
      AllowedDifference("Metadata that fails") { comparison in
        comparison.ours.refusal == "unavailable" && comparison.botocore.refusal != nil
      },
      AllowedDifference("Byte order marks") { $0.tags.contains("file-byte-order-mark") },
      AllowedDifference("Brackets in comments") { $0.tags.contains("header-comment-bracket") },
      AllowedDifference("Settings of metadata", failing: "InvalidIMDSEndpointMode"),
      AllowedDifference("Dual stack in some partitions", failing: "EndpointVariantError"),
      AllowedDifference("Credentials that have expired", failing: "refreshed credentials are still expired"),
      AllowedDifference("Line feeds in a container's token", failing: "not a legal header value"),
      AllowedDifference("Characters of access keys", refusing: "The AWS credentials have a part that is empty"),
      AllowedDifference("Durations of roles", refusing: "has a duration_seconds"),
      AllowedDifference("Files of boto 2") { ["ec2-credentials-file", "boto-config"].contains($0.botocore.method) },
    ]
  }
#endif

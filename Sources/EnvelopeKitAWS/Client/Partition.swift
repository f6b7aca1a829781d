// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  /// A group of AWS Regions that share accounts, ARNs and DNS suffixes.
  ///
  /// Source: partitions.json of AWS's SDKs. A Region that fits no partition belongs to `aws`, as it does for them.
  struct Partition: Sendable {
    /// As ARNs have it, such as `aws-cn`.
    let name: String
    private let regionPrefix: String
    private let dnsSuffix: String
    private let dualStackSuffix: String

    /// Finds the partition of a Region.
    init(of region: String) { self = Self.others.first { region.hasPrefix($0.regionPrefix) } ?? Self.aws }

    /// The host of a service in a Region.
    func host(of service: String, in region: String, isFIPS: Bool, isDualStack: Bool) -> String {
      "\(service)\(isFIPS ? "-fips" : "").\(region).\(isDualStack ? dualStackSuffix : dnsSuffix)"
    }

    private static let aws = Partition("aws", "", "amazonaws.com", "api.aws")

    private static let others = [
      Partition("aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
      Partition("aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"),
      Partition("aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
      Partition("aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
      Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
      Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
      Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ]

    private init(_ name: String, _ regionPrefix: String, _ dnsSuffix: String, _ dualStackSuffix: String) {
      (self.name, self.regionPrefix) = (name, regionPrefix)
      (self.dnsSuffix, self.dualStackSuffix) = (dnsSuffix, dualStackSuffix)
    }
  }
#endif

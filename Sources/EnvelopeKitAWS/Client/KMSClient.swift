// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  public import EnvelopeKit
  internal import EnvelopeKitFiles
  internal import Synchronization

  /// Speaks to AWS KMS in one Region: JSON 1.1 over HTTPS, signed with Signature Version 4.
  ///
  /// TLS is 1.2 or newer, with certificate and host name verified; no redirect is followed. Make one and share it:
  /// it keeps its connections and its credentials, which are found at the first request. What is not configured
  /// comes from where AWS's tools take it: Region and credentials from variables, then the profile; the rest from
  /// variables.
  public final class KMSClient: Sendable {
    /// How to reach AWS KMS; what is nil is looked for when the client is made.
    public struct Configuration: Sendable {
      /// The Region; else `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile's.
      public var region: String?
      /// The profile in the shared files; else `AWS_PROFILE`, or `default`.
      ///
      /// Naming one here passes over the credentials in variables.
      public var profile: String?
      /// An origin such as `https://vpce-1234.kms.eu-central-1.vpce.amazonaws.com`, for VPC, FIPS and local endpoints;
      /// else `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`, or the Region's own.
      public var endpoint: String?
      /// A file of certificates in PEM that are trusted instead of the system's; else `AWS_CA_BUNDLE`.
      public var caBundle: String?
      /// An access key that the caller has; nil looks where AWS's tools look.
      public var credentials: AWSCredentials?
      /// Takes an `http://` endpoint on this machine, where nothing is encrypted: for a local test service alone.
      public var allowsInsecureLoopbackHTTP = false
      /// How long one try may take, from the connection to the last byte; at most a day.
      public var tryTimeout = Duration.seconds(2)
      /// How long a call may take with all its tries and the waits between them; at most a day.
      ///
      /// Where credentials have to be looked for first, that may take up to four seconds more.
      public var deadline = Duration.seconds(6)
      /// How often a call is tried where the service is throttled, fails inside, or cannot be reached.
      public var tryLimit = 4

      /// Leaves everything to the surroundings.
      public init() {}
    }

    /// The Region that keys are looked for in.
    public let region: String

    let configuration: Configuration
    let endpoint: Endpoint
    let web: WebClient
    let credentials: CredentialCache
    let timing: Timing

    /// Time and chance, which tests replace.
    struct Timing: Sendable {
      var now: @Sendable () -> ContinuousClock.Instant = { .now }
      var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
      /// A number from 0 up to 1.
      var chance: @Sendable () -> Double = { .random(in: 0..<1) }
      /// Seconds since 1970.
      var wallClock: @Sendable () -> UInt64 = { Clock.now }
    }

    /// Finds Region, endpoint and trusted authorities; nothing is sent.
    ///
    /// - Throws: `invalidArgument` where no Region is to be found, the endpoint is not an HTTPS origin, a limit is
    ///   not positive or too long, or the CA bundle holds no certificate; `fileFailure` where a file cannot be read.
    public convenience init(_ configuration: Configuration = Configuration()) throws(EnvelopeError) {
      try self.init(configuration, variables: ProcessEnvironment.variables(), timing: Timing())
    }

    init(
      _ configuration: Configuration, variables: [String: String], timing: Timing = Timing()
    ) throws(EnvelopeError) {
      let day = Duration.seconds(86400)
      guard configuration.tryTimeout > .zero, configuration.deadline > .zero, configuration.tryLimit > 0,
        configuration.tryTimeout <= day, configuration.deadline <= day
      else {
        throw EnvelopeError(
          .invalidArgument, "The client's timeout, deadline and attempts must be positive, and the times at most a day")
      }
      let surroundings = Surroundings(variables: variables, profile: configuration.profile)
      var found = configuration.region ?? surroundings.variable("AWS_REGION", "AWS_DEFAULT_REGION")
      if found == nil { found = try surroundings.setting("region") }
      guard let region = found else {
        let looked = surroundings.chosenProfile.map { ": the profile \(EnvelopeError.quoted($0)) names none" } ?? ""
        throw EnvelopeError(
          .invalidArgument, "No AWS Region\(looked)", advice: "Name it, or set AWS_REGION.")
      }
      guard Self.isRegion(region) else {
        throw EnvelopeError(.invalidArgument, "\(EnvelopeError.quoted(region)) is not the name of an AWS Region")
      }
      self.region = region
      let given = configuration.endpoint ?? surroundings.variable("AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL")
      for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"]
      where given == nil && surroundings.variable(name)?.lowercased() == "true" {
        throw EnvelopeError(
          .invalidArgument, "\(name) is set, and the endpoint is not known", advice: "Name it: https://HOST")
      }
      endpoint = try Endpoint(
        given ?? Self.origin(of: region),
        plainHTTP: configuration.allowsInsecureLoopbackHTTP ? .toLoopback : .toNobody)
      let web = try WebClient(
        trustRoots: configuration.caBundle ?? surroundings.variable("AWS_CA_BUNDLE"))
      self.web = web
      self.configuration = configuration
      self.timing = timing
      if let given = configuration.credentials {
        credentials = CredentialCache(now: timing.wallClock) { given }
      } else {
        let source = CredentialSource(surroundings: surroundings, web: web)
        credentials = CredentialCache(now: timing.wallClock) { try await source.find() }
      }
    }

    private static func isRegion(_ name: String) -> Bool {
      (1...63).contains(name.utf8.count)
        && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit || $0.isLetter && $0 | 0x20 == $0 }
    }

    /// The partition that the Region belongs to, as ARNs name it, such as `aws` or `aws-cn`.
    public var partition: String { Self.partition(of: region).name }

    private static func origin(of region: String) -> String {
      "https://kms.\(region).\(partition(of: region).domain)"
    }

    private static func partition(of region: String) -> (name: String, domain: String) {
      let partitions = [
        ("cn-", "aws-cn", "amazonaws.com.cn"), ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("eusc-", "aws-eusc", "amazonaws.eu"), ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"), ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
      ]
      let found = partitions.first { region.hasPrefix($0.0) }
      return found.map { ($0.1, $0.2) } ?? ("aws", "amazonaws.com")
    }
  }

  extension KMSClient: CustomReflectable, CustomStringConvertible {
    /// The Region and the endpoint.
    public var description: String { "KMSClient(\(region), \(endpoint.origin))" }

    /// Shows the Region and the endpoint alone.
    public var customMirror: Mirror { Mirror(self, children: ["region": region, "endpoint": endpoint.origin]) }
  }
#endif

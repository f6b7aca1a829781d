// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  public import EnvelopeKit
  internal import EnvelopeKitFiles
  internal import Synchronization

  /// Speaks to AWS KMS in one Region: JSON 1.1 over HTTPS, signed with Signature Version 4.
  ///
  /// TLS is 1.2 or newer, with the certificate and the host's name verified; no redirect is followed. Create one client
  /// and share it: it keeps its connections and its credentials, which it looks up at the first request. What is not
  /// configured comes from where AWS's tools look: the variables, then the profile in the shared files. `Docs/AWS.md`
  /// lists them.
  public final class KMSClient: Sendable {
    /// How to reach AWS KMS; what is nil is looked up when the client is created.
    public struct Configuration: Sendable {
      /// The Region; else `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile's.
      public var region: String?
      /// The profile in the shared files; else `AWS_PROFILE`, or `default`.
      ///
      /// Naming one here passes over the credentials in variables.
      public var profile: String?
      /// An origin such as `https://vpce-1234.kms.eu-central-1.vpce.amazonaws.com`, for VPC and local endpoints; else
      /// `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`, the profile's `services` or `endpoint_url`, or the Region's own.
      public var endpoint: String?
      /// A file of certificates in PEM that are trusted instead of the system's; else `AWS_CA_BUNDLE`, or the profile's
      /// `ca_bundle`.
      public var caBundle: String?
      /// An access key that the caller has; nil looks where AWS's tools look.
      public var credentials: AWSCredentials?
      /// Takes an `http://` endpoint on this machine, where nothing is encrypted: for a local test service alone.
      public var allowsInsecureLoopbackHTTP = false
      /// How long one attempt may take, from the connection to the last byte; at most a day.
      public var tryTimeout = Duration.seconds(2)
      /// How long a call may take with all its attempts and the pauses between them; at most a day.
      ///
      /// The time in which credentials are looked up does not count: up to four seconds at a metadata service (or as long as
      /// `AWS_METADATA_SERVICE_TIMEOUT` and `AWS_METADATA_SERVICE_NUM_ATTEMPTS` allow, at most a minute), as long again as
      /// this at AWS STS for each role, and up to a minute by a `credential_process`.
      public var deadline = Duration.seconds(6)
      /// How many attempts a call has if the service fails or cannot be reached; a throttled call is repeated until the
      /// deadline.
      public var tryLimit = 4

      /// Leaves everything to the environment.
      public init() {}
    }

    /// The Region that keys are looked for in.
    public let region: String

    let service: AWSService
    let credentials: CredentialCache
    private let configuration: Configuration
    private let environment: AWSEnvironment

    /// Time and chance, which tests replace.
    struct Timing: Sendable {
      var now: @Sendable () -> ContinuousClock.Instant = { .now }
      var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
      /// A number from 0 up to 1.
      var chance: @Sendable () -> Double = { .random(in: 0..<1) }
      /// Seconds since 1970.
      var wallClock: @Sendable () -> UInt64 = { Clock.now }
    }

    /// Finds the Region, the endpoint, the proxy and the trusted authorities; sends nothing.
    ///
    /// - Throws: `invalidArgument` if the configuration has a Region or endpoint that cannot be one, a limit that is not
    ///   positive or too long, or a CA bundle without a certificate; `configurationInvalid` if the environment has such a
    ///   thing, if it has no Region, or if the profile does not exist; `fileFailure` if a file cannot be read.
    public convenience init(_ configuration: Configuration = Configuration()) throws(EnvelopeError) {
      try self.init(configuration, variables: ProcessEnvironment.variables(), timing: Timing())
    }

    convenience init(
      _ configuration: Configuration, variables: [String: String], timing: Timing = Timing()
    ) throws(EnvelopeError) {
      let day = Duration.seconds(86400)
      guard configuration.tryTimeout > .zero, configuration.deadline > .zero, configuration.tryLimit > 0,
        configuration.tryTimeout <= day, configuration.deadline <= day
      else {
        throw EnvelopeError(
          .invalidArgument, "The client's timeout, deadline and attempts must be positive, and the times at most a day")
      }
      let environment = AWSEnvironment(variables: variables, profile: configuration.profile)
      let region: String
      if let given = configuration.region { region = try Self.checked(given) } else { region = try environment.region }
      let web = try Self.web(configuration, environment)
      let credentials: CredentialCache
      if let given = configuration.credentials {
        credentials = CredentialCache(now: timing.wallClock) { given }
      } else {
        let source = CredentialSource(
          environment: environment, web: web,
          sts: STS(
            region: region, web: web, limits: Self.limits(of: configuration), timing: timing,
            allowsInsecureLoopbackHTTP: configuration.allowsInsecureLoopbackHTTP))
        credentials = CredentialCache(now: timing.wallClock) { try await source.find() }
      }
      try self.init(
        region: region, web: web, credentials: credentials, configuration: configuration, environment: environment,
        timing: timing)
    }

    private init(
      region: String, web: WebClient, credentials: CredentialCache, configuration: Configuration,
      environment: AWSEnvironment, timing: Timing
    ) throws(EnvelopeError) {
      self.region = region
      self.credentials = credentials
      self.configuration = configuration
      self.environment = environment
      service = AWSService(
        name: "kms", region: region,
        endpoint: try ServiceEndpoint.find(
          "kms", region: region, configured: configuration.endpoint, environment: environment,
          plainHTTP: configuration.allowsInsecureLoopbackHTTP ? .toLoopback : .toNobody),
        web: web, limits: Self.limits(of: configuration), timing: timing)
    }

    private static func limits(of configuration: Configuration) -> AWSService.Limits {
      AWSService.Limits(
        attemptTimeout: configuration.tryTimeout, deadline: configuration.deadline, attemptLimit: configuration.tryLimit
      )
    }

    /// Returns a client for another Region that shares the connections and the credentials of this one.
    ///
    /// A configured endpoint is that of both.
    ///
    /// - Throws: `invalidArgument` if it is not the name of a Region; else as ``init(_:)`` for the endpoint.
    public func client(inRegion region: String) throws(EnvelopeError) -> KMSClient {
      try KMSClient(
        region: Self.checked(region), web: service.web, credentials: credentials, configuration: configuration,
        environment: environment, timing: service.timing)
    }

    private static func web(
      _ configuration: Configuration, _ environment: AWSEnvironment
    ) throws(EnvelopeError) -> WebClient {
      let proxy = try Proxy(environment)
      if let given = configuration.caBundle { return try WebClient(trustRoots: given, proxy: proxy) }
      guard let path = try environment.value("AWS_CA_BUNDLE", "ca_bundle") else {
        return try WebClient(trustRoots: nil, proxy: proxy)
      }
      do throws(EnvelopeError) {
        return try WebClient(trustRoots: path, proxy: proxy)
      } catch {
        throw EnvelopeError(
          .configurationInvalid, "\(error.message) (from AWS_CA_BUNDLE, or ca_bundle of the profile)",
          advice: error.advice)
      }
    }

    fileprivate static func checked(_ region: String) throws(EnvelopeError) -> String {
      // Names that AWS's tools once had for FIPS endpoints.
      for part in ["fips-", "-fips"] where region.contains(part) {
        let name = region.replacing(part, with: "")
        throw EnvelopeError(
          .invalidArgument, "\(EnvelopeError.quoted(region)) is not the name of an AWS Region",
          advice: isRegion(name)
            ? "Name the Region \(name), and set AWS_USE_FIPS_ENDPOINT=true." : "Name a Region, such as eu-central-1.")
      }
      guard isRegion(region) else {
        throw EnvelopeError(
          .invalidArgument, "\(EnvelopeError.quoted(region)) is not the name of an AWS Region",
          advice: "Name a Region, such as eu-central-1.")
      }
      return region
    }

    private static func isRegion(_ name: String) -> Bool {
      (1...63).contains(name.utf8.count)
        && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit || $0.isLetter && $0 | 0x20 == $0 }
        && !name.hasPrefix("-") && !name.hasSuffix("-") && !name.utf8.allSatisfy { $0.isDigit }
    }

    /// The partition that the Region belongs to, as ARNs name it, such as `aws` or `aws-cn`.
    public var partition: String { Partition(of: region).name }
  }

  extension AWSEnvironment {
    /// The Region of the variables, or else of the profile.
    fileprivate var region: String {
      get throws(EnvelopeError) {
        let place: String
        var region = variable("AWS_REGION", "AWS_DEFAULT_REGION")
        if region == nil {
          place = "the profile \(EnvelopeError.quoted(try profileName))"
          region = try profiles().chosen?.string("region")
        } else {
          place = variable("AWS_REGION") == nil ? "AWS_DEFAULT_REGION" : "AWS_REGION"
        }
        guard let region else {
          throw EnvelopeError(
            .configurationInvalid, "There is no AWS Region: neither AWS_REGION is set, nor has \(place) a region",
            advice: "Name the Region, set AWS_REGION, or run: aws configure set region REGION")
        }
        do throws(EnvelopeError) {
          return try KMSClient.checked(region)
        } catch {
          throw EnvelopeError(.configurationInvalid, "\(error.message) (from \(place))", advice: error.advice)
        }
      }
    }
  }

  extension KMSClient: CustomReflectable, CustomStringConvertible {
    /// The Region and the endpoint.
    public var description: String { "KMSClient(\(region), \(service.endpoint.origin))" }

    /// Shows the Region and the endpoint alone.
    public var customMirror: Mirror { Mirror(self, children: ["region": region, "endpoint": service.endpoint.origin]) }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Finds where a service of AWS is, as AWS's tools do.
  ///
  /// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints" and "Dual-stack and FIPS endpoints".
  enum ServiceEndpoint {
    /// Finds the endpoint of a service.
    ///
    /// The first of these counts: what the caller configured; `AWS_ENDPOINT_URL_<SERVICE>`; `AWS_ENDPOINT_URL`;
    /// `endpoint_url` of the service in the profile's `services`; the profile's `endpoint_url`; the Region's own endpoint,
    /// which may be a FIPS or dual-stack endpoint. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` passes over the four in the
    /// middle.
    ///
    /// - Parameters:
    ///   - service: The name in hosts, such as `kms`.
    ///   - configured: What the caller configured, if anything.
    /// - Throws: `invalidArgument` if the caller's endpoint cannot be one; `configurationInvalid` if one of the environment
    ///   cannot, if FIPS or dual stack is demanded beside an endpoint, or if the profile's `services` does not exist;
    ///   `fileFailure` if a shared file cannot be read.
    static func find(
      _ service: String, region: String, configured: String?, environment: AWSEnvironment,
      plainHTTP: Endpoint.PlainHTTP
    ) throws(EnvelopeError) -> Endpoint {
      let isFIPS = try environment.isSet("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
      let isDualStack = try environment.isSet("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
      let found = try configured == nil ? self.configured(service, environment) : nil
      guard let text = configured ?? found?.text else {
        // The names of AWS GovCloud (US) are those of FIPS endpoints already.
        let partition = Partition(of: region)
        let hasOwnName = service == "sts" && partition.name == "aws-us-gov" && !isDualStack
        let host = partition.host(of: service, in: region, isFIPS: isFIPS && !hasOwnName, isDualStack: isDualStack)
        return try Endpoint("https://\(host)")
      }
      guard !isFIPS, !isDualStack else {
        throw EnvelopeError(
          .configurationInvalid,
          "\(isFIPS ? "FIPS endpoints are" : "Dual stack is") demanded, and the endpoint \(EnvelopeError.quoted(text)) "
            + "is configured \(found.map { "in \($0.place)" } ?? "beside that")",
          advice: "Remove one of the two: the host of an endpoint says which kind it is.")
      }
      do throws(EnvelopeError) {
        return try Endpoint(text, plainHTTP: plainHTTP)
      } catch {
        guard let found else { throw error }
        throw EnvelopeError(.configurationInvalid, "\(error.message) (from \(found.place))", advice: error.advice)
      }
    }

    private static func configured(
      _ service: String, _ environment: AWSEnvironment
    ) throws(EnvelopeError) -> (text: String, place: String)? {
      guard
        try !environment.isSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
      else { return nil }
      for name in ["AWS_ENDPOINT_URL_\(service.uppercased())", "AWS_ENDPOINT_URL"] {
        if let text = environment.variable(name) { return (text, name) }
      }
      let profiles = try environment.profiles()
      guard let profile = try profiles.chosen else { return nil }
      let place = "the profile \(EnvelopeError.quoted(profile.name))"
      if let text = try profiles.serviceSetting("endpoint_url", of: service, for: profile) {
        return (text, "the services of \(place)")
      }
      return try profile.string("endpoint_url").map { ($0, place) }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport

  @testable import EnvelopeKitAWS

  /// One thing that botocore and this library find in an environment, or why they refuse it.
  struct EnvironmentComparison: Sendable {
    enum Part: String, Sendable {
      case region, endpoint, bundle, credentials
    }

    let environment: AWSEnvironmentCase
    let part: Part
    let botocore: AWSEnvironmentCase.Finding
    let ours: AWSEnvironmentCase.Finding

    var tags: Set<String> { environment.tags }
    var variables: [String: String] { environment.variables }

    /// Whether both find the same, or refuse the environment for the same kind of reason.
    var isSame: Bool {
      if let theirs = botocore.refusal {
        guard let own = ours.refusal else { return false }
        return own == theirs || part != .credentials || Self.related(own, theirs)
      }
      guard ours.refusal == nil else { return false }
      switch part {
      case .bundle: return true
      case .credentials:
        return ours.id == botocore.id && ours.secret == botocore.secret && ours.token == botocore.token
      case .region: return ours.value == botocore.value
      case .endpoint: return Self.normal(ours.value ?? "") == Self.normal(botocore.value ?? "")
      }
    }

    /// Kinds of refusal that are one kind to a user.
    private static func related(_ own: String, _ theirs: String) -> Bool {
      switch (own, theirs) {
      // A file or program that is named and cannot be read or run.
      case ("retrieval", "other"), ("fileFailure", "other"), ("config", "other"), ("config", "partial"),
        ("partial", "config"):
        true
      // A role that AWS STS refuses.
      case ("retrieval", "refused"): true
      // What is not supported, or gives nothing, whether it is there or not.
      case ("unsupported", _), ("none", "retrieval"), ("retrieval", "none"): true
      default: false
      }
    }

    private static func normal(_ url: String) -> String {
      var text = url.lowercased()
      if text.hasSuffix("/") { text.removeLast() }
      return text.hasPrefix("https:") && text.hasSuffix(":443") ? String(text.dropLast(4)) : text
    }
  }

  extension EnvironmentComparison: CustomStringConvertible {
    var description: String { "\(part): botocore \(Self.shown(botocore)), ours \(Self.shown(ours))\n\(environment)" }

    private static func shown(_ finding: AWSEnvironmentCase.Finding) -> String {
      if let refusal = finding.refusal { return "refuses (\(refusal): \(finding.error ?? ""))" }
      return finding.id.map { "\($0) by \(finding.method ?? "?"), token \(finding.token ?? "")" } ?? finding.value ?? ""
    }
  }

  extension AWSEnvironmentCase {
    /// What this library should find: what botocore finds, unless a variable counts otherwise.
    var expected: Findings { otherwise["AWS_REGION"] ?? otherwise["Empty variables"] ?? botocore }

    /// Compares what this library finds with what it should find.
    func comparisons() async -> [EnvironmentComparison] {
      let ours = await ourFindings()
      var parts: [(EnvironmentComparison.Part, Finding, Finding)] = []
      // Without a Region there is no client that would look for credentials.
      if expected.credentials.refusal != "region", ours.region.refusal != "region" {
        parts.append((.credentials, expected.credentials, ours.credentials))
      }
      // A client finds the three, or fails at the first that it refuses.
      let client: [(EnvironmentComparison.Part, Finding)] = [
        (.region, expected.region), (.endpoint, expected.endpoint), (.bundle, expected.bundle),
      ]
      if let (part, refused) = client.first(where: { $0.1.refusal != nil }) {
        parts.append((part, refused, ours.region))
      } else if ours.region.refusal != nil {
        parts.append((.region, expected.region, ours.region))
      } else {
        parts += [(.region, expected.region, ours.region), (.endpoint, expected.endpoint, ours.endpoint)]
      }
      return parts.map { EnvironmentComparison(environment: self, part: $0.0, botocore: $0.1, ours: $0.2) }
    }

    private func ourFindings() async -> Findings {
      var configuration = KMSClient.Configuration()
      configuration.profile = profile
      var (region, endpoint) = (Finding(), Finding())
      do {
        let client = try KMSClient(configuration, variables: variables)
        (region.value, endpoint.value) = (client.region, client.service.endpoint.origin)
      } catch {
        region = Finding(error)
        endpoint = region
      }
      // A client that refuses the files or the profile looks for no credentials, even if variables have them.
      let texts = ["There is no AWS profile", "Cannot read ", "AWS_PROFILE names the profile"]
      let refusesFiles = texts.contains { region.error?.contains($0) == true }
      let credentials = refusesFiles ? region : await self.credentials(in: region.value ?? expected.region.value)
      return Findings(region: region, endpoint: endpoint, bundle: region, credentials: credentials)
    }

    private func credentials(in region: String?) async -> Finding {
      do {
        let web = try WebClient(trustRoots: nil)
        let limits = AWSService.Limits(attemptTimeout: .seconds(300), deadline: .seconds(600), attemptLimit: 1)
        let source = CredentialSource(
          environment: AWSEnvironment(variables: variables, profile: profile), web: web,
          sts: STS(
            region: region ?? "us-east-1", web: web, limits: limits, timing: KMSClient.Timing(sleep: { _ in }),
            allowsInsecureLoopbackHTTP: true), metadataLimits: .patient)
        let found = try await source.find()
        var finding = Finding(id: found.accessKeyID)
        (finding.secret, finding.token) = (try found.copiedSecret, found.sessionToken ?? "")
        return finding
      } catch {
        return Finding(error)
      }
    }
  }

  extension AWSEnvironmentCase.Finding {
    /// The kind of a refusal, in the words of aws_oracle.py.
    fileprivate init(_ error: any Error) {
      guard let error = error as? EnvelopeError else {
        self.init(refusal: "other", error: "\(error)")
        return
      }
      let text = error.message
      let kind =
        switch error.code {
        case .configurationInvalid where text.hasPrefix("There is no AWS profile"): "profile"
        case .configurationInvalid where text.contains("Region"): "region"
        case .configurationInvalid: "config"
        case .credentialsMissing where text.contains("not supported"): "unsupported"
        case .credentialsMissing where text.contains(" and no ") || text.contains("is set and "): "partial"
        case .credentialsMissing where text.hasPrefix("There are no AWS credentials"): "none"
        case .credentialsMissing: "retrieval"
        case .keyServiceUnavailable: "unavailable"
        default: error.code.rawValue
        }
      self.init(refusal: kind, error: "\(error.code.rawValue): \(error)")
    }
  }
#endif

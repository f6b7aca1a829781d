// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Credentials of roles, which AWS STS gives.
  ///
  /// Source: AWS SDKs and Tools Reference Guide, "Assume role credential provider".
  extension CredentialSource {
    /// Assumes the role of a profile with the credentials of its source, which may be a role as well.
    ///
    /// - Throws: `configurationInvalid` if the profile has no source or two, if a source does not exist or is a loop;
    ///   `credentialsMissing` if the source has no credentials, or AWS STS refuses them.
    func roleCredentials(
      of profile: Profile, in profiles: Profiles, visited: [String] = []
    ) async throws -> AWSCredentials {
      guard !profile.has("mfa_serial") else { throw try unsupported("mfa_serial", profile) }
      let role = try AssumedRole(profile)
      let visited = visited + [profile.name]
      guard !profile.has("source_profile") || !profile.has("credential_source") else {
        throw invalid(profile, "has both source_profile and credential_source", "Remove one of them.")
      }
      let source: AWSCredentials
      switch (try profile.string("source_profile"), try profile.string("credential_source")) {
      case (let name?, nil): source = try await sourceProfile(name, of: profile, in: profiles, visited: visited)
      case (nil, let name?): source = try await credentialSource(name, of: profile)
      default:
        throw invalid(profile, "has role_arn and neither source_profile nor credential_source", "Add one of them.")
      }
      return try await sts.assume(role, with: source, environment: environment)
    }

    private func sourceProfile(
      _ name: String, of profile: Profile, in profiles: Profiles, visited: [String]
    ) async throws -> AWSCredentials {
      guard let source = try profiles.profile(name) else {
        throw invalid(
          profile, "has source_profile = \(EnvelopeError.quoted(name)), which does not exist", "Correct it.")
      }
      let hasKeys = source.has("aws_access_key_id") || source.has("aws_secret_access_key")
      // A profile may be its own source of static keys.
      guard !visited.contains(name) || name == profile.name && hasKeys else {
        let chain = (visited + [name]).map(EnvelopeError.quoted).joined(separator: ", ")
        throw invalid(profile, "is a source of itself: \(chain)", "Name a source_profile that has keys.")
      }
      if source.assumesRole, !hasKeys { return try await roleCredentials(of: source, in: profiles, visited: visited) }
      guard let found = try await credentials(of: source, usesVariables: false) else {
        throw invalid(
          profile, "has source_profile = \(EnvelopeError.quoted(name)), which has no credentials", "Add keys to it.")
      }
      return found
    }

    private func credentialSource(_ name: String, of profile: Profile) async throws -> AWSCredentials {
      let found: AWSCredentials?
      switch name {
      case "Environment": found = try fromVariables()
      case "Ec2InstanceMetadata": found = try await fromInstance()
      case "EcsContainer": found = try await fromContainer()
      default:
        throw invalid(
          profile, "has credential_source = \(EnvelopeError.quoted(name)), which is none",
          "Write Environment, Ec2InstanceMetadata or EcsContainer.")
      }
      guard let found else {
        throw EnvelopeError(
          .credentialsMissing,
          "There are no AWS credentials: credential_source = \(name) of the profile "
            + "\(EnvelopeError.quoted(profile.name)) gives none", advice: "Check where this runs, and the profile.")
      }
      return found
    }

    /// Assumes a role with a token that an identity provider has written to a file, as on Amazon EKS.
    ///
    /// - Returns: The credentials, or nil if nothing names such a file.
    func fromWebIdentity(_ profile: Profile?, usesVariables: Bool) async throws -> AWSCredentials? {
      func value(_ name: String, _ key: String) throws(EnvelopeError) -> String? {
        if usesVariables, let value = environment.variable(name) { return value }
        return try profile?.string(key)
      }
      guard let path = try value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return nil }
      guard let arn = try value("AWS_ROLE_ARN", "role_arn") else {
        throw EnvelopeError(
          .configurationInvalid, "A web identity token file is named, and no role: \(path.shownPath)",
          advice: "Set AWS_ROLE_ARN, or role_arn in the profile.")
      }
      let role = AssumedRole(arn: arn, sessionName: try value("AWS_ROLE_SESSION_NAME", "role_session_name"))
      // Read at each look: the platform replaces it.
      let token: SecretBytes
      do throws(EnvelopeError) {
        token = try Path(path).openFileForReading().readAll(limit: 1 << 16, of: Path(path))
      } catch {
        throw EnvelopeError(
          .credentialsMissing, "The web identity token cannot be read: \(error.message)", advice: error.advice)
      }
      return try await sts.assume(role, withWebIdentity: token, environment: environment)
    }

    func invalid(_ profile: Profile, _ reason: String, _ advice: String) -> EnvelopeError {
      EnvelopeError(
        .configurationInvalid, "The AWS profile \(EnvelopeError.quoted(profile.name)) \(reason)", advice: advice)
    }
  }

  /// A role, and how it is assumed.
  struct AssumedRole: Sendable {
    let arn: String
    var sessionName: String?
    var externalID: String?
    /// The seconds for which the credentials are valid; nil leaves it to AWS STS.
    var duration: Int?

    /// The ARN in quotes, for errors.
    var shownARN: String { "'\(EnvelopeError.escaped(String(arn.unicodeScalars.prefix(256))))'" }

    init(arn: String, sessionName: String?) { (self.arn, self.sessionName) = (arn, sessionName) }

    /// Reads the settings of a profile.
    ///
    /// - Throws: `configurationInvalid` if the ARN or the external id is empty, or the duration is not a number of seconds.
    init(_ profile: Profile) throws(EnvelopeError) {
      guard let arn = try profile.string("role_arn") else {
        throw EnvelopeError(
          .configurationInvalid, "The AWS profile \(EnvelopeError.quoted(profile.name)) has an empty role_arn",
          advice: "Write the ARN of a role.")
      }
      self.init(arn: arn, sessionName: try profile.string("role_session_name"))
      externalID = try profile.string("external_id")
      guard externalID != nil || !profile.has("external_id") else {
        throw EnvelopeError(
          .configurationInvalid, "The AWS profile \(EnvelopeError.quoted(profile.name)) has an empty external_id",
          advice: "Write the external id, or remove the line.")
      }
      guard let text = try profile.string("duration_seconds") else { return }
      guard text.utf8.allSatisfy({ $0.isDigit }), let seconds = Int(text) else {
        throw EnvelopeError(
          .configurationInvalid,
          "The AWS profile \(EnvelopeError.quoted(profile.name)) has a duration_seconds that is not a number of seconds",
          advice: "Write 900 to 43200.")
      }
      duration = seconds
    }
  }

  extension String {
    fileprivate var shownPath: String { Path(self).description }
  }
#endif

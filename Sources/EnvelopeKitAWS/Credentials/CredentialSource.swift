// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Finds credentials where AWS's tools look for them, in the order of botocore.
  ///
  /// The variables; the role of the profile; web identity; static keys of the file `credentials`; the profile's
  /// `credential_process`; static keys of the file `config`; the container's endpoint; the instance's metadata. If the
  /// caller names a profile, the variables are passed over.
  struct CredentialSource: Sendable {
    let environment: AWSEnvironment
    let web: WebClient
    /// Calls AWS STS in the Region of the caller.
    let sts: STS
    /// The limits of requests to metadata services.
    var metadataLimits = MetadataService.Limits()

    /// Looks once.
    ///
    /// - Throws: `credentialsMissing`, which says what is missing; `configurationInvalid` if something is there and cannot
    ///   be followed; `keyServiceUnavailable` and the like if a service that gives credentials fails.
    func find() async throws -> AWSCredentials {
      // The files are read at each look: other tools write new keys to them.
      let source = CredentialSource(environment: environment.afresh, web: web, sts: sts, metadataLimits: metadataLimits)
      return try await source.findNow()
    }

    private func findNow() async throws -> AWSCredentials {
      let usesVariables = environment.namedProfile == nil
      if usesVariables, let found = try fromVariables() { return found }
      let profiles = try environment.profiles()
      if let found = try await fromProfiles(profiles, usesVariables: usesVariables) { return found }
      if let found = try await fromContainer() { return found }
      if let found = try await fromInstance() { return found }
      let name = try environment.chosenProfile
      throw EnvelopeError(
        .credentialsMissing,
        name.map { "There are no AWS credentials: the profile \(EnvelopeError.quoted($0)) has none" }
          ?? "There are no AWS credentials: not in the variables, the shared files, a container or an instance",
        advice: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: aws configure list")
    }

    /// Returns the keys in variables, or nil if there are none.
    func fromVariables() throws(EnvelopeError) -> AWSCredentials? {
      guard let id = environment.variable("AWS_ACCESS_KEY_ID") else { return nil }
      guard let secret = environment.variable("AWS_SECRET_ACCESS_KEY") else {
        throw EnvelopeError(
          .credentialsMissing, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
          advice: "Set both, or neither.")
      }
      let token = environment.variable("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")
      do throws(EnvelopeError) {
        return try AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token)
      } catch {
        throw Self.invalid(error, in: "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
      }
    }

    private func fromProfiles(_ profiles: Profiles, usesVariables: Bool) async throws -> AWSCredentials? {
      let profile = try profiles.chosen
      if let profile, profile.assumesRole { return try await roleCredentials(of: profile, in: profiles) }
      return try await credentials(of: profile, usesVariables: usesVariables)
    }

    /// Returns the credentials that a profile has without assuming the role of its `role_arn`.
    func credentials(of profile: Profile?, usesVariables: Bool) async throws -> AWSCredentials? {
      if let found = try await fromWebIdentity(profile, usesVariables: usesVariables) { return found }
      guard let profile else { return nil }
      for key in ["sso_account_id", "sso_role_name"] where profile.has(key) { throw try unsupported(key, profile) }
      if let section = profile.credentials, let found = try keys(in: section, of: profile) { return found }
      if profile.has("login_session") { throw try unsupported("login_session", profile) }
      if let found = try await fromProcess(profile) { return found }
      guard let section = profile.config else { return nil }
      return try keys(in: section, of: profile)
    }

    /// Describes a way to get credentials that is not supported.
    ///
    /// Static keys beside it are not used: AWS's own tools do not use them either.
    ///
    /// - Parameters:
    ///   - key: The setting.
    ///   - profile: The profile that has it, which may be the source of another profile's role.
    func unsupported(_ key: String, _ profile: Profile) throws(EnvelopeError) -> EnvelopeError {
      // The chosen profile: the credentials of its source are not those of its role. The variable keeps its Region and
      // endpoint, and is passed over for credentials if the variables have some.
      let chosen = Path(try environment.profileName).quoted
      return EnvelopeError(
        .credentialsMissing,
        "The profile \(EnvelopeError.quoted(profile.name)) gets its credentials by \(key), which is not supported",
        advice: "Have AWS's own command get them: unset AWS_DEFAULT_PROFILE; export AWS_PROFILE=\(chosen); "
          + "eval \"$(aws configure export-credentials --profile \(chosen) --format env)\"; "
          + "then run the same without --profile.")
    }

    private func keys(in section: SharedFile.Section, of profile: Profile) throws(EnvelopeError) -> AWSCredentials? {
      let (idKey, secretKey) = ("aws_access_key_id", "aws_secret_access_key")
      guard section.has(idKey) else {
        // Without this, a typing error in the id's key would have another source's credentials used.
        guard !section.has(secretKey) else { throw missing(idKey, beside: secretKey, in: section, profile) }
        return nil
      }
      guard let id = try section.string(of: idKey) else {
        throw missing(idKey, beside: secretKey, in: section, profile)
      }
      guard let secret = try section.value(of: secretKey), secret.byteCount > 0 else {
        throw missing(secretKey, beside: idKey, in: section, profile)
      }
      var token: String?
      for key in ["aws_security_token", "aws_session_token"] where token == nil { token = try section.string(of: key) }
      do throws(EnvelopeError) {
        return try AWSCredentials(accessKeyID: id, sessionToken: token, expiration: nil, secret: secret)
      } catch {
        throw Self.invalid(error, in: "\(section.path), profile \(EnvelopeError.quoted(profile.name))")
      }
    }

    private static func invalid(_ error: EnvelopeError, in place: String) -> EnvelopeError {
      EnvelopeError(.configurationInvalid, "\(error.message) (from \(place))", advice: error.advice)
    }

    private func missing(
      _ key: String, beside other: String, in section: SharedFile.Section, _ profile: Profile
    ) -> EnvelopeError {
      EnvelopeError(
        .credentialsMissing,
        "\(section.path) has \(other) and no \(key) for the profile \(EnvelopeError.quoted(profile.name))",
        advice: "Set both, or neither.")
    }
  }

  extension Profile {
    /// Whether its credentials are those of a role that other credentials assume.
    var assumesRole: Bool { has("role_arn") && !has("web_identity_token_file") }
  }
#endif

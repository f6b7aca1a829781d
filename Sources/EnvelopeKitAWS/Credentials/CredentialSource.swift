// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Finds credentials where AWS's tools look for them, in their order: the process's variables, the profile in the
  /// shared files, the container's endpoint, the instance's metadata.
  ///
  /// Who names a profile gets that profile: the variables are then passed over, as AWS's tools do.
  struct CredentialSource: Sendable {
    let surroundings: Surroundings
    let web: WebClient

    /// Looks once.
    ///
    /// - Throws: `credentialsMissing`, which says where was looked; `invalidArgument` or `fileFailure` where
    ///   something is there and cannot be used.
    func find() async throws -> AWSCredentials {
      if surroundings.namedProfile == nil, let found = try fromVariables() { return found }
      if surroundings.namedProfile == nil, surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") != nil {
        // Going on would take another role's credentials: the node's.
        throw EnvelopeError(
          .credentialsMissing, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and web identity is not done here",
          advice: "Use EKS Pod Identity, or: eval \"$(aws configure export-credentials --format env)\"")
      }
      if let found = try fromProfile() { return found }
      if surroundings.namedProfile == nil {
        if let found = try await fromContainer() { return found }
        if let found = try await fromInstance() { return found }
      }
      throw EnvelopeError(
        .credentialsMissing,
        surroundings.namedProfile.map { "There are no AWS credentials for the profile \(EnvelopeError.quoted($0))" }
          ?? "There are no AWS credentials: not in the variables, the shared files, a container or an instance",
        advice: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: aws configure list")
    }

    private func fromVariables() throws(EnvelopeError) -> AWSCredentials? {
      guard let id = surroundings.variable("AWS_ACCESS_KEY_ID") else { return nil }
      guard let secret = surroundings.variable("AWS_SECRET_ACCESS_KEY") else {
        throw EnvelopeError(
          .credentialsMissing, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
          advice: "Set both, or neither.")
      }
      return try AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: surroundings.variable("AWS_SESSION_TOKEN"))
    }

    private func fromProfile() throws(EnvelopeError) -> AWSCredentials? {
      if let path = surroundings.credentialsPath, let file = try SharedFile.read(path),
        let found = try credentials(in: file, sections: [surroundings.profile], of: path)
      {
        return found
      }
      guard let path = surroundings.configPath, let file = try SharedFile.read(path) else {
        return try missingProfile(isThere: false)
      }
      if let found = try credentials(in: file, sections: surroundings.configSections, of: path) { return found }
      for key in [
        "role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file", "login_session",
      ]
      where file.string(of: key, in: surroundings.configSections) != nil {
        let profile = surroundings.profile
        throw EnvelopeError(
          .credentialsMissing,
          "The profile \(EnvelopeError.quoted(profile)) gets its credentials by \(key), which is not done here",
          advice: "Have the AWS command line get them: "
            + "eval \"$(aws configure export-credentials --profile \(Path(profile).quoted) --format env)\"")
      }
      return try missingProfile(isThere: file.hasSection(surroundings.configSections))
    }

    /// A profile that was asked for must be there; the default one need not.
    private func missingProfile(isThere: Bool) throws(EnvelopeError) -> AWSCredentials? {
      guard !isThere, let profile = surroundings.chosenProfile else { return nil }
      throw EnvelopeError(
        .credentialsMissing, "There is no AWS profile \(EnvelopeError.quoted(profile))",
        advice: "List them: aws configure list-profiles")
    }

    private func credentials(
      in file: borrowing SharedFile, sections: [String], of path: Path
    ) throws(EnvelopeError) -> AWSCredentials? {
      guard let id = file.string(of: "aws_access_key_id", in: sections) else { return nil }
      guard let secret = file.value(of: "aws_secret_access_key", in: sections) else {
        throw EnvelopeError(
          .credentialsMissing,
          "\(path) has aws_access_key_id and no aws_secret_access_key for the profile "
            + EnvelopeError.quoted(surroundings.profile))
      }
      return try AWSCredentials(
        accessKeyID: id, sessionToken: file.string(of: "aws_session_token", in: sections), expiration: nil,
        secret: secret)
    }
  }
#endif

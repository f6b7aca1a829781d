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
    /// The limits of requests to metadata services.
    var metadataLimits = MetadataService.Limits()

    /// Looks once.
    ///
    /// - Throws: `credentialsMissing`, which says where was looked; `invalidArgument` or `fileFailure` where
    ///   something is there and cannot be used.
    func find() async throws -> AWSCredentials {
      if surroundings.namedProfile == nil, let found = try fromVariables() { return found }
      if surroundings.namedProfile == nil, surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") != nil {
        // Going on would take another role's credentials: the node's.
        throw EnvelopeError(
          .credentialsMissing, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and web identity is not supported",
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

    /// The ways to get credentials that are not supported.
    ///
    /// Static keys beside them are not used: to AWS's own tools they are the keys that assume the role, or none at all.
    private static let unsupportedKeys = [
      "role_arn", "sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region", "credential_process",
      "web_identity_token_file", "login_session",
    ]

    /// Reads both files: what one of them says of the profile affects the keys in the other.
    private func fromProfile() throws(EnvelopeError) -> AWSCredentials? {
      var (found, isThere) = (AWSCredentials?.none, false)
      for (path, sections) in [
        (surroundings.credentialsPath, [surroundings.profile]), (surroundings.configPath, surroundings.configSections),
      ] {
        guard let path, let file = try SharedFile.read(path), let section = try file.section(sections) else { continue }
        isThere = true
        for key in Self.unsupportedKeys where file.has(key, in: section) { throw unsupported(key, in: path) }
        if found == nil { found = try credentials(in: file, section: section, of: path) }
      }
      // A profile that was asked for must be there; the default one need not.
      guard !isThere, let profile = surroundings.chosenProfile else { return found }
      throw EnvelopeError(
        .credentialsMissing, "There is no AWS profile \(EnvelopeError.quoted(profile))",
        advice: "List them: aws configure list-profiles")
    }

    private func unsupported(_ key: String, in path: Path) -> EnvelopeError {
      let profile = surroundings.profile
      return EnvelopeError(
        .credentialsMissing,
        "The profile \(EnvelopeError.quoted(profile)) gets its credentials by \(key) in \(path), which is not supported",
        advice: "Get them with the AWS command line: "
          + "eval \"$(aws configure export-credentials --profile \(Path(profile).quoted) --format env)\"")
    }

    private func credentials(
      in file: borrowing SharedFile, section: String, of path: Path
    ) throws(EnvelopeError) -> AWSCredentials? {
      let (idKey, secretKey, tokenKey) = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
      guard file.has(idKey, in: section) else {
        // Without this, a typing error in the id's key would have another source's credentials used.
        guard !file.has(secretKey, in: section) else { throw missing(idKey, beside: secretKey, in: path) }
        return nil
      }
      guard let id = try file.string(of: idKey, in: section) else { throw missing(idKey, beside: secretKey, in: path) }
      guard let secret = try file.value(of: secretKey, in: section), secret.byteCount > 0 else {
        throw missing(secretKey, beside: idKey, in: path)
      }
      return try AWSCredentials(
        accessKeyID: id, sessionToken: file.string(of: tokenKey, in: section), expiration: nil, secret: secret)
    }

    private func missing(_ key: String, beside other: String, in path: Path) -> EnvelopeError {
      EnvelopeError(
        .credentialsMissing,
        "\(path) has \(other) and no \(key) for the profile \(EnvelopeError.quoted(surroundings.profile))",
        advice: "Set both, or neither.")
    }
  }
#endif

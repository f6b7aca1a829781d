// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// What AWS's tools look at to learn region, endpoint and credentials: variables and two files.
  struct Surroundings: Sendable {
    /// The variables of the process.
    let variables: [String: String]
    /// The profile that the caller named; nil looks at `AWS_PROFILE`.
    let namedProfile: String?

    init(variables: [String: String], profile: String?) {
      self.variables = variables
      namedProfile = profile
    }

    /// The first of some variables that is set and not empty.
    func variable(_ names: String...) -> String? {
      for name in names { if let value = variables[name], !value.isEmpty { return value } }
      return nil
    }

    /// The profile that was asked for; nil where none was, and the default one serves.
    var chosenProfile: String? { namedProfile ?? variable("AWS_PROFILE", "AWS_DEFAULT_PROFILE") }

    var profile: String { chosenProfile ?? "default" }

    /// What the profile's section is called in the file `config`.
    var configSections: [String] { profile == "default" ? ["default", "profile default"] : ["profile \(profile)"] }

    var configPath: Path? { path("AWS_CONFIG_FILE", inHome: ".aws/config") }
    var credentialsPath: Path? { path("AWS_SHARED_CREDENTIALS_FILE", inHome: ".aws/credentials") }

    private func path(_ name: String, inHome place: String) -> Path? {
      let home = variable("HOME")
      guard let given = variable(name) else { return home.map { Path($0).appending(place) } }
      guard given.hasPrefix("~/"), let home else { return Path(given) }
      return Path(home).appending(String(given.dropFirst(2)))
    }

    /// A setting of the profile in the file `config`.
    ///
    /// - Throws: `fileFailure` where the file is there and cannot be read.
    func setting(_ key: String) throws(EnvelopeError) -> String? {
      guard let path = configPath, let file = try SharedFile.read(path) else { return nil }
      return file.string(of: key, in: configSections)
    }
  }
#endif

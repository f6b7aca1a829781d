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

    /// The names that the profile's section may have in the file `config`.
    ///
    /// A name with blanks must be quoted there; one with quotes or a backslash cannot be written.
    var configSections: [String] {
      guard !profile.contains(where: { "\"'\\".contains($0) }) else { return [] }
      let bare = profile.contains(where: \.isWhitespace) ? [] : ["profile \(profile)"]
      let quoted = ["profile \"\(profile)\"", "profile '\(profile)'"]
      return (profile == "default" ? ["default"] : []) + bare + quoted
    }

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
    /// - Throws: `fileFailure` if the file is there and cannot be read or parsed.
    func setting(_ key: String) throws(EnvelopeError) -> String? {
      guard let path = configPath, let file = try SharedFile.read(path), let section = try file.section(configSections)
      else { return nil }
      return try file.string(of: key, in: section)
    }
  }
#endif

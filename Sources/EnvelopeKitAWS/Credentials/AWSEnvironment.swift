// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles
  internal import Synchronization

  /// The variables and the two shared files in which AWS's tools look for Region, endpoint and credentials.
  struct AWSEnvironment: Sendable {
    /// The variables of the process.
    let variables: [String: String]
    /// The profile that the caller named; nil leaves it to the variables.
    let namedProfile: String?
    private let files = Files()

    /// The profiles once they have been read.
    private final class Files: Sendable {
      let profiles = Mutex<Profiles?>(nil)
    }

    init(variables: [String: String], profile: String?) {
      self.variables = variables
      namedProfile = profile
    }

    /// Returns the first of some variables that is set and not empty.
    func variable(_ names: String...) -> String? {
      for name in names { if let value = variables[name], !value.isEmpty { return value } }
      return nil
    }

    /// Returns the value of a variable, or if that is not set of a setting of the profile.
    func value(_ name: String, _ key: String) throws(EnvelopeError) -> String? {
      if let value = variable(name) { return value }
      return try profiles().chosen?.string(key)
    }

    /// Returns whether a variable, or if that is not set a setting of the profile, is `true`.
    func isSet(_ name: String, _ key: String) throws(EnvelopeError) -> Bool {
      try value(name, key)?.lowercased() == "true"
    }

    /// The profile that the caller or a variable names; nil if none does, and `default` is meant.
    ///
    /// - Throws: `configurationInvalid` if `AWS_PROFILE` and `AWS_DEFAULT_PROFILE` name two: botocore takes the one, and
    ///   version 2 of the AWS command line takes the other.
    var chosenProfile: String? {
      get throws(EnvelopeError) {
        if let namedProfile { return namedProfile }
        guard let name = variable("AWS_PROFILE"), let other = variable("AWS_DEFAULT_PROFILE"), name != other else {
          return variable("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
        }
        throw EnvelopeError(
          .configurationInvalid,
          "AWS_PROFILE names the profile \(EnvelopeError.quoted(name)), and AWS_DEFAULT_PROFILE names "
            + "\(EnvelopeError.quoted(other))", advice: "Unset one of them: AWS's tools do not agree which one counts.")
      }
    }

    /// The name of the profile that counts.
    var profileName: String { get throws(EnvelopeError) { try chosenProfile ?? "default" } }

    /// The same, for which the files are read anew: other tools change them.
    var afresh: AWSEnvironment { AWSEnvironment(variables: variables, profile: namedProfile) }

    /// Reads both files, once.
    ///
    /// - Throws: `configurationInvalid` if a file cannot be read or parsed, or if the profile that the caller or a variable
    ///   names is in neither.
    func profiles() throws(EnvelopeError) -> Profiles {
      if let known = files.profiles.withLock({ $0 }) { return known }
      let profiles = try read()
      files.profiles.withLock { $0 = profiles }
      return profiles
    }

    private func read() throws(EnvelopeError) -> Profiles {
      let (name, isChosen) = (try profileName, try chosenProfile != nil)
      let profiles = Profiles(
        name: name,
        credentials: try file("AWS_SHARED_CREDENTIALS_FILE", inHome: ".aws/credentials"),
        config: try file("AWS_CONFIG_FILE", inHome: ".aws/config"))
      guard isChosen, try profiles.chosen == nil else { return profiles }
      throw EnvelopeError(
        .configurationInvalid, "There is no AWS profile \(EnvelopeError.quoted(name))",
        advice: "List them: aws configure list-profiles")
    }

    private func file(_ name: String, inHome place: String) throws(EnvelopeError) -> SharedFile? {
      guard let path = path(name, inHome: place) else { return nil }
      return try SharedFile.read(path, isNamed: variable(name) != nil)
    }

    private func path(_ name: String, inHome place: String) -> Path? {
      let home = variable("HOME")
      guard let given = variable(name).map(expanded) else { return home.map { Path($0).appending(place) } }
      guard given.hasPrefix("~/"), let home else { return Path(given) }
      return Path(home).appending(String(given.dropFirst(2)))
    }

    /// Replaces `$NAME` and `${NAME}` as botocore does: variables that are not set stay as they are.
    private func expanded(_ path: String) -> String {
      var (result, rest) = ("", path[...])
      while let sign = rest.firstIndex(of: "$") {
        result += rest[..<sign]
        rest = rest[rest.index(after: sign)...]
        let isInBraces = rest.first == "{"
        let end = isInBraces ? rest.firstIndex(of: "}") : rest.firstIndex { !($0 == "_" || $0.isLetter || $0.isNumber) }
        let name = rest[..<(end ?? rest.endIndex)].drop { $0 == "{" }
        guard let value = variables[String(name)], end != nil || !isInBraces else {
          result += "$"
          continue
        }
        result += value
        rest = rest[(end ?? rest.endIndex)...].dropFirst(isInBraces ? 1 : 0)
      }
      return result + rest
    }
  }
#endif

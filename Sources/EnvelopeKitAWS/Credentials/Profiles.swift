// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// The profiles of the two files that AWS's tools share.
  ///
  /// Both files are merged before anything is decided: a setting of a profile in `credentials` overrides the same setting
  /// in `config`.
  struct Profiles: Sendable {
    /// The name of the profile that counts.
    private let name: String
    private let credentials: SharedFile?
    private let config: SharedFile?

    init(name: String, credentials: SharedFile?, config: SharedFile?) {
      (self.name, self.credentials, self.config) = (name, credentials, config)
    }

    /// The profile that counts, or nil if neither file has it.
    var chosen: Profile? { get throws(EnvelopeError) { try profile(name) } }

    /// Returns a profile, or nil if neither file has it.
    ///
    /// - Throws: `configurationInvalid` if a file has two sections for it.
    func profile(_ name: String) throws(EnvelopeError) -> Profile? {
      let own = credentials?.section(named: name)
      let other = try Self.section(of: name, kind: "profile", in: config)
      guard own != nil || other != nil else { return nil }
      return Profile(name: name, credentials: own, config: other)
    }

    /// Finds the section of the file `config` that has a name of one kind, such as `[profile NAME]`.
    ///
    /// As for botocore, a shell's rules split the section's name into two words, of which the first begins with the kind:
    /// `[profiles NAME]` is a profile, too.
    private static func section(
      of name: String, kind: String, in config: SharedFile?
    ) throws(EnvelopeError) -> SharedFile.Section? {
      let names = config?.sections.keys.filter { section in
        if kind == "profile", section == "default" { return name == "default" }
        guard section.hasPrefix(kind), let words = CommandWords.split(section) else { return false }
        return words.count == 2 && words[1] == name
      }
      return try config?.section(names?.sorted() ?? [])
    }

    /// Returns a setting that a profile has for one service alone, in the section that its `services` names.
    ///
    /// - Throws: `configurationInvalid` if there is no such section.
    func serviceSetting(
      _ key: String, of service: String, for profile: Profile
    ) throws(EnvelopeError) -> String? {
      guard let name = try profile.string("services") else { return nil }
      guard let section = try Self.section(of: name, kind: "services", in: config) else {
        throw EnvelopeError(
          .configurationInvalid,
          "The profile \(EnvelopeError.quoted(profile.name)) has services = \(EnvelopeError.quoted(name)), and there is no "
            + "section [services \(name)]", advice: "Correct the name, or add the section to ~/.aws/config.")
      }
      return section.nestedString(key, of: service)
    }
  }

  /// The settings of one profile.
  struct Profile: Sendable {
    let name: String
    /// Its section in the file `credentials`.
    let credentials: SharedFile.Section?
    /// Its section in the file `config`.
    let config: SharedFile.Section?

    /// Returns whether either file has a setting, even if its value is empty.
    func has(_ key: String) -> Bool { section(with: key) != nil }

    /// Returns the value of a setting that is not secret, or nil if it is missing or empty.
    ///
    /// - Throws: `configurationInvalid` if the value spans several lines.
    func string(_ key: String) throws(EnvelopeError) -> String? { try section(with: key)?.string(of: key) }

    private func section(with key: String) -> SharedFile.Section? {
      for section in [credentials, config] { if let section, section.has(key) { return section } }
      return nil
    }
  }
#endif

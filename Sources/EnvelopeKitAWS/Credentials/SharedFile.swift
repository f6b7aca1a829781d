// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// The sections of one of the two files that AWS's tools share: `credentials` and `config`.
  ///
  /// Looks up settings by section and key. ``SharedFileReader`` describes the format.
  struct SharedFile: ~Copyable {
    private let text: SecretBytes
    private let path: Path
    /// The settings of each section, by name and key.
    let sections: [String: [String: Setting]]

    /// Where the value of a setting is.
    struct Setting {
      /// The value on the line of the key, without blanks at its ends.
      let value: Range<Int>
      /// The line of the key, counted from 1.
      let line: Int
      /// Whether indented lines follow that belong to the value.
      var isContinued = false
    }

    /// Reads a file.
    ///
    /// - Returns: The file, or nil if it does not exist.
    /// - Throws: `fileFailure` if it is a pipe or device, or cannot be read or parsed.
    static func read(_ path: Path) throws(EnvelopeError) -> SharedFile? {
      guard path.exists else { return nil }
      return try SharedFile(text: try path.openFileForReading().readAll(limit: 1 << 20, of: path), path: path)
    }

    /// Parses the text of a file.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - path: The path that errors name.
    /// - Throws: `fileFailure`, which names the path and the line.
    init(text: consuming SecretBytes, path: Path) throws(EnvelopeError) {
      sections = try text.withBytes { (text) throws(EnvelopeError) in
        var reader = SharedFileReader(path: path)
        return try reader.readSections(of: text)
      }
      self.text = text
      self.path = path
    }

    /// Finds the section of a profile.
    ///
    /// - Parameter names: The names that the section may have.
    /// - Returns: The name of the section, or nil if there is none.
    /// - Throws: `fileFailure` if more than one of the names has a section.
    func section(_ names: [String]) throws(EnvelopeError) -> String? {
      let found = names.filter { sections[$0] != nil }
      guard found.count < 2 else {
        throw EnvelopeError(
          .fileFailure,
          "\(path) has two sections for one profile: \(found.map(EnvelopeError.quoted).joined(separator: " and "))",
          advice: "Remove one of them.")
      }
      return found.first
    }

    /// Returns whether a section has a setting, even if its value is empty.
    func has(_ key: String, in section: String) -> Bool { sections[section]?[key] != nil }

    /// Copies the value of a setting into memory that is wiped.
    ///
    /// - Returns: The value, which may be empty, or nil if the section has no such setting.
    /// - Throws: `fileFailure` if the value spans several lines.
    func value(of key: String, in section: String) throws(EnvelopeError) -> SecretBytes? {
      guard let setting = sections[section]?[key] else { return nil }
      guard !setting.isContinued else {
        throw .sharedFile(
          path, line: setting.line, "the value of \(key) continues on indented lines",
          advice: "Write the value on one line, and begin the next setting at the start of its line.")
      }
      return text.withBytes { SecretBytes(copying: $0.extracting(setting.value)) }
    }

    /// Returns the value of a setting that is not secret, or nil if it is missing or empty.
    ///
    /// - Throws: `fileFailure` if the value spans several lines.
    func string(of key: String, in section: String) throws(EnvelopeError) -> String? {
      guard let value = try value(of: key, in: section), value.byteCount > 0 else { return nil }
      return value.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
    }
  }

  extension EnvelopeError {
    /// An error at a line of a shared file, which it does not show.
    static func sharedFile(_ path: Path, line: Int, _ failure: String, advice: String) -> EnvelopeError {
      EnvelopeError(.fileFailure, "Cannot read \(path), line \(line): \(failure)", advice: advice)
    }
  }
#endif

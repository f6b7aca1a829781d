// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// The sections of one of the two files that AWS's tools share: `credentials` and `config`.
  ///
  /// The text stays in guarded memory. ``SharedFileReader`` describes the format.
  struct SharedFile: Sendable {
    private let text: GuardedMemory
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
      /// The values of nested settings by their keys.
      var nested: [String: Range<Int>] = [:]
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - isNamed: Whether a variable names it. In the home folder nothing may be there: for a service `HOME` is often
    ///     `/dev/null`, or the folder of a user who may enter it and this process may not.
    /// - Returns: The file, or nil if it does not exist.
    /// - Throws: `configurationInvalid` if it is a pipe or device, or cannot be read or parsed.
    static func read(_ path: Path, isNamed: Bool) throws(EnvelopeError) -> SharedFile? {
      guard path.exists, isNamed || (try? path.kind) != nil else { return nil }
      let text: SecretBytes
      do throws(EnvelopeError) {
        text = try path.openFileForReading().readAll(limit: 1 << 20, of: path)
      } catch {
        throw error.code == .fileFailure
          ? EnvelopeError(.configurationInvalid, error.message, advice: error.advice) : error
      }
      return try SharedFile(text: text, path: path)
    }

    /// Parses the text of a file.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - path: The path that errors name.
    /// - Throws: `configurationInvalid`, which names the path and the line.
    init(text: borrowing SecretBytes, path: Path) throws(EnvelopeError) {
      (self.text, sections) = try text.withBytes { (text) throws(EnvelopeError) in
        var reader = SharedFileReader(path: path)
        let sections = try reader.readSections(of: text)
        return (try GuardedMemory(capacity: text.byteCount) { $0.append(text) }, sections)
      }
      self.path = path
    }

    /// Finds a section.
    ///
    /// - Parameter names: The names that it may have.
    /// - Returns: The section, or nil if there is none.
    /// - Throws: `configurationInvalid` if more than one of the names has a section.
    func section(_ names: [String]) throws(EnvelopeError) -> Section? {
      let found = names.filter { sections[$0] != nil }
      guard found.count < 2 else {
        throw EnvelopeError(
          .configurationInvalid,
          "\(path) has two sections for one profile: \(found.map(EnvelopeError.quoted).joined(separator: " and "))",
          advice: "Remove one of them.")
      }
      return found.first.flatMap { section(named: $0) }
    }

    /// Returns the section of a name, or nil if there is none.
    func section(named name: String) -> Section? {
      sections[name].map { Section(path: path, text: text, settings: $0) }
    }

    /// The settings between a header and the next.
    struct Section: Sendable {
      let path: Path
      fileprivate let text: GuardedMemory
      fileprivate let settings: [String: Setting]

      /// Returns whether there is a setting, even if its value is empty.
      func has(_ key: String) -> Bool { settings[key] != nil }

      /// Copies the value of a setting into memory that is wiped.
      ///
      /// - Returns: The value, which may be empty, or nil if there is no such setting.
      /// - Throws: `configurationInvalid` if the value spans several lines.
      func value(of key: String) throws(EnvelopeError) -> SecretBytes? {
        guard let setting = settings[key] else { return nil }
        guard !setting.isContinued else {
          throw .sharedFile(
            path, line: setting.line, "the value of \(key) continues on indented lines",
            advice: "Write the value on one line, and begin the next setting at the start of its line.")
        }
        return text.withBytes { SecretBytes(copying: $0.extracting(setting.value)) }
      }

      /// Returns the value of a setting that is not secret, or nil if it is missing or empty.
      ///
      /// - Throws: `configurationInvalid` if the value spans several lines.
      func string(of key: String) throws(EnvelopeError) -> String? {
        guard let value = try value(of: key), value.byteCount > 0 else { return nil }
        return value.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
      }

      /// Returns the value of a nested setting that is not secret, or nil if it is missing or empty.
      func nestedString(_ key: String, of outer: String) -> String? {
        guard let value = settings[outer]?.nested[key], !value.isEmpty else { return nil }
        return text.withBytes { String(decoding: [UInt8](copying: $0.extracting(value)), as: UTF8.self) }
      }
    }
  }

  extension EnvelopeError {
    /// An error at a line of a shared file, which it does not show.
    static func sharedFile(_ path: Path, line: Int, _ failure: String, advice: String) -> EnvelopeError {
      EnvelopeError(.configurationInvalid, "Cannot read \(path), line \(line): \(failure)", advice: advice)
    }
  }
#endif

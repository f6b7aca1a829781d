// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The members of a JSON object, where they lie in guarded memory; each is read when it is asked for.
  struct JSONMembers {
    private let text: GuardedMemory
    /// Where the value of each member begins.
    private let offsets: [String: Int]

    /// Checks the whole text.
    ///
    /// - Throws: `malformed` where it is not UTF-8, not an object, goes on after it, or has a member twice.
    init(_ text: GuardedMemory) throws(EnvelopeError) {
      self.text = text
      offsets = try text.withBytes { (text) throws(EnvelopeError) in
        if let offset = text.firstOffsetOutsideUTF8 { throw .json(at: offset, in: text, "is not UTF-8") }
        var offsets: [String: Int] = [:]
        var scanner = JSONScanner(at: 0)
        scanner.skipBlanks(in: text)
        guard text.byteIfAny(at: scanner.position) == UInt8(ascii: "{") else {
          throw .json(at: scanner.position, in: text, "is not an object")
        }
        try scanner.readObject(in: text) { (scanner, name, start) throws(EnvelopeError) in
          if let name, offsets.updateValue(scanner.position, forKey: name) != nil {
            throw .json(at: start, in: text, "has a member twice")
          }
          try scanner.skipValue(in: text)
        }
        scanner.skipBlanks(in: text)
        guard scanner.position == text.byteCount else { throw .json(at: scanner.position, in: text, "goes on") }
        return offsets
      }
    }

    /// The string that is a member's value, or nil where there is no such member, or it is null.
    ///
    /// - Throws: `malformed` where the value is anything else.
    func secret(_ name: String) throws(EnvelopeError) -> SecretBytes? {
      guard let offset = offsets[name] else { return nil }
      return try text.withBytes { (text) throws(EnvelopeError) in
        guard text.byteIfAny(at: offset) != UInt8(ascii: "n") else { return nil }
        // A string is never longer than what stands for it.
        return try SecretBytes(byteCount: text.byteCount - offset) { (output) throws(EnvelopeError) in
          var scanner = JSONScanner(at: offset)
          try scanner.readString(in: text) { output.append($0) }
        }
      }
    }

    /// The same of a string that is no secret.
    func string(_ name: String) throws(EnvelopeError) -> String? {
      guard let bytes = try secret(name) else { return nil }
      return bytes.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
    }

    /// Whether a member is this number, written as digits.
    func has(_ number: Int, as name: String) -> Bool {
      guard let offset = offsets[name] else { return false }
      return text.withBytes { text in
        var scanner = JSONScanner(at: offset)
        guard (try? scanner.skipValue(in: text)) != nil else { return false }
        return Array("\(number)".utf8) == [UInt8](copying: text.extracting(offset..<scanner.position))
      }
    }

    /// The bytes that a member's string stands for in padded base64.
    func bytes(_ name: String) throws(EnvelopeError) -> SecretBytes? {
      guard let text = try secret(name) else { return nil }
      return try SecretBytes(byteCount: text.byteCount) { (output) throws(EnvelopeError) in
        try text.withBytes { (text) throws(EnvelopeError) in
          try SecretBase64.padded.append(decoding: text, to: &output)
        }
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// One of the two files that AWS's tools share: `credentials` and `config`.
  ///
  /// Sections `[name]` hold lines `key = value`; lines that begin with `#` or `;` are comments, indented ones belong
  /// to the line before and are passed over.
  struct SharedFile: ~Copyable {
    private let text: SecretBytes

    /// Reads a file.
    ///
    /// - Returns: The file, or nil where there is none.
    /// - Throws: `fileFailure` where it is there and cannot be read.
    static func read(_ path: Path) throws(EnvelopeError) -> SharedFile? {
      guard path.exists else { return nil }
      return SharedFile(text: try path.openForReading().readAll(limit: 1 << 20, of: path))
    }

    /// Takes over the text of a file.
    init(text: consuming SecretBytes) { self.text = text }

    /// Whether there is a section that any of some names stand for.
    func hasSection(_ names: [String]) -> Bool {
      var found = false
      forEachLine { section, key, _ in found = found || key == nil && names.contains(section) }
      return found
    }

    /// The value of a key in a section, wiped when its owner lets go of it; the last where it is there twice.
    func value(of key: String, in names: [String]) -> SecretBytes? {
      var place: Range<Int>?
      forEachLine { section, found, range in if names.contains(section), found == key { place = range } }
      guard let place, !place.isEmpty else { return nil }
      return text.withBytes { SecretBytes(copying: $0.extracting(place)) }
    }

    /// The same of a value that is not secret; nil where it is not UTF-8.
    func string(of key: String, in names: [String]) -> String? {
      guard let value = value(of: key, in: names) else { return nil }
      return value.withBytes { bytes in
        unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
      }
    }

    /// Gives away each section, with no key, and each line of a section, with its key and where its value lies.
    private func forEachLine(_ body: (_ section: String, _ key: String?, _ value: Range<Int>) -> Void) {
      text.withBytes { text in
        var (start, section) = (text.byteOrderMarkLength, "")
        while start < text.byteCount {
          var end = start
          while let byte = text.byteIfAny(at: end), byte != .lineFeed { end += 1 }
          let line = text.trimmed(start..<end)
          switch text.byteIfAny(at: start) {
          case UInt8(ascii: "[")? where text.byte(at: line.upperBound - 1) == UInt8(ascii: "]"):
            let words = text.string(in: line.lowerBound + 1..<line.upperBound - 1)
            section = words.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
            body(section, nil, line)
          case UInt8(ascii: "#")?, UInt8(ascii: ";")?, .space?, .tab?: break
          default:
            if let sign = line.first(where: { text.byte(at: $0) == .equals }) {
              let key = text.string(in: text.trimmed(line.lowerBound..<sign)).lowercased()
              body(section, key, text.trimmed(sign + 1..<line.upperBound))
            }
          }
          start = end + 1
        }
      }
    }
  }

  extension RawSpan {
    /// A range without blanks at its ends.
    fileprivate func trimmed(_ range: Range<Int>) -> Range<Int> {
      var (start, end) = (range.lowerBound, range.upperBound)
      while start < end, byte(at: start).isSpace { start += 1 }
      while start < end, byte(at: end - 1).isSpace { end -= 1 }
      return start..<end
    }

    fileprivate func string(in range: Range<Int>) -> String {
      String(decoding: [UInt8](copying: extracting(range)), as: UTF8.self)
    }
  }

  extension UInt8 {
    fileprivate var isSpace: Bool { isBlank || self == .carriageReturn }
  }
#endif

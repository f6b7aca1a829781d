// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// A JSON value, read more strictly than Foundation does: no name twice, nothing after the value, numbers as text.
  indirect enum StrictJSON: Hashable {
    case object([String: StrictJSON])
    case array([StrictJSON])
    case string(String)
    case number(String)
    case boolean(Bool)

    struct Malformed: Error, CustomStringConvertible {
      let description: String
    }

    init(_ bytes: [UInt8]) throws {
      guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed(description: "not UTF-8") }
      var reader = Reader(bytes: bytes)
      self = try reader.value()
      guard reader.position == bytes.count else {
        throw Malformed(description: "more after the value at \(reader.position)")
      }
    }

    subscript(name: String) -> StrictJSON? {
      if case .object(let members) = self { members[name] } else { nil }
    }

    var members: [String: StrictJSON] { if case .object(let members) = self { members } else { [:] } }
    var elements: [StrictJSON] { if case .array(let elements) = self { elements } else { [] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var numberText: String? { if case .number(let text) = self { text } else { nil } }
    /// Whether it is a number, a string or a boolean.
    var isScalar: Bool {
      switch self {
      case .string, .number, .boolean: true
      default: false
      }
    }

    private struct Reader {
      let bytes: [UInt8]
      var position = 0

      var next: UInt8? { position < bytes.count ? bytes[position] : nil }

      mutating func take() throws -> UInt8 {
        guard let byte = next else { throw Malformed(description: "ends early") }
        position += 1
        return byte
      }

      mutating func take(_ text: StaticString) throws {
        for byte in "\(text)".utf8 where try take() != byte {
          throw Malformed(description: "no \(text) at \(position)")
        }
      }

      mutating func value() throws -> StrictJSON {
        switch next {
        case UInt8(ascii: "{"):
          var members: [String: StrictJSON] = [:]
          try list("{", UInt8(ascii: "}")) { reader in
            let name = try reader.string()
            try reader.take(":")
            guard members.updateValue(try reader.value(), forKey: name) == nil else {
              throw Malformed(description: "the name \(name.prefix(80)) twice")
            }
          }
          return .object(members)
        case UInt8(ascii: "["):
          var elements: [StrictJSON] = []
          try list("[", UInt8(ascii: "]")) { elements.append(try $0.value()) }
          return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
          try take("true")
          return .boolean(true)
        case UInt8(ascii: "f"):
          try take("false")
          return .boolean(false)
        default: return .number(try number())
        }
      }

      mutating func list(_ open: StaticString, _ close: UInt8, _ element: (inout Reader) throws -> Void) throws {
        try take(open)
        if next == close { return position += 1 }
        while true {
          try element(&self)
          let separator = try take()
          if separator == close { return }
          guard separator == UInt8(ascii: ",") else { throw Malformed(description: "no comma at \(position)") }
        }
      }

      mutating func number() throws -> String {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        let hasLeadingZero = whole.count > 1 && whole.first == UInt8(ascii: "0")
        var isNumber = !whole.isEmpty && !hasLeadingZero
        if next == UInt8(ascii: ".") {
          position += 1
          isNumber = !digits().isEmpty && isNumber
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
          position += 1
          if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
          isNumber = !digits().isEmpty && isNumber
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard isNumber else { throw Malformed(description: "no number at \(start): \(text)") }
        return text
      }

      private mutating func digits() -> ArraySlice<UInt8> {
        let rest = bytes[position...].prefix { (0x30...0x39).contains($0) }
        position += rest.count
        return rest
      }

      mutating func string() throws -> String {
        try take("\"")
        var text: [UInt8] = []
        while true {
          let byte = try take()
          switch byte {
          case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
          case UInt8(ascii: "\\"): text += try escape()
          case 0..<0x20, 0x7f: throw Malformed(description: "control character \(byte)")
          default:
            guard byte != 0xc2 || (next ?? 0) >= 0xa0 else { throw Malformed(description: "C1 control character") }
            text.append(byte)
          }
        }
      }

      private mutating func escape() throws -> [UInt8] {
        let escape = try take()
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [escape]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
          let digits = [try take(), try take(), try take(), try take()]
          guard let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
          else { throw Malformed(description: "no scalar") }
          return Array(String(Character(scalar)).utf8)
        default: throw Malformed(description: "escape \(escape)")
        }
      }
    }
  }
#endif

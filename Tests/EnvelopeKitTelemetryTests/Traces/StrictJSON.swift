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
    case null

    struct Malformed: Error, CustomStringConvertible {
      let description: String
    }

    init(_ bytes: [UInt8]) throws {
      guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed(description: "not UTF-8") }
      var reader = Reader(scalars: Array(text.unicodeScalars))
      self = try reader.value()
      guard reader.position == reader.scalars.count else {
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
      let scalars: [Unicode.Scalar]
      var position = 0

      var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

      mutating func take() throws -> Unicode.Scalar {
        guard let scalar = next else { throw Malformed(description: "ends early") }
        position += 1
        return scalar
      }

      mutating func take(_ text: String) throws {
        for scalar in text.unicodeScalars where try take() != scalar {
          throw Malformed(description: "no \(text) at \(position)")
        }
      }

      mutating func value() throws -> StrictJSON {
        switch next {
        case "{":
          var members: [String: StrictJSON] = [:]
          try list("{", "}") { reader in
            let name = try reader.string()
            try reader.take(":")
            guard members.updateValue(try reader.value(), forKey: name) == nil else {
              throw Malformed(description: "the name \(name.prefix(80)) twice")
            }
          }
          return .object(members)
        case "[":
          var elements: [StrictJSON] = []
          try list("[", "]") { elements.append(try $0.value()) }
          return .array(elements)
        case "\"": return .string(try string())
        case "t":
          try take("true")
          return .boolean(true)
        case "f":
          try take("false")
          return .boolean(false)
        case "n":
          try take("null")
          return .null
        default: return .number(try number())
        }
      }

      mutating func list(_ open: String, _ close: Unicode.Scalar, _ element: (inout Reader) throws -> Void) throws {
        try take(open)
        if next == close { return position += 1 }
        while true {
          try element(&self)
          let separator = try take()
          if separator == close { return }
          guard separator == "," else { throw Malformed(description: "\(separator) at \(position)") }
        }
      }

      mutating func number() throws -> String {
        var text = ""
        while let scalar = next, "+-.eE0123456789".unicodeScalars.contains(scalar) {
          text.unicodeScalars.append(scalar)
          position += 1
        }
        let pattern = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?/
        guard text.wholeMatch(of: pattern) != nil else {
          throw Malformed(description: "no number at \(position): \(text)")
        }
        return text
      }

      mutating func string() throws -> String {
        try take("\"")
        var text = ""
        while true {
          let scalar = try take()
          switch scalar {
          case "\"": return text
          case "\\":
            let escape = try take()
            switch escape {
            case "\"", "\\", "/": text.unicodeScalars.append(escape)
            case "n": text += "\n"
            case "r": text += "\r"
            case "t": text += "\t"
            case "u":
              var digits = ""
              for _ in 0..<4 { digits.unicodeScalars.append(try take()) }
              guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                throw Malformed(description: "no scalar: \(digits)")
              }
              text.unicodeScalars.append(scalar)
            default: throw Malformed(description: "escape \(escape)")
            }
          default:
            guard scalar.value >= 0x20, !(0x7f...0x9f).contains(scalar.value) else {
              throw Malformed(description: "control character \(scalar.value)")
            }
            text.unicodeScalars.append(scalar)
          }
        }
      }
    }
  }
#endif

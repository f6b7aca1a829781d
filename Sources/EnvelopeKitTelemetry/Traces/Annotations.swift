// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// The annotations of a span, and the attributes that cannot be annotations.
  ///
  /// Strings of at most 1,000 bytes, numbers and booleans are annotations, as long as X-Ray's 50 and the span's 8,192
  /// bytes last. Attributes whose names were chosen to stay clear come first.
  struct Annotations {
    /// The members without braces.
    private(set) var text: [UInt8] = []
    /// The annotations that stay clear, in ascending order of their names.
    private(set) var clear: [SegmentDocument.Member] = []
    /// The other attributes, in ascending order of their names.
    private(set) var rest: [(name: String, value: SpanAttribute)] = []

    init(_ attributes: SpanAttributes, clear chosen: Set<String>, except consumed: Set<String>) {
      var json = JSONText()
      var used: Set<String> = []
      let sorted = attributes.sorted
      let isChosen = sorted.map { Self.contains($0.name, in: chosen) }
      for (index, attribute) in sorted.enumerated() where isChosen[index] {
        guard let value = append(attribute, to: &json, used: &used) else { continue }
        clear.append(.init(Self.restricted(attribute.name), Self.exact(value)))
      }
      for (index, attribute) in sorted.enumerated() where !isChosen[index] && !consumed.contains(attribute.name) {
        _ = append(attribute, to: &json, used: &used)
      }
      text = json.bytes
      clear.sort { $0.name < $1.name }
      rest.sort { $0.name < $1.name }
    }

    /// Appends an annotation, or puts the attribute with the rest.
    private mutating func append(
      _ attribute: (name: String, value: SpanAttribute), to json: inout JSONText, used: inout Set<String>
    ) -> SegmentDocument.Value? {
      let name = Self.restricted(attribute.name)
      guard !name.isEmpty, name.utf8.count <= TraceLimits.annotationNameLength,
        used.count < TraceLimits.annotationCount, !used.contains(name), let value = Self.value(attribute.value)
      else {
        rest.append(attribute)
        return nil
      }
      let member = SegmentDocument.json(of: [.init(name, value)])
      guard json.count + member.count < TraceLimits.annotationsByteCount else {
        rest.append(attribute)
        return nil
      }
      json.separate()
      json.append(raw: member)
      used.insert(name)
      return value
    }

    /// Returns nil for values that X-Ray does not take as annotations.
    private static func value(_ attribute: SpanAttribute) -> SegmentDocument.Value? {
      switch attribute {
      case .string(let text): return text.utf8.count <= TraceLimits.annotationValueByteCount ? .string(text) : nil
      case .int32(let number): return .number(number.description)
      case .int64(let number): return .number(number.description)
      case .bool(let value): return .boolean(value)
      case .double(let number):
        guard number.isFinite else {
          return .string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
        }
        return .number(number.description)
      default: return nil
      }
    }

    /// Returns the value as a string if it is an integer that a double does not hold exactly.
    ///
    /// A record authenticates its clear numbers as doubles, and readers of JSON round them in the same way.
    private static func exact(_ value: SegmentDocument.Value) -> SegmentDocument.Value {
      guard case .number(let text) = value, let integer = Int64(text), integer.magnitude > 1 << 53 else {
        return value
      }
      return .string(text)
    }

    /// Whether the name is one of those chosen, byte for byte: strings are equal for Unicode that are not for X-Ray.
    private static func contains(_ name: String, in chosen: Set<String>) -> Bool {
      guard let index = chosen.firstIndex(of: name) else { return false }
      return chosen[index].utf8.elementsEqual(name.utf8)
    }

    private static func restricted(_ name: String) -> String {
      guard name.utf8.count <= TraceLimits.annotationNameLength * 4 else { return "" }
      return String(
        decoding: name.unicodeScalars.map { scalar in
          scalar.isASCII && SegmentName.isLetterOrDigit(UInt8(ascii: scalar)) ? UInt8(ascii: scalar) : UInt8(ascii: "_")
        }, as: UTF8.self)
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit
  internal import Logging

  /// The texts of a log record, side by side.
  struct RecordFields {
    /// The message, and then the keys and values of metadata, each dictionary in ascending order of its keys.
    private var texts: [String]
    /// The numbers of the message and of the texts that are values.
    private var values = [0]
    private(set) var metadata: Logger.Metadata = [:]
    /// Whether a value of the current dictionary or array was replaced by its description.
    private var hasDescriptions = false

    init(message: String, _ metadata: Logger.Metadata) {
      texts = []
      texts.reserveCapacity(1 + 2 * metadata.count)
      values.reserveCapacity(1 + metadata.count)
      texts.append(message)
      self.metadata = appendAll(metadata)
    }

    private mutating func appendAll(_ metadata: Logger.Metadata) -> Logger.Metadata {
      var result = metadata
      for (key, value) in metadata.count > 1 ? metadata.sorted(by: { $0.key < $1.key }) : Array(metadata) {
        texts.append(key)
        if let described = append(value) { result[key] = described }
      }
      return result
    }

    /// Appends a value; returns what to use instead, or nil if the value stays.
    private mutating func append(_ value: Logger.MetadataValue) -> Logger.MetadataValue? {
      switch value {
      case .string(let string):
        append(value: string)
        return nil
      case .stringConvertible(let convertible):
        let description = convertible.description
        append(value: description)
        // A value with attributes is of swift-log's own type, which is a string.
        guard !convertible.isNumber, value.attributes == .init() else { return nil }
        hasDescriptions = true
        return .string(description)
      case .dictionary(let dictionary):
        let before = hasDescriptions
        hasDescriptions = false
        let described = appendAll(dictionary)
        defer { hasDescriptions = hasDescriptions || before }
        return hasDescriptions ? .dictionary(described) : nil
      case .array(let array):
        let before = hasDescriptions
        hasDescriptions = false
        var described = array
        for (index, element) in array.enumerated() {
          if let element = append(element) { described[index] = element }
        }
        defer { hasDescriptions = hasDescriptions || before }
        return hasDescriptions ? .array(described) : nil
      }
    }

    private mutating func append(value: String) {
      values.append(texts.count)
      texts.append(value)
    }

    /// The message and metadata with masks, or nil if there is no secret in them.
    ///
    /// The values are searched between two copies of the message, and the keys each followed by their value.
    func redacted(by redactor: Redactor) -> (message: String, metadata: Logger.Metadata)? {
      var marks: [TextMark] = []
      redactor.addMarks(in: texts, order: values, repeatsFirst: true, to: &marks)
      if texts.count > 1 { redactor.addMarks(in: texts, order: 1..<texts.count, to: &marks) }
      guard !marks.isEmpty else { return nil }
      let masked = redactor.redact(texts, marks)
      var next = 1
      return (masked[0], Self.rebuild(metadata, from: masked, &next))
    }

    /// Puts texts in the places from which they were taken.
    private static func rebuild(_ metadata: Logger.Metadata, from texts: [String], _ next: inout Int) -> Logger.Metadata
    {
      var result: Logger.Metadata = [:]
      for (_, value) in metadata.sorted(by: { $0.key < $1.key }) {
        var key = texts[next]
        next += 1
        let value = rebuild(value, from: texts, &next)
        // Two keys may have become one.
        while result[key] != nil { key += "+" }
        result[key] = value
      }
      return result
    }

    private static func rebuild(
      _ value: Logger.MetadataValue, from texts: [String], _ next: inout Int
    ) -> Logger.MetadataValue {
      switch value {
      case .string:
        defer { next += 1 }
        return .string(texts[next])
      case .stringConvertible(let convertible):
        defer { next += 1 }
        // A number in which nothing is masked stays a number.
        if convertible.isNumber, texts[next] == convertible.description { return value }
        return .string(texts[next], attributedAs: value)
      case .dictionary(let dictionary): return .dictionary(rebuild(dictionary, from: texts, &next))
      case .array(let array): return .array(array.map { rebuild($0, from: texts, &next) })
      }
    }
  }

  extension Logger.MetadataValue {
    /// A string with the attributes of another value.
    fileprivate static func string(_ string: String, attributedAs value: Logger.MetadataValue) -> Logger.MetadataValue {
      let attributes = value.attributes
      return attributes == .init() ? .string(string) : .attributed(string, attributes: attributes)
    }
  }

  extension CustomStringConvertible {
    /// Whether the value is of a type whose description shows all of it.
    fileprivate var isNumber: Bool {
      switch self {
      case is Int, is Bool, is Double, is UInt, is Float, is Int64, is UInt64, is Int32, is UInt32, is Int16, is UInt16,
        is Int8, is UInt8:
        true
      default: false
      }
    }
  }
#endif

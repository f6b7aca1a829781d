// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  extension JSONText {
    /// Appends the value of an attribute in about `limit` bytes; what does not fit is cut, with a note of how much.
    mutating func append(_ attribute: SpanAttribute, limit: Int) {
      switch attribute {
      case .int32(let value): append(integer: value)
      case .int64(let value): append(integer: value)
      case .double(let value): append(double: value)
      case .bool(let value): append(boolean: value)
      case .string(let value): append(string: value, limit: limit)
      case .stringConvertible(let value): append(string: value.description, limit: limit)
      case .int32Array(let values): append(values, limit: limit) { text, value, _ in text.append(integer: value) }
      case .int64Array(let values): append(values, limit: limit) { text, value, _ in text.append(integer: value) }
      case .doubleArray(let values): append(values, limit: limit) { text, value, _ in text.append(double: value) }
      case .boolArray(let values): append(values, limit: limit) { text, value, _ in text.append(boolean: value) }
      case .stringArray(let values):
        append(values, limit: limit) { text, value, limit in
          text.append(string: value, limit: limit)
        }
      case .stringConvertibleArray(let values):
        append(values, limit: limit) { text, value, limit in
          text.append(string: value.description, limit: limit)
        }
      default: append(number: "null")
      }
    }

    private mutating func append<Element>(
      _ values: [Element], limit: Int, _ append: (inout JSONText, Element, Int) -> Void
    ) {
      open("[")
      let end = count + limit
      for (index, value) in values.enumerated() {
        guard count < end else {
          self.append(string: "… [\(values.count - index) elements cut]")
          break
        }
        append(&self, value, end - count)
      }
      close("]")
    }

    /// Appends attributes as an object of about `limit` bytes, in ascending order of their names.
    mutating func append(_ attributes: SpanAttributes, limit: Int) {
      open("{")
      let end = count + limit
      let sorted = attributes.sorted
      for (index, (name, value)) in sorted.enumerated() {
        guard count < end else {
          append(name: "…")
          append(string: "[\(sorted.count - index) attributes cut]")
          break
        }
        append(attributeName: name, at: index)
        append(value, limit: max(0, end - count))
      }
      close("}")
    }
  }

  extension JSONText {
    /// Appends the name of an attribute, long ones with their place in front: names that are cut must not become equal.
    mutating func append(attributeName name: String, at place: Int) {
      let isCut = name.utf8.count > TraceLimits.nameByteCount / 6
      append(name: isCut ? "\(place): " + name : name, limit: TraceLimits.nameByteCount)
    }
  }

  extension SpanAttributes {
    /// The attributes in ascending order of their names.
    var sorted: [(name: String, value: SpanAttribute)] {
      var list: [(name: String, value: SpanAttribute)] = []
      list.reserveCapacity(count)
      forEach { list.append(($0, $1)) }
      return list.sorted { $0.name < $1.name }
    }

    /// About how much memory the attributes take.
    var approximateByteCount: Int {
      var total = 0
      forEach { name, value in
        total += name.utf8.count + 16
        switch value {
        case .string(let text): total += text.utf8.count
        case .stringArray(let texts): total += texts.reduce(0) { $0 + $1.utf8.count + 16 }
        case .int32Array(let values): total += values.count * 4
        case .int64Array(let values): total += values.count * 8
        case .doubleArray(let values): total += values.count * 8
        case .boolArray(let values): total += values.count
        case .stringConvertibleArray(let values): total += values.count * 48
        default: total += 32
        }
      }
      return total
    }
  }
#endif

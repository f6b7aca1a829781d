// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// One X-Ray segment document to seal: the members that stay clear, and the complete document as payload.
  ///
  /// Source: AWS X-Ray, segment documents.
  package struct SegmentDocument: Sendable {
    /// The value of a clear member.
    package enum Value: Sendable, Hashable {
      case string(String)
      /// A number, as its JSON text.
      case number(String)
      case boolean(Bool)
      /// An object; only `annotations` is one, and none lies inside another.
      case object([Member])
    }

    /// A clear member.
    package struct Member: Sendable, Hashable {
      package let name: String
      package let value: Value

      package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
      }
    }

    /// The members that the sealed document shows, in their order; names differ.
    package let clear: [Member]
    /// The complete document as JSON.
    package let payload: [UInt8]

    /// Renders members as JSON without the braces around them, `"name":"checkout","id":"…"` say.
    package static func json(of members: [Member]) -> [UInt8] {
      var text = JSONText()
      text.append(members)
      return text.bytes
    }
  }

  extension SegmentDocument: CustomStringConvertible, CustomReflectable {
    package var description: String { "SegmentDocument(\(payload.count) bytes)" }

    package var customMirror: Mirror { Mirror(self, children: []) }
  }

  extension JSONText {
    mutating func append(_ members: [SegmentDocument.Member]) {
      for member in members {
        append(name: member.name)
        switch member.value {
        case .string(let text): append(string: text)
        case .number(let text): append(number: text)
        case .boolean(let value): append(boolean: value)
        case .object(let members):
          open("{")
          append(members)
          close("}")
        }
      }
    }
  }
#endif

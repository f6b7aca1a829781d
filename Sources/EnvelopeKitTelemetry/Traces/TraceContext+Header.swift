// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  extension TraceContext {
    /// The name of the tracing header.
    public static var headerName: String { "X-Amzn-Trace-Id" }

    private static let maximumHeaderByteCount = 1_024
    private static let maximumFurtherByteCount = 256

    /// Parses a tracing header, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` say.
    ///
    /// Returns nil if `Root` is missing, `Root` or `Parent` is not a valid id or occurs twice, or the text is longer
    /// than 1,024 bytes. `Self` is ignored. Up to 256 bytes of other fields are kept and passed on in requests; longer
    /// or malformed ones are dropped.
    public init?(header: String) {
      self.init(header: header, isInvocation: false)
    }

    init?(header: String, isInvocation: Bool) {
      guard header.utf8.count <= Self.maximumHeaderByteCount else { return nil }
      var trace: TraceID?
      var segment: XRaySegmentID?
      var isSampled: Bool?
      var further = ""
      for field in Array(header.utf8).split(separator: UInt8(ascii: ";")) {
        let field = Self.trimmed(field)
        guard let sign = field.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let (name, value) = (field[..<sign], field[(sign + 1)...])
        switch String(decoding: name, as: UTF8.self) {
        case "Root":
          guard trace == nil, let id = TraceID(value) else { return nil }
          trace = id
        case "Parent":
          guard segment == nil, let id = XRaySegmentID(value) else { return nil }
          segment = id
        case "Sampled":
          // Other values, "?" among them, are no decision.
          isSampled = value.elementsEqual("1".utf8) ? true : value.elementsEqual("0".utf8) ? false : isSampled
        case "Self": continue
        default:
          guard Self.isPlain(name), Self.isPlain(value),
            further.utf8.count + field.count < Self.maximumFurtherByteCount
          else { continue }
          further += ";" + String(decoding: field, as: UTF8.self)
        }
      }
      guard let trace else { return nil }
      self.init(
        trace: trace, segment: segment, isSampled: isSampled, furtherFields: further, isInvocation: isInvocation)
    }

    /// The text of the tracing header for requests to other services.
    public var header: String {
      var header = "Root=" + trace.text
      if let segment { header += ";Parent=" + segment.text }
      if let isSampled { header += isSampled ? ";Sampled=1" : ";Sampled=0" }
      return header + furtherFields
    }

    private static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
      let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
      let start = field.drop(while: isBlank)
      guard let last = start.lastIndex(where: { !isBlank($0) }) else { return [] }
      return start[...last]
    }

    /// Whether a name or value is not empty and cannot end a field or a header: visible ASCII without `;`, `=` and `"`.
    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
      !text.isEmpty
        && text.allSatisfy {
          (0x21...0x7e).contains($0) && ![UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "\"")].contains($0)
        }
    }
  }
#endif

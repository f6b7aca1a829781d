// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  extension SealedTracer {
    /// Creates a tracer whose documents a writer seals.
    ///
    /// Each document is sealed in all, inside of another that X-Ray takes: it shows the service, ids, times and the
    /// annotations that are chosen to stay clear.
    ///
    /// - Parameters:
    ///   - service: The name of the service, which X-Ray shows: 1 to 200 characters.
    ///   - clearAnnotations: The names of the attributes that stay readable, so that traces can be searched by them.
    ///   - writer: Seals and writes the documents. A writer of logs can be used, too.
    public init(service: String, clearAnnotations: Set<String> = [], to writer: RecordWriter) {
      self.init(
        service: service, clearAnnotations: clearAnnotations, headerByteCount: writer.headerByteCount
      ) { document in
        writer.write(document)
      }
    }
  }

  extension RecordWriter {
    func write(_ document: SegmentDocument) {
      write(.trace) { text, _ in
        text.members.append(SegmentDocument.json(of: document.clear))
        document.appendClearPairs(to: &text.clear)
        text.payload.append(document.payload)
      }
    }
  }

  extension SegmentDocument {
    /// Appends what the seal covers of the clear members, in the order of the names' bytes
    /// (`Docs/Format.md`, section Records).
    fileprivate func appendClearPairs(to output: inout GrowingBuffer) {
      var pairs: [(name: [UInt8], value: [UInt8])] = []
      for member in clear {
        switch member.value {
        case .object(let members) where member.name == "annotations":
          for inner in members {
            pairs.append((Array("annotations\0".utf8) + Array(inner.name.utf8), inner.value.bound))
          }
        case .string, .number, .boolean:
          guard ["name", "id", "start_time", "end_time"].contains(member.name) else { continue }
          pairs.append((Array(member.name.utf8), member.value.bound))
        case .object: continue
        }
      }
      pairs.sort { $0.name.lexicographicallyPrecedes($1.name) }
      for (name, value) in pairs {
        output.append(bigEndian: UInt16(name.count))
        output.append(name)
        output.append(bigEndian: UInt16(value.count))
        output.append(value)
      }
    }
  }

  extension SegmentDocument.Value {
    /// The value as the seal covers it: a byte that says of which type it is, and its bytes.
    fileprivate var bound: [UInt8] {
      switch self {
      case .string(let text): [ClearPairs.Tag.string.rawValue] + Array(text.utf8)
      case .boolean(let isTrue): [isTrue ? ClearPairs.Tag.true.rawValue : ClearPairs.Tag.false.rawValue]
      case .number(let text):
        [ClearPairs.Tag.number.rawValue]
          + (0..<8).map { UInt8(truncatingIfNeeded: (Double(text) ?? 0).bitPattern >> (56 - 8 * UInt64($0))) }
      case .object: []
      }
    }
  }
#endif

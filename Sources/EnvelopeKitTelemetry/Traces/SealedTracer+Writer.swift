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
    ///
    /// `annotations` comes before all other names that are bound.
    fileprivate func appendClearPairs(to output: inout GrowingBuffer) {
      for case .object(let members) in clear.filter({ $0.name == "annotations" }).map(\.value) {
        for member in members.sorted(by: Self.comesFirst) {
          let value = member.value.bound
          member.name.withUTF8Bytes { name in
            unsafe ClearPairs.append(name, of: "annotations", value.tag, value.bytes.span.bytes, to: &output)
          }
        }
      }
      let bound = clear.filter { ["name", "id", "start_time", "end_time"].contains($0.name) }
      for member in bound.sorted(by: Self.comesFirst) {
        let value = member.value.bound
        member.name.withUTF8Bytes { unsafe ClearPairs.append($0, value.tag, value.bytes.span.bytes, to: &output) }
      }
    }

    private static func comesFirst(_ a: Member, _ b: Member) -> Bool {
      a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
  }

  extension SegmentDocument.Value {
    /// The value as the seal covers it.
    fileprivate var bound: (tag: ClearPairs.Tag, bytes: [UInt8]) {
      switch self {
      case .string(let text): return (.string, Array(text.utf8))
      case .boolean(let isTrue): return (isTrue ? .true : .false, [])
      case .number(let text):
        var bytes: [UInt8] = []
        bytes.append(bigEndian: (Double(text) ?? 0).bitPattern)
        return (.number, bytes)
      // No member that is bound is one.
      case .object: return (.string, [])
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// Builds documents of finished spans: each with as many of its descendants as one document holds.
  struct SegmentForest {
    private let spans: [FinishedSpan]
    private let trace: TraceID
    private let limits: TraceLimits
    private var children: [[Int]]
    private var assemblies: [Assembly?]
    private var documents: [SegmentDocument] = []

    /// A span with the descendants that its document holds.
    private struct Assembly {
      let nested: [UInt8]
      let height: Int
      let clear: [SegmentDocument.Member]

      func byteCount(of span: FinishedSpan) -> Int { span.body.count + nested.count + 20 }
    }

    /// Returns the documents of the spans, each span in one of them.
    ///
    /// A span whose parent is not among them has a document of its own. A subsegment moves to a document of its own if
    /// its parent's would exceed the size that X-Ray takes, or would nest more than 64 subsegments inside each other,
    /// or if it has a clear annotation of the same name as another in the document, with another value. The segment
    /// comes last.
    static func documents(
      of spans: [FinishedSpan], trace: TraceID, limits: TraceLimits
    ) -> [SegmentDocument] {
      var forest = SegmentForest(spans: spans, trace: trace, limits: limits)
      forest.assemble()
      return forest.documents
    }

    private init(spans: [FinishedSpan], trace: TraceID, limits: TraceLimits) {
      // In the order of their starts, so that subsegments are as well.
      self.spans = spans.sorted { $0.start < $1.start }
      self.trace = trace
      self.limits = limits
      children = Array(repeating: [], count: spans.count)
      assemblies = Array(repeating: nil, count: spans.count)
    }

    private mutating func assemble() {
      var places: [XRaySegmentID: Int] = [:]
      for (index, span) in spans.enumerated() { places[span.id] = index }
      var roots: [Int] = []
      for (index, span) in spans.enumerated() {
        if !span.isSegment, let parent = span.parent.flatMap({ places[$0] }), parent != index {
          children[parent].append(index)
        } else {
          roots.append(index)
        }
      }
      // Ancestors before descendants, without recursion: chains of spans may be deep.
      var order: [Int] = []
      order.reserveCapacity(spans.count)
      var stack = roots
      while let index = stack.popLast() {
        order.append(index)
        stack += children[index]
      }
      for index in order.reversed() { assemble(index) }
      for root in roots where !spans[root].isSegment { emit(root) }
      for root in roots where spans[root].isSegment { emit(root) }
    }

    /// Nests the children that the document holds, and emits the others.
    private mutating func assemble(_ index: Int) {
      let span = spans[index]
      var clear = span.clear
      var kept: [Int] = []
      var size = span.body.count + FinishedSpan.fixedByteCount
      for child in children[index] {
        guard let assembly = assemblies[child], assembly.height < TraceLimits.nestingDepth,
          let merged = Self.merged(clear, assembly.clear)
        else {
          emit(child)
          continue
        }
        clear = merged
        size += assembly.byteCount(of: spans[child])
        kept.append(child)
      }
      let limit = limits.payloadByteCount(
        besideClear: FinishedSpan.clearByteCount(name: span.name, annotations: clear))
      // The largest first, which leaves the fewest documents.
      for child in kept.sorted(by: { self.size(of: $0) > self.size(of: $1) }) where size > limit {
        size -= self.size(of: child)
        emit(child)
      }
      kept.removeAll { assemblies[$0] == nil }
      clear = kept.reduce(span.clear) { Self.merged($0, assemblies[$1]?.clear ?? []) ?? $0 }
      var nested = JSONText()
      for child in kept {
        guard let assembly = assemblies[child] else { continue }
        nested.open("{")
        nested.append(raw: spans[child].body)
        nested.append(raw: Self.subsegments(assembly.nested))
        nested.close("}")
      }
      for continuation in span.continuations { append(continuation, nested: [], clear: []) }
      let heights = kept.compactMap { assemblies[$0]?.height }
      assemblies[index] = Assembly(nested: nested.bytes, height: (heights.max() ?? 0) + 1, clear: clear)
      for child in kept { assemblies[child] = nil }
    }

    private func size(of index: Int) -> Int { assemblies[index]?.byteCount(of: spans[index]) ?? 0 }

    /// Appends the document of a span that no other document holds.
    private mutating func emit(_ index: Int) {
      guard let assembly = assemblies[index] else { return }
      assemblies[index] = nil
      let span = spans[index]
      append(span, nested: assembly.nested, clear: assembly.clear)
    }

    private mutating func append(_ span: FinishedSpan, nested: [UInt8], clear: [SegmentDocument.Member]) {
      var payload: [UInt8] = [UInt8(ascii: "{")]
      payload += span.body
      payload += span.independentMembers(of: trace)
      payload += Self.subsegments(nested)
      payload.append(UInt8(ascii: "}"))
      documents.append(
        SegmentDocument(clear: span.clearMembers(of: trace, annotations: clear), payload: payload))
    }

    private static func subsegments(_ nested: [UInt8]) -> [UInt8] {
      nested.isEmpty ? [] : Array(",\"subsegments\":[".utf8) + nested + [UInt8(ascii: "]")]
    }

    /// Returns the clear annotations of both, or nil if they contradict each other or are too many for a document.
    private static func merged(
      _ some: [SegmentDocument.Member], _ others: [SegmentDocument.Member]
    ) -> [SegmentDocument.Member]? {
      guard !others.isEmpty else { return some }
      var values: [String: SegmentDocument.Value] = [:]
      for member in some { values[member.name] = member.value }
      var merged = some
      for member in others {
        guard let value = values[member.name] else {
          merged.append(member)
          continue
        }
        guard value == member.value else { return nil }
      }
      guard merged.count <= TraceLimits.annotationCount,
        SegmentDocument.json(of: merged).count <= TraceLimits.annotationsByteCount
      else { return nil }
      return merged.sorted { $0.name < $1.name }
    }
  }
#endif

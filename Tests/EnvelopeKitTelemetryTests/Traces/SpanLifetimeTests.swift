// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Synchronization
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct SpanLifetimeTests {
    private struct Broken: Error, CustomStringConvertible {
      let description = "it broke"
    }

    private let written = WrittenDocuments()

    @Test func findsActiveSpanUntilItEnds() {
      let tracer = written.tracer()
      let span = tracer.startSpan("root")
      #expect(tracer.activeSpan(identifiedBy: span.context) === span)
      let child = tracer.startSpan("child", context: span.context)
      #expect(tracer.activeSpan(identifiedBy: child.context) === child)
      #expect(written.tracer().activeSpan(identifiedBy: span.context) == nil)
      #expect(tracer.activeSpan(identifiedBy: .topLevel) == nil)
      child.end()
      #expect(tracer.activeSpan(identifiedBy: child.context) == nil)
      span.end()
      #expect(tracer.activeSpan(identifiedBy: span.context) == nil)
    }

    @Test func spanOfAnotherTracerIsRemoteParent() throws {
      let other = WrittenDocuments()
      let span = other.tracer().startSpan("other")
      written.tracer().withSpan("root", context: span.context) { _ in }
      let segment = try written.only()
      #expect(segment.parent == span.context.segmentID)
      #expect(!segment.isSubsegment)
      span.end()
      #expect(try other.only().subsegments.isEmpty)
    }

    @Test func takesLastNameAndMergedAttributes() throws {
      let tracer = written.tracer()
      tracer.withSpan("root") { _ in
        tracer.withSpan("before") { span in
          span.attributes["kept"] = "a"
          span.attributes["replaced"] = "b"
          span.operationName = "after"
          #expect(span.operationName == "after")
          span.updateAttributes { $0.merge(["replaced": "c", "added": true]) }
          span.attributes.set("removed", value: 1)
          span.attributes.set("removed", value: nil)
        }
      }
      let child = try #require(try written.only().subsegments.first)
      #expect(child.name == "after")
      #expect(child.annotations == ["kept": .string("a"), "replaced": .string("c"), "added": .boolean(true)])
    }

    @Test func laterEndsAndChangesAreIgnored() throws {
      let tracer = written.tracer()
      let span = tracer.startSpan("root", at: DefaultTracerClock.Timestamp.at(0))
      span.attributes["a"] = 1
      span.end(at: DefaultTracerClock.Timestamp.at(5))
      span.end(at: DefaultTracerClock.Timestamp.at(9))
      span.attributes["a"] = 2
      span.attributes["b"] = 3
      span.operationName = "changed"
      span.addEvent("late")
      span.addLink(.init(context: .topLevel, attributes: [:]))
      span.setStatus(.init(code: .error))
      span.recordError(Broken())
      span.end()
      tracer.forceFlush()
      #expect(!span.isRecording)
      #expect(span.attributes == ["a": 1])
      #expect(span.operationName == "root")
      let segment = try written.only()
      #expect(segment.annotations == ["a": .number("1")])
      #expect(segment.json["end_time"] == .number("1700000000.005"))
      #expect(segment.marks.isEmpty)
    }

    @Test func childrenThatEndLaterAreSentAlone() throws {
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      let child = tracer.startSpan("child", context: root.context)
      let early = tracer.startSpan("early", context: child.context)
      let late = tracer.startSpan("late", context: child.context)
      early.end()
      root.end()
      // The grandchild's parent is not finished, so it cannot lie inside the root's document.
      #expect(try written.checked().map(\.name) == ["early", "shop"])
      child.end()
      late.end()
      let lateStart = tracer.startSpan("started after the root", context: root.context)
      lateStart.end()
      let segments = try written.checked()
      #expect(segments.map(\.name) == ["early", "shop", "child", "late", "started after the root"])
      #expect(
        segments.map(\.parent) == [
          child.context.segmentID, nil, root.context.segmentID, child.context.segmentID, root.context.segmentID,
        ])
      #expect(segments.map(\.isSubsegment) == [true, false, true, true, true])
    }

    @Test func spanThatNeverEndsIsNotWritten() throws {
      let tracer = written.tracer()
      var root: SealedSpan? = tracer.startSpan("root")
      let context = try #require(root?.context)
      tracer.startSpan("finished", context: context).end()
      _ = tracer.startSpan("unfinished", context: context)
      #expect(written.count == 0)
      #expect(tracer.core.openTreeCount == 1)
      root = nil
      let segment = try written.only()
      #expect(segment.name == "finished")
      #expect(segment.parent == context.segmentID)
      #expect(tracer.core.openTreeCount == 0)
      #expect(tracer.activeSpan(identifiedBy: context) == nil)
    }

    @Test func flushSendsFinishedChildren() throws {
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      let child = tracer.startSpan("child", context: root.context)
      tracer.startSpan("grandchild", context: child.context).end()
      child.end()
      tracer.forceFlush()
      tracer.forceFlush()
      let first = try written.only()
      #expect(first.name == "child")
      #expect(first.isSubsegment)
      #expect(first.subsegments.map(\.name) == ["grandchild"])
      root.end()
      #expect(try written.checked().map(\.name) == ["child", "shop"])
    }

    @Test func finishedChildrenBeyondTheLimitAreSentAhead() throws {
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      for _ in 0..<100 { tracer.startSpan("child", context: root.context).end() }
      #expect(written.count == 0)
      tracer.startSpan("child", context: root.context).end()
      #expect(written.count == 101)
      root.end()
      #expect(try written.checked().allSatisfy { $0.subsegments.isEmpty })
      #expect(written.count == 102)
    }

    @Test func largeFinishedChildrenAreSentAhead() {
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      var ended = 0
      while written.count == 0, ended < 100 {
        let child = tracer.startSpan("child", context: root.context)
        for index in 0..<8 { child.attributes["\(index)"] = String(repeating: "a", count: 16_000) }
        child.end()
        ended += 1
      }
      #expect((5...20).contains(ended))
      root.end()
    }

    @Test func clockSetBackGivesNoNegativeDuration() throws {
      let span = written.tracer().startSpan("root", at: DefaultTracerClock.Timestamp.at(10))
      span.end(at: DefaultTracerClock.Timestamp.at(3))
      let segment = try written.only()
      #expect(segment.json["end_time"] == segment.json["start_time"])
    }

    @Test(arguments: [0, 1, 999, 1_000, UInt64.max])
    func extremeInstantsAreWritten(nanoseconds: UInt64) throws {
      let instant = DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: nanoseconds)
      written.tracer().startSpan("root", at: instant).end(at: instant)
      _ = try written.only()
    }

    @Test func printsNothingThatWasRecorded() throws {
      let tracer = written.tracer(clear: ["hunter2"])
      let root = tracer.startSpan("root")
      root.attributes["password"] = "hunter2"
      let child = tracer.startSpan("child", context: root.context)
      child.attributes["password"] = "hunter2"
      child.recordError(Broken(), attributes: ["password": "hunter2"])
      child.end()
      var shown = "\(root) \(child) \(tracer) \(root.context) \(String(describing: root.context.xRayTrace))"
      for value: Any in [root, child, tracer, root.context, root.context.xRayTrace as Any] {
        dump(value, to: &shown)
        shown += String(reflecting: value)
      }
      root.end()
      for document in written.all {
        dump(document, to: &shown)
        shown += "\(document)" + String(reflecting: document)
      }
      #expect(!shown.contains("hunter2"))
    }

    @Test func describingForeignValuesMayUseTheSpan() throws {
      // Descriptions that lock the span again must not find it locked.
      struct Reentrant: CustomStringConvertible, Error {
        let span: SealedSpan
        var description: String {
          span.attributes["seen"] = 1
          span.end()
          return "described \(span.isRecording)"
        }
      }
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      root.attributes.set("value", value: .stringConvertible(Reentrant(span: root)))
      root.addEvent(.init(name: "event", attributes: ["value": .stringConvertible(Reentrant(span: root))]))
      root.end()
      #expect(try written.only().metadata["value"] == .string("described false"))
      let other = tracer.startSpan("other")
      other.recordError(Reentrant(span: other))
      #expect(!other.isRecording)
      #expect(written.count == 2)
    }

    @Test func releasingForeignValuesMayUseTheSpan() throws {
      // A value whose release locks the span again must not be released under the lock.
      final class Releasing: CustomStringConvertible, Sendable {
        let span: SealedSpan
        var description: String { "releasing" }

        init(_ span: SealedSpan) { self.span = span }

        deinit { span.addEvent("released") }
      }
      let tracer = written.tracer()
      let span = tracer.startSpan("root")
      span.attributes.set("value", value: .stringConvertible(Releasing(span)))
      span.attributes = [:]
      span.end()
      #expect(try written.only().json["metadata"]?["events"]?.elements.count == 1)
    }

    @Test func writingMayStartSpans() {
      let box = Mutex<SealedTracer?>(nil)
      let count = Mutex(0)
      let tracer = SealedTracer(service: "shop", readsInvocations: false) { _ in
        let isFirst = count.withLock {
          $0 += 1
          return $0 == 1
        }
        guard isFirst, let tracer = box.withLock({ $0 }) else { return }
        tracer.withSpan("inside the writer") { _ in }
        tracer.forceFlush()
      }
      box.withLock { $0 = tracer }
      tracer.withSpan("root") { _ in }
      #expect(count.withLock { $0 } == 2)
      box.withLock { $0 = nil }
    }
  }
#endif

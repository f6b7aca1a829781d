// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Synchronization
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct SealedTracerTests {
    private struct Broken: Error, CustomStringConvertible {
      let description = "it broke"
    }

    /// The parents that spans were started below.
    private final class Parents: Sendable {
      private let parents = Mutex<[String: String]>([:])

      var all: [String: String] { parents.withLock { $0 } }

      func add(_ parent: SealedSpan, of span: SealedSpan) {
        parents.withLock { $0[span.context.segmentID] = parent.context.segmentID }
      }
    }

    private let written = WrittenDocuments()

    @Test func nestsOverFunctionsAndTasks() async throws {
      let tracer = written.tracer()
      await tracer.withSpan("root", ofKind: .server) { _ in
        async let first: Void = tracer.withSpan("async let") { _ in
          await Task.yield()
          tracer.withSpan("below async let") { _ in }
        }
        await withTaskGroup(of: Void.self) { group in
          for index in 0..<3 { group.addTask { tracer.withSpan("group \(index)") { _ in } } }
        }
        await Task { tracer.withSpan("task") { _ in } }.value
        await first
      }
      let root = try written.only()
      #expect(root.name == "shop")
      #expect(root.json["metadata"]?["span"]?["operation"] == .string("root"))
      #expect(Set(root.subsegments.map(\.name)) == ["async let", "group 0", "group 1", "group 2", "task"])
      let first = try #require(root.subsegments.first { $0.name == "async let" })
      #expect(first.subsegments.map(\.name) == ["below async let"])
    }

    @Test func detachedTaskStartsItsOwnTrace() async throws {
      let tracer = written.tracer()
      await tracer.withSpan("root") { _ in
        await Task.detached { tracer.withSpan("detached") { _ in } }.value
      }
      let segments = try written.checked()
      #expect(segments.count == 2)
      #expect(Set(segments.map { $0.json["trace_id"] }).count == 2)
    }

    @Test func nestsThroughTheTracerOfTheTask() async throws {
      let tracer = written.tracer()
      await withTracer(tracer) {
        await Tracing.withSpan("root") { _ in
          await Tracing.withSpan("child") { _ in await Task.yield() }
        }
      }
      #expect(try written.only().subsegments.map(\.name) == ["child"])
    }

    @Test func existentialTracerNests() throws {
      let tracer: any Tracer = written.tracer()
      tracer.withAnySpan("root") { root in
        root.attributes["a"] = "b"
        tracer.withAnySpan("child") { _ in }
      }
      let root = try written.only()
      #expect(root.annotations == ["a": .string("b")])
      #expect(root.subsegments.count == 1)
    }

    @Test(arguments: [100, 2_000])
    func recordsThousandConcurrentChildrenOnce(waitingCount: Int) async throws {
      let tracer = written.tracer(waitingCount: waitingCount)
      let expected = Parents()
      await tracer.withSpan("root") { root in
        await withTaskGroup(of: Void.self) { group in
          for index in 0..<1_000 {
            group.addTask {
              await tracer.withSpan("child \(index)") { child in
                expected.add(root, of: child)
                child.attributes["index"] = index
                root.addEvent(.init(name: "child \(index)"))
                await Task.yield()
                tracer.withSpan("grandchild") { span in
                  expected.add(child, of: span)
                }
              }
            }
          }
        }
      }
      let segments = try written.checked().flatMap(\.everything).filter { $0.continues == nil }
      #expect(segments.count == 2_001)
      #expect(Set(segments.map(\.id)).count == 2_001)
      let parents = Dictionary(uniqueKeysWithValues: segments.compactMap { s in s.parent.map { (s.id, $0) } })
      #expect(parents == expected.all)
      #expect(tracer.core.openTreeCount == 0)
    }

    @Test func concurrentUseOfOneSpanIsSafeAndEndsOnce() async throws {
      let tracer = written.tracer()
      let span = tracer.startSpan("root")
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<200 {
          group.addTask {
            span.addEvent("event")
            span.attributes["\(index % 7)"] = index
            span.operationName = "name \(index)"
            span.recordError(Broken())
            span.setStatus(.init(code: .ok))
            _ = tracer.activeSpan(identifiedBy: span.context)
            if index > 100 { span.end() }
            tracer.forceFlush()
          }
        }
      }
      #expect(try written.checked().filter { $0.continues == nil }.count == 1)
      #expect(!span.isRecording)
    }

    @Test func thrownErrorIsRecordedAndThrownOn() async throws {
      let tracer = written.tracer()
      #expect(throws: Broken.self) { try tracer.withSpan("sync") { _ in throw Broken() } }
      await #expect(throws: Broken.self) {
        try await tracer.withSpan("async") { _ in
          await Task.yield()
          throw Broken()
        }
      }
      for segment in try written.checked() {
        #expect(segment.marks == ["fault"])
        #expect(segment.exceptions.first?["message"] == .string("it broke"))
        #expect(segment.exceptions.first?["type"]?.text?.hasSuffix("Broken") == true)
        #expect(segment.clear["fault"] == .boolean(true))
        #expect(segment.clear["cause"] == nil)
      }
      #expect(written.count == 2)
    }
  }
#endif

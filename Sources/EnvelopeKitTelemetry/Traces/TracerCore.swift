// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Synchronization

  /// The state that a tracer shares with its spans.
  final class TracerCore: Sendable {
    private struct OpenTree {
      weak var tree: SpanTree?
    }

    let service: String
    let clearAnnotations: Set<String>
    let limits: TraceLimits
    let readsInvocations: Bool
    let write: @Sendable (SegmentDocument) -> Void
    /// The trees whose roots have not ended.
    private let openTrees = Mutex<[ObjectIdentifier: OpenTree]>([:])

    init(
      service: String, clearAnnotations: Set<String>, limits: TraceLimits, readsInvocations: Bool,
      write: @escaping @Sendable (SegmentDocument) -> Void
    ) {
      self.service = service
      self.clearAnnotations = clearAnnotations
      self.limits = limits
      self.readsInvocations = readsInvocations
      self.write = write
    }

    func register(_ tree: SpanTree) {
      openTrees.withLock { $0[ObjectIdentifier(tree)] = OpenTree(tree: tree) }
    }

    func unregister(_ tree: SpanTree) { _ = openTrees.withLock { $0.removeValue(forKey: ObjectIdentifier(tree)) } }

    var openTreeCount: Int { openTrees.withLock { $0.count } }

    func flush() {
      let trees = openTrees.withLock { $0.values.compactMap(\.tree) }
      for tree in trees { tree.flush() }
    }
  }
#endif

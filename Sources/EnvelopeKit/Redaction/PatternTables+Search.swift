// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A search in a text that arrives in parts.
struct PatternSearch: Sendable {
  /// The node of the longest end of the text so far that a pattern begins with.
  var node = 0
  /// How many nodes and hashes have been looked at; grows by a bounded number per byte of text.
  var stepCount = 0
}

extension PatternTables {
  /// Searches the next part of a text.
  ///
  /// - Parameters:
  ///   - text: The part.
  ///   - search: Where the search is.
  ///   - continues: Whether other parts follow. If not, `search.node` is undefined afterwards.
  ///   - report: Receives the end in this part and the number of each longest pattern that ends there.
  @inline(__always)
  func search(
    _ text: RawSpan, _ search: inout PatternSearch, continues: Bool, _ report: (_ end: Int, _ pattern: Int) -> Void
  ) {
    let count = text.byteCount
    let (depth2, depth3, depth4) = (firstNode(ofDepth: 2), firstNode(ofDepth: 3), firstNode(ofDepth: 4))
    var (node, position, steps) = (search.node, 0, 0)
    // From here on, the search may pass over text in which no pattern begins.
    var passing = 0
    while position < count {
      if node < depth4, position >= passing {
        let start = position - (node >= depth3 ? 3 : node >= depth2 ? 2 : node > 0 ? 1 : 0)
        if start >= 0 {
          if let next = firstCandidate(text, from: start, &steps) {
            // Four bytes later the node is at least four deep, or patterns begin after this place only.
            (node, position, passing) = (0, next, next + 4)
          } else if continues {
            (node, position, passing) = (0, max(start, count - layout.minimumLength + 1), count)
          } else {
            break
          }
        }
      }
      node = step(node, text.byteUnchecked(at: position), &steps)
      position += 1
      let pattern = match(node)
      if pattern != 0 { report(position, pattern) }
    }
    search.node = node
    search.stepCount += steps
  }

  /// The first place at or after `start` where four bytes are those of a pattern's beginning, or nil.
  @inline(__always)
  private func firstCandidate(_ text: RawSpan, from start: Int, _ steps: inout Int) -> Int? {
    let window = layout.window
    let (last, shift) = (text.byteCount - layout.minimumLength, window - 3)
    var position = start
    while position <= last {
      steps &+= 1
      if mayOccur(text, at: position + window - 4) {
        for place in position...min(position + shift - 1, last) {
          steps &+= 1
          if mayBegin(text, at: place) { return place }
        }
      }
      position += shift
    }
    return nil
  }

  @inline(__always)
  private func step(_ node: Int, _ byte: UInt8, _ steps: inout Int) -> Int {
    var node = node
    while true {
      steps &+= 1
      if node == 0 { return rootChild(byte) }
      if let child = child(of: node, byte) { return child }
      node = failure(node)
    }
  }
}

extension RawSpan {
  @inline(__always)
  fileprivate func byteUnchecked(at offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }
}

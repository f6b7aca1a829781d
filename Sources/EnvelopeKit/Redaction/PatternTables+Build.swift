// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension PatternTables.Layout {
  /// Computes the layout for patterns in ascending order of their bytes, of which there is at least one.
  init(of list: borrowing PatternList, in order: borrowing SortedPatterns) {
    let patterns = list.patterns
    var nodes = 1
    var (shortest, longest) = (Int.max, 0)
    for index in 0..<order.count {
      let pattern = patterns[order[index]]
      let common = index == 0 ? 0 : list.commonPrefix(patterns[order[index - 1]], pattern)
      nodes += pattern.count - common
      shortest = min(shortest, pattern.count)
      longest = max(longest, pattern.count)
    }
    let grams = order.count * (min(shortest, Self.maximumWindow) - 3)
    var bits = 12
    while bits < 19, 1 << bits < grams * 24 { bits += 1 }
    self.init(
      nodeCount: nodes, patternCount: order.count, minimumLength: shortest, maximumLength: longest, hashBits: bits)
  }
}

extension PatternTables {
  /// Fills memory that holds zeros.
  ///
  /// A node is visited after all nodes above it. Until then the places of its failure and match hold the range of the
  /// patterns that begin with its bytes.
  func build(_ list: borrowing PatternList, in order: borrowing SortedPatterns) {
    list.withBytes { bytes in
      addNodes(of: list.patterns, bytes, order)
      for index in 0..<order.count {
        let pattern = list.patterns[order[index]]
        setPattern(index + 1, length: pattern.count, secret: pattern.secret)
        addHashes(of: bytes.extracting(pattern.start..<pattern.start + pattern.count))
      }
    }
    addFailures()
  }

  private func addNodes(of patterns: [PatternList.Pattern], _ bytes: RawSpan, _ order: borrowing SortedPatterns) {
    setFailure(0, 0)
    setMatch(0, order.count)
    var (count, depth) = (1, 0)
    setFirstNode(ofDepth: 0, 0)
    setFirstNode(ofDepth: 1, 1)
    for node in 0..<layout.nodeCount {
      if node == firstNode(ofDepth: depth + 1) {
        depth += 1
        setFirstNode(ofDepth: depth + 1, count)
      }
      var low = failure(node)
      let high = match(node)
      // Equal patterns of several secrets are neighbours: the first counts. A shorter one precedes longer ones.
      setMatch(node, 0)
      if low < high, patterns[order[low]].count == depth { setMatch(node, low + 1) }
      while low < high, patterns[order[low]].count == depth { low += 1 }
      setFirstChild(node, count)
      while low < high {
        let byte = bytes.byte(at: patterns[order[low]].start + depth)
        let first = low
        repeat { low += 1 } while low < high && bytes.byte(at: patterns[order[low]].start + depth) == byte
        setLabel(count, byte)
        setFailure(count, first)
        setMatch(count, low)
        if node == 0 { setRootChild(byte, count) }
        count += 1
      }
    }
    setFirstChild(layout.nodeCount, count)
    for level in depth + 1..<layout.maximumLength + 2 { setFirstNode(ofDepth: level, layout.nodeCount) }
    precondition(count == layout.nodeCount)
  }

  private func addFailures() {
    setFailure(0, 0)
    for node in 0..<layout.nodeCount {
      for child in firstChild(node)..<firstChild(node + 1) {
        var suffix = 0
        if node != 0 {
          var next = failure(node)
          while next != 0, self.child(of: next, label(child)) == nil { next = failure(next) }
          suffix = self.child(of: next, label(child)) ?? 0
        }
        setFailure(child, suffix)
        if match(child) == 0 { setMatch(child, match(suffix)) }
      }
    }
  }
}

/// The numbers of patterns in ascending order of the patterns' bytes, in memory that is wiped.
@safe
struct SortedPatterns: ~Copyable {
  private let numbers: UnsafeMutableBufferPointer<UInt32>

  init(_ list: borrowing PatternList) {
    let patterns = list.patterns
    var numbers = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: patterns.count)
    for index in patterns.indices { unsafe numbers.initializeElement(at: index, to: UInt32(index)) }
    list.withBytes { bytes in
      unsafe numbers.sort { Self.precedes(patterns[Int($0)], patterns[Int($1)], bytes) }
    }
    unsafe self.numbers = numbers
  }

  deinit {
    unsafe UnsafeMutableRawBufferPointer(numbers).wipe()
    unsafe numbers.deallocate()
  }

  var count: Int { unsafe numbers.count }

  subscript(index: Int) -> Int { Int(unsafe numbers[index]) }

  private static func precedes(_ a: PatternList.Pattern, _ b: PatternList.Pattern, _ bytes: RawSpan) -> Bool {
    for offset in 0..<min(a.count, b.count) {
      let (left, right) = (bytes.byte(at: a.start + offset), bytes.byte(at: b.start + offset))
      if left != right { return left < right }
    }
    // Of equal patterns the first secret's is first.
    return a.count != b.count ? a.count < b.count : a.secret < b.secret
  }
}

extension PatternList {
  /// The number of bytes with which two patterns begin alike.
  fileprivate borrowing func commonPrefix(_ a: Pattern, _ b: Pattern) -> Int {
    withBytes { bytes in
      var count = 0
      while count < a.count, count < b.count, bytes.byte(at: a.start + count) == bytes.byte(at: b.start + count) {
        count += 1
      }
      return count
    }
  }
}

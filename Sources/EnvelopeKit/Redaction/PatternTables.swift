// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The parts of an automaton that searches for all patterns at once (Aho and Corasick), in one block of memory.
///
/// Nodes are numbered by depth, so that the children of a node are neighbours and need one number, and the depth of a
/// node follows from its number. Two sets of hashes let the search pass over text in which no pattern begins.
@safe
struct PatternTables {
  /// Where the parts lie; nothing in it is secret.
  struct Layout: Sendable {
    let nodeCount: Int
    let patternCount: Int
    /// The lengths of the shortest and longest pattern.
    let minimumLength: Int
    let maximumLength: Int
    /// The number of bits of a hash.
    let hashBits: Int

    /// The number of first bytes of a pattern that the hashes cover.
    let window: Int
    let levels, firstChildren, failures, matches, patterns, windowHashes, firstHashes, labels, byteCount: Int

    init(nodeCount: Int, patternCount: Int, minimumLength: Int, maximumLength: Int, hashBits: Int) {
      self.nodeCount = nodeCount
      self.patternCount = patternCount
      self.minimumLength = minimumLength
      self.maximumLength = maximumLength
      self.hashBits = hashBits
      window = min(minimumLength, Self.maximumWindow)
      levels = 256 * 4
      firstChildren = levels + (maximumLength + 2) * 4
      failures = firstChildren + (nodeCount + 1) * 4
      matches = failures + nodeCount * 4
      patterns = matches + nodeCount * 4
      windowHashes = patterns + patternCount * 8
      firstHashes = windowHashes + (1 << hashBits) / 8
      labels = firstHashes + (1 << hashBits) / 8
      // A multiple of 64, so that the block is aligned: guarded memory ends at the end of a page.
      byteCount = (labels + nodeCount + 63) / 64 * 64
    }

    static let maximumWindow = 8
  }

  let layout: Layout
  private let base: UnsafeMutableRawPointer

  /// Takes memory of the layout's length, which must outlive the tables.
  @unsafe
  init(_ layout: Layout, at base: UnsafeMutableRawPointer) {
    self.layout = layout
    unsafe self.base = base
  }

  @inline(__always)
  private func load(_ part: Int, _ index: Int) -> Int {
    Int(unsafe base.load(fromByteOffset: part &+ index &* 4, as: UInt32.self))
  }

  @inline(__always)
  private func store(_ value: Int, _ part: Int, _ index: Int) {
    unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: part + index * 4, as: UInt32.self)
  }

  // MARK: Nodes, of which the first is the root

  /// The child of the root for a byte, or the root.
  @inline(__always)
  func rootChild(_ byte: UInt8) -> Int { load(0, Int(byte)) }
  func setRootChild(_ byte: UInt8, _ node: Int) { store(node, 0, Int(byte)) }

  /// The first node of a depth, or the number of nodes if none is so deep.
  @inline(__always)
  func firstNode(ofDepth depth: Int) -> Int { load(layout.levels, depth) }
  func setFirstNode(ofDepth depth: Int, _ node: Int) { store(node, layout.levels, depth) }

  /// The children of a node are those from its first child to that of the next node.
  @inline(__always)
  func firstChild(_ node: Int) -> Int { load(layout.firstChildren, node) }
  func setFirstChild(_ node: Int, _ child: Int) { store(child, layout.firstChildren, node) }

  /// The node of the longest proper suffix.
  @inline(__always)
  func failure(_ node: Int) -> Int { load(layout.failures, node) }
  func setFailure(_ node: Int, _ failure: Int) { store(failure, layout.failures, node) }

  /// The number, from 1, of the longest pattern that ends at a node, or 0.
  @inline(__always)
  func match(_ node: Int) -> Int { load(layout.matches, node) }
  func setMatch(_ node: Int, _ pattern: Int) { store(pattern, layout.matches, node) }

  /// The byte that leads to a node.
  @inline(__always)
  func label(_ node: Int) -> UInt8 { unsafe base.load(fromByteOffset: layout.labels &+ node, as: UInt8.self) }
  func setLabel(_ node: Int, _ byte: UInt8) {
    unsafe base.storeBytes(of: byte, toByteOffset: layout.labels + node, as: UInt8.self)
  }

  /// The child of a node for a byte, or nil.
  @inline(__always)
  func child(of node: Int, _ byte: UInt8) -> Int? {
    if node == 0 {
      let child = rootChild(byte)
      return child == 0 ? nil : child
    }
    var (low, high) = (firstChild(node), firstChild(node &+ 1))
    while low < high {
      let middle = (low &+ high) / 2
      let found = label(middle)
      if found == byte { return middle }
      if found < byte { low = middle &+ 1 } else { high = middle }
    }
    return nil
  }

  /// The depth of a node: the number of bytes that led to it.
  func depth(_ node: Int) -> Int {
    var (low, high) = (0, layout.maximumLength)
    while low < high {
      let middle = (low + high + 1) / 2
      if firstNode(ofDepth: middle) <= node { low = middle } else { high = middle - 1 }
    }
    return low
  }

  // MARK: Patterns

  /// The length of a pattern, which is numbered from 1.
  func length(ofPattern pattern: Int) -> Int { load(layout.patterns, (pattern - 1) * 2) }

  /// The secret that a pattern reveals.
  func secret(ofPattern pattern: Int) -> Int { load(layout.patterns, (pattern - 1) * 2 + 1) }

  func setPattern(_ pattern: Int, length: Int, secret: Int) {
    store(length, layout.patterns, (pattern - 1) * 2)
    store(secret, layout.patterns, (pattern - 1) * 2 + 1)
  }

  // MARK: Hashes of four bytes

  @inline(__always)
  private func hash(_ text: RawSpan, _ offset: Int) -> Int {
    let bytes = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)
    return Int(truncatingIfNeeded: (bytes &* 0x9e37_79b1) &>> UInt32(32 &- layout.hashBits))
  }

  @inline(__always)
  private func hasBit(_ part: Int, _ bit: Int) -> Bool {
    unsafe base.load(fromByteOffset: part &+ bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 != 0
  }

  private func setBit(_ part: Int, _ bit: Int) {
    let byte = unsafe base.load(fromByteOffset: part + bit >> 3, as: UInt8.self)
    unsafe base.storeBytes(of: byte | 1 << UInt8(bit & 7), toByteOffset: part + bit >> 3, as: UInt8.self)
  }

  /// Whether four bytes of a text may be among the first bytes of a pattern.
  @inline(__always)
  func mayOccur(_ text: RawSpan, at offset: Int) -> Bool { hasBit(layout.windowHashes, hash(text, offset)) }

  /// Whether a pattern may begin with four bytes of a text.
  @inline(__always)
  func mayBegin(_ text: RawSpan, at offset: Int) -> Bool { hasBit(layout.firstHashes, hash(text, offset)) }

  /// Adds the first bytes of a pattern to the hashes.
  func addHashes(of pattern: RawSpan) {
    setBit(layout.firstHashes, hash(pattern, 0))
    for offset in 0...layout.window - 4 { setBit(layout.windowHashes, hash(pattern, offset)) }
  }
}

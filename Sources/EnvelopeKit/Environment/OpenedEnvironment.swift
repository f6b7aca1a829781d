// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Names and their secret values, all values in one allocation of guarded memory.
///
/// It is what a ``SealedEnvironment`` opens to, and what one is sealed from. Printing, dumping or reflecting it
/// shows no value. Copies share the memory, which is wiped when the last one goes.
public struct OpenedEnvironment: Sendable {
  /// When it was sealed, in seconds since 1970 or higher; nil where it was not opened but made.
  public let generation: UInt32?
  /// The entry of the header that the data key was unwrapped from; nil where it was not opened but made.
  public let source: WrappedDataKey?
  private let memory: GuardedMemory
  /// In ascending order of the names' bytes; all names are valid.
  let entries: [Entry]

  /// A name, and where its value lies.
  struct Entry: Sendable {
    let name: String
    let range: Range<Int>
  }

  /// Puts together values that have been opened into one memory, under valid names in ascending order.
  init(_ entries: [Entry], in memory: GuardedMemory, generation: UInt32, source: WrappedDataKey?) {
    self.entries = entries
    self.memory = memory
    self.generation = generation
    self.source = source
  }

  /// Makes an environment of strings, which stay the caller's and cannot be wiped.
  ///
  /// - Throws: `invalidArgument` where a name is not valid, `systemFailure` where there is no memory.
  public init(_ values: [String: String]) throws(EnvelopeError) {
    try self.init(capacity: values.reduce(0) { $0 + $1.value.utf8.count }) { (output, index) throws(EnvelopeError) in
      for (name, value) in values {
        // Straight from the string's own bytes: an array of them would be left unwiped.
        value.withUTF8Bytes { output.append($0) }
        try index.add(name, endingAt: output.byteCount)
      }
    }
  }

  /// Lets `body` append values one after the other and name each.
  package init(
    capacity: Int, generation: UInt32? = nil, source: WrappedDataKey? = nil,
    _ body: (inout OutputRawSpan, inout Index) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    var index = Index()
    memory = try GuardedMemory(capacity: capacity) { (output) throws(EnvelopeError) in try body(&output, &index) }
    entries = index.sortedEntries
    self.generation = generation
    self.source = source
  }

  /// The names of what has been appended so far, and where each value lies.
  package struct Index {
    private var entries: [Entry] = []
    private var end = 0
    // Names mostly come in ascending order, and then none is there twice. From the first that does not, all are kept.
    private var isAscending = true
    private var names: Set<String> = []

    /// Gives a name to all bytes from the end of the previous value to `end`.
    ///
    /// - Throws: `invalidArgument` where the name is not valid, or there already.
    package mutating func add(_ name: String, endingAt end: Int) throws(EnvelopeError) {
      try VariableName.checkValid(name)
      if isAscending, let last = entries.last, last.name >= name {
        isAscending = false
        names = Set(entries.map(\.name))
      }
      guard isAscending || names.insert(name).inserted else {
        throw EnvelopeError(.invalidArgument, "The variable \(name) occurs twice", advice: "Remove one of the two.")
      }
      entries.append(Entry(name: name, range: self.end..<end))
      self.end = end
    }

    /// The entries in ascending order of the names' bytes.
    fileprivate var sortedEntries: [Entry] { isAscending ? entries : entries.sorted { $0.name < $1.name } }
  }

  /// The names in ascending order of their bytes.
  public var names: [String] { entries.map(\.name) }

  /// Whether the system keeps the values out of swap; false where the limit on locked memory is used up.
  public var isLocked: Bool { memory.isLocked }

  /// The secret of this name, or nil where none was sealed: an unsealed variable is never looked at.
  public subscript(name: String) -> Secret? {
    // As a string, KEY equals a name that has the Kelvin sign for its K, and that is not valid.
    guard VariableName.isValid(name) else { return nil }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name == name {
        return Secret(name: name, memory: memory, range: entries[middle].range)
      } else if entries[middle].name < name {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return nil
  }

  /// The secret of this name.
  ///
  /// - Throws: `variableMissing` where none was sealed: an unsealed variable is never looked at.
  public func require(_ name: String) throws(EnvelopeError) -> Secret {
    guard let secret = self[name] else {
      throw EnvelopeError(
        .variableMissing, "No sealed variable is named \(EnvelopeError.quoted(name))",
        advice: "Seal it, or correct the name.", names: VariableName.isValid(name) ? [name] : [])
    }
    return secret
  }

  /// Gives access to the bytes of all values, which are valid only inside `body`.
  func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try memory.withBytes(body)
  }

  /// Every secret, in ascending order of the names' bytes.
  package var secrets: [Secret] { entries.map { Secret(name: $0.name, memory: memory, range: $0.range) } }
}

extension OpenedEnvironment: CustomReflectable, CustomStringConvertible {
  /// The number of variables.
  public var description: String { "OpenedEnvironment(\(entries.count) variables)" }

  /// Shows the names alone.
  public var customMirror: Mirror { Mirror(self, children: ["names": names]) }
}

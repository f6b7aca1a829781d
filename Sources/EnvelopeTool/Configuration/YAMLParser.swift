// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import CYAML
  import EnvelopeKit

  /// Parses one YAML document with libyaml's event parser.
  ///
  /// An anchor, an alias, a tag, a second document, a key given twice and a depth beyond ``depthLimit`` are errors. So
  /// the tree is at most as large as the text, and no text expands.
  @safe struct YAMLParser: ~Copyable {
    /// The maximum depth of sequences and mappings; `envelope.yaml` needs 5.
    static let depthLimit = 16

    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// Creates a parser of `text`, which must outlive it.
    private init(_ text: UnsafeBufferPointer<UInt8>) {
      unsafe parser = .allocate(capacity: 1)
      // Initialization fails only if memory runs out, which ends the process as it does everywhere in Swift.
      unsafe precondition(yaml_parser_initialize(parser) == 1, "out of memory")
      unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
      unsafe yaml_parser_delete(parser)
      unsafe parser.deallocate()
    }

    /// Parses `text`.
    ///
    /// - Returns: The root of the document; nil if the text has none.
    /// - Throws: `configuration` with the line of the first fault.
    static func root(of text: String) throws(EnvelopeError) -> YAMLNode? {
      var text = text
      let result = text.withUTF8 { bytes in
        let parser = unsafe YAMLParser(bytes)
        return Result { () throws(EnvelopeError) in try parser.root() }
      }
      return try result.get()
    }

    private borrowing func root() throws(EnvelopeError) -> YAMLNode? {
      var root: YAMLNode?
      while true {
        let event = try next()
        switch event.kind {
        case .stop: return root
        case .skip: continue
        default:
          guard root == nil else { throw .configuration("it has more than one document", line: event.line) }
          root = try node(from: event, depth: 0)
        }
      }
    }

    /// Reads the node that begins with `event`.
    private borrowing func node(from event: Event, depth: Int) throws(EnvelopeError) -> YAMLNode {
      guard depth < Self.depthLimit else { throw .configuration("it is nested too deeply", line: event.line) }
      switch event.kind {
      case .scalar(let text): return YAMLNode(content: .scalar(text), line: event.line)
      case .sequence:
        var nodes: [YAMLNode] = []
        while let event = try item() { nodes.append(try node(from: event, depth: depth + 1)) }
        return YAMLNode(content: .sequence(nodes), line: event.line)
      case .mapping:
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        var keys: Set<String> = []
        while let event = try item() {
          let key = try node(from: event, depth: depth + 1)
          let name = try key.text()
          guard keys.insert(name).inserted else {
            throw .configuration("\(EnvelopeError.quoted(name)) is given twice", line: key.line)
          }
          pairs.append((key, try node(from: next(), depth: depth + 1)))
        }
        return YAMLNode(content: .mapping(pairs), line: event.line)
      case .skip, .stop:
        throw .configuration("it is not YAML", line: event.line)
      }
    }

    /// The next event of a sequence or mapping; nil at its end.
    private borrowing func item() throws(EnvelopeError) -> Event? {
      let event = try next()
      if case .skip = event.kind { return nil }
      return event
    }

    private borrowing func next() throws(EnvelopeError) -> Event {
      var event = unsafe yaml_event_t()
      guard unsafe yaml_parser_parse(parser, &event) == 1 else {
        let problem = unsafe parser.pointee.problem.map { unsafe ": " + String(cString: $0) } ?? ""
        throw .configuration("it is not YAML\(problem)", line: unsafe Int(parser.pointee.problem_mark.line) + 1)
      }
      defer { unsafe yaml_event_delete(&event) }
      return unsafe try Event(event)
    }
  }

  /// What an event of libyaml says that matters here.
  private struct Event {
    enum Kind {
      case scalar(String)
      case sequence, mapping
      /// The end of a sequence or mapping, and what stands around a document.
      case skip
      case stop
    }

    let kind: Kind
    let line: Int

    init(_ event: yaml_event_t) throws(EnvelopeError) {
      line = unsafe Int(event.start_mark.line) + 1
      let (anchor, tag): (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?)
      switch unsafe event.type {
      case YAML_SCALAR_EVENT:
        let scalar = unsafe event.data.scalar
        kind = unsafe .scalar(
          String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self))
        unsafe (anchor, tag) = (scalar.anchor, scalar.tag)
      case YAML_SEQUENCE_START_EVENT:
        kind = .sequence
        unsafe (anchor, tag) = (event.data.sequence_start.anchor, event.data.sequence_start.tag)
      case YAML_MAPPING_START_EVENT:
        kind = .mapping
        unsafe (anchor, tag) = (event.data.mapping_start.anchor, event.data.mapping_start.tag)
      case YAML_ALIAS_EVENT: throw .configuration("aliases (*) are not supported", line: line)
      case YAML_STREAM_END_EVENT:
        kind = .stop
        unsafe (anchor, tag) = (nil, nil)
      default:
        kind = .skip
        unsafe (anchor, tag) = (nil, nil)
      }
      guard unsafe anchor == nil else { throw .configuration("anchors (&) are not supported", line: line) }
      guard unsafe tag == nil else { throw .configuration("tags (!) are not supported", line: line) }
    }
  }

  extension EnvelopeError {
    /// An error of `envelope.yaml`.
    static func configuration(_ reason: String, line: Int?) -> EnvelopeError {
      let place = line.map { ", line \($0)" } ?? ""
      return EnvelopeError(.configuration, "envelope.yaml\(place): \(reason)", advice: "See: envelope help seal")
    }
  }
#endif

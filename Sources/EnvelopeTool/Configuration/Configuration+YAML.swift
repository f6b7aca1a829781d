// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import EnvelopeKitFiles
  import Yams

  extension Configuration {
    /// Finds, checks and reads `envelope.yaml`; an empty configuration where there is none.
    static func load() throws(EnvelopeError) -> Configuration {
      let home = ProcessEnvironment.value(of: "HOME").map { Path($0) }
      guard let path = find(from: Path("."), home: home) else { return Configuration() }
      try check(path)
      let file = try path.openForReading()
      guard try file.status(of: path).byteCount <= byteLimit else {
        throw .configuration("it is longer than \(byteLimit.grouped) bytes", at: nil)
      }
      let text = try file.readAll(limit: byteLimit, of: path)
      guard text.withBytes({ $0.firstOffsetOutsideUTF8 == nil }) else {
        throw .configuration("it is not UTF-8", at: nil)
      }
      var configuration = try Configuration(
        yaml: text.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) })
      configuration.folder = path.folder
      return configuration
    }

    /// Reads the text of `envelope.yaml`; what it does not know is an error, for a typing error must not pass.
    init(yaml: String) throws(EnvelopeError) {
      if let line = Self.lineBeyondBounds(of: yaml) {
        throw .configuration("anchors (&), aliases (*) and keys after a question mark are not supported", line: line)
      }
      let root: Node?
      do {
        root = try Parser(yaml: yaml, resolver: .basic).singleRoot()
      } catch {
        throw .notYAML(error)
      }
      guard let root else { return }
      for (key, node) in try root.pairs() {
        switch try key.text() {
        case "default":
          fallback = try Entry(node)
          guard fallback.file == nil else { throw .configuration("'file' belongs to a function", at: node) }
        case "functions":
          for (function, entry) in try node.pairs() { functions[try function.text()] = try Entry(entry) }
        case let word:
          throw .configuration("\(EnvelopeError.quoted(word)) is neither 'default' nor 'functions'", at: key)
        }
      }
    }
  }

  extension Configuration.Entry {
    private static let words = "'key', 'context', 'plain', 'file', 'region', 'profile', 'endpoint-url' and 'ca-bundle'"

    fileprivate init(_ node: Node) throws(EnvelopeError) {
      for (key, value) in try node.pairs() {
        switch try key.text() {
        case "key":
          let names = try value.strings()
          guard !names.isEmpty else { throw .configuration("'key' names no key", at: value) }
          keys = names
        case "plain": plain = try value.strings()
        case "file": file = try value.text()
        case "region": keyService.region = try value.text()
        case "profile": keyService.profile = try value.text()
        case "endpoint-url": keyService.endpointURL = try value.text()
        case "ca-bundle": keyService.caBundle = try value.text()
        case "context":
          var pairs: [Configuration.Pair] = []
          for (key, pair) in try value.pairs() {
            let name = try key.text()
            guard name != "function" else {
              throw .configuration("'function' cannot stand in a context: it is the function's own name", at: pair)
            }
            pairs.append(Configuration.Pair(key: name, value: try pair.text()))
          }
          context = pairs
        case let word: throw .configuration("\(EnvelopeError.quoted(word)) is none of \(Self.words)", at: key)
        }
      }
    }
  }

  extension Node {
    /// The keys, which tell their lines, and the values.
    fileprivate func pairs() throws(EnvelopeError) -> [(Node, Node)] {
      if let scalar, scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null" { return [] }
      guard let mapping else { throw .configuration("names with values should stand here", at: self) }
      return mapping.map { ($0.key, $0.value) }
    }

    fileprivate func text() throws(EnvelopeError) -> String {
      guard let text = scalar?.string, !text.isEmpty else {
        throw .configuration("one word should stand here", at: self)
      }
      return text
    }

    /// A list of words, or one word alone.
    fileprivate func strings() throws(EnvelopeError) -> [String] {
      guard let sequence else { return [try text()] }
      var strings: [String] = []
      for node in sequence { strings.append(try node.text()) }
      return strings
    }
  }

  extension EnvelopeError {
    /// What the parser found, without the text that it quotes.
    fileprivate static func notYAML(_ error: any Error) -> EnvelopeError {
      switch error as? YamlError {
      case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
        .composer(_, let problem, let mark, _)?:
        EnvelopeError(
          .configuration, "envelope.yaml, line \(mark.line): it is not YAML: \(problem)",
          advice: "See: envelope help seal")
      case .duplicatedKeysInMapping(let keys, let context)?:
        .configuration("\(EnvelopeError.quoted(keys.first ?? "")) stands there twice", line: context.mark.line)
      default: .configuration("it is not YAML", at: nil)
      }
    }

    fileprivate static func configuration(_ reason: String, at node: Node?) -> EnvelopeError {
      configuration(reason, line: node?.mark?.line)
    }

    fileprivate static func configuration(_ reason: String, line: Int?) -> EnvelopeError {
      let place = line.map { ", line \($0)" } ?? ""
      return EnvelopeError(.configuration, "envelope.yaml\(place): \(reason)", advice: "See: envelope help seal")
    }
  }
#endif

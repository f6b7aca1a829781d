// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import EnvelopeKitFiles

  extension Configuration {
    /// The maximum length of `envelope.yaml`, in bytes.
    static let byteLimit = 64 << 10

    /// Finds, checks and reads `envelope.yaml`; an empty configuration where there is none.
    static func load() throws(EnvelopeError) -> Configuration {
      let home = ProcessEnvironment.value(of: "HOME").map { Path($0) }
      guard let path = find(from: Path("."), home: home) else { return Configuration() }
      let file = try open(path)
      guard try file.status(of: path).byteCount <= byteLimit else {
        throw .configuration("it is longer than \(byteLimit.grouped) bytes", line: nil)
      }
      let text = try file.readAll(limit: byteLimit, of: path)
      guard text.withBytes({ $0.firstOffsetOutsideUTF8 == nil }) else {
        throw .configuration("it is not UTF-8", line: nil)
      }
      var configuration = try Configuration(
        yaml: text.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) })
      configuration.folder = path.folder
      return configuration
    }

    /// Reads the text of `envelope.yaml`; what it does not know is an error, for a typing error must not pass.
    init(yaml: String) throws(EnvelopeError) {
      guard let root = try YAMLParser.root(of: yaml) else { return }
      for (key, node) in try root.pairs() {
        switch try key.text() {
        case "default":
          fallback = try Entry(node)
          guard fallback.file == nil else { throw .configuration("'file' belongs to a function", line: node.line) }
        case "functions":
          for (function, entry) in try node.pairs() {
            let name = try FunctionName.name(in: function.text())
            guard functions.updateValue(try Entry(entry), forKey: name) == nil else {
              throw .configuration("\(EnvelopeError.quoted(name)) is given twice", line: function.line)
            }
          }
        case "rewrap":
          for (key, value) in try node.pairs() {
            let word = try key.text()
            guard word == "exclude" else {
              throw .configuration("\(EnvelopeError.quoted(word)) is not 'exclude'", line: key.line)
            }
            excluded = try value.strings()
          }
        case let word:
          throw .configuration(
            "\(EnvelopeError.quoted(word)) is none of 'default', 'functions' and 'rewrap'", line: key.line)
        }
      }
    }
  }

  extension Configuration.Entry {
    private static let words =
      "'key', 'context', 'plain', 'file', 'region', 'profile', 'endpoint-url', 'ca-bundle' and 'insecure-loopback-http'"

    fileprivate init(_ node: YAMLNode) throws(EnvelopeError) {
      for (key, value) in try node.pairs() {
        switch try key.text() {
        case "key":
          let names = try value.strings()
          guard !names.isEmpty else { throw .configuration("'key' names no key", line: value.line) }
          keys = names
        case "plain": plain = try value.strings()
        case "file": file = try value.text()
        case "region": keyService.region = try value.text()
        case "profile": keyService.profile = try value.text()
        case "endpoint-url": keyService.endpointURL = try value.text()
        case "ca-bundle": keyService.caBundle = try value.text()
        case "insecure-loopback-http":
          switch try value.text() {
          case "true": keyService.allowsInsecureLoopbackHTTP = true
          case "false": keyService.allowsInsecureLoopbackHTTP = false
          default: throw .configuration("'insecure-loopback-http' is neither true nor false", line: value.line)
          }
        case "context":
          var pairs: [Configuration.Pair] = []
          for (key, pair) in try value.pairs() {
            let name = try key.text()
            guard name != "function" else {
              throw .configuration(
                "'function' cannot stand in a context: it is the function's own name", line: pair.line)
            }
            pairs.append(Configuration.Pair(key: name, value: try pair.text()))
          }
          context = pairs
        case let word: throw .configuration("\(EnvelopeError.quoted(word)) is none of \(Self.words)", line: key.line)
        }
      }
    }
  }
#endif

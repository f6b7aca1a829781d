// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit

  /// A node of a YAML document: a scalar, a sequence or a mapping, and the line that it begins on.
  struct YAMLNode {
    enum Content {
      case scalar(String)
      case sequence([YAMLNode])
      case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    let content: Content
    /// The first line is 1.
    let line: Int

    /// The pairs of a mapping, in the order of the text; none if nothing stands where a mapping can.
    func pairs() throws(EnvelopeError) -> [(key: YAMLNode, value: YAMLNode)] {
      switch content {
      case .mapping(let pairs): return pairs
      case .scalar(""), .scalar("~"), .scalar("null"): return []
      default: throw .configuration("names with values are expected here", line: line)
      }
    }

    /// A scalar's text, which is not empty.
    func text() throws(EnvelopeError) -> String {
      guard case .scalar(let text) = content, !text.isEmpty else {
        throw .configuration("one word is expected here", line: line)
      }
      return text
    }

    /// The scalars of a sequence, or one scalar alone.
    func strings() throws(EnvelopeError) -> [String] {
      guard case .sequence(let nodes) = content else { return [try text()] }
      var strings: [String] = []
      for node in nodes { strings.append(try node.text()) }
      return strings
    }
  }
#endif

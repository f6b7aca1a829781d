// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit
  internal import Logging

  /// Writes the text of a log record: what is clear of it, and what is sealed.
  struct LogText {
    /// A longer value is sealed, in bytes.
    private static let clearValueByteLimit = 8192
    /// Once the clear values of metadata have so many bytes, the others are sealed.
    private static let clearMetadataByteLimit = 24_000

    let label: String
    let event: LogEvent
    let metadata: Logger.Metadata
    let clear: ClearFields

    /// A value of metadata, and its text if it stays clear.
    private struct Entry {
      let key: String
      let value: Logger.MetadataValue
      var clearText: String?
    }

    func write(to text: RecordText, at time: RecordTime) {
      let entries = entries()
      // These call code of the application: once each, or what is bound might differ from what is written.
      let (message, source, level) = (event.message.description, event.source, event.level.rawValue)
      time.append(to: &text.time)
      // Written in an order for people.
      text.time.withBytes { time in write(.time, "time", time, to: text) }
      write(.level, "level", level, to: text)
      write(.label, "label", label, to: text)
      write(.source, "source", source, to: text)
      write(.message, "message", message, to: text)
      writeMetadata(entries, to: text)
      // Bound in that of the names' bytes.
      bind(.label, "label", label, to: text)
      bind(.level, "level", level, to: text)
      bind(.message, "message", message, to: text)
      for entry in entries {
        guard let clearText = entry.clearText else { continue }
        entry.key.withUTF8Bytes { key in
          clearText.withUTF8Bytes { ClearPairs.append(key, of: "metadata", $0, to: &text.clear) }
        }
      }
      bind(.source, "source", source, to: text)
      if clear.contains(.time) { text.time.withBytes { ClearPairs.append("time", $0, to: &text.clear) } }
    }

    private func isClear(_ field: ClearFields.Field, _ value: RawSpan) -> Bool {
      clear.contains(field) && value.byteCount <= Self.clearValueByteLimit
    }

    private func write(_ field: ClearFields.Field, _ name: StaticString, _ value: String, to text: RecordText) {
      value.withUTF8Bytes { write(field, name, $0, to: text) }
    }

    private func write(_ field: ClearFields.Field, _ name: StaticString, _ value: RawSpan, to text: RecordText) {
      if isClear(field, value) {
        if text.members.byteCount > 0 { text.members.append(",") }
        text.members.append(jsonName: name)
        text.members.append(jsonString: value)
      } else {
        text.payload.append(text.payload.byteCount > 0 ? "," : "{")
        text.payload.append(jsonName: name)
        text.payload.append(jsonString: value)
      }
    }

    private func bind(_ field: ClearFields.Field, _ name: StaticString, _ value: String, to text: RecordText) {
      value.withUTF8Bytes { value in
        if isClear(field, value) { ClearPairs.append(name, value, to: &text.clear) }
      }
    }

    /// The metadata in the order of the keys' bytes.
    private func entries() -> [Entry] {
      guard !metadata.isEmpty else { return [] }
      var entries = metadata.map { Entry(key: $0.key, value: $0.value) }
      if entries.count > 1 { entries.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } }
      var byteCount = 0
      for index in entries.indices where canBeClear(entries[index]) {
        let text = entries[index].value.description
        // With what the canonical form has beside them.
        let needed = entries[index].key.utf8.count + text.utf8.count + 16
        guard text.utf8.count <= Self.clearValueByteLimit, byteCount + needed <= Self.clearMetadataByteLimit else {
          continue
        }
        byteCount += needed
        entries[index].clearText = text
      }
      return entries
    }

    private func canBeClear(_ entry: Entry) -> Bool {
      (clear.sealsMarkedMetadataAlone || clear.metadata.contains(entry.key)) && !entry.value.isMarked
        && !entry.key.isEmpty
    }

    private func writeMetadata(_ entries: [Entry], to text: RecordText) {
      var (hasClear, hasSealed) = (false, false)
      for entry in entries {
        if let clearText = entry.clearText {
          if hasClear {
            text.members.append(",")
          } else {
            if text.members.byteCount > 0 { text.members.append(",") }
            text.members.append("\"metadata\":{")
          }
          hasClear = true
          text.members.append(jsonString: entry.key)
          text.members.append(":")
          text.members.append(jsonString: clearText)
        } else {
          if hasSealed {
            text.payload.append(",")
          } else {
            text.payload.append(text.payload.byteCount > 0 ? "," : "{")
            text.payload.append("\"metadata\":{")
          }
          hasSealed = true
          text.payload.append(jsonString: entry.key)
          text.payload.append(":")
          text.payload.append(json: entry.value, depth: 0)
        }
      }
      if hasClear { text.members.append("}") }
      if hasSealed { text.payload.append("}") }
      if text.payload.byteCount > 0 { text.payload.append("}") }
    }
  }

  extension GrowingBuffer {
    /// Deeper values are written as one string.
    private static let depthLimit = 32

    fileprivate mutating func append(jsonName name: StaticString) {
      append("\"")
      append(name)
      append("\":")
    }

    fileprivate mutating func append(json value: Logger.MetadataValue, depth: Int) {
      switch value {
      case .dictionary(let values) where depth < Self.depthLimit:
        append("{")
        var isFirst = true
        for (key, value) in values.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
          if !isFirst { append(",") }
          isFirst = false
          append(jsonString: key)
          append(":")
          append(json: value, depth: depth + 1)
        }
        append("}")
      case .array(let values) where depth < Self.depthLimit:
        append("[")
        for (index, value) in values.enumerated() {
          if index > 0 { append(",") }
          append(json: value, depth: depth + 1)
        }
        append("]")
      case .string(let text): append(jsonString: text)
      default: append(jsonString: value.description)
      }
    }
  }
#endif

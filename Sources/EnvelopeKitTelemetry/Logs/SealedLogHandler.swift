// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit
  public import Logging

  /// A handler for swift-log that seals records, and leaves readable what was chosen (`Docs/Format.md`, section Records).
  ///
  ///     let writer = try await RecordWriter(to: .standardOutput(), context: ["function": "checkout"], using: keyring)
  ///     LoggingSystem.bootstrap { label in SealedLogHandler(label: label, writer: writer) }
  ///
  /// A record is sealed and written before the call that logs returns. One of level critical is on the disk then, if the
  /// writer's sink is a file.
  public struct SealedLogHandler: LogHandler {
    /// The lowest level that is logged.
    public var logLevel: Logger.Level = .info
    /// Metadata of every record of the logger.
    public var metadata: Logger.Metadata = [:]
    /// Provides metadata of the task, tracing ids say.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let writer: RecordWriter
    private let clear: ClearFields

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - label: The logger's label.
    ///   - writer: Seals and writes the records.
    ///   - clear: Which fields stay readable.
    ///   - metadataProvider: Provides metadata of the task.
    public init(
      label: String, writer: RecordWriter, clear: ClearFields = .routing,
      metadataProvider: Logger.MetadataProvider? = LoggingSystem.metadataProvider
    ) {
      self.label = label
      self.writer = writer
      self.clear = clear
      self.metadataProvider = metadataProvider
    }

    /// Metadata of every record of the logger, by its key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    /// Seals and writes a record.
    ///
    /// Of metadata with one key the event's counts, then the provider's, then the logger's. An error becomes the metadata
    /// `error.message` and `error.type`.
    public func log(event: LogEvent) {
      writer.write(.log, flushes: event.level == .critical) { text, time in
        LogText(label: label, event: event, metadata: effectiveMetadata(event), clear: clear).write(to: text, at: time)
      }
    }

    private func effectiveMetadata(_ event: LogEvent) -> Logger.Metadata {
      var metadata = metadata
      if let provided = metadataProvider?.get(), !provided.isEmpty {
        if metadata.isEmpty { metadata = provided } else { metadata.merge(provided) { $1 } }
      }
      if let explicit = event.metadata, !explicit.isEmpty {
        if metadata.isEmpty { metadata = explicit } else { metadata.merge(explicit) { $1 } }
      }
      if let error = event.error {
        metadata["error.message"] = "\(error)"
        metadata["error.type"] = "\(String(reflecting: type(of: error)))"
      }
      return metadata
    }
  }

  extension SealedLogHandler: CustomReflectable {
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif

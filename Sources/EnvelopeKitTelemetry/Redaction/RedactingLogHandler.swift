// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  public import EnvelopeKit
  public import Logging

  /// Masks secrets in the records of another log handler.
  ///
  ///     let redactor = try Redactor(environment)
  ///     LoggingSystem.bootstrap { label in
  ///       RedactingLogHandler(StreamLogHandler.standardError(label: label), redactor: redactor)
  ///     }
  ///
  /// The other handler receives each record once, with the metadata of the provider, the handler and the record merged.
  /// Masked are the message, the keys and values of metadata at any depth, the description of an error, and the source,
  /// file and function. A secret is also found if it is split over the message and metadata, or over the values of
  /// metadata in ascending order of their keys. ``Redactor`` lists the forms that are found. A secret that is split over
  /// several records is not found, and the label of the other handler is not masked.
  ///
  /// Values that are not strings, numbers or Booleans reach the other handler as their descriptions, and an error as a
  /// ``RedactedError``: a handler that encodes or reflects them would print what their descriptions do not show.
  public struct RedactingLogHandler<Inner: LogHandler>: LogHandler {
    private var inner: Inner
    private let redactor: Redactor
    /// The metadata of all records.
    public var metadata: Logger.Metadata
    /// The provider of metadata for each record.
    public var metadataProvider: Logger.MetadataProvider?

    /// Wraps a handler, whose metadata and provider this handler takes over.
    public init(_ inner: Inner, redactor: Redactor) {
      self.inner = inner
      self.redactor = redactor
      metadata = inner.metadata
      metadataProvider = inner.metadataProvider
      // The handler would add them unmasked. Handlers without support for a provider log that it is set.
      if !metadata.isEmpty { self.inner.metadata = [:] }
      if metadataProvider != nil { self.inner.metadataProvider = nil }
    }

    /// The level of the other handler.
    public var logLevel: Logger.Level {
      get { inner.logLevel }
      set { inner.logLevel = newValue }
    }

    /// The metadata of all records under a key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    /// Masks secrets in a record and passes it on.
    public func log(event: LogEvent) {
      var event = event
      let merged = merged(with: event.metadata)
      if let merged {
        let fields = RecordFields(message: event.message.description, merged)
        let redacted = fields.redacted(by: redactor)
        if let redacted { event.message = Logger.Message(stringLiteral: redacted.message) }
        event.metadata = redacted?.metadata ?? fields.metadata
      } else {
        event.message = Logger.Message(stringLiteral: redactor.redact(event.message.description))
        event.metadata = nil
      }
      if let error = event.error { event.error = redactor.redact(error) }
      redact(&event)
      inner.log(event: event)
    }

    /// The metadata of a record, or nil if it has none; copied only if there are several sources.
    private func merged(with explicit: Logger.Metadata?) -> Logger.Metadata? {
      var merged = metadata
      for more in [metadataProvider?.get(), explicit] {
        guard let more, !more.isEmpty else { continue }
        if merged.isEmpty { merged = more } else { merged.merge(more) { $1 } }
      }
      return merged.isEmpty ? nil : merged
    }

    /// Masks secrets in the place that a record names, which callers can set to any text.
    private func redact(_ event: inout LogEvent) {
      let source = event.source
      let redacted = redactor.redact(source)
      if redacted != source { event.source = redacted }
      event.file = redactor.redact(event.file)
      event.function = redactor.redact(event.function)
    }
  }

  extension RedactingLogHandler: CustomReflectable {
    /// Shows the other handler alone.
    public var customMirror: Mirror { Mirror(self, children: ["inner": inner]) }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import EnvelopeKitTelemetry
import Logging
import Tracing

/// Seals logs and traces.
@main
struct Logs {
  static func main() async {
    await HandlerSecrets.runOrExit {
      let store = try KeyStore.open()
      let writer = try await RecordWriter(
        to: .standardOutput(), context: ["service": "shop"], using: store.keyring())
      LoggingSystem.bootstrap { label in
        SealedLogHandler(label: label, writer: writer)
      }
      trace(writer)
      search(writer)
      try redact(writer, OpenedEnvironment(["API_TOKEN": "0123456789abcdef"]))
      writer.close()
    }
  }

  static func trace(_ writer: RecordWriter) {
    let tracer = SealedTracer(service: "shop", clearAnnotations: ["tenant"], to: writer)
    InstrumentationSystem.bootstrap(tracer)
    let logger = Logger(label: "shop")
    withSpan("charge") { span in
      span.attributes["tenant"] = "blue"
      logger.info("card charged", metadata: ["user": "ada@example.com"])
    }
    tracer.forceFlush()
  }

  static func search(_ writer: RecordWriter) {
    let searchable = Logger(label: "search") { label in
      SealedLogHandler(label: label, writer: writer, clear: .unmarked)
    }
    searchable.info("signed in", metadata: ["user": "\(sealed: "ada@example.com")", "zone": "eu"])
  }

  static func redact(_ writer: RecordWriter, _ environment: OpenedEnvironment) throws {
    let redactor = try Redactor(environment)
    let redacted = Logger(label: "shop") { label in
      RedactingLogHandler(SealedLogHandler(label: label, writer: writer, clear: .unmarked), redactor: redactor)
    }
    redacted.error("the service refused 0123456789abcdef")
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Logging
  import TestSupport

  @testable import EnvelopeKitTelemetry

  /// A writer whose lines are collected, and the keys to open them.
  struct LogBench {
    static let context: EncryptionContext = ["function": "checkout"]

    let keyring: any Keyring
    let writer: RecordWriter
    private let collected: RecordLines

    init(
      suite: AlgorithmSuite = .chaCha20Poly1305, limits: SegmentLimits = SegmentLimits(),
      keyring: (any Keyring)? = nil
    ) async throws {
      self.keyring = try keyring ?? Self.localKeyring()
      let (sink, lines) = RecordSink.lines(byteLimit: 1 << 28)
      collected = lines
      writer = try await RecordWriter(
        to: sink, context: Self.context, suite: suite, limits: limits, using: self.keyring)
    }

    static func localKeyring() throws -> any Keyring {
      var store = KeyStore()
      try store.add(.generate(), alias: "key")
      return try store.keyring()
    }

    func logger(_ label: String = "shop", clear: ClearFields = .routing) -> Logger {
      Logger(label: label) { SealedLogHandler(label: $0, writer: writer, clear: clear, metadataProvider: nil) }
    }

    /// Closes the writer and gives its lines.
    func lines() async -> [[UInt8]] {
      writer.close()
      var lines: [[UInt8]] = []
      for await line in collected { lines.append(line) }
      return lines
    }

    func opened() async throws -> OpenedLog {
      try await OpenedLog(lines(), context: Self.context, using: keyring)
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if !Telemetry
  /// A handler for swift-log that seals records, for which the package's trait `Telemetry` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait Telemetry: .package(url: …, traits: [\"Telemetry\"])")
  public enum SealedLogHandler {}

  /// A writer of sealed records, for which the package's trait `Telemetry` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait Telemetry: .package(url: …, traits: [\"Telemetry\"])")
  public enum RecordWriter {}

  /// A tracer that seals segments, for which the package's trait `Telemetry` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait Telemetry: .package(url: …, traits: [\"Telemetry\"])")
  public enum SealedTracer {}

  /// A log handler that masks secrets, for which the package's trait `Telemetry` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait Telemetry: .package(url: …, traits: [\"Telemetry\"])")
  public enum RedactingLogHandler {}
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// A service for the tests of sealed logs: it logs from several tasks until it is killed, forks, or holds still to be looked
// at. It gets a recipient, and so it cannot open what it writes.

#if Telemetry
  import EnvelopeKit
  import EnvelopeKitTelemetry
  import Logging
  import Tracing

  #if canImport(Darwin)
    import Darwin
  #elseif canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  let arguments = CommandLine.arguments
  guard arguments.count >= 4 else {
    StandardError.writeLine("usage: LogService MODE RECIPIENT FILE|- [TASKS] [RECORDS]")
    exit(64)
  }
  let taskCount = arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1
  let recordCount = arguments.count > 5 ? Int(arguments[5]) ?? .max : .max
  let recipient = try Recipient(arguments[2])
  let writer = try await RecordWriter(
    to: arguments[3] == "-" ? .standardOutput() : .file(arguments[3], rotation: FileRotation(byteCount: 1 << 20)),
    context: ["function": "service"], limits: SegmentLimits(recordCount: 1000), using: RecipientKeyring([recipient]))
  let logger = Logger(label: "service") { SealedLogHandler(label: $0, writer: writer, metadataProvider: nil) }

  switch arguments[1] {
  case "log":
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<taskCount {
        group.addTask {
          for record in 0..<recordCount {
            logger.info("record", metadata: ["task": "\(task)", "record": "\(record)"])
            // Whoever writes to a file says on standard error how far it is.
            if arguments[3] != "-", record % 100 == 99 { StandardError.writeLine("") }
          }
        }
      }
    }
    writer.close()
  case "fork":
    for record in 0..<10 { logger.info("before", metadata: ["record": "\(record)"]) }
    // Swift has no name for it, because threads do not survive it. Nothing here needs them.
    guard let symbol = unsafe dlsym(UnsafeMutableRawPointer(bitPattern: 0), "fork") else { exit(70) }
    let fork = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> Int32).self)
    let child = fork()
    for record in 0..<10 { logger.info(child == 0 ? "child" : "parent", metadata: ["record": "\(record)"]) }
    if child == 0 { _exit(0) }
    var status: Int32 = 0
    guard unsafe waitpid(child, &status, 0) == child, status == 0 else { exit(70) }
    writer.close()
  case "trace":
    let tracer = SealedTracer(service: "service", clearAnnotations: ["record"], to: writer)
    for record in 0..<recordCount {
      tracer.withSpan("root \(record)") { span in
        span.attributes["record"] = "\(record)"
        span.attributes["card"] = "secret-\(record)"
        tracer.withSpan("inner \(record)") { $0.attributes["deep"] = "secret-inner" }
        logger.info("secret-log", metadata: ["record": "\(record)"])
      }
    }
    tracer.forceFlush()
    writer.close()
  case "hold":
    for record in 0..<recordCount { logger.info("record", metadata: ["record": "\(record)"]) }
    StandardError.writeLine("held")
    // Until standard input ends.
    _ = getchar()
    writer.close()
  default: exit(64)
  }
#endif

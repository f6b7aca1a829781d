// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// Where sealed lines go.
  public struct RecordSink: Sendable {
    /// What happens to a record if the sink takes no more at the moment.
    public enum WhenFull: Sendable, Hashable {
      /// The call that logs waits.
      case wait
      /// The record is dropped and counted; a sealed record says how many were, as soon as there is room.
      case drop
    }

    enum Place: Sendable {
      case descriptor(Int32, WhenFull)
      case file(path: String, FileRotation)
      case queue(LineQueue)
    }

    let place: Place

    /// Standard output, each line in one call to the system.
    ///
    /// With ``WhenFull/drop``, a line that is longer than what a pipe takes at once (4,096 bytes) can wait nevertheless.
    public static func standardOutput(whenFull: WhenFull = .wait) -> RecordSink { descriptor(1, whenFull: whenFull) }

    /// Standard error, as ``standardOutput(whenFull:)``.
    public static func standardError(whenFull: WhenFull = .wait) -> RecordSink { descriptor(2, whenFull: whenFull) }

    /// A pipe, a socket or another open file, which stays the caller's to close.
    ///
    /// Otherwise as ``standardOutput(whenFull:)``.
    public static func descriptor(_ number: Int32, whenFull: WhenFull = .wait) -> RecordSink {
      RecordSink(place: .descriptor(number, whenFull))
    }

    /// A file, to which lines are appended: it is created with access for its owner alone.
    ///
    /// One process at a time writes to it. A record is in the hands of the system when the call that logs returns, and on the
    /// disk when the system writes it there, or after ``RecordWriter/flush()``.
    ///
    /// - Parameters:
    ///   - path: The file's path. Its folder has to be there.
    ///   - rotation: When to go on in a new file.
    public static func file(_ path: String, rotation: FileRotation = .never) -> RecordSink {
      RecordSink(place: .file(path: path, rotation))
    }

    /// An asynchronous sequence of lines, for consumers that ship them.
    ///
    /// - Parameters:
    ///   - byteLimit: How many bytes of lines wait for the consumer, at least 65,536, or one line if that is longer.
    ///   - whenFull: What happens beyond that. While the consumer is cancelled, records are dropped. The consumer must not log through the same writer, and must
    ///     not need the thread of a call that waits.
    /// - Returns: The sink, and the lines that it is given: one consumer can read them.
    public static func lines(byteLimit: Int = 1 << 22, whenFull: WhenFull = .drop) -> (
      sink: RecordSink, lines: RecordLines
    ) {
      let queue = LineQueue(byteLimit: byteLimit, whenFull: whenFull)
      return (RecordSink(place: .queue(queue)), RecordLines(queue))
    }
  }

  /// When a log goes on in a new file: always between two segments, so that each file opens by itself.
  public struct FileRotation: Sendable, Hashable {
    /// A file ends with the first segment that ends when it has so many bytes; nil for no limit.
    public let byteCount: Int?
    /// A file ends with the first segment that ends when it is so old; nil for no limit.
    public let age: Duration?
    /// How many ended files stay, because older ones are removed; nil for all.
    public let keptFileCount: Int?

    /// Creates a rotation.
    ///
    /// An ended file has the log's name, a dot, the time of its end and the name of its last segment:
    /// `app.log.20261127T031205.123Z-AbCdEfGhIjKl`.
    ///
    /// - Parameters:
    ///   - byteCount: A file ends with the first segment that ends when it has so many bytes, at least 4,096. The segment
    ///     ends early for it.
    ///   - age: A file ends with the first segment that ends when it is so old, at least a second. The segment ends early
    ///     for it.
    ///   - keptFileCount: How many ended files stay beside the one that has just ended. Older ones are removed.
    public init(byteCount: Int? = nil, age: Duration? = nil, keptFileCount: Int? = nil) {
      self.byteCount = byteCount.map { max($0, 4096) }
      self.age = age.map { max($0, .seconds(1)) }
      self.keptFileCount = keptFileCount.map { max($0, 0) }
    }

    /// One file for ever.
    public static let never = FileRotation()
  }
#endif

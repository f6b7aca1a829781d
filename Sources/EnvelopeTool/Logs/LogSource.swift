// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import EnvelopeKitFiles

  #if canImport(Darwin)
    import Darwin
  #elseif canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// A file of logs, or a stream, that is read as it arrives.
  struct LogSource: ~Copyable {
    private static let partByteCount = 1 << 18

    private let file: Descriptor
    private let path: Path
    private var buffer = [UInt8](repeating: 0, count: partByteCount)
    /// How many bytes were read.
    private(set) var position = 0
    /// The length when it was opened; nil of a stream.
    let byteCount: Int?

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: `noInput` if there is no such file; `usage` for a folder or a sealed file; `fileFailure`.
    init(_ name: String) throws(EnvelopeError) {
      let path = name == "-" ? Path.stream("standard input") : Path(name)
      let file = try name == "-" ? Descriptor.copy(of: STDIN_FILENO) : Self.open(path)
      guard !file.beginsAsSealedFile(of: path) else {
        throw EnvelopeError(
          .usage, "\(name.shownInputAtStart) is a sealed file, and not a log",
          advice: "Open it: envelope file open FILE | envelope logs open")
      }
      let status = try file.status(of: path)
      byteCount = status.isRegular ? status.byteCount : nil
      self.path = path
      self.file = file
    }

    private static func open(_ path: Path) throws(EnvelopeError) -> Descriptor {
      guard path.exists else { throw EnvelopeError(.noInput, "No such file: \(path)", advice: "Check the path.") }
      guard !path.isFolder else {
        throw EnvelopeError(.usage, "\(path) is a folder", advice: "Give the files in it, in the order of their age.")
      }
      return try path.openForReading()
    }

    /// Reads what is there, or waits for the first bytes of a stream; false at the end.
    mutating func read(into input: inout LogInput) throws(EnvelopeError) -> Bool {
      while true {
        let number = file.number
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Self.read(number, $0) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .system("Cannot read \(path)") }
        guard count > 0 else { return false }
        position += count
        unsafe input.append(buffer.span.bytes.extracting(first: count))
        return true
      }
    }

    @unsafe
    private static func read(_ number: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
      #if canImport(Darwin)
        unsafe Darwin.read(number, buffer.baseAddress, buffer.count)
      #elseif canImport(Glibc)
        unsafe Glibc.read(number, buffer.baseAddress, buffer.count)
      #elseif canImport(Musl)
        unsafe Musl.read(number, buffer.baseAddress, buffer.count)
      #endif
    }

    /// Whether the name is now another file's.
    var isReplaced: Bool {
      var (own, other) = (stat(), stat())
      guard unsafe fstat(file.number, &own) == 0, unsafe stat(path.string, &other) == 0 else { return false }
      return own.st_ino != other.st_ino || own.st_dev != other.st_dev
    }

    /// Goes back to the beginning if the file has become shorter than what was read of it; returns whether it has.
    mutating func restartIfCut() throws(EnvelopeError) -> Bool {
      guard try file.status(of: path).byteCount < position else { return false }
      try file.seek(to: 0, of: path)
      position = 0
      return true
    }
  }

  /// Waits for a file to grow.
  enum LogWait {
    /// Waits a quarter of a second, or until a signal comes; false if standard output has lost its reader.
    static func pause() -> Bool {
      var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
      let count = unsafe poll(&output, 1, 250)
      return count <= 0 || Int32(output.revents) & (POLLERR | POLLHUP | POLLNVAL) == 0
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Standard output carries data, standard error messages.
enum Console {
  /// Writes one line to standard error.
  ///
  /// Text from outside is quoted where the message is made; what was forgotten there still forges no line and steers no
  /// terminal.
  static func say(_ message: String) { send(EnvelopeError.escaped(message) + "\n") }

  /// Sends text to standard error as it is, such as what moves a terminal's cursor.
  static func send(_ text: String) {
    let line = Array(text.utf8)
    // Where nobody listens there is nothing left to say.
    try? Descriptor.withoutClosing(STDERR_FILENO) { (error) throws(EnvelopeError) in
      try unsafe error.writeAll(line.span.bytes, to: .stream("standard error"))
    }
  }

  /// Writes data to standard output, byte for byte.
  ///
  /// - Throws: `usage` if standard output is a terminal and the data could steer it; `fileFailure`.
  static func write(_ bytes: RawSpan) throws(EnvelopeError) {
    if outputIsTerminal { try checkSteersNoTerminal(bytes) }
    try Descriptor.withoutClosing(STDOUT_FILENO) { (output) throws(EnvelopeError) in
      try output.writeAll(bytes, to: .stream("standard output"))
    }
  }

  /// Writes the lines of a report, which is not secret, to standard output; fields may stand apart by tabs.
  static func write(_ text: String) throws(EnvelopeError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map { EnvelopeError.escaped(String($0)) }
        .joined(separator: "\t")
    }
    let bytes = Array(lines.joined(separator: "\n").utf8)
    try unsafe write(bytes.span.bytes)
  }

  /// Refuses data with characters that a terminal obeys or does not show, or that is not UTF-8.
  ///
  /// - Throws: `usage`.
  static func checkSteersNoTerminal(_ bytes: RawSpan) throws(EnvelopeError) {
    let isSafe = unsafe bytes.withUnsafeBytes { bytes in
      var (decoder, iterator) = unsafe (UTF8(), bytes.makeIterator())
      while true {
        switch unsafe decoder.decode(&iterator) {
        case .emptyInput: return true
        case .scalarValue(let scalar) where scalar.isPrintable || scalar == "\n" || scalar == "\t": continue
        default: return false
        }
      }
    }
    guard isSafe else {
      throw EnvelopeError(
        .usage, "The output has control or invisible characters, or is not UTF-8, and is not shown on a terminal",
        advice: "Write it to a file or a pipe: … > FILE, or … | cat -v")
    }
  }

  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// The width that text on standard output is laid out for: `COLUMNS`, else the terminal's, else 80.
  static var columns: Int {
    if let columns = ProcessEnvironment.value(of: "COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Whether there is a terminal to ask on, whatever the standard streams are.
  static var hasTerminal: Bool {
    let number = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
    if number >= 0 { close(number) }
    return number >= 0
  }

  /// Reads standard input to its end.
  static func readInput(limit: Int) throws(EnvelopeError) -> SecretBytes {
    try Descriptor.withoutClosing(STDIN_FILENO) { (input) throws(EnvelopeError) in
      try input.readAll(limit: limit, of: .stream("standard input"))
    }
  }

  /// Asks on the terminal for a yes; anything else is a no.
  ///
  /// - Throws: `usage` where there is no terminal to ask on.
  static func confirm(_ question: String) throws(EnvelopeError) -> Bool {
    let answer = try readLine(prompt: "\(question) [y/N] ", echoing: true, insteadUse: "--yes")
    return answer.withBytes { bytes in
      ["y", "yes"].contains(String(decoding: [UInt8](copying: bytes), as: UTF8.self).lowercased())
    }
  }

  /// Asks on the terminal for a secret, which is not shown.
  ///
  /// - Throws: `usage` where there is no terminal to ask on.
  static func readSecret(prompt: String) throws(EnvelopeError) -> SecretBytes {
    try readLine(prompt: prompt, echoing: false, insteadUse: "standard input")
  }

  private static func readLine(
    prompt: String, echoing: Bool, insteadUse other: String
  ) throws(EnvelopeError) -> SecretBytes {
    let number = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard number >= 0 else {
      throw EnvelopeError(.usage, "There is no terminal to prompt on", advice: "Use \(other) instead.")
    }
    let terminal = Descriptor(number)
    let path = Path.stream("the terminal")
    var settings = termios()
    unsafe tcgetattr(number, &settings)
    let before = settings
    // Signals are put off while the echo is off, so that no interruption leaves the terminal mute.
    let signals = SignalPause()
    if !echoing {
      settings.c_lflag &= ~tcflag_t(ECHO)
      // A program that is stopped here would leave the terminal mute too.
      let off = cc_t(truncatingIfNeeded: fpathconf(number, Int32(_PC_VDISABLE)))
      unsafe withUnsafeMutableBytes(of: &settings.c_cc) { unsafe $0[Int(VSUSP)] = off }
      guard unsafe tcsetattr(number, TCSAFLUSH, &settings) == 0 else { throw .system("Cannot hide what is typed") }
    }
    defer {
      var before = before
      if !echoing { unsafe tcsetattr(number, TCSAFLUSH, &before) }
      signals.end()
    }
    try unsafe terminal.writeAll(Array(EnvelopeError.escaped(prompt).utf8).span.bytes, to: path)
    let line = try terminal.readLine(limit: 65536, of: path, unless: signals)
    if !echoing { try unsafe terminal.writeAll(Array("\n".utf8).span.bytes, to: path) }
    return line
  }
}

extension EnvelopeError {
  /// The message and the advice as sentences.
  var sentences: String { advice.isEmpty ? "\(self)." : description }
}

extension String {
  /// A name from outside, as messages and reports show it.
  var shown: String { EnvelopeError.shown(self) }

  /// The path of an input, as messages show it: `-` is standard input.
  var shownInput: String { self == "-" ? "standard input" : shown }

  /// The same at the beginning of a sentence.
  var shownInputAtStart: String { self == "-" ? "Standard input" : shown }
}

extension Descriptor {
  /// Lends a descriptor that stays open, such as a standard one.
  static func withoutClosing<R: ~Copyable>(
    _ number: Int32, _ body: (borrowing Descriptor) throws(EnvelopeError) -> R
  ) throws(EnvelopeError) -> R {
    try body(copy(of: number))
  }

  /// A second descriptor of an open file, such as a standard stream, which can be closed.
  static func copy(of number: Int32) throws(EnvelopeError) -> Descriptor {
    let names = ["standard input", "standard output", "standard error"]
    return try Descriptor(copying: number, of: .stream(number < 3 ? names[Int(number)] : "the open file \(number)"))
  }

  /// Reads up to a line feed, and leaves that out; where nobody types, the end of the file ends the line, too.
  ///
  /// - Throws: `usage` where a signal or, at a terminal, the end comes first.
  func readLine(
    limit: Int, of path: Path, unless signals: SignalPause? = nil
  ) throws(EnvelopeError) -> SecretBytes {
    try SecretBytes(byteCount: limit) { (output) throws(EnvelopeError) in
      while output.freeCapacity > 0 {
        guard signals?.waitForInput(of: number) ?? true else { throw EnvelopeError(.usage, "Nothing was entered") }
        var byte: UInt8 = 0
        let count = unsafe read(number, &byte, 1)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .system("Cannot read \(path)") }
        if count == 0, signals == nil { return }
        guard count > 0 else { throw EnvelopeError(.usage, "Nothing was entered") }
        if byte == 10 { return }
        output.append(byte)
      }
      throw EnvelopeError(.usage, "The line is longer than \(limit) bytes")
    }
  }
}

extension Path {
  /// Whether it leads to a terminal; nothing else is opened to find out.
  var isTerminal: Bool {
    var status = stat()
    guard unsafe stat(string, &status) == 0, mode_t(status.st_mode) & S_IFMT == S_IFCHR else { return false }
    let number = unsafe open(string, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard number >= 0 else { return false }
    defer { close(number) }
    return isatty(number) == 1
  }
}

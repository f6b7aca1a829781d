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

/// Standard output carries data, standard error talk.
enum Console {
  /// Says something to the person, on standard error; what a name of a file holds steers no terminal.
  static func say(_ message: String) {
    send(
      message.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }
        .joined(separator: "\n") + "\n")
  }

  /// Sends text to standard error as it is, such as what moves a terminal's cursor.
  static func send(_ text: String) {
    let line = Array(text.utf8)
    // Where nobody listens there is nothing left to say.
    try? Descriptor.withoutClosing(STDERR_FILENO) { (error) throws(EnvelopeError) in
      try unsafe error.writeAll(line.span.bytes, to: Path("standard error"))
    }
  }

  /// Writes data to standard output.
  static func write(_ bytes: RawSpan) throws(EnvelopeError) {
    try Descriptor.withoutClosing(STDOUT_FILENO) { (output) throws(EnvelopeError) in
      try output.writeAll(bytes, to: Path("standard output"))
    }
  }

  /// Writes text that is not secret to standard output.
  static func write(_ text: String) throws(EnvelopeError) {
    let bytes = Array(text.utf8)
    try unsafe write(bytes.span.bytes)
  }

  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Whether there is a terminal to ask on, whatever the standard streams are.
  static var hasTerminal: Bool {
    let number = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
    if number >= 0 { close(number) }
    return number >= 0
  }

  /// Reads standard input to its end.
  static func readInput(limit: Int) throws(EnvelopeError) -> SecretBytes {
    try Descriptor.withoutClosing(STDIN_FILENO) { (input) throws(EnvelopeError) in
      try input.readAll(limit: limit, of: Path("standard input"))
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
      throw EnvelopeError(.usage, "There is no terminal to ask on", advice: "Use \(other) instead.")
    }
    let terminal = Descriptor(number)
    let path = Path("the terminal")
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
    try unsafe terminal.writeAll(Array(prompt.utf8).span.bytes, to: path)
    let line = try terminal.readLine(limit: 65536, of: path, unless: signals)
    if !echoing { try unsafe terminal.writeAll(Array("\n".utf8).span.bytes, to: path) }
    return line
  }
}

extension String {
  /// The text in one line that a terminal shows and does not obey: every control character is a question mark.
  var printable: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? "?" : $0 }))
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { properties.generalCategory == .control }
}

extension Descriptor {
  /// Lends a descriptor that stays open, such as a standard one.
  static func withoutClosing<R: ~Copyable>(
    _ number: Int32, _ body: (borrowing Descriptor) throws(EnvelopeError) -> R
  ) throws(EnvelopeError) -> R {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    let names = ["standard input", "standard output", "standard error"]
    guard copy >= 0 else { throw .system("Cannot use \(number < 3 ? names[Int(number)] : "the open file \(number)")") }
    return try body(Descriptor(copy))
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

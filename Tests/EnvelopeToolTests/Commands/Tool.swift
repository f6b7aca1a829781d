// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// The command that was built together with the tests, or another one that `ENVELOPE_TEST_COMMAND` names.
enum Tool {
  /// Its path, looked for from the test program upward.
  static let path: String? = {
    if let path = ProcessInfo.processInfo.environment["ENVELOPE_TEST_COMMAND"] {
      return BuiltProgram.isProgram(path) ? path : nil
    }
    return BuiltProgram.path(named: "envelope")
  }()

  /// The path of the Python that the tests were set up with.
  static var python: String {
    get throws {
      let path = ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"] ?? ""
      try #require(!path.isEmpty, "ENVELOPE_TEST_PYTHON is not set: run Tests/run")
      return path
    }
  }
}

/// How a program ended.
enum Ending: Equatable {
  case exit(Int32)
  case signal(Int32)
}

/// What a program wrote and how it ended.
struct Outcome {
  let output: Data
  let messages: String
  let ending: Ending

  var text: String { String(decoding: output, as: UTF8.self) }
  var code: Int32? { if case .exit(let code) = ending { code } else { nil } }

  /// Expects success.
  @discardableResult
  func succeeded(_ location: SourceLocation = #_sourceLocation) -> Outcome {
    #expect(ending == .exit(0), "\(messages)", sourceLocation: location)
    return self
  }

  /// Expects a failure that is told on standard error, and nothing on standard output.
  @discardableResult
  func failed(_ code: Int32, saying part: String = "", _ location: SourceLocation = #_sourceLocation) -> Outcome {
    #expect(ending == .exit(code), "\(messages)", sourceLocation: location)
    #expect(output.isEmpty, sourceLocation: location)
    #expect(!messages.isEmpty, sourceLocation: location)
    if !part.isEmpty { #expect(messages.contains(part), sourceLocation: location) }
    return self
  }
}

/// A program that runs.
struct Running {
  let process: pid_t
  fileprivate let outputPath: String
  fileprivate let messagesPath: String

  func send(_ signal: Int32) { kill(process, signal) }

  /// Waits for the program to end, and kills it after the limit, so that a program that hangs fails its test by name.
  func wait(killingAfter limit: Duration = .seconds(600)) throws -> Outcome {
    let isRunning = Mutex(true)
    // A queue that tests do not run on: it has a thread even if they keep all of theirs busy.
    let timer = DispatchSource.makeTimerSource(queue: .global(qos: .userInteractive))
    timer.schedule(deadline: .now() + limit / .seconds(1), leeway: .nanoseconds(0))
    timer.setEventHandler { [process] in
      isRunning.withLock { if $0 { kill(process, SIGKILL) } }
    }
    timer.activate()
    defer { timer.cancel() }
    // The process is not reaped yet: until the timer is off, its number must not become that of another process.
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0 { try #require(errno == EINTR) }
    isRunning.withLock { $0 = false }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 { try #require(errno == EINTR) }
    // Of a device or a pipe, nothing is left to read.
    var kind = stat()
    let isFile = unsafe stat(outputPath, &kind) == 0 && kind.st_mode & S_IFMT == S_IFREG
    let output = isFile ? try Data(contentsOf: URL(fileURLWithPath: outputPath)) : Data()
    let messages = try Data(contentsOf: URL(fileURLWithPath: messagesPath))
    let signal = status & 0x7f
    return Outcome(
      output: output, messages: String(decoding: messages, as: UTF8.self),
      ending: signal != 0 ? .signal(signal) : .exit(status >> 8 & 0xff))
  }
}

extension Sandbox {
  /// Runs `envelope` to its end, without a terminal.
  @discardableResult
  func envelope(
    _ arguments: String..., input: String = "", with variables: [String: String] = [:], in folder: String? = nil
  ) throws -> Outcome {
    try start(arguments, input: Data(input.utf8), with: variables, in: folder).wait()
  }

  /// Runs `envelope` with bytes on its standard input.
  func envelope(_ arguments: [String], bytes: Data) throws -> Outcome { try start(arguments, input: bytes).wait() }

  /// Starts `envelope`.
  func start(
    _ arguments: [String], input: Data = Data(), with variables: [String: String] = [:], in folder: String? = nil,
    inputPath: String? = nil, outputPath: String? = nil
  ) throws -> Running {
    let tool = try #require(Tool.path, "The command envelope was not built with the tests: run Tests/run")
    return try start(
      [tool] + arguments, input: input, variables: environment.merging(variables) { $1 }, in: folder ?? self.folder,
      inputPath: inputPath, outputPath: outputPath)
  }

  /// Runs a line of `sh` to its end, in which `$ENVELOPE` is the command.
  @discardableResult
  func shell(_ line: String, with variables: [String: String] = [:]) throws -> Outcome {
    let tool = try #require(Tool.path, "The command envelope was not built with the tests: run Tests/run")
    var variables = environment.merging(variables) { $1 }
    variables["ENVELOPE"] = tool
    return try start(["/bin/sh", "-c", line], input: Data(), variables: variables, in: folder).wait()
  }

  /// Starts a program in a session of its own, so that it has no terminal, with files for its streams, which
  /// unlike pipes never fill up.
  private func start(
    _ words: [String], input: Data, variables: [String: String], in folder: String, inputPath: String? = nil,
    outputPath: String? = nil
  ) throws -> Running {
    let stem = "\(root)/\(UUID().uuidString)"
    let (output, messages) = (outputPath ?? stem + ".out", stem + ".err")
    if inputPath == nil { try input.write(to: URL(fileURLWithPath: stem + ".in")) }

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, inputPath == nil ? stem + ".in" : "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, messages, O_WRONLY | O_CREAT, 0o600)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // The threads of tests hold signals back; a program must not begin so.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    // Nor must it ignore what this process was started to ignore.
    var broken = none
    unsafe sigaddset(&broken, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &broken)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80  // POSIX_SPAWN_SETSID
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    // The shell opens the input, should that be a pipe to wait for.
    let redirection = inputPath == nil ? "" : "< \"$input\""
    let script = "cd \"$1\" && input=$2 && shift 2 && exec \"$@\" \(redirection)"
    let words = ["/bin/sh", "-c", script, "sh", folder, inputPath ?? ""] + words
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    var entries = unsafe variables.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
    var process: pid_t = 0
    let failure = unsafe posix_spawn(&process, words[0], &actions, &attributes, &arguments, &entries)
    unsafe arguments.forEach { unsafe free($0) }
    unsafe entries.forEach { unsafe free($0) }
    try #require(failure == 0)
    return Running(process: process, outputPath: output, messagesPath: messages)
  }

  /// Makes `app.env`, sealed for the function `app`, whatever was there.
  @discardableResult
  func seal(_ text: String, _ arguments: String..., to name: String = "app.env") throws -> Outcome {
    try start(["seal", "-", "--function", "app", "-o", name, "--force"] + arguments, input: Data(text.utf8)).wait()
      .succeeded()
  }

  /// What `app.env` opens to, as a dictionary.
  func opened(_ name: String = "app.env") throws -> [String: String] {
    let result = try envelope("open", name, "--function", "app", "--format", "json").succeeded()
    return try JSONDecoder().decode([String: String].self, from: result.output)
  }
}

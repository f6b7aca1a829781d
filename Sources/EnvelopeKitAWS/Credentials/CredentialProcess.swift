// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// A program that prints credentials to standard output.
  ///
  /// It runs without a shell, with an empty standard input, this process's standard error and no other descriptor, and
  /// with no signal blocked or ignored.
  struct CredentialProcess: Sendable {
    let words: [String]
    let variables: [String: String]

    /// How much it may print, in bytes.
    private static let byteLimit = 1 << 16

    /// Runs the program and waits for its end.
    ///
    /// - Returns: What it printed.
    /// - Throws: `credentialsMissing` if it cannot be run, fails, prints too much, or does not end in time, when it is
    ///   killed.
    func output(within timeout: Duration) async throws -> GuardedMemory {
      let end = ContinuousClock.now.advanced(by: timeout)
      let outcome = try await BlockingWork.value {
        Result { () throws(EnvelopeError) in try run(until: end) }
      }
      return try outcome.get()
    }

    /// An error about the program, which shows its name and none of its arguments.
    func failure(_ reason: String) -> EnvelopeError {
      let name = words[0].split(separator: "/").last.map(String.init) ?? words[0]
      return EnvelopeError(
        .credentialsMissing, "The credential_process \(EnvelopeError.quoted(name)) \(reason)",
        advice: "Run it yourself and see what it prints; its setting is in ~/.aws/config.")
    }

    private func run(until end: ContinuousClock.Instant) throws(EnvelopeError) -> GuardedMemory {
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else { throw failure("cannot be run: \(Self.reason(errno))") }
      let (output, input) = (ends[0], ends[1])
      for descriptor in ends { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
      var process: pid_t = 0
      let status = spawn(&process, writingTo: input)
      close(input)
      defer { close(output) }
      guard status == 0 else { throw failure("cannot be run: \(Self.reason(status))") }
      let (memory, code): (GuardedMemory, Int32)
      do throws(EnvelopeError) {
        (memory, code) = (try read(output, until: end), try wait(for: process, until: end))
      } catch {
        // It has not been waited for, so the number is still its own.
        kill(process, SIGKILL)
        _ = Self.reap(process, options: 0)
        throw error
      }
      guard code == 0 else { throw failure("failed with the exit code \(code)") }
      return memory
    }

    private func read(_ output: Int32, until end: ContinuousClock.Instant) throws(EnvelopeError) -> GuardedMemory {
      try GuardedMemory(capacity: Self.byteLimit) { (memory) throws(EnvelopeError) in
        while true {
          var descriptor = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
          let ready = unsafe poll(&descriptor, 1, Self.milliseconds(until: end))
          if ready < 0, errno == EINTR { continue }
          guard ready > 0 else { throw failure("did not end in time") }
          var (byteCount, isTooLong) = (0, false)
          unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            byteCount = unsafe Self.read(output, buffer)
            isTooLong = byteCount > memory.freeCapacity
            if byteCount > 0, !isTooLong {
              unsafe memory.append(UnsafeRawBufferPointer(rebasing: buffer.prefix(byteCount)).bytes)
            }
            unsafe buffer.wipe()
          }
          if byteCount < 0, errno == EINTR { continue }
          guard !isTooLong else { throw failure("printed more than \(Self.byteLimit) bytes") }
          guard byteCount > 0 else { return }
        }
      }
    }

    private static func reason(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }

    @unsafe
    private static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
      #if canImport(Darwin)
        unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      #elseif canImport(Glibc)
        unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      #else
        unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
      #endif
    }

    private static func milliseconds(until end: ContinuousClock.Instant) -> Int32 {
      let left = ContinuousClock.now.duration(to: end).components
      return Int32(clamping: max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000))
    }

    /// Waits for the end of the program, which has closed its standard output.
    private func wait(for process: pid_t, until end: ContinuousClock.Instant) throws(EnvelopeError) -> Int32 {
      while true {
        if let code = Self.reap(process, options: WNOHANG) { return code }
        guard Self.milliseconds(until: end) > 0 else { throw failure("did not end in time") }
        _ = poll(nil, 0, 5)
      }
    }

    /// The exit code of an ended process, 128 and the number of the signal that ended it, or nil while it runs.
    private static func reap(_ process: pid_t, options: Int32) -> Int32? {
      var status: Int32 = 0
      while true {
        let result = unsafe waitpid(process, &status, options)
        if result == 0 { return nil }
        if result > 0 { break }
        // If the program of this process ignores the ends of children, the system keeps no exit code.
        guard errno == EINTR else { return 0 }
      }
      let signal = status & 0x7f
      return signal != 0 ? 128 + signal : status >> 8 & 0xff
    }

    /// Starts the program; returns 0 or the error's number.
    private func spawn(_ process: inout pid_t, writingTo input: Int32) -> Int32 {
      var actions = unsafe posix_spawn_file_actions_t()
      unsafe posix_spawn_file_actions_init(&actions)
      defer { unsafe posix_spawn_file_actions_destroy(&actions) }
      unsafe posix_spawn_file_actions_adddup2(&actions, input, STDOUT_FILENO)
      unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
      var attributes = posix_spawnattr_t()
      unsafe posix_spawnattr_init(&attributes)
      defer { unsafe posix_spawnattr_destroy(&attributes) }
      var signals = sigset_t()
      unsafe sigemptyset(&signals)
      unsafe posix_spawnattr_setsigmask(&attributes, &signals)
      unsafe sigfillset(&signals)
      unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
      var flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
      #if canImport(Darwin)
        flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
        unsafe posix_spawn_file_actions_addinherit_np(&actions, STDERR_FILENO)
      #else
        // Whatever this process has open and would hand on.
        for name in (try? Path("/proc/self/fd").names()) ?? [] {
          guard let number = Int32(name), number > STDERR_FILENO, number != input, fcntl(number, F_GETFD) == 0 else {
            continue
          }
          unsafe posix_spawn_file_actions_addclose(&actions, number)
        }
      #endif
      unsafe posix_spawnattr_setflags(&attributes, flags)
      var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
      var variables = unsafe variables.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
      defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
      return unsafe posix_spawnp(&process, words[0], &actions, &attributes, &arguments, &variables)
    }
  }
#endif

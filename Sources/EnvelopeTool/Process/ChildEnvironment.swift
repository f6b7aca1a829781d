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

/// The environment of a command that takes this process's place.
struct ChildEnvironment: ~Copyable {
  /// The variables given, as NAME=value and a NUL each.
  private let text: SecretBytes
  /// Where in the text each begins.
  private let offsets: [Int]
  /// The name and length of each, the NUL included.
  private let lengths: [(name: String, byteCount: Int)]
  private let names: Set<String>
  private let isInheriting: Bool

  /// Makes an environment.
  ///
  /// - Parameters:
  ///   - variables: What the command shall see; of a name that is there twice, the last.
  ///   - isInheriting: Whether it sees this process's variables too, but for those given and the sealed ones.
  /// - Throws: `invalidArgument` where a value holds a NUL, which no environment can.
  init(_ variables: [Secret], inheriting isInheriting: Bool) throws(EnvelopeError) {
    let byName = Dictionary(variables.map { ($0.name, $0) }) { _, last in last }
    let variables = byName.values.sorted { $0.name < $1.name }
    var offsets: [Int] = []
    let capacity = variables.reduce(0) { $0 + $1.name.utf8.count + $1.byteCount + 2 }
    text = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
      for variable in variables {
        offsets.append(output.byteCount)
        unsafe output.append(Array("\(variable.name)=".utf8).span.bytes)
        try variable.withBytes { (value) throws(EnvelopeError) in
          guard unsafe !value.withUnsafeBytes({ unsafe $0.contains(0) }) else {
            throw EnvelopeError(
              .invalidArgument, "The value of \(variable.name) holds a NUL byte, which no environment can",
              names: [variable.name])
          }
          output.append(value)
        }
        output.append(0)
      }
    }
    self.offsets = offsets
    lengths = variables.map { ($0.name, $0.name.utf8.count + $0.byteCount + 2) }
    self.isInheriting = isInheriting
    names = Set(byName.keys)
  }

  /// Replaces this process by a command; returns only where that fails, the exit code that shells give for it.
  func run(_ command: [String]) throws(EnvelopeError) -> Int32 {
    BrokenPipe.restore()
    let failure = try unsafe start(command) { program, arguments, variables in
      unsafe execve(program, arguments, variables)
      return errno
    }
    return failure ?? 126
  }

  /// Starts a program with arguments and variables.
  typealias Starter = (
    String, UnsafePointer<UnsafeMutablePointer<CChar>?>, UnsafePointer<UnsafeMutablePointer<CChar>?>
  ) -> Int32

  /// Starts a command by `starter`, which returns 0 or the error's number.
  ///
  /// - Returns: Nil if the command was started; else the exit code that shells give for the failure, which is reported.
  func start(_ command: [String], by starter: Starter) throws(EnvelopeError) -> Int32? {
    let programs = try Self.candidates(for: command[0])
    var failure = ENOENT
    // The process's own variables and the arguments live as long as it does.
    let arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    OpenDescriptors.closeOthersOnExec()
    text.withBytes { text in
      unsafe text.withUnsafeBytes { text in
        var environment = unsafe isInheriting ? inherited() : []
        for offset in offsets {
          // Of no variables there is no text, and no offset either.
          guard let base = text.baseAddress else { continue }
          let entry = unsafe UnsafeMutableRawPointer(mutating: base + offset)
          unsafe environment.append(entry.assumingMemoryBound(to: CChar.self))
        }
        unsafe environment.append(nil)
        for program in programs {
          var result = unsafe starter(program, arguments, environment)
          // As a shell does: go on looking, but remember a program that is there and cannot be run.
          if result == ENOEXEC {
            let script = unsafe [strdup("/bin/sh"), strdup(program)] + arguments.dropFirst()
            result = unsafe starter("/bin/sh", script, environment)
          }
          if result != ENOENT && result != ENOTDIR { failure = result }
          if result == E2BIG || result == 0 { break }
        }
      }
    }
    guard failure != 0 else { return nil }
    let reason = failure == E2BIG ? reasonForLength(of: command) : unsafe String(cString: strerror(failure))
    Console.say("envelope: cannot run \(EnvelopeError.quoted(command[0])): \(reason)")
    return failure == ENOENT ? 127 : 126
  }

  /// What makes the environment or the arguments longer than the system takes.
  private func reasonForLength(of command: [String]) -> String {
    // Linux's limit for one string is 32 pages.
    let limit = 32 * Int(sysconf(Int32(_SC_PAGESIZE)))
    let advice = "Keep large values in a file, and give its path"
    let tooLong = lengths.filter { $0.byteCount > limit }.map { "\($0.name) (\($0.byteCount.grouped))" }
    #if os(Linux)
      if !tooLong.isEmpty {
        return "with its name and =, no variable may be longer than the system's \(limit.grouped) bytes: "
          + "\(EnvelopeError.listed(tooLong)). \(advice)."
      }
      if command.contains(where: { $0.utf8.count >= limit }) {
        return "an argument is longer than the system's \(limit.grouped) bytes."
      }
    #endif
    let longest = lengths.sorted { $0.byteCount > $1.byteCount }.prefix(3).map {
      "\($0.name) (\($0.byteCount.grouped))"
    }
    return "its variables and arguments together are longer than the system takes"
      + (longest.isEmpty ? "." : "; the longest variables, in bytes: \(EnvelopeError.listed(longest)). \(advice).")
  }

  /// This process's variables, without those that are given anew and those of a sealed environment.
  private func inherited() -> [UnsafeMutablePointer<CChar>?] {
    var entries = unsafe [UnsafeMutablePointer<CChar>?]()
    var next = unsafe ProcessEnvironment.entries
    while let entry = unsafe next.pointee {
      unsafe next += 1
      // What is not UTF-8 is passed on as it is. A character that combines with the sign must not hide it.
      let text = unsafe String(cString: entry)
      let name = String(text.utf8.prefix { $0 != UInt8(ascii: "=") }) ?? ""
      let value = String(text.utf8.dropFirst(name.utf8.count + 1)) ?? ""
      guard !names.contains(name), !SealedEnvironment.isSealed(name: name, value: value) else { continue }
      unsafe entries.append(entry)
    }
    return unsafe entries
  }

  /// Where a program may lie: its path, or in each folder of PATH.
  private static func candidates(for program: String) throws(EnvelopeError) -> [String] {
    guard !program.isEmpty else { throw EnvelopeError(.usage, "The command to run has no name") }
    if program.utf8.contains(UInt8(ascii: "/")) { return [program] }
    let path = ProcessEnvironment.value(of: "PATH") ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":", omittingEmptySubsequences: false).map {
      $0.isEmpty ? program : "\($0)/\(program)"
    }
  }
}

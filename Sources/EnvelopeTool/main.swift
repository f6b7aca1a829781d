// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

#if CommandLine
  import Dispatch

  // A task that begins here and now: a command that waits for nobody, as all do whose keys are local, has ended the
  // process before the next line. Handing the main thread over to a queue first would take longer than the command.
  #if canImport(Darwin)
    Task { exit(await EnvelopeCommand.status(of: Array(CommandLine.arguments.dropFirst()))) }
  #else
    Task.immediate { exit(await EnvelopeCommand.status(of: Array(CommandLine.arguments.dropFirst()))) }
  #endif
  dispatchMain()
#else
  Console.say("envelope: this command was built without its trait. Build it with: swift build --traits CommandLine")
  exit(ExitStatus.software.rawValue)
#endif

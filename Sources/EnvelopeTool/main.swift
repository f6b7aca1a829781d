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
  BrokenPipe.remember()
  MainThread.run { exit(await EnvelopeCommand.status(of: Array(CommandLine.arguments.dropFirst()))) }
#else
  Console.say("envelope: This command was built without its trait. Build it with: swift build --traits CommandLine")
  exit(ExitStatus.software.rawValue)
#endif

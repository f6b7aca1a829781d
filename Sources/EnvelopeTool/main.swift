// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

#if CommandLine
  import ArgumentParser

  do {
    try await EnvelopeCommand.runFromArguments()
  } catch let error as EnvelopeError {
    Console.say("envelope: \(error)")
    exit(ExitStatus(error.code).rawValue)
  } catch {
    // Help, version, completions, and what was wrong with the arguments.
    EnvelopeCommand.exit(withError: error)
  }
#else
  Console.say("envelope: this command was built without its trait. Build it with: swift build --traits CommandLine")
  exit(ExitStatus.software.rawValue)
#endif

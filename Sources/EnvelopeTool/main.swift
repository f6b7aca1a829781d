// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import EnvelopeKit

#if CommandLine
  import ArgumentParser

  do {
    var command = try EnvelopeCommand.parseAsRoot()
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      try command.run()
    }
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

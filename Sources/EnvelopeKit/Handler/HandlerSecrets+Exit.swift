// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension HandlerSecrets {
  /// Runs the body of a handler's `main`; if it throws, ends the process with one line on standard error and status 1.
  ///
  /// An error that leaves `main` instead makes the Swift runtime write a backtrace into the log, with the memory that the
  /// registers point to, which may be a secret.
  ///
  /// The line is the description of an ``EnvelopeError``. Of any other error it has the type alone, because its
  /// description may hold a secret: catch such errors in `body` to log more.
  public static func runOrExit<R: ~Copyable>(_ body: () async throws -> R) async -> R {
    do {
      return try await body()
    } catch {
      // A closed pipe must not change the exit status.
      signal(SIGPIPE, SIG_IGN)
      StandardError.writeLine("Error: \(Self.line(for: error))")
      exit(1)
    }
  }

  private static func line(for error: any Error) -> String {
    if let error = error as? EnvelopeError { return error.description }
    return "\(String(reflecting: type(of: error))). Its description is not shown, because it may hold a secret."
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  @unsafe @preconcurrency internal import Darwin
#elseif canImport(Glibc)
  @unsafe @preconcurrency internal import Glibc
#elseif canImport(Musl)
  @unsafe @preconcurrency internal import Musl
#endif

/// The variables that this process was started with.
package enum ProcessEnvironment {
  /// The variables as the system holds them: NAME=value each, nil after the last.
  package static var entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    #if canImport(Darwin)
      unsafe _NSGetEnviron().pointee
    #else
      unsafe environ
    #endif
  }

  /// The value of one variable, or nil where it is not set or not UTF-8.
  package static func value(of name: String) -> String? {
    unsafe getenv(name).flatMap { unsafe String(validatingCString: $0) }
  }

  /// All variables whose name is ASCII and whose value is UTF-8; of a name that is there twice, the first, as
  /// `getenv` does.
  ///
  /// Other names are none that could be sealed or asked for, and a `String` key would take two that Unicode holds
  /// equal for one.
  ///
  /// Read it at the start: like `getenv`, it must not run while another thread calls `setenv`.
  package static var variables: [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe entries
    while let entry = unsafe next.pointee {
      unsafe next += 1
      guard let text = unsafe String(validatingCString: entry), let sign = text.utf8.firstIndex(of: UInt8(ascii: "=")),
        text.utf8[..<sign].allSatisfy({ $0 < 0x80 }), variables[String(text[..<sign])] == nil
      else { continue }
      variables[String(text[..<sign])] = String(text[text.utf8.index(after: sign)...])
    }
    return variables
  }
}

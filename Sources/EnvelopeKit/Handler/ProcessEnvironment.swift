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

  /// Returns all variables whose name is ASCII and whose value is UTF-8; of a name that occurs twice, the first, as
  /// `getenv` does.
  ///
  /// Other names are none that could be sealed or asked for, and a `String` key would take two names that Unicode holds
  /// equal for one. Reading must not run while another thread calls `setenv`, so read at the start.
  ///
  /// - Throws: `malformed` if a variable looks sealed and cannot be: its name is not ASCII, its value is not UTF-8, or
  ///   its name occurs twice.
  package static func variables() throws(EnvelopeError) -> [String: String] { unsafe try variables(in: entries) }

  static func variables(
    in entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) throws(EnvelopeError) -> [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe entries
    while let entry = unsafe next.pointee {
      unsafe next += 1
      let bytes = unsafe UnsafeRawBufferPointer(start: entry, count: strlen(entry))
      guard let sign = unsafe bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let (nameBytes, valueBytes) = unsafe (bytes[..<sign], bytes[(sign + 1)...])
      let name = unsafe String(decoding: nameBytes, as: UTF8.self)
      let looksSealed =
        unsafe valueBytes.starts(with: EnvelopeText.variablePrefix.utf8) || name == VariableName.header
        || name == VariableName.sealed
      guard unsafe nameBytes.allSatisfy({ $0 < 0x80 }), let value = unsafe String(validating: valueBytes, as: UTF8.self)
      else {
        guard !looksSealed else { throw .notSealable(name, "its name is not ASCII, or its value is not UTF-8") }
        continue
      }
      guard let first = variables[name] else {
        variables[name] = value
        continue
      }
      guard !looksSealed, !SealedEnvironment.isSealed(name: name, value: first) else {
        throw .notSealable(name, "it is set twice")
      }
    }
    return variables
  }
}

extension EnvelopeError {
  fileprivate static func notSealable(_ name: String, _ reason: String) -> EnvelopeError {
    EnvelopeError(
      .malformed, "The variable \(quoted(name)) looks sealed and cannot be: \(reason)",
      advice: "Remove it, or set it as it was sealed.", names: VariableName.isValid(name) ? [name] : [])
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What holds for one call: the function, its context, the keys to seal under and the names that stay plain.
struct FunctionSettings {
  let function: String
  let context: EncryptionContext
  /// Aliases or ids; empty for the default key.
  let keys: [String]
  let plain: [String]
  var keyService: KeyServiceSettings
  /// The names of plain variables that may differ from those that were sealed with the file.
  var changeablePlain: Set<String> = []
  /// Whether to open what was sealed to a recipient's public key.
  var anonymousSender = AnonymousSender.refused

  /// Puts together flags and `envelope.yaml`: flags override.
  ///
  /// - Parameters:
  ///   - function: The flag, a name or an ARN; nil takes the function whose file this is, as `envelope.yaml` says.
  ///   - context: The flags, `K=V` each; a pair overrides one of the same key.
  ///   - keys: The flags; none takes those of `envelope.yaml`.
  ///   - plain: The flags; none takes those of `envelope.yaml`.
  ///   - keyService: The flags; what they leave open is taken from `envelope.yaml`.
  ///   - file: The file that the call is about.
  init(
    function: String?, context: [String], keys: [String] = [], plain: [String] = [],
    keyService: KeyServiceSettings = KeyServiceSettings(), file: String?, configuration: Configuration
  ) throws(EnvelopeError) {
    // What the file says of itself does not count here: with it, the writer of the file would choose the function that a
    // reader opens it for. Only ``ContextSearch`` looks there, for commands that hand out nothing that is sealed.
    let named = function == nil ? configuration.functions(ofFile: file) : []
    guard named.count < 2 else {
      throw EnvelopeError(
        .configuration,
        "envelope.yaml names \(EnvelopeError.shown(file ?? "")) for several functions: "
          + EnvelopeError.listed(named), advice: "Leave it to one of them, or pass --function NAME.")
    }
    guard let given = function ?? configuration.function(forFile: file), !given.isEmpty else {
      throw EnvelopeError(
        .usage, "No function name",
        advice: "Pass --function NAME, or name the function's file in envelope.yaml (envelope init makes one).")
    }
    let function = try FunctionName.name(in: given)
    let entry = configuration.entry(for: function)
    self.function = function
    self.context = try Self.context(context, over: entry.context ?? []).adding(function, for: "function")
    try Self.check(self.context)
    self.keys = keys.isEmpty ? entry.keys ?? [] : keys
    self.plain = plain.isEmpty ? entry.plain ?? [] : plain
    self.keyService = keyService.completed(by: configuration.keyService(of: entry))
  }

  /// Refuses a context that breaks a limit.
  ///
  /// - Throws: `usage`, because the context comes from flags and `envelope.yaml`, not from the data.
  static func check(_ context: EncryptionContext) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      _ = try context.canonicalBytes()
    } catch {
      throw error.code == .invalidArgument ? EnvelopeError(.usage, error.message, advice: error.advice) : error
    }
  }

  /// The pairs of the flags, `K=V` each, and those of `envelope.yaml` that they do not override.
  static func context(
    _ flags: [String], over configured: [Configuration.Pair]
  ) throws(EnvelopeError) -> EncryptionContext {
    var pairs = configured
    for flag in flags {
      let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[0] != "function" else {
        throw EnvelopeError(
          .usage, "A context is given as KEY=VALUE, neither of them empty, and KEY is not 'function'",
          advice: "For example: --context team=payments")
      }
      pairs.removeAll { $0.key.utf8.elementsEqual(parts[0].utf8) }
      pairs.append(Configuration.Pair(key: parts[0], value: parts[1]))
    }
    return EncryptionContext(pairs.map { (key: $0.key, value: $0.value) })
  }
}

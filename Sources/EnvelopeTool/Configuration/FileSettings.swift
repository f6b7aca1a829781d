// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The context and the keys that one call about a sealed file uses.
struct FileSettings {
  /// The function that the file is sealed for; nil if it is sealed for none.
  let function: String?
  let context: EncryptionContext
  /// Aliases or ids to seal under; empty for the default key.
  let keys: [String]
  let keyService: KeyServiceSettings

  /// Combines flags and `envelope.yaml`: flags override.
  ///
  /// Unlike a file of variables, a file needs no function. Without one, the context is that of the flags alone, as it is
  /// for `rewrap --no-function`; of `envelope.yaml`, the default keys and the settings of AWS KMS count.
  ///
  /// - Parameters:
  ///   - function: The flag, a name or an ARN; nil takes the function that `envelope.yaml` names for the file, if any.
  ///   - context: The flags, `K=V` each.
  ///   - keys: The flags; if there are none, the keys of `envelope.yaml` count.
  ///   - keyService: The flags; `envelope.yaml` completes them.
  ///   - file: The sealed file.
  /// - Throws: `configuration` if `envelope.yaml` names the file for several functions; `usage`.
  init(
    function: String?, context: [String], keys: [String], keyService: KeyServiceSettings, file: String?,
    configuration: Configuration
  ) throws(EnvelopeError) {
    guard function == nil, configuration.functions(ofFile: file).isEmpty else {
      let settings = try FunctionSettings(
        function: function, context: context, keys: keys, keyService: keyService, file: file,
        configuration: configuration)
      self.function = settings.function
      (self.context, self.keys, self.keyService) = (settings.context, settings.keys, settings.keyService)
      return
    }
    let fallback = configuration.fallback
    self.function = nil
    self.context = try FunctionSettings.context(context, over: [])
    try FunctionSettings.check(self.context)
    self.keys = keys.isEmpty ? fallback.keys ?? [] : keys
    self.keyService = keyService.completed(by: configuration.keyService(of: fallback))
  }
}

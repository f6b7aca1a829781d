// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Seals variables in a file that is not there yet: JSON if its name ends in `.json`, else dotenv.
  ///
  /// - Returns: Whether the file was made; false if another command made it meanwhile, and nothing was written.
  static func create(
    _ file: String, sealing secrets: OpenedEnvironment, beside plain: OpenedEnvironment, _ settings: FunctionSettings
  ) async throws -> Bool {
    var keys: [String] = []
    do {
      try await write(to: file, revealing: false, force: false) { replaced in
        guard case .nothing = replaced.content else {
          throw EnvelopeError(.changedMeanwhile, "\(file.shown) was made by another command meanwhile")
        }
        let keyring: MultiKeyring
        (keyring, keys) = try await ToolKeys.sealing(settings)
        let document = try await seal(
          secrets, beside: plain, as: .separate, layout: layout(ofNew: file), settings, using: keyring, replacing: nil)
        return try sealedText(
          of: document.variables(), layout: document.layout, portable: false, function: settings.function)
      }
    } catch let error as EnvelopeError where error.code == .changedMeanwhile {
      return false
    }
    Console.say(
      "Created \(file.shown) for function \(settings.function.shown), sealed under \(keys.joined(separator: " and ")).")
    return true
  }

  /// Whether there is no file of this name, and could be one.
  ///
  /// - Throws: `usage` if it is no file; as ``checkCanWrite(_:)`` if there is none and none can be made.
  static func isMissing(_ file: String) throws(EnvelopeError) -> Bool {
    try checkIsFile(file)
    guard !Path(file).exists else { return false }
    try checkCanWrite(file)
    return true
  }

  /// How a file is laid out that is not there yet.
  static func layout(ofNew file: String) -> Layout { file.hasSuffix(".json") ? .json : .dotenv }
}

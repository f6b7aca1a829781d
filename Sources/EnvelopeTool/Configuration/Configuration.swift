// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What `envelope.yaml` says: each function's key, context and plain variables, with a default for the rest.
struct Configuration: Equatable {
  /// What is said of one function, or of all that are not said otherwise.
  struct Entry: Equatable {
    /// Aliases or ids of the keys to seal under.
    var keys: [String]?
    /// Further pairs of the encryption context.
    var context: [Pair]?
    /// The names that stay plain.
    var plain: [String]?
    /// The file that holds the function's variables, as a path from the folder of `envelope.yaml`.
    var file: String?
    /// How to reach AWS KMS.
    var keyService = KeyServiceSettings()
  }

  /// A pair of the encryption context; keys are compared as bytes, so a dictionary would not do.
  struct Pair: Equatable {
    let key: String
    let value: String
  }

  /// The folder that `envelope.yaml` was found in; nil where there is none.
  var folder: Path?
  var fallback = Entry()
  var functions: [String: Entry] = [:]
  /// Patterns of files and folders that `rewrap` and `reseal` leave out of a folder.
  var excluded: [String] = []

  static let fileName = "envelope.yaml"

  /// What holds for a function: its own entry, and from the default what that leaves open.
  func entry(for function: String) -> Entry {
    let own = functions[function] ?? Entry()
    return Entry(
      keys: own.keys ?? fallback.keys, context: own.context ?? fallback.context, plain: own.plain ?? fallback.plain,
      file: own.file, keyService: own.keyService.completed(by: fallback.keyService))
  }

  /// How to reach AWS KMS as an entry has it, where a path begins at the file's own folder.
  func keyService(of entry: Entry) -> KeyServiceSettings {
    var settings = entry.keyService
    if let path = settings.caBundle, !path.hasPrefix("/"), let folder {
      settings.caBundle = folder.appending(path).string
    }
    return settings
  }

  /// The function whose file this is; nil if that is none or several.
  ///
  /// The only function of `envelope.yaml` is not taken for a file that it does not name: the file may be another's.
  func function(forFile path: String?) -> String? {
    let functions = functions(ofFile: path)
    return functions.count == 1 ? functions[0] : nil
  }

  /// The functions that name this file, in ascending order.
  func functions(ofFile path: String?) -> [String] {
    guard let path, let folder else { return [] }
    let wanted = Path(path).absolute
    return functions.filter { $0.value.file.map { folder.appending($0).absolute == wanted } ?? false }.keys.sorted()
  }
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Finds the context that a file was sealed with: the one that is given, or one of `envelope.yaml`'s.
struct ContextSearch {
  /// A context that may be a file's, and what else holds for such files.
  struct Candidate {
    /// The function in quotes, or `no function`.
    let name: String
    let context: EncryptionContext
    let canonical: [UInt8]
    /// The keys to seal under; empty for the default key.
    let keys: [String]
    let keyService: KeyServiceSettings
    /// The file that `envelope.yaml` names for the function.
    fileprivate let file: Path?
  }

  let candidates: [Candidate]

  init(candidates: [Candidate]) { self.candidates = candidates }

  /// - Parameters:
  ///   - function: The flag; nil takes all functions of `envelope.yaml`.
  ///   - isForNoFunction: The flag: what is sealed for no function, with the flags' context alone.
  init(
    function: String?, isForNoFunction: Bool, context: [String], keyService: KeyServiceSettings,
    configuration: Configuration
  ) throws(EnvelopeError) {
    guard function == nil || !isForNoFunction else {
      throw EnvelopeError(.usage, "--function and --no-function exclude each other")
    }
    var candidates: [Candidate] = []
    if isForNoFunction {
      let context = try FunctionSettings.context(context, over: [])
      candidates.append(
        try Candidate(
          name: "no function", context: context, canonical: context.canonicalBytes(),
          keys: configuration.fallback.keys ?? [],
          keyService: keyService.completed(by: configuration.keyService(of: configuration.fallback)),
          file: nil))
    }
    let functions = function.map { [$0] } ?? (isForNoFunction ? [] : configuration.functions.keys.sorted())
    for function in functions {
      let settings = try FunctionSettings(
        function: function, context: context, keyService: keyService, file: nil, configuration: configuration)
      let file = configuration.functions[function]?.file
      candidates.append(
        try Candidate(
          name: EnvelopeError.quoted(function), context: settings.context,
          canonical: settings.context.canonicalBytes(), keys: settings.keys, keyService: settings.keyService,
          file: file.flatMap { file in configuration.folder?.appending(file).absolute }))
    }
    self.candidates = candidates
  }

  /// The index of the first candidate that a header was made for, as far as its contextCheck can tell; the function whose
  /// file it is comes first.
  func index(for header: Header, in file: String) throws(EnvelopeError) -> Int? {
    let path = candidates.contains { $0.file != nil } ? Path(file).absolute : nil
    let order =
      candidates.indices.filter { path != nil && candidates[$0].file == path }
      + candidates.indices.filter { path == nil || candidates[$0].file != path }
    for index in order where try header.matches(canonicalContext: candidates[index].canonical) { return index }
    return nil
  }
}

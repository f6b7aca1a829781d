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
    /// The function; nil for what is sealed for none.
    let function: String?
    let context: EncryptionContext
    let canonical: [UInt8]
    /// The keys to seal under; empty for the default key.
    let keys: [String]
    let keyService: KeyServiceSettings
    /// The file that `envelope.yaml` names for the function.
    fileprivate let file: Path?
  }

  private(set) var candidates: [Candidate]
  /// Makes a candidate of the name of a function that a file says it is for; nil if only what was given counts.
  private let makeCandidate: ((String) throws(EnvelopeError) -> Candidate)?
  /// The candidate for no function; nil if the call says the function, or that there is none.
  private let noFunction: Candidate?

  init(candidates: [Candidate]) {
    self.candidates = candidates
    makeCandidate = nil
    noFunction = nil
  }

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
    let bare = try Candidate(forNoFunction: context, keyService, configuration)
    if isForNoFunction { candidates.append(bare) }
    let functions = function.map { [$0] } ?? (isForNoFunction ? [] : configuration.functions.keys.sorted())
    let makeCandidate = { (function: String) throws(EnvelopeError) -> Candidate in
      let settings = try FunctionSettings(
        function: function, context: context, keyService: keyService, file: nil, configuration: configuration)
      // An ARN has become a name.
      let function = settings.function
      let file = configuration.functions[function]?.file
      return try Candidate(
        name: EnvelopeError.quoted(function), function: function, context: settings.context,
        canonical: settings.context.canonicalBytes(), keys: settings.keys, keyService: settings.keyService,
        file: file.flatMap { file in configuration.folder?.appending(file).absolute })
    }
    for function in functions { candidates.append(try makeCandidate(function)) }
    self.candidates = candidates
    self.makeCandidate = function == nil && !isForNoFunction ? makeCandidate : nil
    noFunction = function == nil && !isForNoFunction ? bare : nil
  }

  /// The index of the candidate that a header was made for, as far as its contextCheck can tell; nil if there is none.
  ///
  /// If `envelope.yaml` names the file for functions, only these count. Else the names that the file gives of itself are
  /// tried after the candidates. Nobody has verified them: a wrong one costs a hash and no call to a key service, and one
  /// that was made to look right fails when the header is unlocked. A sealed file may be for no function as well.
  ///
  /// - Parameters:
  ///   - names: At most ``FunctionNames/limit``; the rest is not tried.
  ///   - addsReaders: Whether the file gets readers that the call names. Then its writer must not choose the function,
  ///     whose secrets these would read: a function counts only if it was given, or if `envelope.yaml` or the name of the
  ///     file says so.
  mutating func index(
    for header: Header, in file: String, naming names: [String], addsReaders: Bool = false
  ) throws(EnvelopeError) -> Int? {
    let own = ownCandidates(of: file)
    if !addsReaders || isGiven || !own.isEmpty {
      if let index = try index(for: header, in: file) { return index }
    }
    guard let makeCandidate, own.isEmpty else { return nil }
    let names = addsReaders ? FunctionNames.candidates(ofPath: file) : names
    for name in names.prefix(FunctionNames.limit) {
      guard let candidate = try? makeCandidate(name), try header.matches(canonicalContext: candidate.canonical) else {
        continue
      }
      if let index = candidates.firstIndex(where: { $0.function == candidate.function }) { return index }
      candidates.append(candidate)
      return candidates.count - 1
    }
    // Files and logs, unlike variables, are usually sealed for no function.
    guard [.file, .records].contains(header.kind), !addsReaders, let noFunction,
      try header.matches(canonicalContext: noFunction.canonical)
    else { return nil }
    if let index = candidates.firstIndex(where: { $0.function == nil }) { return index }
    candidates.append(noFunction)
    return candidates.count - 1
  }

  /// The index of the first candidate that a header was made for, among those that `envelope.yaml` names the file for if
  /// there are such.
  func index(for header: Header, in file: String) throws(EnvelopeError) -> Int? {
    let own = ownCandidates(of: file)
    for index in own.isEmpty ? Array(candidates.indices) : own
    where try header.matches(canonicalContext: candidates[index].canonical) {
      return index
    }
    return nil
  }

  /// Whether the call says the function, so that no other counts.
  private var isGiven: Bool { makeCandidate == nil }

  private func ownCandidates(of file: String) -> [Int] {
    guard !isGiven, candidates.contains(where: { $0.file != nil }) else { return [] }
    let path = Path(file).absolute
    return candidates.indices.filter { candidates[$0].file == path }
  }
}

extension ContextSearch.Candidate {
  /// What is sealed for no function, with these pairs alone.
  fileprivate init(
    forNoFunction pairs: [String], _ keyService: KeyServiceSettings, _ configuration: Configuration
  ) throws(EnvelopeError) {
    let context = try FunctionSettings.context(pairs, over: [])
    self.init(
      name: "no function", function: nil, context: context, canonical: try context.canonicalBytes(),
      keys: configuration.fallback.keys ?? [],
      keyService: keyService.completed(by: configuration.keyService(of: configuration.fallback)), file: nil)
  }
}

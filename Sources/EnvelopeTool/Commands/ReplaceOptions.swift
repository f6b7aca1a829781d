// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  /// What sealed variables may replace in the output file.
  struct ReplaceOptions: ParsableArguments {
    @Flag(help: "Write over the output file whatever it holds.")
    var force = false

    @Flag(help: "Seal though there are no variables.")
    var allowEmpty = false

    @Flag(help: "Let variables go that the output file has and the input has not.")
    var allowRemoval = false

    /// Refuses an input without variables, which is more often a command that failed before a pipe.
    ///
    /// - Throws: `noInput`.
    func checkHolds(_ names: [String], _ file: String) throws(EnvelopeError) {
      guard names.isEmpty, !allowEmpty else { return }
      let place = file == "-" ? "Standard input" : file.shown
      throw EnvelopeError(
        .noInput, "\(place) holds no variables", advice: "If that is meant, add --allow-empty.")
    }

    /// Refuses to replace what these variables do not stand for.
    ///
    /// - Throws: `outputExists`, unless there is nothing, the input itself, or a sealed environment of the same context
    ///   with no other variables; and if the environment is packed and cannot be opened.
    func check(
      _ replaced: Replaced, holds names: [String], from input: String, _ settings: FunctionSettings
    ) async throws {
      guard !force else { return }
      switch replaced.content {
      case .nothing: return
      case .keyStore: throw replaced.refusal("holds a key store")
      case .other(let words): throw replaced.refusal("holds \(words)")
      case .variables(let document):
        guard let sealed = document.sealed else {
          guard input != "-", Path(input).resolved == Path(replaced.path).resolved else {
            throw replaced.refusal("holds variables that are not sealed")
          }
          return
        }
        try checkContext(sealed.header, replaced, settings)
        guard !allowRemoval, !(allowEmpty && names.isEmpty) else { return }
        let before = try await Self.names(of: document, sealed, replaced, settings)
        try replaced.checkLoses(
          Set(before).subtracting(names), advice: "If that is meant, add --allow-removal; else add them to the input.")
      }
    }

    /// Refuses a file that was sealed for another function or context.
    private func checkContext(
      _ header: Header, _ replaced: Replaced, _ settings: FunctionSettings
    ) throws(EnvelopeError) {
      guard try !header.matches(canonicalContext: settings.context.canonicalBytes()) else { return }
      let search = try ContextSearch(
        function: nil, isForNoFunction: false, context: [], keyService: settings.keyService, configuration: .load())
      let owner = try search.index(for: header, in: replaced.path).map { search.candidates[$0].name }
      throw replaced.refusal(
        owner.map { "is sealed for the function \($0), not for \(EnvelopeError.quoted(settings.function))" }
          ?? "is sealed for another function or context than \(EnvelopeError.quoted(settings.function))")
    }

    /// The names of all variables of the file; those of a packed environment are known only after it has been opened.
    private static func names(
      of document: Document, _ sealed: SealedEnvironment, _ replaced: Replaced, _ settings: FunctionSettings
    ) async throws -> [String] {
      guard sealed.form == .packed else { return sealed.names + document.plain.names }
      do {
        return try await OpenedDocument(document, of: replaced.path, settings).variables().names
      } catch let error as EnvelopeError {
        throw EnvelopeError(
          .outputExists,
          "\(replaced.path.shown) is packed and does not open, so it may have variables that would be "
            + "lost: \(error.message)", advice: "If they may go, add --allow-removal.")
      }
    }
  }
#endif

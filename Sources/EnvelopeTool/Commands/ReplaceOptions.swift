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

    @Flag(help: "Let keys go that open the output file and are not given.")
    var allowRemovedReaders = false

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A variable that was sealed in the output file and may now be plain.", valueName: "name"))
    var allowPlain: [String] = []

    /// Refuses an input without variables, which is more often a command that failed before a pipe.
    ///
    /// - Throws: `noInput`.
    func checkHolds(_ names: [String], _ file: String) throws(EnvelopeError) {
      guard names.isEmpty, !allowEmpty else { return }
      throw EnvelopeError(
        .noInput, "There are no variables in \(file.shownInput)", advice: "If that is meant, add --allow-empty.")
    }

    /// Refuses to replace what these variables do not stand for.
    ///
    /// - Returns: The sealed environment that is replaced, if there is one of the same context.
    /// - Throws: `outputExists`, unless there is nothing, the input itself, or a sealed environment of the same context
    ///   with no other variables; and if that was altered, or is packed and cannot be opened.
    func check(
      _ replaced: Replaced, holds names: [String], from input: String, _ settings: FunctionSettings
    ) async throws -> Predecessor? {
      if !force { try checkIsReplaceable(replaced, input, settings) }
      guard case .variables(let document) = replaced.content, let sealed = document.sealed,
        try sealed.header.matches(canonicalContext: settings.context.canonicalBytes())
      else { return nil }
      let predecessor = try await Predecessor(document, sealed, settings)
      if !force { try checkLoses(predecessor, replaced, names) }
      return predecessor
    }

    /// Refuses a file that holds anything but the input or a sealed environment of the same context.
    private func checkIsReplaceable(
      _ replaced: Replaced, _ input: String, _ settings: FunctionSettings
    ) throws(EnvelopeError) {
      switch replaced.content {
      case .nothing: return
      case .keyStore: throw replaced.refusal("holds a key store")
      case .other(let words): throw replaced.refusal("holds \(words)")
      case .variables(let document):
        if let sealed = document.sealed { return try checkContext(sealed.header, replaced, settings) }
        guard input != "-", Path(input).resolved == Path(replaced.path).resolved else {
          throw replaced.refusal("holds variables that are not sealed")
        }
        if document.layout == .answer { throw replaced.refusal("holds an answer of AWS") }
      }
    }

    private func checkLoses(
      _ predecessor: Predecessor, _ replaced: Replaced, _ names: [String]
    ) throws(EnvelopeError) {
      if predecessor.isAltered {
        throw EnvelopeError(
          .outputExists,
          "\(replaced.path.shown) was altered, so what would be lost is not known: \(predecessor.reason ?? "")",
          advice: "Look at it with 'envelope explain'; or add --force to replace it.")
      }
      guard !allowRemoval, !(allowEmpty && names.isEmpty) else { return }
      guard let before = predecessor.names else {
        throw EnvelopeError(
          .outputExists,
          "\(replaced.path.shown) is packed and does not open, so it may have variables that would be "
            + "lost: \(predecessor.reason ?? "")", advice: "If they may go, add --allow-removal.")
      }
      try replaced.checkLoses(
        Set(before).subtracting(names), advice: "If that is meant, add --allow-removal; else add them to the input.")
    }

    /// Refuses to turn a variable plain that was sealed, unless the user allows it.
    ///
    /// - Throws: `usage` with the names.
    func checkStaysSealed(_ plain: [String], _ predecessor: Predecessor?) throws(EnvelopeError) {
      let names = predecessor?.turnedPlain(plain).filter { !allowPlain.contains($0) } ?? []
      guard names.isEmpty else {
        throw EnvelopeError(
          .usage, "These would turn from sealed to plain: \(EnvelopeError.listed(names))",
          advice: "If that is meant, give --allow-plain for each.", names: names)
      }
    }

    /// Refuses a result that a reader of the replaced environment cannot open.
    ///
    /// - Throws: `outputExists`.
    func checkReaders(
      of document: Document, _ predecessor: Predecessor?, _ replaced: Replaced
    ) throws(EnvelopeError) {
      guard !force, !allowRemovedReaders, let predecessor, let sealed = document.sealed else { return }
      let readers = predecessor.readers(missingFrom: sealed)
      guard readers.isEmpty else {
        throw EnvelopeError(
          .outputExists,
          "\(replaced.path.shown) opens with keys that would not open the result: \(EnvelopeError.listed(readers))",
          advice: "Give each with --key; or, if they may go, add --allow-removed-readers.")
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
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct MigrateCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "migrate",
      abstract: "Migrate the values of AWS Lambda's console helper to one sealed environment.",
      discussion: """
        Each value that the console encrypted costs a call to AWS KMS at every start of the function and some 230 bytes. Sealed as one environment, all of them together cost one call.

        EXAMPLES
          aws lambda get-function-configuration --function-name checkout > checkout.json
          envelope migrate checkout.json --key alias/checkout --format lambda -o variables.json
          envelope migrate helper.env --function checkout --account 111122223333 --key alias/checkout -o checkout.env

        Variables whose values look encrypted are opened and sealed, the others stay plain. The function's name and the account whose keys are believed come from the answer of get-function-configuration, or from the flags.
        """)

    @Argument(
      help: "An answer of get-function-configuration, or a dotenv or JSON file; - is standard input.",
      completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keyOptions: KeyOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("An account whose keys the values may be under. Repeatable.", valueName: "id"))
    var account: [String] = []

    @Flag(help: "Open values that were made without an encryption context, too, as by older consoles.")
    var acceptNoContext = false

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A variable that looks encrypted and is not. Repeatable.", valueName: "name"))
    var plain: [String] = []

    @OptionGroup var replacing: ReplaceOptions

    @Option(help: "How to write: \(SealedFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = SealedFormat.dotenv

    @Flag(help: "Seal all variables into one, whatever the format: the smallest form, which hides the names.")
    var packed = false

    @Option(
      name: .shortAndLong, help: ArgumentHelp("The file to write; else standard output.", valueName: "file"),
      completion: .file())
    var output: String?

    func execute() async throws {
      let text = try Document.readText(file)
      let before = try Document(text: text, of: file)
      guard before.sealed == nil else {
        throw EnvelopeError(
          .invalidArgument, "The variables in \(file.shownInput) are sealed already",
          advice: "There is nothing to migrate.")
      }
      let function = try HelperFunction(text)
      var options = options
      options.function = options.function ?? function?.name
      let settings = try options.settings(file: output ?? file, keys: keyOptions, plain: plain)
      if format == .lambda { try FunctionName.checkIsLambda(settings.function) }
      for name in plain where before.plain[name] == nil {
        throw EnvelopeError(
          .usage, "There is no variable \(EnvelopeError.quoted(name)) in \(file.shownInput) to leave plain",
          advice: "Correct the name after --plain.")
      }
      let encrypted = before.plain.secrets.filter { $0.looksEncrypted && !settings.plain.contains($0.name) }
      guard !encrypted.isEmpty else {
        throw EnvelopeError(
          .noInput, "No variable in \(file.shownInput) looks like a value of the console's helper",
          advice: "Seal plain ones with: envelope seal FILE --function NAME")
      }

      let rest = before.plain.secrets.filter { secret in !encrypted.contains { $0.name == secret.name } }
      var (keys, bytesNow, withoutContext): ([String], Int, [String]) = ([], 0, [])
      try await Document.write(to: output, revealing: false, force: replacing.force) { replaced in
        let predecessor = try await replacing.check(replaced, holds: before.plain.names, from: file, settings)
        try replacing.checkStaysSealed(rest.map(\.name), predecessor)
        let opened = try await ToolKeys.openHelperValues(
          encrypted, of: settings, accounts: account.isEmpty ? function.map { [$0.account] } ?? [] : account,
          region: function?.region, acceptingNoContext: acceptNoContext)
        withoutContext = opened.withoutContext
        let keyring: MultiKeyring
        (keyring, keys) = try await ToolKeys.sealing(settings)
        let plainVariables = try OpenedEnvironment(merging: rest)
        let document = try await Document.seal(
          opened.secrets, beside: plainVariables, as: packed || format == .packed ? .packed : .separate,
          layout: format.layout, settings, using: keyring, replacing: predecessor)
        try replacing.checkReaders(of: document, predecessor, replaced)
        if format == .lambda { try document.checkFitsLambda(allowingOversize: false) }
        bytesNow = try Budget(document).byteCount
        return try Document.sealedText(
          of: document.variables(), layout: document.layout, portable: false, function: settings.function)
      }

      let count = encrypted.count
      if !withoutContext.isEmpty {
        Console.say("Encrypted without an encryption context: \(withoutContext.joined(separator: ", ")).")
      }
      Console.say(
        "Sealed \(count.counted("variable")) for function \(settings.function.shown) under "
          + "\(keys.joined(separator: " and ")): \(encrypted.map(\.name).joined(separator: ", ")).")
      if !rest.isEmpty { Console.say("Left plain: \(rest.map(\.name).joined(separator: ", ")).") }
      let calls = settings.keys.contains(where: ToolKeys.isKMS) ? "1" : "0"
      Console.say("Calls to AWS KMS at each start: \(count) before, \(calls) now.")
      Console.say(
        "Bytes of AWS Lambda's \(LambdaLimits.byteLimit): \(try Budget(before).byteCount) before, "
          + "\(bytesNow) now.")
    }
  }

  /// What an answer of get-function-configuration says about its function.
  private struct HelperFunction {
    let name: String
    let account: String
    let region: String

    /// - Returns: nil where the text is not such an answer.
    init?(_ text: borrowing SecretBytes) throws(EnvelopeError) {
      let arn = try text.withBytes { (text) throws(EnvelopeError) in
        VariablesText.isJSON(text) ? try VariablesJSON.functionARN(in: text) : nil
      }
      // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and a version perhaps.
      let parts = arn?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
      guard parts.count >= 7, parts[2] == "lambda", parts[5] == "function" else { return nil }
      (region, account, name) = (parts[3], parts[4], parts[6])
    }
  }

  extension Secret {
    /// Whether the value is padded base64 of as many bytes as AWS KMS makes of one character, or more.
    fileprivate var looksEncrypted: Bool {
      withBytes { text in
        guard text.byteCount >= 88, text.byteCount % 4 == 0 else { return false }
        let digits = text.byteCount - (0..<2).count { text.byte(at: text.byteCount - 1 - $0) == .equals }
        for offset in 0..<digits {
          let byte = text.byte(at: offset)
          guard byte.isLetter || byte.isDigit || "+/".utf8.contains(byte) else { return false }
        }
        return true
      }
    }
  }
#endif

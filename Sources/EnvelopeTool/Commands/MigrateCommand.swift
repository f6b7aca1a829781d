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

        Variables whose values begin as ciphertexts of AWS KMS do are opened and sealed, the others stay plain. The function's name, its Region and the account whose keys are believed come from the response of get-function-configuration or get-function, or from the options. Sealed is in the function's Region, in which the function opens it.
        """)

    @Argument(
      help: "A response of get-function-configuration or get-function, or a dotenv or JSON file; - is standard input.",
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

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A variable that is plain, and is sealed from now on. Repeatable.", valueName: "name"))
    var seal: [String] = []

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
      var settings = try options.settings(file: output ?? file, keys: keyOptions, plain: plain)
      if let region = function?.region {
        try checkKeys(settings, of: region)
        settings.keyService.region = settings.keyService.region ?? region
      }
      let accounts = try self.accounts(of: function)
      if format == .lambda { try FunctionName.checkIsLambda(settings.function) }
      for name in plain where before.plain[name] == nil {
        throw EnvelopeError(
          .usage, "There is no variable \(EnvelopeError.quoted(name)) in \(file.shownInput) to leave plain",
          advice: "Correct the name after --plain.")
      }
      for name in seal where before.plain[name] == nil || plain.contains(name) {
        throw EnvelopeError(
          .usage, "There is no variable \(EnvelopeError.quoted(name)) in \(file.shownInput) to seal",
          advice: "Correct the name after --seal; it must not be after --plain as well.")
      }
      let encrypted = before.plain.secrets.filter { secret in
        secret.isCiphertext && !settings.plain.contains(secret.name) && !seal.contains(secret.name)
      }
      guard !encrypted.isEmpty || !seal.isEmpty else {
        throw EnvelopeError(
          .noInput, "No variable in \(file.shownInput) looks like a value of the console's helper",
          advice: "Seal plain ones with: envelope seal FILE --function NAME")
      }

      let added = before.plain.secrets.filter { seal.contains($0.name) }
      let rest = before.plain.secrets.filter { secret in
        !encrypted.contains { $0.name == secret.name } && !seal.contains(secret.name)
      }
      var (keys, bytesNow, withoutContext): ([String], Int, [String]) = ([], 0, [])
      try await Document.write(to: output, revealing: false, force: replacing.force) { replaced in
        let predecessor = try await replacing.check(replaced, holds: before.plain.names, from: file, settings)
        try replacing.checkStaysSealed(rest.map(\.name), predecessor)
        // What cannot be sealed is not opened. A local key is not tried: a key store is not created in vain.
        if settings.keys.contains(where: ToolKeys.isKMS) {
          let keyring = try await ToolKeys.sealing(settings).keyring
          _ = try await keyring.generateDataKey(for: settings.context.forKeyrings(.environment))
        }
        var secrets = try OpenedEnvironment(merging: added)
        if !encrypted.isEmpty {
          let opened = try await ToolKeys.openHelperValues(
            encrypted, of: settings, accounts: accounts, acceptingNoContext: acceptNoContext)
          withoutContext = opened.withoutContext
          secrets = try OpenedEnvironment(merging: opened.secrets.secrets + added)
        }
        let keyring: MultiKeyring
        (keyring, keys) = try await ToolKeys.sealing(settings)
        let plainVariables = try OpenedEnvironment(merging: rest)
        let document = try await Document.seal(
          secrets, beside: plainVariables, as: packed || format == .packed ? .packed : .separate,
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
        "Sealed \((count + added.count).counted("variable")) for function \(settings.function.shown) under "
          + "\(keys.joined(separator: " and ")): \((encrypted + added).map(\.name).joined(separator: ", ")).")
      if !rest.isEmpty { Console.say("Left plain: \(rest.map(\.name).joined(separator: ", ")).") }
      let calls = settings.keys.contains(where: ToolKeys.isKMS) ? "1" : "0"
      Console.say("Calls to AWS KMS at each start: \(count) before, \(calls) now.")
      Console.say(
        "Bytes of AWS Lambda's \(LambdaLimits.byteLimit): \(try Budget(before).byteCount) before, "
          + "\(bytesNow) now.")
    }

    /// Refuses keys that a function in this Region does not reach.
    private func checkKeys(_ settings: FunctionSettings, of region: String) throws(EnvelopeError) {
      guard settings.keyService.region == nil else { return }
      for key in settings.keys where key.hasPrefix("arn:") && !key.contains(":key/mrk-") {
        let parts = key.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 5, parts[3] != region else { continue }
        throw EnvelopeError(
          .usage, "The function is in the Region \(region), and the key \(EnvelopeError.escaped(key)) is not",
          advice: "Name a key of the function's Region or a multi-Region key; or, if the function opens in another "
            + "Region, add --region REGION.")
      }
    }

    /// The accounts whose keys are believed, 12 digits each.
    private func accounts(of function: HelperFunction?) throws(EnvelopeError) -> [String] {
      guard !account.isEmpty else { return function.map { [$0.account] } ?? [] }
      return try account.map { (account) throws(EnvelopeError) in
        let digits = account.replacing("-", with: "")
        guard digits.utf8.count == 12, digits.utf8.allSatisfy({ $0.isDigit }) else {
          throw EnvelopeError(
            .usage, "\(EnvelopeError.quoted(account)) is not the id of an AWS account",
            advice: "Give 12 digits: --account 111122223333")
        }
        return digits
      }
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
    /// Whether the value is padded base64 of a ciphertext of AWS KMS, as far as its leading bytes tell.
    ///
    /// AWS does not document them. Ciphertexts under symmetric keys begin with 01 02 02 00 (in base64 `AQICAH`) or, made
    /// before 2015, with 01 01 02 00 (`AQECAH`) or 0a 20, 32 bytes and 12 (`CiA` to `CiD`): so in the examples of the AWS
    /// documentation and in public repositories. A key, a hash or a certificate in base64 begins otherwise.
    fileprivate var isCiphertext: Bool {
      withBytes { text in
        guard text.byteCount >= 88, text.byteCount % 4 == 0 else { return false }
        let bytes = try? SecretBytes(byteCount: text.byteCount) { (output) throws(EnvelopeError) in
          try SecretBase64.padded.append(decoding: text, to: &output)
        }
        guard let bytes else { return false }
        return bytes.withBytes { bytes in
          let start = (0..<4).map { bytes.byte(at: $0) }
          return start == [1, 2, 2, 0] || start == [1, 1, 2, 0]
            || start[..<2] == [0x0a, 0x20] && bytes.byte(at: 34) == 0x12
        }
      }
    }
  }
#endif

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

        Variables whose values begin as ciphertexts of AWS KMS do are opened and sealed, the others stay plain. The function's name, its Region and the account whose keys are believed come from the response of get-function-configuration or get-function, or from the options. The keys are looked for in the function's Region, where the function opens the result.
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
      let function = try FunctionResponse(text, of: file)
      var options = options
      options.function = options.function ?? function?.name
      var settings = try options.settings(file: output ?? file, keys: keyOptions, plain: plain)
      if format == .lambda { try FunctionName.checkIsLambda(settings.function) }
      let variables = try variables(of: before, settings)
      let accounts = try variables.encrypted.isEmpty ? [] : self.accounts(of: function)
      settings.keyService.region = settings.keyService.region ?? function?.region
      try checkKeys(settings, function)

      var result = Result()
      try await Document.write(to: output, revealing: false, force: replacing.force) { replaced in
        result = Result()
        let (keyring, keys) = try await ToolKeys.sealing(settings)
        // Before the first value is opened: if the keys cannot seal, no value is decrypted.
        let proven = try await ProvenKeyring(keyring, for: settings.context.forKeyrings(.environment))
        let predecessor = try await replacing.check(replaced, holds: before.plain.names, from: file, settings)
        try replacing.checkStaysSealed(variables.plain.map(\.name), predecessor)
        var secrets = variables.added
        if !variables.encrypted.isEmpty {
          let opened = try await ToolKeys.openHelperValues(
            variables.encrypted, of: settings, accounts: accounts,
            region: function?.region ?? settings.keyService.region, acceptingNoContext: acceptNoContext)
          result.withoutContext = opened.withoutContext
          secrets += opened.secrets.secrets
        }
        let sealed = try OpenedEnvironment(merging: secrets)
        let document = try await Document.seal(
          sealed, beside: OpenedEnvironment(merging: variables.plain),
          as: packed || format == .packed ? .packed : .separate, layout: format.layout, settings,
          using: MultiKeyring([proven]), replacing: predecessor)
        try replacing.checkReaders(of: document, predecessor, replaced)
        if format == .lambda { try document.checkFitsLambda(allowingOversize: false) }
        result.keys = keys
        result.byteCount = try Budget(document).byteCount
        result.obstacle = try await document.readBack(sealed, settings, using: keyring)
        return try Document.sealedText(
          of: document.variables(), layout: document.layout, portable: false, function: settings.function)
      }
      try report(result, variables, settings, function, byteCountBefore: Budget(before).byteCount)
    }

    /// What there is to say of a migration.
    private struct Result {
      var keys: [String] = []
      var byteCount = 0
      /// The names of values that were made without an encryption context.
      var withoutContext: [String] = []
      /// Why the result was not read back; nil if it was.
      var obstacle: EnvelopeError?
    }

    /// The variables of the input by what becomes of them.
    private struct Variables {
      /// Values of the console's helper.
      let encrypted: [Secret]
      /// Plain variables to seal.
      let added: [Secret]
      /// Variables that stay plain.
      let plain: [Secret]
    }

    private func variables(of before: Document, _ settings: FunctionSettings) throws(EnvelopeError) -> Variables {
      for (names, option, use) in [(plain, "--plain", "leave plain"), (seal, "--seal", "seal")] {
        for name in names where before.plain[name] == nil {
          throw EnvelopeError(
            .usage, "There is no variable \(EnvelopeError.quoted(name)) in \(file.shownInput) to \(use)",
            advice: "Correct the name after \(option).")
        }
      }
      for name in seal where plain.contains(name) {
        throw EnvelopeError(
          .usage, "The variable \(EnvelopeError.quoted(name)) cannot be sealed and stay plain at once",
          advice: "Give it with --seal or with --plain.")
      }
      let added = before.plain.secrets.filter { seal.contains($0.name) }
      let others = before.plain.secrets.filter { !seal.contains($0.name) }
      let encrypted = others.filter { secret in
        !settings.plain.contains(secret.name) && secret.withBytes { $0.isKMSCiphertext }
      }
      guard !encrypted.isEmpty || !added.isEmpty else {
        throw EnvelopeError(
          .noInput, "No variable in \(file.shownInput) looks like a value of the console's helper",
          advice: "Seal plain ones with: envelope seal FILE --function NAME")
      }
      let names = Set(encrypted.map(\.name))
      return Variables(encrypted: encrypted, added: added, plain: others.filter { !names.contains($0.name) })
    }

    private func report(
      _ result: Result, _ variables: Variables, _ settings: FunctionSettings, _ function: FunctionResponse?,
      byteCountBefore: Int
    ) {
      if !result.withoutContext.isEmpty {
        Console.say("Encrypted without an encryption context: \(result.withoutContext.joined(separator: ", ")).")
      }
      let names = (variables.encrypted + variables.added).map(\.name)
      Console.say(
        "Sealed \(names.count.counted("variable")) for function \(settings.function.shown) under "
          + "\(result.keys.joined(separator: " and ")): \(names.joined(separator: ", ")).")
      if !variables.plain.isEmpty {
        Console.say("Left plain: \(variables.plain.map(\.name).joined(separator: ", ")).")
      }
      let regions = kmsRegions(settings)
      let calls = regions.isEmpty ? "0" : "1"
      Console.say("Calls to AWS KMS at each start: \(variables.encrypted.count) before, \(calls) now.")
      Console.say(
        "Bytes of AWS Lambda's \(LambdaLimits.byteLimit): \(byteCountBefore) before, \(result.byteCount) now.")
      if regions.isEmpty {
        Console.say(
          "None of these keys is in AWS KMS: the function opens this only if you deploy the key with it "
            + "(ENVELOPE_STORE).")
      } else if let function, !regions.contains(function.region) {
        Console.say(
          "The function is in \(function.region): it opens this only with a KMS client for "
            + "\(Set(regions).sorted().joined(separator: " or ")).")
      }
      if let obstacle = result.obstacle {
        Console.say("The result could not be read back here: \(obstacle.message). Try it before you deploy it.")
      }
    }

    /// Refuses keys that the function does not reach, unless the user says so.
    ///
    /// - Throws: `usage`.
    private func checkKeys(_ settings: FunctionSettings, _ function: FunctionResponse?) throws(EnvelopeError) {
      guard !settings.keys.isEmpty else {
        throw EnvelopeError(
          .usage, "No key is named, and the function cannot use the default key of this machine's key store",
          advice:
            "Name a key of AWS KMS: --key alias/NAME; or a local key that is deployed with the function: --key NAME"
        )
      }
      let regions = kmsRegions(settings)
      guard let function, keyOptions.region == nil, !regions.isEmpty, !regions.contains(function.region) else { return }
      throw EnvelopeError(
        .usage,
        "The function is in the Region \(function.region), and its KMS keys would be in "
          + "\(Set(regions).sorted().joined(separator: " and "))",
        advice: "Name a key of the function's Region or a multi-Region key; or, if the function opens in another "
          + "Region, add --region REGION.")
    }

    /// The Regions of the KMS keys, as far as they are known.
    private func kmsRegions(_ settings: FunctionSettings) -> [String] {
      settings.keys.filter(ToolKeys.isKMS).map {
        ToolKeys.region(ofKMSKey: $0, settings.keyService) ?? "the Region of AWS_REGION"
      }
    }

    /// The accounts whose keys are believed, 12 digits each.
    private func accounts(of function: FunctionResponse?) throws(EnvelopeError) -> [String] {
      guard !account.isEmpty else {
        guard let function else {
          throw EnvelopeError(
            .usage, "It is not known whose keys the values may be under",
            advice: "Give the account's id: --account 111122223333")
        }
        return [function.account]
      }
      return try account.map { (account) throws(EnvelopeError) in
        let groups = account.split(separator: "-", omittingEmptySubsequences: false)
        let isGrouped = groups.map(\.utf8.count) == [4, 4, 4]
        let digits = isGrouped ? groups.joined() : account
        guard digits.utf8.count == 12, digits.utf8.allSatisfy({ $0.isDigit }) else {
          throw EnvelopeError(
            .usage, "\(EnvelopeError.quoted(account)) is not the id of an AWS account",
            advice: "Give 12 digits: --account 111122223333")
        }
        return digits
      }
    }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What `envelope exec` is asked to do.
struct Execution: Equatable {
  var files: [String] = []
  var function: String?
  var context: [String] = []
  var keys: [String] = []
  var keyService = KeyServiceSettings()
  var isPristine = false
  var isRedacting = false
  var acceptsAnonymousSender = false
  var changeablePlain: [String] = []
  var command: [String] = []

  /// Reads the arguments of a call that is plainly `exec [FILE]… [OPTION VALUE]… [FLAG]… -- COMMAND…`, and returns
  /// nil for any other, which the parser of all commands is left to understand or refuse.
  ///
  /// Every start of a service goes through here, and setting that parser up takes longer than opening an
  /// environment.
  init?(arguments: [String]) {
    guard arguments.first == "exec", let end = arguments.firstIndex(of: "--"), end + 1 < arguments.count else {
      return nil
    }
    command = Array(arguments[(end + 1)...])
    var words = arguments[1..<end]
    while let word = words.popFirst() {
      switch word {
      case "--pristine": isPristine = true
      case "--redact": isRedacting = true
      case "--accept-anonymous-sender": acceptsAnonymousSender = true
      case "--allow-changed", "--function", "--context", "--key", "--region", "--profile", "--endpoint-url",
        "--ca-bundle":
        guard let value = words.popFirst(), !value.hasPrefix("-"), take(value, for: word) else { return nil }
      default:
        guard !word.isEmpty, word == "-" || !word.hasPrefix("-") else { return nil }
        files.append(word)
      }
    }
  }

  init(
    files: [String], function: String?, context: [String], keys: [String], keyService: KeyServiceSettings,
    isPristine: Bool, isRedacting: Bool = false, acceptsAnonymousSender: Bool, changeablePlain: [String],
    command: [String]
  ) {
    self.files = files
    self.function = function
    self.context = context
    self.keys = keys
    self.keyService = keyService
    self.isPristine = isPristine
    self.isRedacting = isRedacting
    self.acceptsAnonymousSender = acceptsAnonymousSender
    self.changeablePlain = changeablePlain
    self.command = command
  }

  /// Keeps the value of an option; false where the option was there before, and is taken once alone.
  private mutating func take(_ value: String, for option: String) -> Bool {
    switch option {
    case "--context": context.append(value)
    case "--key": keys.append(value)
    case "--allow-changed": changeablePlain.append(value)
    case "--function": return Self.set(&function, value)
    case "--region": return Self.set(&keyService.region, value)
    case "--profile": return Self.set(&keyService.profile, value)
    case "--endpoint-url": return Self.set(&keyService.endpointURL, value)
    default: return Self.set(&keyService.caBundle, value)
    }
    return true
  }

  private static func set(_ option: inout String?, _ value: String) -> Bool {
    guard option == nil else { return false }
    option = value
    return true
  }

  #if CommandLine
    /// Opens the variables and replaces this process by the command, unless the command's output passes through it.
    ///
    /// - Returns: The command's exit code, or the exit code that shells give for a command that cannot be run.
    func run() async throws -> Int32 {
      guard !command.isEmpty else {
        throw EnvelopeError(.usage, "There is no command to run", advice: "Give it after --, as in: -- ./server")
      }
      let configuration = try Configuration.load(toOpenFor: function)
      guard !files.isEmpty else {
        let variables = try ProcessEnvironment.variables()
        let settings = try settings(
          of: nil, function: function ?? (try? LambdaFunction.name(in: variables)), configuration)
        let secrets = try await open(SealedEnvironment(variables: variables), settings)
        return try run(with: secrets, masking: secrets)
      }
      var (secrets, names): ([Secret], Set<String>) = ([], [])
      var masked: [Secret] = []
      for file in files {
        let document = try Document.read(file)
        let sealed = try document.requireSealed(in: file).allowing(plain: Set(changeablePlain))
        let opened = try await open(sealed, settings(of: file, function: function, configuration))
        let added = document.plain.secrets + opened
        let again = added.map(\.name).filter(names.contains).sorted()
        if !again.isEmpty {
          Console.say(
            "\(file.shownInputAtStart) replaces variables of an earlier file: \(EnvelopeError.listed(again)).")
        }
        names.formUnion(added.map(\.name))
        secrets += added
        masked += opened
      }
      return try run(with: secrets, masking: masked)
    }

    private func run(with variables: [Secret], masking secrets: [Secret]) throws(EnvelopeError) -> Int32 {
      let environment = try ChildEnvironment(variables, inheriting: !isPristine)
      guard isRedacting else { return try environment.run(command) }
      let redactor = try Redactor(secrets)
      if !redactor.unmaskedNames.isEmpty {
        Console.say(
          "envelope: these variables are not masked, because they are shorter than \(redactor.minimumByteCount) bytes: "
            + "\(EnvelopeError.listed(redactor.unmaskedNames))")
      }
      return try RedactedCommand(command: command, redactor: redactor).run(in: environment)
    }

    private func settings(
      of file: String?, function: String?, _ configuration: Configuration
    ) throws(EnvelopeError) -> FunctionSettings {
      try FunctionSettings(
        function: function, context: context, keys: keys, keyService: keyService, file: file,
        configuration: configuration)
    }

    private func open(_ sealed: SealedEnvironment, _ settings: FunctionSettings) async throws -> [Secret] {
      let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
      let sender: AnonymousSender = acceptsAnonymousSender ? .accepted : .refused
      return try await EnvelopeError.advisingOptions(opening: sealed.wrappedKeys) {
        try await sealed.open(context: settings.context, using: keyring, anonymousSender: sender)
      }.secrets
    }
  #endif
}

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  /// Says which function a call is about.
  struct FunctionOptions: ParsableArguments {
    @Option(
      name: .long,
      help: ArgumentHelp(
        "The function's name, or its ARN in AWS Lambda. envelope.yaml can name it too.", valueName: "name"))
    var function: String?

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "A further pair of the encryption context; give the same to open. Repeatable.", valueName: "key=value"))
    var context: [String] = []

    /// What holds for the call, from the flags and `envelope.yaml`.
    ///
    /// - Parameter opens: Whether the command opens only, and so does not need the file if it is given a function.
    func settings(
      file: String?, keys: KeyOptions? = nil, plain: [String] = [], opens: Bool = false
    ) throws(EnvelopeError) -> FunctionSettings {
      try FunctionSettings(
        function: function, context: context, keys: keys?.key ?? [], plain: plain,
        keyService: keys?.keyService ?? KeyServiceSettings(), file: file,
        configuration: opens ? .load(toOpenFor: function) : .load())
    }

    /// What holds for a sealed file that may say itself which function it is for, if the header proves that.
    ///
    /// Not for commands that hand out what is sealed: the writer of the file would choose the function.
    func settings(ofSealed file: String, keys: KeyOptions) throws(EnvelopeError) -> FunctionSettings {
      let configuration = try Configuration.load(toOpenFor: function)
      guard function == nil, configuration.function(forFile: file) == nil else {
        return try settings(file: file, keys: keys, opens: true)
      }
      let bytes = try Document.readText(file)
      let header = try Document(text: bytes, of: file).requireSealed(in: file).header
      var search = try ContextSearch(
        function: nil, isForNoFunction: false, context: context, keyService: keys.keyService,
        configuration: configuration)
      let names = bytes.withBytes { FunctionNames.candidates(in: $0, of: file) }
      guard let index = try search.index(for: header, in: file, naming: names),
        let function = search.candidates[index].function
      else { return try settings(file: file, keys: keys) }
      Console.say("Sealed for the function \(function.shown).")
      return try FunctionSettings(
        function: function, context: context, keys: keys.key, keyService: keys.keyService, file: file,
        configuration: configuration)
    }
  }

  /// Says which differences from what was sealed a file may have.
  struct ChangeOptions: ParsableArguments {
    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "A plain variable that may differ from what was sealed with the file, such as LOG_LEVEL; a command that writes the file authenticates it as it stands. Repeatable.",
        valueName: "name"))
    var allowChanged: [String] = []
  }

  /// Says what a command that opens accepts.
  struct TrustOptions: ParsableArguments {
    @OptionGroup var change: ChangeOptions

    @Flag(help: "Accept what was sealed to a recipient's public key, which anyone can do.")
    var acceptAnonymousSender = false

    var anonymousSender: AnonymousSender { acceptAnonymousSender ? .accepted : .refused }
  }

  extension FunctionSettings {
    /// The same settings with what a command accepts.
    func trusting(_ options: TrustOptions) -> FunctionSettings {
      var settings = changing(options.change)
      settings.anonymousSender = options.anonymousSender
      return settings
    }

    /// The same settings with the differences that a file may have.
    func changing(_ options: ChangeOptions) -> FunctionSettings {
      var settings = self
      settings.changeablePlain = Set(options.allowChanged)
      return settings
    }
  }

  /// Names keys, and says how to reach those of AWS KMS.
  struct KeyOptions: ParsableArguments {
    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "A key's alias or id, a recipient (er1:… or er2:…), or of AWS KMS an ARN or alias/NAME; any one of several opens. "
          + "Repeatable.",
        valueName: "key"))
    var key: [String] = []

    @Option(help: "The AWS Region of the KMS keys that do not say theirs.")
    var region: String?

    @Option(help: "The profile in AWS's shared files to take credentials from.")
    var profile: String?

    @Option(name: .customLong("endpoint-url"), help: "Where AWS KMS is, if elsewhere: https://HOST.")
    var endpointURL: String?

    @Option(help: "A file of certificates to trust instead of the system's.", completion: .file())
    var caBundle: String?

    @Flag(
      name: .customLong("insecure-loopback-http"),
      help: "Let the endpoint be http:// on this machine, where nothing is encrypted: for an emulator of AWS KMS alone."
    )
    var insecureLoopbackHTTP = false

    var keyService: KeyServiceSettings {
      KeyServiceSettings(
        region: region, profile: profile, endpointURL: endpointURL, caBundle: caBundle,
        allowsInsecureLoopbackHTTP: insecureLoopbackHTTP ? true : nil)
    }
  }

  /// How opened variables are written.
  enum PlainFormat: String, ExpressibleByArgument, CaseIterable {
    case dotenv
    case json
    case docker

    var layout: Document.Layout {
      switch self {
      case .dotenv: .dotenv
      case .json: .json
      case .docker: .docker
      }
    }
  }

  /// How sealed variables are written.
  enum SealedFormat: String, ExpressibleByArgument, CaseIterable {
    case dotenv
    case json
    case lambda
    case packed
    case docker

    var layout: Document.Layout {
      switch self {
      case .dotenv, .packed: .dotenv
      case .docker: .docker
      case .json: .json
      case .lambda: .lambda
      }
    }
  }
#endif

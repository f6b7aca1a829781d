// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  /// Says which function a call is about.
  struct FunctionOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The function's name. envelope.yaml can name it too.", valueName: "name"))
    var function: String?

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "A further pair of the encryption context; give the same to open. Repeatable.", valueName: "key=value"))
    var context: [String] = []

    /// What holds for the call, from the flags and `envelope.yaml`.
    func settings(
      file: String?, keys: [String] = [], plain: [String] = []
    ) throws(EnvelopeError) -> FunctionSettings {
      try FunctionSettings(
        function: function, context: context, keys: keys, plain: plain, file: file, configuration: .load())
    }
  }

  /// How opened variables are written.
  enum PlainFormat: String, ExpressibleByArgument, CaseIterable {
    case dotenv
    case json

    var layout: Document.Layout {
      switch self {
      case .dotenv: .dotenv
      case .json: .json
      }
    }
  }

  /// How sealed variables are written.
  enum SealedFormat: String, ExpressibleByArgument, CaseIterable {
    case dotenv
    case json
    case lambda
    case packed

    var layout: Document.Layout {
      switch self {
      case .dotenv, .packed: .dotenv
      case .json: .json
      case .lambda: .lambda
      }
    }
  }
#endif

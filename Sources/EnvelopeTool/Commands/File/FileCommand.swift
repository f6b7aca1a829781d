// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct FileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "file",
      abstract: "Seal, open and verify files of any length, and read sealed zip archives.",
      discussion: """
        A file is sealed in chunks, so it needs little memory, uses all cores, and can be read at any offset without opening the rest. It belongs to a function only if you pass --function; without it, the encryption context is what --context gives, and the same is needed to open.

        EXAMPLES
          envelope file seal dump.sql -o dump.sql.sealed
          envelope file open dump.sql.sealed -o dump.sql
          tar c photos | envelope file seal - --key backup > photos.tar.sealed
          envelope file verify photos.tar.sealed
          envelope file seal layer.zip --context layer=models --context layer-version=7 -o layer.sealed
          envelope file cat layer.sealed certificates/ca.pem --context layer=models --context layer-version=7

        'inspect', 'explain', 'rewrap' and 'reseal' take sealed files, too.
        """,
      subcommands: [Seal.self, Open.self, Verify.self, List.self, Cat.self, Extract.self])

    /// The function, the context and the keys of a call about one sealed file.
    struct Options: ParsableArguments {
      @OptionGroup var options: FunctionOptions

      @OptionGroup var keys: KeyOptions

      /// Combines the flags and `envelope.yaml`.
      ///
      /// - Parameters:
      ///   - file: The sealed file; nil if it is a standard stream.
      ///   - opens: Whether the command only opens, and so does not need `envelope.yaml` if the function is given.
      func settings(ofSealed file: String?, opens: Bool) throws(EnvelopeError) -> FileSettings {
        try options.fileSettings(ofSealed: file, keys: keys, opens: opens)
      }
    }

    /// The options of commands that open sealed files.
    struct OpenOptions: ParsableArguments {
      @OptionGroup var options: Options

      @Flag(help: "Accept what was sealed to a recipient's public key, which anyone can do.")
      var acceptAnonymousSender = false

      var anonymousSender: AnonymousSender { acceptAnonymousSender ? .accepted : .refused }

      func settings(ofSealed file: String) throws(EnvelopeError) -> FileSettings {
        try options.settings(ofSealed: file, opens: true)
      }
    }
  }

  extension FunctionOptions {
    /// Combines the flags and `envelope.yaml` for a sealed file.
    func fileSettings(
      ofSealed file: String?, keys: KeyOptions? = nil, opens: Bool
    ) throws(EnvelopeError) -> FileSettings {
      try FileSettings(
        function: function, context: context, keys: keys?.key ?? [],
        keyService: keys?.keyService ?? KeyServiceSettings(), file: file == "-" ? nil : file,
        configuration: opens ? .load(toOpenFor: function) : .load())
    }
  }
#endif

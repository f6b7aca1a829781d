// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Credentials that another program prints.
  ///
  /// Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
  extension CredentialSource {
    /// Runs the profile's `credential_process`.
    ///
    /// - Returns: What it prints, or nil if the profile has none.
    /// - Throws: `configurationInvalid` if the setting cannot be a command; `credentialsMissing` if the program cannot be
    ///   run, fails, prints no credentials, or takes longer than a minute.
    func fromProcess(_ profile: Profile) async throws -> AWSCredentials? {
      guard profile.has("credential_process") else { return nil }
      guard let words = try profile.string("credential_process").flatMap(CommandWords.split), !words.isEmpty else {
        throw invalid(
          profile, "has a credential_process that is empty or has an open quote", "Write a program and its arguments.")
      }
      let process = CredentialProcess(words: words, variables: environment.variables)
      let output = try await process.output(within: .seconds(60))
      do throws(EnvelopeError) {
        let members = try JSONMembers(output)
        guard members.has(1, as: "Version") else { throw EnvelopeError(.malformed, "its Version is not 1") }
        guard let id = try members.string("AccessKeyId"), let secret = try members.secret("SecretAccessKey") else {
          throw EnvelopeError(.malformed, "it has no AccessKeyId or no SecretAccessKey")
        }
        let text = try members.string("Expiration")
        let expiration = text.flatMap(Timestamp.seconds)
        guard text == nil || expiration != nil else { throw EnvelopeError(.malformed, "its Expiration is not a time") }
        // Some programs print an empty token for lasting keys.
        let token = try members.string("SessionToken").flatMap { $0.isEmpty ? nil : $0 }
        return try AWSCredentials(accessKeyID: id, sessionToken: token, expiration: expiration, secret: secret)
      } catch {
        throw process.failure("did not print credentials: \(error.message)")
      }
    }
  }

  /// The words of a command, as a POSIX shell splits them, without any expansion.
  enum CommandWords {
    /// Splits a line, or returns nil if a quote stays open or the line ends with a backslash.
    static func split(_ line: String) -> [String]? {
      var (words, word, isWord) = ([String](), "", false)
      var quote: Character?
      var rest = line[...]
      while let character = rest.popFirst() {
        switch (quote, character) {
        case ("'"?, "'"), ("\""?, "\""): quote = nil
        case ("\""?, "\\"):
          guard let next = rest.popFirst() else { return nil }
          word += next == "\"" || next == "\\" ? String(next) : "\\\(next)"
        case (_?, _): word.append(character)
        case (nil, "'"), (nil, "\""): (quote, isWord) = (character, true)
        case (nil, "\\"):
          guard let next = rest.popFirst() else { return nil }
          word.append(next)
          isWord = true
        case (nil, " "), (nil, "\t"):
          if isWord { words.append(word) }
          (word, isWord) = ("", false)
        case (nil, _):
          word.append(character)
          isWord = true
        }
      }
      guard quote == nil else { return nil }
      return isWord ? words + [word] : words
    }
  }
#endif

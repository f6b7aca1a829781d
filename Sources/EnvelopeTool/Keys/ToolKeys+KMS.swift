// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

#if AWS
  import EnvelopeKitAWS
  import Synchronization

  /// The clients of this process: equal settings share connections and credentials.
  private let clients = Mutex<[KeyServiceSettings: KMSClient]>([:])
#endif

extension ToolKeys {
  #if AWS
    /// Keyrings for keys of AWS KMS: each wraps with one, and all together unwrap with any of them.
    static func kms(_ names: [String], _ service: KeyServiceSettings) throws(EnvelopeError) -> [any Keyring] {
      var keyrings: [any Keyring] = []
      for name in names {
        keyrings.append(
          try ofCall { () throws(EnvelopeError) in
            try KMSKeyring(name, client: client(service, region: region(ofKMSKey: name, service)))
          })
      }
      return keyrings
    }

    /// Runs `body`, whose failures come from options and settings, not from the data.
    private static func ofCall<R>(_ body: () throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
      do throws(EnvelopeError) {
        return try body()
      } catch {
        let advice = error.advice.replacing("allow insecure loopback HTTP", with: "add --insecure-loopback-http")
        throw EnvelopeError(
          error.code == .invalidArgument ? .usage : error.code, error.message, advice: advice, names: error.names)
      }
    }

    /// A client for one Region; nil leaves it to the surroundings.
    static func client(_ service: KeyServiceSettings, region: String?) throws(EnvelopeError) -> KMSClient {
      OpenDescriptors.remember()
      var settings = service
      settings.region = region
      return try clients.withLock { (clients) throws(EnvelopeError) in
        if let known = clients[settings] { return known }
        let client: KMSClient
        if let region, let other = clients.first(where: { $0.key.isSame(as: service) })?.value {
          client = try other.client(inRegion: region)
        } else {
          var configuration = KMSClient.Configuration()
          configuration.region = region
          configuration.profile = service.profile
          configuration.endpoint = service.endpointURL
          configuration.caBundle = service.caBundle
          configuration.allowsInsecureLoopbackHTTP = service.allowsInsecureLoopbackHTTP ?? false
          client = try KMSClient(configuration)
        }
        clients[settings] = client
        return client
      }
    }

    /// Opens values of AWS Lambda's console helper.
    ///
    /// - Parameters:
    ///   - accounts: The accounts whose keys are trusted, 12 digits each.
    ///   - region: The Region of those keys, which is that of the function.
    static func openHelperValues(
      _ values: [Secret], of settings: FunctionSettings, accounts: [String], region: String?, acceptingNoContext: Bool
    ) async throws -> (secrets: OpenedEnvironment, withoutContext: [String]) {
      let helper = try ofCall { () throws(EnvelopeError) in
        let client = try client(settings.keyService, region: region)
        return try ConsoleHelper(
          client: client, accounts: KMSKeyring.Accounts(Set(accounts), partition: client.partition),
          acceptingValuesWithoutContext: acceptingNoContext)
      }
      var variables: [String: String] = [:]
      for value in values { variables[value.name] = try value.revealingString() }
      do {
        let opened = try await helper.open(values.map(\.name), function: settings.function, variables: variables)
        return (opened.secrets, opened.withoutContext)
      } catch let error as EnvelopeError where error.code == .unwrapFailed {
        let isOne = error.names.count == 1
        let remedy =
          acceptingNoContext
          ? "" : "If \(isOne ? "it was" : "they were") made without an encryption context, add --accept-no-context. "
        let names = isOne ? error.names[0] : "NAME"
        throw EnvelopeError(
          error.code, error.message,
          advice: remedy + "For \(isOne ? "a value" : "each value") that is not encrypted, add --plain \(names), or "
            + "--seal \(names) to seal it as it is.",
          names: error.names, serviceError: error.serviceError, requestID: error.requestID)
      }
    }
  #else
    static func openHelperValues(
      _ values: [Secret], of settings: FunctionSettings, accounts: [String], region: String?, acceptingNoContext: Bool
    ) async throws -> (secrets: OpenedEnvironment, withoutContext: [String]) {
      throw withoutAWS
    }

    static func kms(_ names: [String], _ service: KeyServiceSettings) throws(EnvelopeError) -> [any Keyring] {
      throw withoutAWS
    }

    private static let withoutAWS = EnvelopeError(
      .usage, "This command was built without AWS KMS", advice: "Build it with: swift build --traits AWS,CommandLine")
  #endif

  /// The Region in which a KMS key is called; nil leaves it to the environment.
  ///
  /// A multi-Region key is called in the Region that is set, any other in its own.
  static func region(ofKMSKey name: String, _ service: KeyServiceSettings) -> String? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    let own = parts.count > 5 ? String(parts[3]) : nil
    return name.contains(":key/mrk-") ? service.region ?? own : own ?? service.region
  }
}

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
        // A multi-Region key is asked for in the Region that is set, any other in its own.
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let own = parts.count > 5 ? String(parts[3]) : nil
        let region = name.contains(":key/mrk-") ? service.region ?? own : own ?? service.region
        do throws(EnvelopeError) {
          keyrings.append(try KMSKeyring(name, client: client(service, region: region)))
        } catch {
          // What is wrong comes from flags and settings, not from the data.
          let advice = error.advice.replacing("allow insecure loopback HTTP", with: "add --insecure-loopback-http")
          throw EnvelopeError(
            error.code == .invalidArgument ? .usage : error.code, error.message, advice: advice, names: error.names)
        }
      }
      return keyrings
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
    static func openHelperValues(
      _ values: [Secret], of settings: FunctionSettings, accounts: [String], acceptingNoContext: Bool
    ) async throws -> (secrets: OpenedEnvironment, withoutContext: [String]) {
      guard !accounts.isEmpty else {
        throw EnvelopeError(
          .usage, "It is not known whose keys the values may be under",
          advice: "Give the account's id: --account 111122223333")
      }
      let client = try client(settings.keyService, region: settings.keyService.region)
      let helper = try ConsoleHelper(
        client: client, accounts: KMSKeyring.Accounts(Set(accounts), partition: client.partition),
        acceptingValuesWithoutContext: acceptingNoContext)
      var variables: [String: String] = [:]
      for value in values { variables[value.name] = try value.revealingString() }
      do {
        let opened = try await helper.open(values.map(\.name), function: settings.function, variables: variables)
        return (opened.secrets, opened.withoutContext)
      } catch let error as EnvelopeError where error.code == .unwrapFailed {
        let remedy = acceptingNoContext ? "" : "If it was made without an encryption context, add --accept-no-context. "
        throw EnvelopeError(
          error.code, error.message,
          advice: remedy + "If one is not encrypted, add --plain NAME, or --seal NAME to seal it as it is.",
          names: error.names,
          serviceError: error.serviceError, requestID: error.requestID)
      }
    }
  #else
    static func openHelperValues(
      _ values: [Secret], of settings: FunctionSettings, accounts: [String], acceptingNoContext: Bool
    ) async throws -> (secrets: OpenedEnvironment, withoutContext: [String]) {
      throw withoutAWS
    }

    static func kms(_ names: [String], _ service: KeyServiceSettings) throws(EnvelopeError) -> [any Keyring] {
      throw withoutAWS
    }

    private static let withoutAWS = EnvelopeError(
      .usage, "This command was built without AWS KMS", advice: "Build it with: swift build --traits AWS,CommandLine")
  #endif
}

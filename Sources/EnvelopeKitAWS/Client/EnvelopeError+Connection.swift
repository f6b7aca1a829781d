// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import AsyncHTTPClient
  internal import EnvelopeKit
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix
  internal import NIOSSL

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  extension EnvelopeError {
    /// Describes what failed between this machine and a server.
    static func connection(_ error: any Error, to endpoint: Endpoint, through proxy: Proxy?) -> EnvelopeError {
      let host = endpoint.authority
      if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
        return notTrusted("The certificate of \(host) is for another host")
      }
      if case .handshakeFailed(let failure)? = error as? NIOSSLError {
        return handshake(failure, with: host)
      }
      if error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError {
        return unavailable("The connection to \(host) broke off")
      }
      if let proxy, let failure = proxyFailure(error, proxy, host) { return failure }
      let place = proxy.map { "\(host) through the proxy \($0)," } ?? host
      switch error as? HTTPClientError {
      case .deadlineExceeded?, .readTimeout?, .connectTimeout?, .tlsHandshakeTimeout?, .getConnectionFromPoolTimeout?:
        return unavailable("\(place) did not respond in time")
      case .remoteConnectionClosed?, .uncleanShutdown?:
        return unavailable("\(place) closed the connection before its response was complete")
      default: break
      }
      if error is HTTPParserError {
        return unavailable("The connection to \(host) failed: what came back is not a complete HTTP response")
      }
      return noConnection(error, to: host) ?? unavailable("\(host) cannot be reached")
    }

    private static func proxyFailure(_ error: any Error, _ proxy: Proxy, _ host: String) -> EnvelopeError? {
      let advice = "Correct \(proxy.variable), or add the host to NO_PROXY."
      if error is NIOConnectionError || error is IOError {
        let isUnknown = (error as? NIOConnectionError)?.isUnknownHost ?? false
        let reason = isUnknown ? "its name cannot be resolved" : "it does not accept connections"
        return EnvelopeError(
          .keyServiceUnavailable, "The proxy \(proxy), cannot be reached: \(reason)", advice: advice)
      }
      switch error as? HTTPClientError {
      case .proxyAuthenticationRequired?:
        return EnvelopeError(
          .keyServiceUnavailable, "The proxy \(proxy), demands a user name and a password",
          advice: "Set \(proxy.variable)=http://USER:PASSWORD@HOST:PORT.")
      case .invalidProxyResponse?, .httpProxyHandshakeTimeout?:
        return EnvelopeError(
          .keyServiceUnavailable, "The proxy \(proxy), does not connect to \(host)", advice: advice)
      default: return nil
      }
    }

    /// Describes why no connection came about.
    private static func noConnection(_ error: any Error, to host: String) -> EnvelopeError? {
      let failure = error as? NIOConnectionError
      if let failure, failure.isUnknownHost {
        return EnvelopeError(
          .keyServiceUnavailable, "\(host) cannot be reached: the name cannot be resolved (DNS)",
          advice: "Check the Region's name, which is a part of the host's, or the endpoint; else check the network.")
      }
      let errors = failure?.connectionErrors.map(\.error) ?? [error]
      switch errors.compactMap({ ($0 as? IOError)?.errnoCode }).last {
      case ECONNREFUSED?: return unavailable("\(host) cannot be reached: it refuses the connection")
      case ENETUNREACH?, EHOSTUNREACH?: return unavailable("\(host) cannot be reached: there is no route to it")
      default: return nil
      }
    }

    private static func handshake(_ failure: BoringSSLError, with host: String) -> EnvelopeError {
      guard case .sslError(let stack) = failure else { return unavailable("\(host) broke off the TLS handshake") }
      let reasons = stack.map { "\($0)" }.joined(separator: " ")
      if reasons.contains("CERTIFICATE_VERIFY_FAILED") {
        return notTrusted("The certificate of \(host) is expired, or no trusted authority made it")
      }
      if ["PROTOCOL", "VERSION"].contains(where: { reasons.contains($0) }) {
        return notTrusted("\(host) does not speak TLS 1.2 or newer")
      }
      if stack.contains(.eofDuringHandshake) { return unavailable("\(host) broke off the TLS handshake") }
      return notTrusted("No secure connection to \(host) can be established")
    }

    private static func notTrusted(_ message: String) -> EnvelopeError {
      EnvelopeError(
        .keyServiceNotTrusted, message,
        advice: "Check the endpoint; if its certificates are your own, give their authority as the CA bundle.")
    }

    private static func unavailable(_ message: String) -> EnvelopeError {
      EnvelopeError(.keyServiceUnavailable, message, advice: "Check the network and the endpoint, and try again.")
    }
  }

  extension NIOConnectionError {
    /// Whether the name of the host has no address.
    fileprivate var isUnknownHost: Bool {
      connectionErrors.isEmpty && (dnsAError != nil || dnsAAAAError != nil)
    }
  }
#endif

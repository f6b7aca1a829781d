// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import AsyncHTTPClient
  internal import EnvelopeKit
  internal import NIOHTTP1
  internal import NIOSSL

  extension EnvelopeError {
    /// What went wrong between here and a server, in our words.
    static func connection(_ error: any Error, to endpoint: Endpoint) -> EnvelopeError {
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
      switch error as? HTTPClientError {
      case .deadlineExceeded?, .readTimeout?, .connectTimeout?, .tlsHandshakeTimeout?, .getConnectionFromPoolTimeout?:
        return unavailable("\(host) did not respond in time")
      case .remoteConnectionClosed?, .uncleanShutdown?:
        return unavailable("\(host) closed the connection before its response was complete")
      default: break
      }
      if error is HTTPParserError {
        return unavailable("The connection to \(host) failed: what came back is not a complete HTTP response")
      }
      return unavailable("\(host) cannot be reached")
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
#endif

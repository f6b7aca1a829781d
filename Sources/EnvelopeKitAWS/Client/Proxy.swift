// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The HTTP proxy of the process environment, which tunnels TLS (`CONNECT`, RFC 9110, section 9.3.6).
  ///
  /// Nothing that is not TLS is sent to it. Printing it shows no password.
  struct Proxy: Sendable {
    let host: String
    let port: Int
    /// The variable that names the proxy.
    let variable: String
    let user: String?
    let password: String?
    /// The hosts that are reached without it, in lower case and without a dot before them; `*` is any host.
    private let exceptions: [String]

    /// Reads `https_proxy` or else `HTTPS_PROXY`, and `no_proxy` or else `NO_PROXY`, as Python and curl do.
    ///
    /// - Returns: The proxy, or nil if there is none.
    /// - Throws: `configurationInvalid` if it is not `http://`, perhaps a user and a password, a host and perhaps a port.
    init?(_ environment: AWSEnvironment) throws(EnvelopeError) {
      guard let variable = ["https_proxy", "HTTPS_PROXY"].first(where: { environment.variable($0) != nil }),
        let text = environment.variable(variable)
      else { return nil }
      let (scheme, rest) = Endpoint.split(text, at: "://") ?? ("http", text)
      guard scheme.lowercased() == "http" else {
        throw EnvelopeError(
          .configurationInvalid, "The proxy that \(variable) names is not an HTTP proxy, and others are not supported",
          advice: "Set \(variable)=http://HOST:PORT, or add the hosts of AWS KMS to NO_PROXY.")
      }
      var authority = rest[...]
      (user, password) = try Self.takeCredentials(from: &authority, variable)
      if authority.hasSuffix("/") { authority = authority.dropLast() }
      guard let (host, port) = Endpoint.hostAndPort(String(authority)) else { throw Self.unreadable(variable) }
      self.host = host
      self.port = port ?? 80
      self.variable = variable
      let names = (environment.variable("no_proxy", "NO_PROXY") ?? "").split(separator: ",")
      exceptions = names.map { $0.drop { $0 == " " }.drop { $0 == "." }.lowercased() }.map { name in
        String(name.prefix { $0 != " " })
      }.filter { !$0.isEmpty }
    }

    /// Takes `user:password@` off, with percent-encoded characters.
    private static func takeCredentials(
      from authority: inout Substring, _ variable: String
    ) throws(EnvelopeError) -> (String?, String?) {
      guard let at = authority.lastIndex(of: "@") else { return (nil, nil) }
      let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      authority = authority[authority.index(after: at)...]
      guard let user = decoded(parts[0]), let password = decoded(parts.count > 1 ? parts[1] : "") else {
        throw unreadable(variable)
      }
      return (user, password)
    }

    private static func decoded(_ text: Substring) -> String? {
      var (bytes, rest) = ([UInt8](), Array(text.utf8)[...])
      while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
          bytes.append(byte)
          continue
        }
        guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
          return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
      }
      return bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f } ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func unreadable(_ variable: String) -> EnvelopeError {
      // Not shown: it may hold a password.
      EnvelopeError(
        .configurationInvalid, "The value of \(variable) is not the address of a proxy",
        advice: "Set \(variable)=http://HOST:PORT.")
    }

    /// Returns whether an endpoint is reached through the proxy.
    func serves(_ endpoint: Endpoint) -> Bool {
      guard endpoint.origin.hasPrefix("https:") else { return false }
      let authority = endpoint.authority.lowercased()
      let host = Endpoint.hostAndPort(authority)?.host ?? authority
      return !exceptions.contains { name in
        name == "*" || [host, authority].contains { $0 == name || $0.hasSuffix(".\(name)") }
      }
    }
  }

  extension Proxy: CustomReflectable, CustomStringConvertible {
    /// The host, the port and the variable.
    var description: String { "\(host):\(port), which \(variable) names" }

    var customMirror: Mirror { Mirror(self, children: ["host": host, "port": port]) }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Where a service is: a scheme, a host and perhaps a port, and nothing else.
  struct Endpoint: Equatable {
    /// As in `https://kms.eu-central-1.amazonaws.com`.
    let origin: String
    /// The host, and the port where it is not the scheme's own: the value of the header `host`.
    let authority: String

    /// To whom it may speak without TLS.
    enum PlainHTTP {
      case toNobody
      /// This machine.
      case toLoopback
      /// This machine, and the addresses at which AWS gives credentials to what it runs, which have no TLS.
      case toMetadata

      func allows(_ host: String) -> Bool {
        switch self {
        case .toNobody: false
        case .toLoopback: Endpoint.isLoopback(host)
        case .toMetadata: Endpoint.isLoopback(host) || Endpoint.metadataHosts.contains(host)
        }
      }
    }

    private static let metadataHosts: Set<String> = [
      "169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
    ]

    /// Reads an origin, with or without a slash at its end.
    ///
    /// - Throws: `invalidArgument` where it is anything else, or speaks plain HTTP to whom it may not.
    init(_ text: String, plainHTTP: PlainHTTP = .toNobody) throws(EnvelopeError) {
      guard let (scheme, rest) = Self.split(text, at: "://") else { throw Self.unreadable(text) }
      let authority = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
      guard let (host, port) = Self.hostAndPort(authority) else { throw Self.unreadable(text) }
      switch scheme.lowercased() {
      case "https":
        self.authority = port == 443 ? host : authority
        origin = "https://\(self.authority)"
      case "http":
        guard plainHTTP.allows(host.lowercased()) else {
          throw EnvelopeError(
            .invalidArgument, "The endpoint \(EnvelopeError.quoted(text)) is not HTTPS",
            advice: Self.isLoopback(host.lowercased())
              ? "Give an endpoint that begins with https://, or for an emulator on this machine allow insecure loopback HTTP."
              : "Give an endpoint that begins with https://; plain HTTP is possible to this machine alone.")
        }
        self.authority = port == 80 ? host : authority
        origin = "http://\(self.authority)"
      default: throw Self.unreadable(text)
      }
    }

    private static func unreadable(_ text: String) -> EnvelopeError {
      EnvelopeError(
        .invalidArgument, "The endpoint \(EnvelopeError.quoted(text)) is not https:// and a host",
        advice: "Give it as https://host or https://host:port, without a path.")
    }

    static func split(_ text: String, at separator: String) -> (String, String)? {
      guard let range = text.firstRange(of: separator) else { return nil }
      return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    /// Splits `HOST` or `HOST:PORT`, and returns nil if it is neither.
    static func hostAndPort(_ authority: String) -> (host: String, port: Int?)? {
      let (host, port) = split(authority)
      guard isHost(host) else { return nil }
      guard let port else { return (host, nil) }
      guard port.utf8.allSatisfy({ $0.isDigit }), let number = Int(port), (1...65535).contains(number) else {
        return nil
      }
      return (host, number)
    }

    private static func split(_ authority: String) -> (String, String?) {
      if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
        let host = String(authority[...end])
        let rest = authority[authority.index(after: end)...]
        return rest.isEmpty ? (host, nil) : rest.first == ":" ? (host, String(rest.dropFirst())) : ("", nil)
      }
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      return parts.count == 1 ? (authority, nil) : parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("", nil)
    }

    private static func isHost(_ host: String) -> Bool {
      guard (1...253).contains(host.utf8.count) else { return false }
      if host.hasPrefix("[") {
        return host.hasSuffix("]")
          && host.utf8.dropFirst().dropLast().allSatisfy { $0.isHexadecimal || $0 == UInt8(ascii: ":") }
      }
      let labels = (host.hasSuffix(".") ? host.dropLast() : host[...]).split(
        separator: ".", omittingEmptySubsequences: false)
      return labels.allSatisfy { label in
        !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
          && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
      }
    }

    private static func isLoopback(_ host: String) -> Bool {
      if host == "localhost" || host == "[::1]" { return true }
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
  }

  extension UInt8 {
    fileprivate var isHexadecimal: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20) }
  }
#endif

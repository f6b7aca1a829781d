// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct EndpointTests {
    @Test(arguments: [
      ("https://kms.eu-central-1.amazonaws.com", "kms.eu-central-1.amazonaws.com"),
      ("https://localhost:5566/", "localhost:5566"), ("HTTPS://h:443", "h"), ("https://[::1]:8443", "[::1]:8443"),
    ])
    func originsOverTLSAreTaken(text: String, authority: String) throws {
      let endpoint = try Endpoint(text)
      #expect(endpoint.authority == authority)
      #expect(endpoint.origin == "https://" + authority)
    }

    @Test(arguments: [
      "", "https://", "kms.amazonaws.com", "https:/h", "ftp://h", "https://h/path", "https://h?x=1", "https://h#f",
      "https://user@h", "https://user:pw@h", "https://h:0", "https://h:65536", "https://h:+443", "https://h:",
      "https://h:1:2", "https://h o", "https://h\n", "https://\u{212A}ms", "https://[::1", "https://[::1]x",
      "https://h\r\nx: y", "https://%68", "https://h//", " https://h",
    ])
    func everythingElseIsRefused(text: String) async {
      for plain in [Endpoint.PlainHTTP.toNobody, .toLoopback, .toMetadata] {
        await expectError(.invalidArgument, at: text) { try Endpoint(text, plainHTTP: plain) }
      }
    }

    @Test(arguments: ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "[::1]"])
    func plainHTTPGoesToThisMachineWhereItIsAllowed(host: String) async throws {
      await expectError(.invalidArgument, saying: "is not HTTPS") { try Endpoint("http://\(host):80") }
      #expect(try Endpoint("http://\(host):80", plainHTTP: .toLoopback).origin == "http://\(host)")
    }

    @Test(arguments: [
      "example.com", "localhost.example.com", "127.0.0.1.example.com", "127.0.0.256", "127.1", "128.0.0.1", "0.0.0.0",
      "[::2]", "[::ffff:127.0.0.1]", "169.254.169.254", "2130706433", "localhos",
    ])
    func plainHTTPGoesNowhereElse(host: String) async {
      await expectError(.invalidArgument, at: host) { try Endpoint("http://\(host)", plainHTTP: .toLoopback) }
      await expectError(.invalidArgument, at: host) { try Endpoint("http://\(host)") }
    }

    @Test func metadataServicesAreReachedAtTheirOwnAddresses() async throws {
      for host in ["169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23", "127.0.0.1"] {
        #expect(try Endpoint("http://\(host)", plainHTTP: .toMetadata).authority == host)
      }
      await expectError(.invalidArgument) { try Endpoint("http://169.254.169.253", plainHTTP: .toMetadata) }
      await expectError(.invalidArgument) { try Endpoint("http://10.0.0.1", plainHTTP: .toMetadata) }
    }
  }
#endif

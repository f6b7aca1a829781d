// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct ProxyTests {
    private func proxy(_ variables: [String: String]) throws(EnvelopeError) -> Proxy? {
      try Proxy(AWSEnvironment(variables: variables, profile: nil))
    }

    @Test func reachesServiceThroughProxy() async throws {
      let key = try await KeyService.key()
      let proxy = try KeyService.shared.proxy()
      let test = try TestClient(variables: ["HTTPS_PROXY": proxy.url()])
      for _ in 0..<3 { _ = try await test.keyring(key.arn).generateDataKey(for: [:]) }
      let requests = try await test.account.counts().requests
      #expect(requests.count == 3 && requests.allSatisfy { $0.tls == "TLSv1.3" })
      let host = try KeyService.shared.url("url").replacing("https://", with: "")
      #expect(try await proxy.requests() == ["CONNECT \(host)"])
    }

    @Test(arguments: ["localhost", "*", "x.example, localhost", ".localhost", "LOCALHOST,", "host"])
    func reachesExceptionsWithoutProxy(exceptions: String) async throws {
      let key = try await KeyService.key()
      let proxy = try KeyService.shared.proxy()
      let host = try KeyService.shared.url("url").replacing("https://", with: "")
      let test = try TestClient(
        variables: [
          "https_proxy": proxy.url(), "NO_PROXY": exceptions == "host" ? host : exceptions,
        ])
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      #expect(try await proxy.requests().isEmpty)
    }

    @Test(arguments: [
      ("refused", "does not connect to localhost"), ("demanded", "demands a user name and a password"),
    ])
    func reportsProxyThatRefuses(password: String, reason: String) async throws {
      let proxy = try KeyService.shared.proxy()
      let test = try TestClient(variables: ["HTTPS_PROXY": proxy.url(password: password)]) { $0.tryLimit = 1 }
      let error = await expectError(.keyServiceUnavailable, saying: reason) {
        try await test.keyring("alias/any").generateDataKey(for: [:])
      }
      let text = "\(String(describing: error))"
      #expect(text.contains("HTTPS_PROXY") && !text.contains(password + "@") && !text.contains(proxy.user))
      #expect(try await test.account.counts().total == 0)
    }

    @Test func reportsProxyThatIsNotThere() async throws {
      let test = try TestClient(variables: ["HTTPS_PROXY": "http://me:word@127.0.0.1:1"]) { $0.tryLimit = 1 }
      let error = await expectError(.keyServiceUnavailable, saying: "The proxy 127.0.0.1:1, which HTTPS_PROXY names") {
        try await test.keyring("alias/any").generateDataKey(for: [:])
      }
      #expect(!"\(String(describing: error))".contains("word"))
    }

    /// A metadata service gives credentials in plain text.
    @Test func sendsNothingInPlainTextToProxy() async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let (metadata, proxy) = (service.metadata(), service.proxy())
      let account = service.account()
      try await metadata.give(KeyService.Session(access_key: account.id, secret_key: "s", session_token: "t"))
      var configuration = KMSClient.Configuration()
      configuration.caBundle = try service.url("ca")
      let client = try KMSClient(
        configuration,
        variables: [
          "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": service.url("url"), "HTTPS_PROXY": proxy.url(),
          "HTTP_PROXY": proxy.url(), "http_proxy": proxy.url(), "ALL_PROXY": proxy.url(),
          "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        ])
      _ = try await KMSKeyring(key.arn, client: client).generateDataKey(for: [:])
      #expect(try await account.counts().total == 1)
      #expect(try await proxy.requests().map { $0.prefix(8) } == ["CONNECT "])
    }

    @Test func readsAddressUserAndPassword() throws {
      let proxy = try #require(try proxy(["HTTPS_PROXY": "http://a%40b:p%3aw%25@proxy.example:3128/"]))
      #expect(proxy.host == "proxy.example" && proxy.port == 3128)
      #expect(proxy.user == "a@b" && proxy.password == "p:w%")
      #expect("\(proxy)" == "proxy.example:3128, which HTTPS_PROXY names")
      var dumped = ""
      dump(proxy, to: &dumped)
      #expect(!dumped.contains("p:w") && !dumped.contains("a@b"))
    }

    @Test func lowerCaseVariablesWinAndEmptyOnesAreUnset() throws {
      let both = ["HTTPS_PROXY": "http://upper", "https_proxy": "lower:8080"]
      #expect(try proxy(both)?.host == "lower")
      #expect(try proxy(["HTTPS_PROXY": "upper", "https_proxy": ""])?.host == "upper")
      #expect(try proxy(["HTTPS_PROXY": "upper"])?.port == 80)
      #expect(try proxy(["HTTP_PROXY": "http://p", "ALL_PROXY": "http://p"]) == nil)
      #expect(try proxy(["HTTPS_PROXY": ""]) == nil)
    }

    @Test(arguments: [
      "https://proxy.example", "socks5://proxy.example", "socks5h://p:1080", "http://", "http://p:0", "http://p:x",
      "http://p/path", "http://u:%zz@p", "http://u:%0@p", "http://u%0a:x@p", "http://p q", "p\r\nx: y", "http://[::1",
    ])
    func refusesAddressThatCannotBeOne(text: String) async {
      let error = await expectError(.configurationInvalid, saying: "https_proxy", at: text) {
        try proxy(["https_proxy": text])
      }
      #expect(!"\(String(describing: error))".contains("zz"))
    }

    @Test(arguments: [
      ("kms.eu-west-1.amazonaws.com", "amazonaws.com", false), ("kms.eu-west-1.amazonaws.com", ".amazonaws.com", false),
      ("kms.eu-west-1.amazonaws.com", "zonaws.com", true), ("kms.eu-west-1.amazonaws.com", "sts.amazonaws.com", true),
      ("10.1.2.3", "10.0.0.0/8", true), ("10.1.2.3", "10.1.2.3", false), ("h:8443", "h:8443", false),
      ("h:8443", "h:8444", true), ("h:8443", "h", false), ("h", "", true), ("h", " , x", true),
      ("[::1]", "[::1]", false),
    ])
    func comparesExceptionsAsNamesAndTheirEnds(authority: String, exceptions: String, isServed: Bool) throws {
      let proxy = try #require(try proxy(["HTTPS_PROXY": "p", "no_proxy": exceptions]))
      #expect(proxy.serves(try Endpoint("https://\(authority)")) == isServed)
      #expect(!proxy.serves(try Endpoint("http://127.0.0.1", plainHTTP: .toLoopback)))
    }
  }
#endif

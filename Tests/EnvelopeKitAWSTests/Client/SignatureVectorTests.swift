// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// AWS's own test suite for Signature Version 4.
  @Suite(.timeLimit(.minutes(20))) struct SignatureVectorTests {
    private struct Vector {
      let name: String
      let folder: URL

      func text(_ kind: String) throws -> String {
        try String(contentsOf: folder.appending(path: "\(name).\(kind)"), encoding: .utf8)
          .replacing("\r\n", with: "\n")
      }
    }

    /// The vectors whose requests this client can make: of those of other paths and headers there are more.
    private static let names: Set = [
      "get-header-value-order", "get-header-value-trim", "get-unreserved", "get-vanilla", "get-vanilla-query",
      "get-vanilla-with-session-token", "post-header-key-case", "post-header-key-sort", "post-header-value-case",
      "post-sts-header-after", "post-sts-header-before", "post-vanilla", "post-x-www-form-urlencoded",
    ]

    /// The vectors; one that is not there is a failure and not a pass.
    private static func vectors() throws -> [Vector] {
      let root = PublishedVectors.folder.appending(path: "sigv4")
      let paths = FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] ?? []
      let vectors = paths.filter { $0.hasSuffix(".req") }.map { path in
        let url = root.appending(path: path)
        return Vector(
          name: url.deletingPathExtension().lastPathComponent, folder: url.deletingLastPathComponent())
      }.filter { names.contains($0.name) }
      let missing = names.subtracting(vectors.map(\.name))
      try #require(missing.isEmpty, "\(root.path) lacks vectors of Signature Version 4: \(missing)")
      return vectors
    }

    private let signature = Signature(region: "us-east-1", service: "service", timestamp: "20150830T123600Z")

    @Test(.enabled(if: PublishedVectors.areExpected, "The vectors sigv4/ were not run"))
    func everyStepIsAsPublished() throws {
      let credentials = try AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
      for vector in try Self.vectors() {
        var (request, body) = try parsed(vector.text("req"))
        if vector.name == "get-vanilla-with-session-token" {
          // The suite gives this token beside the request, not in it.
          request.headers.append(
            ("X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"))
        }
        let digest = try unsafe SHA256.digest(of: body.span.bytes).hexadecimal
        #expect(try request.canonical(bodyDigest: digest).text == vector.text("creq"), "\(vector.name)")
        #expect(try signature.stringToSign(vector.text("creq")) == vector.text("sts"), "\(vector.name)")
        let authorization = try unsafe signature.authorization(
          of: request, body: body.span.bytes, credentials: credentials)
        #expect(try authorization == vector.text("authz"), "\(vector.name)")
      }
    }

    @Test func anotherBodyHeaderOrSecretSignsDifferently() throws {
      let request = SignableRequest(
        method: "POST", path: "/", headers: [("host", "a"), ("x-amz-date", signature.timestamp)])
      let credentials = try AWSCredentials(accessKeyID: "A", secretAccessKey: "one")
      func sign(_ request: SignableRequest, _ body: [UInt8], _ credentials: AWSCredentials) throws -> String {
        try unsafe signature.authorization(of: request, body: body.span.bytes, credentials: credentials)
      }
      let first = try sign(request, [1], credentials)
      #expect(try sign(request, [1], credentials) == first)
      #expect(try sign(request, [2], credentials) != first)
      #expect(try sign(request, [1], AWSCredentials(accessKeyID: "A", secretAccessKey: "two")) != first)
      var other = request
      other.headers[0].value = "b"
      #expect(try sign(other, [1], credentials) != first)
    }

    /// A request as it goes over the wire; a line that begins with a blank goes on from the one before.
    private func parsed(_ text: String) throws -> (SignableRequest, [UInt8]) {
      let parts = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
      var lines = parts[0].split(separator: "\n").map(String.init)
      let words = lines.removeFirst().split(separator: " ")
      var headers: [(name: String, value: String)] = []
      for line in lines {
        if line.hasPrefix(" "), let last = headers.popLast() {
          headers.append((last.name, last.value + "," + line))
          continue
        }
        let colon = try #require(line.firstIndex(of: ":"))
        headers.append((String(line[..<colon]), String(line[line.index(after: colon)...])))
      }
      let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      let query = target.count > 1 ? target[1].split(separator: "&") : []
      let request = SignableRequest(
        method: String(words[0]), path: String(target[0]),
        query: query.map { pair in
          let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }, headers: headers)
      return (request, parts.count > 1 ? Array(parts[1].utf8) : [])
    }
  }
#endif

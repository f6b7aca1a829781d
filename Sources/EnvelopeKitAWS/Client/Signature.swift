// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// A request as Signature Version 4 signs it.
  ///
  /// Source: AWS Identity and Access Management User Guide, "Signature Version 4 for API requests".
  struct SignableRequest {
    var method: String
    /// The path, percent-encoded as it is sent.
    var path: String
    /// The query's names and values, percent-encoded as they are sent.
    var query: [(name: String, value: String)] = []
    /// Every header that is signed, `host` and `x-amz-date` among them.
    var headers: [(name: String, value: String)]

    /// The lines that are hashed, and the names of the headers among them.
    func canonical(bodyDigest: String) -> (text: String, signedHeaders: String) {
      var values: [String: [String]] = [:]
      for (name, value) in headers {
        let words = value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline })
        values[name.lowercased(), default: []].append(words.joined(separator: " "))
      }
      let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let signedHeaders = names.joined(separator: ";")
      let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }
      let pairs = query.map { "\($0.name)=\($0.value)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let text = """
        \(method)
        \(path)
        \(pairs.joined(separator: "&"))
        \(lines.joined())
        \(signedHeaders)
        \(bodyDigest)
        """
      return (text, signedHeaders)
    }
  }

  /// Signature Version 4: what proves that a request comes from who holds a secret key.
  struct Signature {
    let region: String
    let service: String
    /// When the request is made, as 20150830T123600Z.
    let timestamp: String

    private var date: String { String(timestamp.prefix(8)) }
    private var scope: String { "\(date)/\(region)/\(service)/aws4_request" }

    /// The value of the header `authorization`.
    ///
    /// - Throws: `systemFailure` where libsodium does not start.
    func authorization(
      of request: SignableRequest, body: RawSpan, credentials: AWSCredentials
    ) throws(EnvelopeError) -> String {
      let canonical = request.canonical(bodyDigest: try SHA256.digest(of: body).hexadecimal)
      let text = try stringToSign(canonical.text)
      let signature = try Self.hmac(of: text, key: try signingKey(for: credentials))
        .withBytes { [UInt8](copying: $0).hexadecimal }
      return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
        + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature)"
    }

    func stringToSign(_ canonicalRequest: String) throws(EnvelopeError) -> String {
      let digest = try canonicalRequest.withUTF8Bytes { (bytes) throws(EnvelopeError) in
        try SHA256.digest(of: bytes).hexadecimal
      }
      return "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(digest)"
    }

    /// The secret key narrowed to a day, a region and a service.
    private func signingKey(for credentials: AWSCredentials) throws(EnvelopeError) -> SecretBytes {
      let prefix = Array("AWS4".utf8)
      let first = try credentials.withSecretAccessKey { (secret) throws(EnvelopeError) in
        let key = SecretBytes(byteCount: prefix.count + secret.byteCount) { output in
          unsafe output.append(prefix.span.bytes)
          output.append(secret)
        }
        return try Self.hmac(of: date, key: key)
      }
      return try Self.hmac(
        of: "aws4_request", key: Self.hmac(of: service, key: Self.hmac(of: region, key: first)))
    }

    private static func hmac(
      of message: String, key: consuming SecretBytes
    ) throws(EnvelopeError) -> SecretBytes {
      let key = key
      return try SecretBytes(byteCount: HMACSHA256.byteCount) { (output) throws(EnvelopeError) in
        try key.withBytes { (key) throws(EnvelopeError) in
          let message = Array(message.utf8)
          try unsafe HMACSHA256.append(of: message.span.bytes, key: key, to: &output)
        }
      }
    }
  }

  extension [UInt8] {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
      let digits = Array("0123456789abcdef".utf8)
      var text: [UInt8] = []
      for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
      return String(decoding: text, as: UTF8.self)
    }
  }
#endif

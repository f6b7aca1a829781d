// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  public import EnvelopeKit

  /// An access key: its id, its secret, and for temporary ones a session token and an end.
  ///
  /// The secret lies in guarded memory. Printing, dumping or reflecting it shows the id alone. The session token
  /// travels in a header, so it is an ordinary string.
  public struct AWSCredentials: Sendable {
    /// The id of the access key, which is no secret.
    public let accessKeyID: String
    let sessionToken: String?
    /// When they end, in seconds since 1970; nil where they do not.
    let expiration: UInt64?
    private let secret: GuardedMemory

    /// Keeps an access key that the caller has.
    ///
    /// - Parameters:
    ///   - accessKeyID: The id; 1 to 128 letters and digits.
    ///   - secretAccessKey: The secret, a string of the caller's that nobody can wipe.
    ///   - sessionToken: The token of temporary credentials.
    /// - Throws: `invalidArgument` where a part is empty or cannot stand in a header.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) throws(EnvelopeError) {
      try self.init(
        accessKeyID: accessKeyID, sessionToken: sessionToken, expiration: nil,
        secret: SecretBytes(copying: secretAccessKey))
    }

    init(
      accessKeyID: String, sessionToken: String?, expiration: UInt64?, secret: borrowing SecretBytes
    ) throws(EnvelopeError) {
      guard (1...128).contains(accessKeyID.utf8.count),
        accessKeyID.utf8.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }),
        (1...1024).contains(secret.byteCount),
        sessionToken.map({ (1...16384).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } })
          ?? true
      else {
        throw EnvelopeError(
          .invalidArgument, "The AWS credentials have a part that is empty or cannot be one",
          advice: "Check them for blanks, quotes and missing characters.")
      }
      self.accessKeyID = accessKeyID
      self.sessionToken = sessionToken
      self.expiration = expiration
      self.secret = try secret.withBytes { (secret) throws(EnvelopeError) in
        try GuardedMemory(capacity: secret.byteCount) { $0.append(secret) }
      }
    }

    /// Whether these are the same temporary or lasting credentials; an id never comes back with another secret.
    func isSame(as other: AWSCredentials) -> Bool {
      accessKeyID == other.accessKeyID && sessionToken == other.sessionToken
    }

    func withSecretAccessKey<R: ~Copyable>(_ body: (RawSpan) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
      try secret.withBytes(body)
    }
  }

  extension SecretBytes {
    /// Copies a string, which stays as it is.
    init(copying text: String) {
      self.init(byteCount: text.utf8.count) { output in text.withUTF8Bytes { output.append($0) } }
    }
  }

  extension AWSCredentials: CustomReflectable, CustomStringConvertible {
    /// The id of the access key.
    public var description: String { "AWSCredentials(\(accessKeyID))" }

    /// Shows the id of the access key alone.
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
  }
#endif

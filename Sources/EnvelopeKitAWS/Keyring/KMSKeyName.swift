// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The ARN of a KMS key: arn:PARTITION:kms:REGION:ACCOUNT:key/ID.
  struct KMSKeyARN: Hashable, CustomStringConvertible {
    let partition: String
    let region: String
    let account: String
    /// A UUID, or `mrk-` and 32 digits for a multi-Region key.
    let id: String

    /// Reads an ARN of at most 255 ASCII characters, or returns nil.
    init?(_ text: String) {
      guard text.utf8.count <= 255, let (arn, kind, name) = KMSKeyName.split(text), kind == "key",
        name.utf8.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
      else { return nil }
      (partition, region, account) = arn
      id = name
    }

    var description: String { "arn:\(partition):kms:\(region):\(account):key/\(id)" }

    var isMultiRegion: Bool { id.hasPrefix("mrk-") }

    /// The same key, or its replica in another Region.
    func inRegion(_ region: String) -> KMSKeyARN? {
      guard self.region != region else { return self }
      guard isMultiRegion else { return nil }
      var replica = self
      replica.change(region)
      return replica
    }

    private mutating func change(_ region: String) { self = KMSKeyARN(self, region: region) }

    private init(_ other: KMSKeyARN, region: String) {
      (partition, account, id) = (other.partition, other.account, other.id)
      self.region = region
    }
  }

  /// How a caller names a KMS key.
  enum KMSKeyName: Hashable {
    case arn(KMSKeyARN)
    /// An id, in the caller's account and the client's Region.
    case id(String)
    /// `alias/NAME`, in the caller's account and the client's Region.
    case alias(String)
    /// arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME.
    case aliasARN(partition: String, region: String, account: String, name: String)

    /// Reads a name.
    ///
    /// - Throws: `invalidArgument` where it is none of the four.
    init(_ text: String) throws(EnvelopeError) {
      if let arn = KMSKeyARN(text) {
        self = .arn(arn)
      } else if let (arn, kind, name) = Self.split(text), kind == "alias", Self.isAlias(name) {
        self = .aliasARN(partition: arn.0, region: arn.1, account: arn.2, name: name)
      } else if text.hasPrefix("alias/"), Self.isAlias(String(text.dropFirst(6))) {
        self = .alias(text)
      } else if (text.utf8.count == 36 || text.hasPrefix("mrk-")) && text.utf8.count <= 64
        && text.utf8.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
      {
        self = .id(text)
      } else {
        throw EnvelopeError(
          .invalidArgument, "\(EnvelopeError.quoted(text)) does not name a KMS key",
          advice: "Give a key's id or ARN, alias/NAME, or an alias's ARN.")
      }
    }

    /// What AWS KMS is told.
    var text: String {
      switch self {
      case .arn(let arn): arn.description
      case .id(let text), .alias(let text): text
      case .aliasARN(let partition, let region, let account, let name):
        "arn:\(partition):kms:\(region):\(account):alias/\(name)"
      }
    }

    /// The Region that the name itself says, or nil.
    var region: String? {
      switch self {
      case .arn(let arn): arn.region
      case .aliasARN(_, let region, _, _): region
      case .id, .alias: nil
      }
    }

    /// Whether the name can stand for a key, as far as can be told without asking.
    func canName(_ key: KMSKeyARN) -> Bool {
      switch self {
      case .arn(let arn): arn.inRegion(key.region) == key
      case .id(let id): id == key.id
      case .alias: true
      case .aliasARN(let partition, _, let account, _): partition == key.partition && account == key.account
      }
    }

    private static func isAlias(_ name: String) -> Bool {
      (1...250).contains(name.utf8.count)
        && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || ":/_-".utf8.contains($0) }
    }

    /// Partition, Region and account of an ARN of KMS, the kind of thing that it names, and its name.
    static func split(_ text: String) -> (arn: (String, String, String), kind: String, name: String)? {
      // By bytes: as a character, a colon may carry an accent.
      guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
      let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 6, parts[0] == "arn", parts[2] == "kms", isWord(parts[1]), isWord(parts[3]),
        parts[4].utf8.count == 12, parts[4].utf8.allSatisfy({ $0.isDigit }),
        let slash = parts[5].firstIndex(of: "/"), parts[5].index(after: slash) < parts[5].endIndex
      else { return nil }
      return (
        (parts[1], parts[3], parts[4]), String(parts[5][..<slash]), String(parts[5][parts[5].index(after: slash)...])
      )
    }

    private static func isWord(_ text: String) -> Bool {
      (1...63).contains(text.utf8.count)
        && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit || $0.isLetter && $0 | 0x20 == $0 }
    }
  }
#endif

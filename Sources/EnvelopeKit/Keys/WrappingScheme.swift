// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How a data key is wrapped (`Docs/Format.md`, section Wrapping).
public struct WrappingScheme: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The byte that stands for it in a header.
  public let rawValue: UInt8

  /// Names a scheme by its byte; one that this release does not know is carried along and not opened.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A version of a local ``Keyset``.
  public static let keyset = Self(rawValue: 0x01)
  /// The public half of a recipient's key pair: anybody can seal to it.
  public static let recipient = Self(rawValue: 0x02)
  /// A key in AWS KMS.
  public static let awsKMS = Self(rawValue: 0x03)
  /// A passphrase.
  public static let passphrase = Self(rawValue: 0x04)
  /// The public half of a recipient's post-quantum key pair: anybody can seal to it.
  public static let postQuantumRecipient = Self(rawValue: 0x05)
  /// A keyring of somebody's own.
  public static let other = Self(rawValue: 0x7f)

  /// Whether anybody can make such an entry, so that it proves no sender.
  package var isAnonymous: Bool { self == .recipient || self == .postQuantumRecipient }

  /// The lengths in bytes that a wrapped data key of this scheme may have.
  package var wrappedByteCounts: ClosedRange<Int> {
    switch self {
    case .keyset: 72...72
    case .recipient: 80...80
    case .awsKMS: 1...6144
    case .passphrase: 90...90
    case .postQuantumRecipient: 1168...1168
    default: 1...65535
    }
  }

  /// The name of the scheme in plain words.
  public var description: String {
    switch self {
    case .keyset: "keyset"
    case .recipient: "recipient"
    case .awsKMS: "aws-kms"
    case .passphrase: "passphrase"
    case .postQuantumRecipient: "post-quantum-recipient"
    case .other: "other"
    default: "unknown"
    }
  }
}

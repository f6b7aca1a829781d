// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Which wrapped keys of an envelope to add and which to drop; the data key and the payload stay.
///
/// After a rotation, ``newestVersions(of:)`` is the one to use: it drops no reader.
public struct Rewrapping: Sendable {
  let keyring: (any Keyring)?
  let drops: @Sendable (WrappedDataKey) -> Bool
  /// Whether the readers stay those that the header has.
  let keepsReaders: Bool

  private init(
    _ keyring: (any Keyring)?, keepsReaders: Bool, drops: @escaping @Sendable (WrappedDataKey) -> Bool
  ) {
    self.keyring = keyring
    self.keepsReaders = keepsReaders
    self.drops = drops
  }

  /// Adds entries and drops others.
  ///
  /// - Parameters:
  ///   - keyring: Wraps the data key once more; an entry replaces one of the same key id. Nil adds none.
  ///   - drops: Whether to drop an entry of the header, which has been verified.
  public init(
    adding keyring: (any Keyring)?, dropping drops: @escaping @Sendable (WrappedDataKey) -> Bool = { _ in false }
  ) {
    self.init(keyring, keepsReaders: false, drops: drops)
  }

  /// Wraps for the same readers under the newest versions of their keys.
  ///
  /// Of the keyring's keys only those that the header lists already are used, in any version, and their older entries
  /// are dropped. Entries of other readers stay, as does an older entry of a key whose new entry cannot be opened here.
  /// Nothing changes if the header lists the newest versions already. Rewrapping throws `keyNotFound` if the header
  /// lists none of the keyring's keys, or a newer version than the keyring has.
  public static func newestVersions(of keyring: any Keyring) -> Rewrapping {
    Rewrapping(keyring, keepsReaders: true) { _ in false }
  }

  /// Adds entries and drops all others, which removes every reader that the keyring does not wrap for.
  public static func replacingAllReaders(with keyring: any Keyring) -> Rewrapping {
    Rewrapping(adding: keyring) { _ in true }
  }
}

extension WrappedDataKey {
  /// Whoever can open this entry: of local keys all versions together.
  package var reader: Reader {
    Reader(scheme: scheme, id: scheme == .keyset || scheme.isAnonymous ? keyID.withoutVersion : keyID.string)
  }

  /// Whoever holds a key, whatever its version.
  package struct Reader: Hashable, CustomStringConvertible {
    let scheme: WrappingScheme
    package let id: String

    package init(scheme: WrappingScheme, id: String) {
      self.scheme = scheme
      self.id = id
    }

    package var description: String { "\(scheme) \(id)" }
  }
}

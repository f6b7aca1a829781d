// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension FakeKeyService {
  /// The states of a key, by the names that AWS KMS gives them.
  public enum KeyState: String, Sendable, Hashable, CaseIterable {
    /// It does all that it is there for.
    case enabled = "Enabled"
    /// Somebody switched it off, and may switch it on again.
    case disabled = "Disabled"
    /// It will be destroyed; until then that can be cancelled.
    case pendingDeletion = "PendingDeletion"
    /// Its material has not been imported yet.
    case pendingImport = "PendingImport"
    /// The store that holds its material is not connected.
    case unavailable = "Unavailable"
    /// It is being made.
    case creating = "Creating"
    /// It is being moved or changed; it works meanwhile.
    case updating = "Updating"
  }

  /// What is done with a key.
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    /// Makes a data key and wraps it.
    case generateDataKey = "GenerateDataKey"
    /// Wraps a data key that exists.
    case encrypt = "Encrypt"
    /// Unwraps a data key.
    case decrypt = "Decrypt"
  }

  /// What is done to a key, as far as its state matters.
  enum Management: Sendable {
    case enableKey, disableKey, scheduleKeyDeletion, cancelKeyDeletion, rotateKey
    /// Of an alias, the key that it is to stand for.
    case createAlias, updateAlias
    case createGrant
  }
}

extension FakeKeyService.KeyState {
  /// What the state refuses to whoever uses the key, of all operations alike.
  var refusalOfUse: FakeKeyService.Refusal.Kind? {
    switch self {
    case .enabled, .updating: nil
    case .disabled: .disabled
    case .pendingDeletion, .pendingImport, .unavailable, .creating: .invalidState
    }
  }

  /// What the state refuses to whoever manages the key.
  func refusal(of management: FakeKeyService.Management) -> FakeKeyService.Refusal.Kind? {
    switch management {
    case .enableKey, .disableKey:
      [.pendingDeletion, .pendingImport, .creating, .updating].contains(self) ? .invalidState : nil
    case .scheduleKeyDeletion, .createAlias, .updateAlias: self == .pendingDeletion ? .invalidState : nil
    case .cancelKeyDeletion: self == .pendingDeletion ? nil : .invalidState
    case .createGrant: self == .unavailable ? nil : refusalOfUse
    case .rotateKey: self == .updating ? .invalidState : refusalOfUse
    }
  }
}

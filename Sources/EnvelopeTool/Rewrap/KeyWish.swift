// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Which keys the files of a call shall be under.
enum KeyWish {
  /// Those that they are under, in their newest versions; some more, some no longer.
  case change(adding: [String], removing: [String])
  /// These and no others.
  case only([String])
  /// Those that `envelope.yaml` names for the function and no others.
  case configured

  /// Whether the call names readers that a file is to have.
  var addsReaders: Bool {
    switch self {
    case .change(let added, _): !added.isEmpty
    case .only: true
    case .configured: false
    }
  }

  /// Whether keys are chosen to seal under, for which what `envelope.yaml` says of them and of AWS KMS counts.
  var choosesKeys: Bool {
    if case .configured = self { true } else { addsReaders }
  }

  /// Whether the call names keys of the key store.
  var namesLocalKeys: Bool {
    switch self {
    case .change(let added, let removed):
      added.contains(where: ToolKeys.isLocal) || removed.contains(where: ToolKeys.isLocal)
    case .only(let names): names.contains(where: ToolKeys.isLocal)
    case .configured: false
    }
  }

  /// The keys that it shall be under no longer; nil where all that are not named are such.
  var removed: [String]? {
    if case .change(_, let removed) = self { removed } else { nil }
  }
}

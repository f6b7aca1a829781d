// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import Synchronization

  /// Why `envelope.yaml` was not followed, in a command that does not need it; nil if it was, or if there is none.
  private let refusal = Mutex<EnvelopeError?>(nil)

  extension Configuration {
    /// Loads `envelope.yaml` for a command that opens, and chooses no key to seal under.
    ///
    /// If the function is given, such a command does not need the file. Without its context and its keys of AWS KMS,
    /// what is opened is the same or does not open. So a file that is refused, cannot be read or has a mistake is left
    /// out, and ``reasonForLeavingOut`` is for the message of a command that fails.
    ///
    /// - Throws: As ``load()``, if no function is given.
    static func load(toOpenFor function: String?) throws(EnvelopeError) -> Configuration {
      guard function != nil else { return try load() }
      do throws(EnvelopeError) {
        return try load()
      } catch {
        refusal.withLock { $0 = error }
        return Configuration()
      }
    }

    /// Why `envelope.yaml` was left out; nil if it was not.
    static var reasonForLeavingOut: EnvelopeError? { refusal.withLock { $0 } }
  }
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

extension UnsafeMutableRawBufferPointer {
  /// Overwrites the bytes with zeros, which no optimizer leaves out.
  package func wipe() {
    guard let baseAddress else { return }
    unsafe sodium_memzero(baseAddress, count)
  }
}

/// Overwrites what functions that have returned left on the stack: libsodium's Argon2id leaves a copy of the key there, and
/// its X-Wing one of the shared secret.
package func wipeStack() { sodium_stackzero(8192) }

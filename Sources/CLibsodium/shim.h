// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#include <sodium.h>

// libsodium 1.0.18 is library version 10.3.
#if SODIUM_LIBRARY_VERSION_MAJOR < 10 || (SODIUM_LIBRARY_VERSION_MAJOR == 10 && SODIUM_LIBRARY_VERSION_MINOR < 3)
#error "EnvelopeKit needs libsodium 1.0.18 or newer: install libsodium-dev (Debian, Ubuntu) or libsodium (Homebrew)."
#endif

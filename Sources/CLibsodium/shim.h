// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#include <sodium.h>

// libsodium 1.0.18 is library version 10.3.
#if SODIUM_LIBRARY_VERSION_MAJOR < 10 || (SODIUM_LIBRARY_VERSION_MAJOR == 10 && SODIUM_LIBRARY_VERSION_MINOR < 3)
#error "EnvelopeKit needs libsodium 1.0.18 or newer: install libsodium-dev (Debian, Ubuntu) or libsodium (Homebrew)."
#endif

// The headers, not the version's number, say what there is. What older ones lack is declared here, so that Swift code
// compiles without conditions; it fails if it is called, and the folder Sodium/ asks before it calls.

// AEGIS-256, since libsodium 1.0.19.
#ifdef crypto_aead_aegis256_KEYBYTES
#define ENVELOPE_HAS_AEGIS256 1
#else
#define ENVELOPE_HAS_AEGIS256 0
static inline int crypto_aead_aegis256_encrypt_detached(
    unsigned char *c, unsigned char *mac, unsigned long long *maclen, const unsigned char *m, unsigned long long mlen,
    const unsigned char *ad, unsigned long long adlen, const unsigned char *nsec, const unsigned char *npub,
    const unsigned char *k) { return -1; }
static inline int crypto_aead_aegis256_decrypt_detached(
    unsigned char *m, unsigned char *nsec, const unsigned char *c, unsigned long long clen, const unsigned char *mac,
    const unsigned char *ad, unsigned long long adlen, const unsigned char *npub, const unsigned char *k) {
  return -1;
}
#endif

// X-Wing, since libsodium 1.0.22.
#ifdef crypto_kem_xwing_PUBLICKEYBYTES
#define ENVELOPE_HAS_XWING 1
#else
#define ENVELOPE_HAS_XWING 0
static inline int crypto_kem_xwing_seed_keypair(unsigned char *pk, unsigned char *sk, const unsigned char *seed) {
  return -1;
}
static inline int crypto_kem_xwing_enc_deterministic(
    unsigned char *ct, unsigned char *ss, const unsigned char *pk, const unsigned char *seed) { return -1; }
static inline int crypto_kem_xwing_dec(unsigned char *ss, const unsigned char *ct, const unsigned char *sk) {
  return -1;
}
#endif

// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#include <sodium.h>

// AEGIS-256, since libsodium 1.0.19. If it is missing, what is declared here fails; suite 02 is not measured then.
#ifndef crypto_aead_aegis256_KEYBYTES
static inline int crypto_aead_aegis256_encrypt(
    unsigned char *c, unsigned long long *clen, const unsigned char *m, unsigned long long mlen,
    const unsigned char *ad, unsigned long long adlen, const unsigned char *nsec, const unsigned char *npub,
    const unsigned char *k) { return -1; }
static inline int crypto_aead_aegis256_decrypt(
    unsigned char *m, unsigned long long *mlen, unsigned char *nsec, const unsigned char *c, unsigned long long clen,
    const unsigned char *ad, unsigned long long adlen, const unsigned char *npub, const unsigned char *k) {
  return -1;
}
#endif

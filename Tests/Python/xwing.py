# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""X-Wing (draft-connolly-cfrg-xwing-kem), the KEM MLKEM768-X25519 of HPKE. For tests alone, as mlkem768.py is."""

import functools
import hashlib

from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumError

import mlkem768

SEED, PUBLIC, CIPHERTEXT = 32, mlkem768.PUBLIC + 32, mlkem768.CIPHERTEXT + 32


def diffie_hellman(private, public):
    """The secret of X25519, or None if it is all zero."""
    try:
        secret = bindings.crypto_scalarmult(private, public)
    except SodiumError:
        return None
    return None if secret == bytes(32) else secret


@functools.lru_cache(maxsize=64)
def expand(seed):
    """The decapsulation key of ML-KEM, the private key of X25519, and the public key."""
    data = hashlib.shake_256(seed).digest(96)
    public, private = mlkem768.key_pair(data[:32], data[32:64])
    return private, data[64:], public + bindings.crypto_scalarmult_base(data[64:])


def public_key(seed):
    return expand(seed)[2]


def combine(secret, secret_x, ciphertext_x, public_x):
    return hashlib.sha3_256(secret + secret_x + ciphertext_x + public_x + b"\\.//^\\").digest()


def encapsulate(public, randomness):
    """The shared secret and the ciphertext, from 64 random bytes; None if the X25519 key has low order."""
    ephemeral, public_x = randomness[32:], public[mlkem768.PUBLIC :]
    secret_x = diffie_hellman(ephemeral, public_x)
    if secret_x is None:
        return None
    secret, ciphertext = mlkem768.encapsulate(public[: mlkem768.PUBLIC], randomness[:32])
    ciphertext_x = bindings.crypto_scalarmult_base(ephemeral)
    return combine(secret, secret_x, ciphertext_x, public_x), ciphertext + ciphertext_x


def decapsulate(seed, ciphertext):
    """The shared secret; None if the X25519 part of the ciphertext has low order."""
    private, private_x, public = expand(seed)
    ciphertext, ciphertext_x = ciphertext[: mlkem768.CIPHERTEXT], ciphertext[mlkem768.CIPHERTEXT :]
    secret_x = diffie_hellman(private_x, ciphertext_x)
    if secret_x is None:
        return None
    return combine(mlkem768.decapsulate(private, ciphertext), secret_x, ciphertext_x, public[mlkem768.PUBLIC :])

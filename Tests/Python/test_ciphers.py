# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The ciphers of the second reader: on published vectors, and X-Wing against another implementation."""

import json
import os
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

import envelope as e
import mlkem768
import xwing

VECTORS = pathlib.Path(os.environ.get("TEST_VECTORS") or pathlib.Path(__file__).resolve().parents[3] / "shared/vectors")
HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def published(name):
    path = VECTORS / name
    if not path.exists() and "TEST_VECTORS" not in os.environ:
        raise unittest.SkipTest(f"The vectors {name} were not run")
    return json.loads(path.read_text())


class Aegis256(unittest.TestCase):
    def test_published_vectors(self):
        """Their tags have 128 bits: the exclusive or of the halves of one of 256 bits."""
        tests = [test for group in published("wycheproof/aegis256_test.json")["testGroups"] for test in group["tests"]]
        for test in tests:
            key, nonce, data, message, ciphertext, tag = (
                bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
            )
            sealed = e.bindings.crypto_aead_aegis256_encrypt(message, data, nonce, key)
            folded = bytes(a ^ b for a, b in zip(sealed[-32:-16], sealed[-16:]))
            self.assertEqual((sealed[:-32], folded) == (ciphertext, tag), test["result"] == "valid", test["tcId"])
        self.assertGreater(len(tests), 400)


class XWing(unittest.TestCase):
    def test_published_vectors(self):
        (vector,) = published("hpke/mlkem768x25519-hkdf-sha256-chacha20poly1305.json")
        seed, public, enc, shared, randomness = (
            bytes.fromhex(vector[name]) for name in ("skRm", "pkRm", "enc", "shared_secret", "ikmE")
        )
        self.assertEqual(xwing.public_key(seed), public)
        self.assertEqual(xwing.encapsulate(public, randomness), (shared, enc))
        self.assertEqual(xwing.decapsulate(seed, enc), shared)
        info, e.INFO = e.INFO, bytes.fromhex(vector["info"])
        self.addCleanup(setattr, e, "INFO", info)
        key, nonce = e.message_keys(e.MLKEM768_X25519, shared)
        self.assertEqual((key.hex(), nonce.hex()), (vector["key"], vector["base_nonce"]))
        first = vector["encryptions"][0]
        data, ciphertext, message = (bytes.fromhex(first[name]) for name in ("aad", "ct", "pt"))
        self.assertEqual(e.xwing_open(seed, data, enc + ciphertext, {}), message)

    def test_agrees_with_other_implementation(self):
        for _ in range(20):
            seed, message = os.urandom(32), os.urandom(32)
            keys, private_x, public = xwing.expand(seed)
            theirs = MLKEM768X25519PrivateKey(
                MLKEM768PrivateKey.from_seed_bytes(e.hashlib.shake_256(seed).digest(64)),
                X25519PrivateKey.from_private_bytes(private_x),
            )
            recipient = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public[:1184]), X25519PublicKey.from_public_bytes(public[1184:])
            )
            sealed = HPKE.encrypt(message, recipient, e.INFO)
            self.assertEqual(e.xwing_open(seed, b"", sealed, {}), message)
            sealed = e.xwing_seal(public, b"", message)
            self.assertEqual(HPKE.decrypt(sealed, theirs, e.INFO), message)
            altered = bytearray(sealed)
            altered[int.from_bytes(os.urandom(2), "big") % len(altered)] ^= 1
            with self.assertRaises(InvalidTag):
                HPKE.decrypt(bytes(altered), theirs, e.INFO)
            with self.assertRaises(e.Refused):
                e.xwing_open(seed, b"", bytes(altered), {})

    def test_rejects_implicitly(self):
        """The secret after a failed check is that of the other implementation, too."""
        for _ in range(20):
            seed, ciphertext = os.urandom(64), os.urandom(mlkem768.CIPHERTEXT)
            public, private = mlkem768.key_pair(seed[:32], seed[32:])
            theirs = MLKEM768PrivateKey.from_seed_bytes(seed)
            self.assertEqual(theirs.public_key().public_bytes_raw(), public)
            for altered in (ciphertext, mlkem768.encapsulate(public, seed[:32])[1]):
                self.assertEqual(theirs.decapsulate(altered), mlkem768.decapsulate(private, altered))

    def test_refuses_invalid_public_keys(self):
        public, _ = mlkem768.key_pair(bytes(32), bytes(32))
        for at, coefficient in ((0, 3329), (1, 3329), (767, 3329), (767, 4095), (400, 3330), (0, 3328), (767, 3328)):
            coefficients = mlkem768.decode_vector(12, public)
            coefficients[at // 256][at % 256] = coefficient
            changed = b"".join(mlkem768.encode(12, f) for f in coefficients) + public[-32:]
            try:
                MLKEM768PublicKey.from_public_bytes(changed)
                valid = True
            except ValueError:
                valid = False
            self.assertEqual(mlkem768.is_public_key(changed), valid)
            self.assertEqual(valid, coefficient < 3329)


if __name__ == "__main__":
    unittest.main()

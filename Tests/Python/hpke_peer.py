# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Another implementation of HPKE (pyhpke, on OpenSSL), which answers one line of JSON with another.

Bytes are unpadded URL-safe base64. Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305; a sealed message
is the encapsulated key, then the ciphertext.
"""
import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from pyhpke.exceptions import PyHPKEError

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
ENCAPSULATED = 32


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key(private=None, public=None):
    """The key pair of a private key, or a public key alone."""
    if private is None:
        return KEMKey.from_jwk({"kty": "OKP", "crv": "X25519", "x": encode(public)})
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return KEMKey.from_jwk({"kty": "OKP", "crv": "X25519", "x": encode(public), "d": encode(private)})


def answer(request):
    data, info = decode(request["data"]), decode(request["info"])
    if request["command"] == "seal":
        encapsulated, sender = SUITE.create_sender_context(key(public=decode(request["public"])), info=info)
        return {"message": encode(encapsulated + sender.seal(decode(request["message"]), aad=data))}
    private, message = decode(request["private"]), decode(request["message"])
    try:
        recipient = SUITE.create_recipient_context(message[:ENCAPSULATED], key(private), info=info)
        return {"message": encode(recipient.open(message[ENCAPSULATED:], aad=data))}
    except (PyHPKEError, ValueError) as error:
        return {"error": type(error).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

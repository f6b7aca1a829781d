#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Times how long two other libraries take to seal and to open N values of 32 bytes, each value its own message.

    peers.py RESULTS_DIR

Writes RESULTS_DIR/peers.json. All keys are local: nothing here asks a key service.

- aws-encryption-sdk with the raw AES keyring of the material providers library (what its documentation shows),
  and with the older raw master key, which the same release still has and which is faster.
- Tink's envelope AEAD, with a local AES-256-GCM keyset in the place of the key service.
"""
import json
import os
import pathlib
import statistics
import sys
import time
from importlib import metadata

try:
    import aws_encryption_sdk
    import tink
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
    from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType, WrappingAlgorithm
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
    from aws_encryption_sdk.key_providers.raw import RawMasterKey
    from tink import aead
except ImportError as missing:
    sys.exit(
        f"peers.py: {missing}. Run it with the Python of an environment that has the peers:\n"
        "  python3 -m venv peers && peers/bin/pip install 'aws-encryption-sdk[MPL]>=4,<5' 'tink>=1.10,<2'"
    )

COUNTS = (1, 10, 50, 200)
ROUNDS = 7
VALUE_BYTES = 32
CONTEXT = {"function": "checkout"}
KEYS = "raw AES keyring of the material providers library, or the older raw master key where the variant says so"
DISTRIBUTIONS = ("aws-encryption-sdk", "aws-cryptographic-material-providers", "cryptography", "tink")


class EncryptionSDK:
    """aws-encryption-sdk: one message for each value, with an encryption context."""

    name = "aws-encryption-sdk"

    def __init__(self, variant, key, sealing=(), opening=()):
        self.variant = variant
        self.client = aws_encryption_sdk.EncryptionSDKClient()
        self.sealing = {**key, "encryption_context": CONTEXT, **dict(sealing)}
        self.opening = {**key, **dict(opening)}

    def seal(self, name, value):
        return self.client.encrypt(source=value, **self.sealing)[0]

    def open(self, name, message):
        return self.client.decrypt(source=message, **self.opening)[0]


class Tink:
    """Tink's envelope AEAD: one data key for each value, the variable's name as associated data."""

    name = "tink"

    def __init__(self, variant, template, key_encryption):
        self.variant = variant
        self.aead = aead.KmsEnvelopeAead(template, key_encryption)

    def seal(self, name, value):
        return self.aead.encrypt(value, name)

    def open(self, name, message):
        return self.aead.decrypt(message, name)


def raw_aes_keyring(key):
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    return providers.create_raw_aes_keyring(
        input=CreateRawAesKeyringInput(
            key_namespace="benchmark",
            key_name="key",
            wrapping_key=key,
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )


def raw_master_key(key):
    wrapping_key = WrappingKey(
        wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
        wrapping_key=key,
        wrapping_key_type=EncryptionKeyType.SYMMETRIC,
    )
    return RawMasterKey(provider_id="benchmark", key_id=b"key", wrapping_key=wrapping_key)


def encryption_sdks():
    key = os.urandom(32)
    keyring, master_key = {"keyring": raw_aes_keyring(key)}, {"key_provider": raw_master_key(key)}
    unsigned = {"algorithm": Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY}
    # A raw master key does not take the context at opening; it stands in the message.
    context = {"encryption_context": CONTEXT}
    return [
        EncryptionSDK("default suite (0x0578)", keyring, opening=context),
        EncryptionSDK("suite without signature (0x0478)", keyring, sealing=unsigned, opening=context),
        EncryptionSDK("default suite (0x0578), raw master key", master_key),
        EncryptionSDK("suite without signature (0x0478), raw master key", master_key, sealing=unsigned),
    ]


def tinks():
    aead.register()
    templates = aead.aead_key_templates
    key_encryption = tink.new_keyset_handle(templates.AES256_GCM).primitive(aead.Aead)
    return [
        Tink("XCHACHA20_POLY1305", templates.XCHACHA20_POLY1305, key_encryption),
        Tink("AES256_GCM", templates.AES256_GCM, key_encryption),
    ]


class Batch:
    """What one peer seals and opens: names, values, and the messages it made of them."""

    def __init__(self, peer):
        self.peer = peer
        self.names = [f"VARIABLE_{i:03}".encode() for i in range(max(COUNTS))]
        self.values = [os.urandom(VALUE_BYTES // 2).hex().encode() for _ in self.names]
        self.messages = [peer.seal(name, value) for name, value in zip(self.names, self.values)]


class Measure:
    """One peer, one operation, one number of values, and the times that the rounds took."""

    def __init__(self, batch, operation, count):
        self.batch, self.peer, self.operation, self.count = batch, batch.peer, operation, count
        self.times = []

    def run(self):
        inputs = self.batch.values if self.operation == "seal" else self.batch.messages
        pairs = list(zip(self.batch.names, inputs))[: self.count]
        work = getattr(self.peer, self.operation)
        start = time.perf_counter_ns()
        outputs = [work(name, one) for name, one in pairs]
        self.times.append(time.perf_counter_ns() - start)
        self.check(outputs)

    def check(self, outputs):
        """Compares with the originals; not timed. Of the sealed messages the last is opened for it."""
        values = self.batch.values[: self.count]
        if self.operation == "seal":
            values = values[-1:]
            outputs = [self.peer.open(self.batch.names[self.count - 1], outputs[-1])]
        if outputs != values:
            sys.exit(
                f"peers.py: {self.peer.name}, {self.peer.variant}: what was opened is not what was sealed. "
                "The times mean nothing; look at how peers.py calls this library."
            )

    def result(self):
        return {
            "peer": self.peer.name,
            "variant": self.peer.variant,
            "operation": self.operation,
            "count": self.count,
            "median_ns": int(statistics.median(self.times)),
            "minimum_ns": min(self.times),
            "value_bytes": VALUE_BYTES,
            "sealed_bytes": len(self.batch.messages[0]),
        }


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: peers.py RESULTS_DIR")
    batches = [Batch(peer) for peer in encryption_sdks() + tinks()]
    measures = [Measure(b, operation, count) for b in batches for operation in ("seal", "open") for count in COUNTS]
    for _ in range(ROUNDS):
        for measure in measures:
            measure.run()
    results = {
        "versions": {
            **{name: metadata.version(name) for name in DISTRIBUTIONS},
            "python": sys.version.split()[0],
        },
        "keys": KEYS,
        "rounds": ROUNDS,
        "measures": [measure.result() for measure in measures],
    }
    target = pathlib.Path(sys.argv[1]) / "peers.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"peers: {len(measures)} measures, {ROUNDS} rounds, written to {target}")
    print(f"aws-encryption-sdk: {KEYS}")


if __name__ == "__main__":
    main()

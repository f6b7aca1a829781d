#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of the envelope format, version 1, written from Docs/Format.md alone.

It exists to test the first. It is not meant for production: it does not wipe memory. Sealed records are in records.py.

    envelope.py open | seal | open-value | seal-value | open-file | seal-file | explain |
                read-store | recipient | verify-log | write-log

reads one JSON object on standard input and writes one on standard output. With the argument
`serve` it reads one JSON object a line, {"command": ..., ...}, and answers each with a line.

Byte strings in JSON are base64url. Optional members:
  open, open-value, open-file, explain
                              anonymous: true accepts an anonymous sender
  open, explain               document: true compares plain variables, except the names in `allow`
  seal                        plain: plain variables of the document, byte strings as in `values`;
                              the answer's `variables` contain them as text
  open-value, seal-value      envelope_kind: "key-store" for a locked key store
  seal-value, seal-file       suite: 2 for AEGIS-256
  seal-file                   log2: of the chunk size, 12 to 20; 16 without it
  all                         lacks: "aegis-256", "x-wing", of a reader that refuses what needs them
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import sys
import time

from nacl import bindings
from nacl.exceptions import CryptoError

import mlkem768
import xwing
from xwing import diffie_hellman

VALUE, ENVIRONMENT, PACKED, FILE, RECORDS = 1, 2, 3, 4, 5
XCHACHA20, AEGIS_256 = 1, 2
KEYSET, RECIPIENT, AWS_KMS, PASSPHRASE, XWING, OTHER_KEYRING = 1, 2, 3, 4, 5, 0x7F
ANONYMOUS = (RECIPIENT, XWING)
KIND_PAIR, KEY_STORE = "envelope-kind", "key-store"
ENVELOPE_KIND = {VALUE: "value", ENVIRONMENT: "environment", PACKED: "environment", FILE: "file", RECORDS: "records"}
HEADER_NAME, SEALED_NAME = "ENVELOPE_HEADER", "ENVELOPE_SEALED"
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# Replaced by make_vectors.py, and by nothing else.
random_bytes = os.urandom
now = lambda: int(time.time())
# Whether this reader supports AEGIS-256 and X-Wing.
has_aegis_256 = has_xwing = True


class Refused(Exception):
    """What cannot be opened or sealed, by the name of the error."""

    def __init__(self, code, names=(), detail=""):
        super().__init__(code, detail)
        self.code, self.names, self.detail = code, sorted(names), detail


# Conventions


def u16(n):
    return n.to_bytes(2, "big")


def u32(n):
    return n.to_bytes(4, "big")


def u64(n):
    return n.to_bytes(8, "big")


def lp16(x):
    return u16(len(x)) + x


def lp32(x):
    return u32(len(x)) + x


def blake2b(bits, message=b"", key=b"", salt=b"", personal=b""):
    return hashlib.blake2b(
        message, digest_size=bits // 8, key=key, salt=salt, person=personal
    ).digest()


def same(a, b):
    return hmac.compare_digest(a, b)


class Reader:
    """Takes bytes off the front; every length is checked against what is left."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Refused("malformed", detail="truncated")
        self.at += n
        return self.data[self.at - n : self.at]

    def integer(self, n):
        return int.from_bytes(self.take(n), "big")

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        if self.at != len(self.data):
            raise Refused("malformed", detail="bytes left over")


# Text form


def to_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text, code="malformed"):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text, re.ASCII) or len(text) % 4 == 1:
        raise Refused(code, detail="base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refused(code, detail="base64url")
    if to_text(data) != text:
        raise Refused(code, detail="base64url: spare bits")
    return data


def from_envelope_text(text):
    if not text.startswith("ek1:"):
        raise Refused("malformed", detail="prefix")
    return from_text(text[4:])


def from_variable_text(text):
    """Of a variable: a line feed at its end, which Kubernetes adds, is not part of it."""
    return from_envelope_text(text.removesuffix("\n"))


# Encryption context


def pair_list(pairs):
    """pairs: a dictionary, or a list of pairs."""
    return list(pairs.items()) if isinstance(pairs, dict) else list(pairs)


def canonical_form(pairs):
    items = sorted((k.encode("utf-8"), v.encode("utf-8")) for k, v in pair_list(pairs))
    return b"".join(lp16(k) + lp16(v) for k, v in items)


def canonical_context(pairs):
    """The canonical form of a caller's context, which is checked."""
    items = [(k.encode("utf-8"), v.encode("utf-8")) for k, v in pair_list(pairs)]
    if any(not k or not v for k, v in items):
        raise Refused("invalidArgument", detail="context: empty key or value")
    if len({k for k, _ in items}) != len(items):
        raise Refused("invalidArgument", detail="context: equal keys")
    if any(k == KIND_PAIR.encode("ascii") for k, _ in items):
        raise Refused("invalidArgument", detail="context: envelope-kind")
    if sum(4 + len(k) + len(v) for k, v in items) > 8192:
        raise Refused("invalidArgument", detail="context: too long")
    return canonical_form(pairs)


def wrapping_context(pairs, envelope_kind):
    """The caller's context with the envelope kind."""
    return pair_list(pairs) + [(KIND_PAIR, envelope_kind)]


# Wrapping. An entry is a scheme, a key id and the wrapped bytes. `pairs` are the wrapping context here. Unwrapping
# returns the data key and adds intermediate values to `trace` for the vectors, or refuses with the entry's reason.


def wrap_associated_data(key_id, pairs, scheme=KEYSET):
    return bytes([scheme]) + lp16(key_id.encode("ascii")) + canonical_form(pairs)


def unwrapped(decrypt, sealed, associated_data, nonce, key):
    try:
        return decrypt(sealed, associated_data, nonce, key)
    except CryptoError:
        raise Refused("unwrapFailed")


def seal_24(key, associated_data, data_key):
    nonce = random_bytes(24)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(data_key, associated_data, nonce, key)


def open_24(key, associated_data, sealed):
    decrypt = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt
    return unwrapped(decrypt, sealed[24:], associated_data, sealed[:24], key)


# Wrapping by a keyset


def function_of(pairs):
    """The name's bytes, or nothing."""
    function = dict(pairs).get("function")
    return None if function is None else function.encode("utf-8")


def narrow_to(secret, function):
    message = b"\x00" if function is None else b"\x01" + lp16(function)
    return blake2b(256, message, key=secret, personal=b"EK wrap")


def narrow(secret, pairs):
    return narrow_to(secret, function_of(pairs))


def wrap(secret, key_id, pairs, data_key):
    return seal_24(narrow(secret, pairs), wrap_associated_data(key_id, pairs), data_key)


# Wrapping to a recipient

INFO = b"EnvelopeKit v1 recipient"


def hmac_sha256(key, message):
    return hmac.digest(key, message, "sha256")


def labeled_extract(suite, salt, label, key):
    return hmac_sha256(salt, b"HPKE-v1" + suite + label + key)


def labeled_expand(suite, key, label, info, length):
    info = u16(length) + b"HPKE-v1" + suite + label + info
    output, block = b"", b""
    while len(output) < length:
        block = hmac_sha256(key, block + info + bytes([len(output) // 32 + 1]))
        output += block
    return output[:length]


DHKEM_X25519, MLKEM768_X25519 = 0x0020, 0x647A


def dhkem_secret(secret, enc, public):
    """The shared secret of DHKEM(X25519, HKDF-SHA256) from that of Diffie-Hellman."""
    suite = b"KEM" + u16(DHKEM_X25519)
    shared = labeled_extract(suite, b"", b"eae_prk", secret)
    return labeled_expand(suite, shared, b"shared_secret", enc + public, 32)


def message_keys(kem, shared):
    """The key and the nonce of the one message, from the shared secret of a KEM."""
    suite = b"HPKE" + u16(kem) + b"\x00\x01\x00\x03"
    context = b"\x00" + labeled_extract(suite, b"", b"psk_id_hash", b"")
    context += labeled_extract(suite, b"", b"info_hash", INFO)
    secret = labeled_extract(suite, shared, b"secret", b"")
    return labeled_expand(suite, secret, b"key", context, 32), labeled_expand(suite, secret, b"base_nonce", context, 12)


def hpke_keys(secret, enc, public):
    """RFC 9180 from the Diffie-Hellman secret on: the shared secret, the key and the nonce of the one message."""
    shared = dhkem_secret(secret, enc, public)
    return shared, *message_keys(DHKEM_X25519, shared)


def hpke_seal(public, associated_data, plaintext):
    ephemeral = random_bytes(32)
    enc, secret = bindings.crypto_scalarmult_base(ephemeral), diffie_hellman(ephemeral, public)
    if secret is None:
        raise Refused("invalidArgument", detail="recipient of low order")
    _, key, nonce = hpke_keys(secret, enc, public)
    return enc + bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associated_data, nonce, key)


def hpke_open(private, associated_data, wrapped, trace):
    enc = wrapped[:32]
    secret = diffie_hellman(private, enc)
    if secret is None:
        raise Refused("unwrapFailed", detail="low order")
    shared, key, nonce = hpke_keys(secret, enc, bindings.crypto_scalarmult_base(private))
    trace.update(sharedSecret=shared, hpkeKey=key, hpkeNonce=nonce)
    decrypt = bindings.crypto_aead_chacha20poly1305_ietf_decrypt
    return unwrapped(decrypt, wrapped[32:], associated_data, nonce, key)


def xwing_seal(public, associated_data, plaintext):
    encapsulated = xwing.encapsulate(public, random_bytes(64))
    if encapsulated is None:
        raise Refused("invalidArgument", detail="recipient of low order")
    shared, enc = encapsulated
    key, nonce = message_keys(MLKEM768_X25519, shared)
    return enc + bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associated_data, nonce, key)


def xwing_open(seed, associated_data, wrapped, trace):
    if not has_xwing:
        raise Refused("unsupportedSuite", detail="X-Wing")
    shared = xwing.decapsulate(seed, wrapped[: xwing.CIPHERTEXT])
    if shared is None:
        raise Refused("unwrapFailed", detail="low order")
    key, nonce = message_keys(MLKEM768_X25519, shared)
    trace.update(sharedSecret=shared, hpkeKey=key, hpkeNonce=nonce)
    decrypt = bindings.crypto_aead_chacha20poly1305_ietf_decrypt
    return unwrapped(decrypt, wrapped[xwing.CIPHERTEXT :], associated_data, nonce, key)


def wrap_to_public_key(public, key_id, pairs, data_key):
    """The length of the public key determines the scheme."""
    scheme, seal = (XWING, xwing_seal) if len(public) == xwing.PUBLIC else (RECIPIENT, hpke_seal)
    return seal(public, wrap_associated_data(key_id, pairs, scheme), data_key)


def recipient_text(key_id, public):
    identifier, number = key_id.split(".")
    data = from_text(identifier) + u32(int(number)) + public
    prefix = "er2:" if len(public) == xwing.PUBLIC else "er1:"
    return prefix + to_text(data + blake2b(256, data, personal=b"EK recipient")[:4])


class Recipient:
    """Wraps and holds no key."""

    def __init__(self, text):
        if text[:4] not in ("er1:", "er2:"):
            raise Refused("invalidArgument", detail="recipient: prefix")
        self.scheme, length = (XWING, xwing.PUBLIC) if text[:4] == "er2:" else (RECIPIENT, 32)
        data = from_text(text[4:], "invalidArgument")
        if len(data) != 17 + length or not same(blake2b(256, data[:-4], personal=b"EK recipient")[:4], data[-4:]):
            raise Refused("invalidArgument", detail="recipient: length or check")
        number, self.public = int.from_bytes(data[9:13], "big"), data[13:-4]
        if number == 0 or diffie_hellman(b"\x01" * 32, self.public[-32:]) is None:
            raise Refused("invalidArgument", detail="recipient: version or low order")
        if int.from_bytes(self.public[-32:], "little") >= 2**255 - 19:
            raise Refused("invalidArgument", detail="recipient: not the key's own bytes")
        if self.scheme == XWING and not mlkem768.is_public_key(self.public[:-32]):
            raise Refused("invalidArgument", detail="recipient: not a key of ML-KEM-768")
        self.key_id = f"{to_text(data[:9])}.{number}"

    def wrap(self, pairs, data_key, key=None):
        return self.scheme, self.key_id, wrap_to_public_key(self.public, self.key_id, pairs, data_key)


# Wrapping by a passphrase


def passphrase_key(passphrase, salt, log2, passes):
    """Argon2id."""
    return bindings.crypto_pwhash_alg(
        32, passphrase, salt, passes, 1024 << log2, bindings.crypto_pwhash_ALG_ARGON2ID13
    )


class Passphrase:
    """A holder of one passphrase. `cost` is that of new entries: lower than the format's for tests alone."""

    def __init__(self, passphrase, cost=(18, 3)):
        if not 1 <= len(passphrase) <= 1 << 20:
            raise Refused("invalidArgument", detail="passphrase")
        self.passphrase, self.cost = passphrase, cost

    def wrap(self, pairs, data_key, key=None):
        key_id, salt = to_text(random_bytes(9)), random_bytes(16)
        key = passphrase_key(self.passphrase, salt, *self.cost)
        associated_data = wrap_associated_data(key_id, pairs, PASSPHRASE)
        return PASSPHRASE, key_id, bytes(self.cost) + salt + seal_24(key, associated_data, data_key)

    def held(self, entries):
        return [entry for entry in entries if entry[0] == PASSPHRASE]

    def rank(self, entry):
        return 0

    def unwrap(self, entry, pairs, trace):
        _, key_id, wrapped = entry
        log2, passes = wrapped[:2]
        if not 3 <= log2 <= 20 or passes < 1 or passes << log2 > 1 << 22:
            raise Refused("malformed", detail="cost of a passphrase")
        key = passphrase_key(self.passphrase, wrapped[2:18], log2, passes)
        trace.update(passphraseKey=key)
        return open_24(key, wrap_associated_data(key_id, pairs, PASSPHRASE), wrapped[18:])


# Key store


SCHEME_OF = {"keyset": KEYSET, "identity": RECIPIENT, "xwing-identity": XWING}


class Key:
    """A keyset, an identity of either kind, or what is left of one."""

    def __init__(self, kind, primary=0, destroyed=None):
        self.kind, self.primary, self.destroyed = kind, primary, destroyed
        self.disabled, self.pending, self.minimum, self.rotation = False, None, 1, None
        self.operations, self.functions, self.scopes = ("wrap", "unwrap"), None, None
        # The secrets by the version's number: the whole one, or one for each scope, None where it is not here.
        self.versions = {}

    def public_key(self, number):
        public_key = xwing.public_key if self.kind == "xwing-identity" else bindings.crypto_scalarmult_base
        return public_key(self.versions[number][0])

    def check_exists(self):
        if self.destroyed is not None or self.pending is not None and self.pending <= now():
            raise Refused("keyNotFound", detail="destroyed")

    def check(self, operation, number, function):
        """Refuses for the first reason that applies; gives the secret, narrowed or private."""
        self.check_exists()
        if self.pending is not None:
            raise Refused("keyInvalidState")
        if self.disabled:
            raise Refused("keyDisabled")
        if operation not in self.operations or self.functions is not None and function not in self.functions:
            raise Refused("keyAccessDenied")
        if number < self.minimum:
            raise Refused("keyVersionTooOld")
        secrets = self.versions[number]
        if self.kind != "keyset":
            return secrets[0]
        if self.scopes is None:
            return narrow_to(secrets[0], function)
        if function not in self.scopes:
            raise Refused("keyNotFound", detail="narrowed to other functions")
        secret = secrets[self.scopes.index(function)]
        if secret is None:
            raise Refused("keyNotFound", detail="narrowed, without this version for the function")
        return secret


class Store:
    def __init__(self, text):
        """Reads the text of a key store; what the format does not allow is damaged."""
        self.keys, self.aliases, self.default, self.audit = {}, {}, None, None
        if len(text.encode("utf-8", "surrogateescape")) > 1 << 22:
            self.damaged("too long")
        self.lines = text.split("\n")
        if len(self.lines) > 1 and self.lines[0] not in ("envelope-keys 1", "envelope-keys 2"):
            raise Refused("unsupportedVersion", detail="first line")
        if self.lines[-2:] != ["end", ""]:
            self.damaged("last line")
        second = self.lines[0] == "envelope-keys 2"
        self.lines = self.lines[1:-2][::-1]
        while self.next_is("keyset", *(("identity", "xwing-identity", "destroyed") if second else ())):
            self.take_key(second)
        if second and self.next_is("audit"):
            (secret,) = self.fields(1)
            self.audit = self.secrets(secret, 1)[0]
        while self.next_is("alias"):
            alias, identifier = self.fields(2)
            if not ALIAS.fullmatch(alias) or alias in self.aliases or alias in self.keys:
                self.damaged("alias")
            if identifier not in self.keys:
                self.damaged("alias of none")
            self.aliases[alias] = identifier
        if self.next_is("default"):
            (self.default,) = self.fields(1)
            if self.default not in self.keys:
                self.damaged("default")
        if self.lines or len(self.keys) > 1024 or (self.default is None) != (not self.keys):
            self.damaged("lines")

    def take_key(self, second):
        kind = self.word()
        if kind == "destroyed":
            identifier, kind, seconds = self.fields(3)
            key = Key(kind, destroyed=self.number(seconds, 0, 64))
            if kind not in SCHEME_OF:
                self.damaged("kind")
        else:
            identifier, primary = self.fields(2)
            key = Key(kind, primary=self.number(primary, 1, 32))
            if second:
                self.take_attributes(key)
            self.take_versions(key)
        if len(identifier) != 12 or identifier in self.keys:
            self.damaged("id")
        from_text(identifier, "keyStoreDamaged")
        self.keys[identifier] = key

    def take_attributes(self, key):
        if self.next_is("state"):
            if self.lines[-1] == "state disabled":
                self.lines.pop()
                key.disabled = True
            else:
                word, seconds = self.fields(2)
                if word != "pending":
                    self.damaged("state")
                key.pending = self.number(seconds, 0, 64)
        if self.next_is("minimum"):
            key.minimum = self.number(*self.fields(1), 2, 32)
        if self.next_is("rotation"):
            key.rotation = self.number(*self.fields(1), 1, 32)
            if key.rotation > 2560:
                self.damaged("rotation")
        if self.next_is("operations"):
            key.operations = tuple(self.fields(1))
            if key.operations[0] not in ("wrap", "unwrap"):
                self.damaged("operations")
        key.functions = self.take_scopes("function")
        key.scopes = self.take_scopes("narrowed")
        if key.minimum > key.primary or key.scopes and key.kind != "keyset":
            self.damaged("minimum, or a narrowed identity")

    def take_scopes(self, word):
        scopes = []
        while self.next_is(word):
            scopes.append(self.scope(*self.fields(1)))
        order = [b"" if scope is None else scope for scope in scopes]
        if len(scopes) > 256 or any(a >= b for a, b in zip(order, order[1:])):
            self.damaged(word)
        return scopes or None

    def scope(self, text):
        if text == "-":
            return None
        name = from_text(text, "keyStoreDamaged")
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            self.damaged("scope")
        if not 1 <= len(name) <= 1024:
            self.damaged("scope")
        return name

    def take_versions(self, key):
        last = 0
        while self.next_is("version"):
            number, created, secret, *functions = self.fields(3, 4)
            number, _ = self.number(number, 1, 32), self.number(created, 0, 64)
            scopes, marks = key.scopes or [], functions[0] if functions else "1" * len(key.scopes or [None])
            if functions and (len(marks) != len(scopes) or set(marks) != {"0", "1"}):
                self.damaged("functions of a version")
            if number <= last:
                self.damaged("version")
            last = number
            held = iter(self.secrets(secret, marks.count("1")))
            key.versions[number] = [next(held) if mark == "1" else None for mark in marks]
        if key.primary not in key.versions or len(key.versions) > 1024:
            self.damaged("primary")
        if not all(any(secrets) for secrets in zip(*key.versions.values())):
            self.damaged("a function without a version")

    @staticmethod
    def damaged(detail):
        raise Refused("keyStoreDamaged", detail=detail)

    def word(self):
        return self.lines[-1].split(" ")[0] if self.lines else None

    def next_is(self, *words):
        return self.word() in words

    def fields(self, *counts):
        fields = self.lines.pop().split(" ")[1:]
        if len(fields) not in counts or not all(fields):
            self.damaged("fields")
        return fields

    def number(self, text, least, bits):
        if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII) or not least <= int(text) < 2**bits:
            self.damaged("number")
        return int(text)

    def secrets(self, text, count):
        data = from_text(text, "keyStoreDamaged")
        if len(data) != 32 * count:
            self.damaged("secret")
        return [data[32 * n : 32 * n + 32] for n in range(count)]

    def named(self, key_id):
        """The key and the version that an entry's key id names, whether the version is here or not."""
        identifier, dot, number = key_id.partition(".")
        if not dot or identifier not in self.keys or not re.fullmatch(r"[1-9][0-9]{0,9}", number, re.ASCII):
            return None, None
        return (self.keys[identifier], int(number)) if int(number) < 2**32 else (None, None)

    def rank(self, entry):
        """The place of the entry's key: the default first, the others in the store's order, identities after all."""
        key, _ = self.named(entry[1])
        order = [self.default] + [identifier for identifier in self.keys if identifier != self.default]
        identifier = next(identifier for identifier, other in self.keys.items() if other is key)
        return order.index(identifier) + (len(order) if key.kind != "keyset" else 0)

    def held(self, entries):
        """The entries that a key is held for, in the order in which they are tried."""
        held = []
        for entry in entries:
            key, number = self.named(entry[1])
            if key is None or entry[0] != SCHEME_OF[key.kind]:
                continue
            try:
                key.check_exists()
            except Refused:
                held.append(entry)
                continue
            if number in key.versions:
                held.append(entry)
        return sorted(held, key=lambda entry: entry[0] in ANONYMOUS)

    def unwrap(self, entry, pairs, trace):
        scheme, key_id, wrapped = entry
        key, number = self.named(key_id)
        secret = key.check("unwrap", number, function_of(pairs))
        associated_data = wrap_associated_data(key_id, pairs, scheme)
        if scheme in ANONYMOUS:
            return (xwing_open if scheme == XWING else hpke_open)(secret, associated_data, wrapped, trace)
        trace.update(narrowed=secret)
        return open_24(secret, associated_data, wrapped)

    def wrap(self, pairs, data_key, key=None):
        """An entry of a key by its alias or id, or of the default."""
        identifier = self.aliases.get(key, key) if key is not None else self.default
        if identifier not in self.keys:
            raise Refused("keyNotFound")
        key = self.keys[identifier]
        key_id, secret = f"{identifier}.{key.primary}", key.check("wrap", key.primary, function_of(pairs))
        if key.kind != "keyset":
            return SCHEME_OF[key.kind], key_id, wrap_to_public_key(key.public_key(key.primary), key_id, pairs, data_key)
        return KEYSET, key_id, seal_24(secret, wrap_associated_data(key_id, pairs), data_key)


# Header and key schedule


class Header:
    """A header's parts; `raw` are its bytes."""


LOG2_OF_CHUNK = range(12, 21)
WRAPPED_LENGTH = {KEYSET: (72, 72), RECIPIENT: (80, 80), AWS_KMS: (1, 6144), PASSPHRASE: (90, 90), XWING: (1168, 1168)}


def parse_header(reader, kind):
    header, start = Header(), reader.at
    if reader.take(2) != b"EK":
        raise Refused("malformed", detail="magic")
    version, header.kind, header.suite = reader.take(3)
    if version != 1 or not 1 <= header.kind <= 5:
        raise Refused("unsupportedVersion", detail="version or kind")
    if header.suite not in (XCHACHA20, AEGIS_256):
        raise Refused("unsupportedSuite", detail="suite")
    if header.kind != kind:
        raise Refused("malformed", detail="kind in the wrong place")
    if header.suite == AEGIS_256 and kind in (ENVIRONMENT, PACKED):
        raise Refused("malformed", detail="not a suite of environments")
    header.parameters = reader.take(1) if kind == FILE else b""
    if kind == FILE and header.parameters[0] not in LOG2_OF_CHUNK:
        raise Refused("malformed", detail="chunk size")
    header.salt = reader.take(16)
    header.context_check = reader.take(4)
    count = reader.integer(1)
    if not 1 <= count <= 16:
        raise Refused("malformed", detail="keyCount")
    header.entries = []
    for _ in range(count):
        scheme = reader.integer(1)
        key_id = reader.take(reader.integer(1))
        if not key_id or any(not 0x21 <= byte <= 0x7E for byte in key_id):
            raise Refused("malformed", detail="key id")
        wrapped = reader.take(reader.integer(2))
        least, most = WRAPPED_LENGTH.get(scheme, (1, 65535))
        if not least <= len(wrapped) <= most:
            raise Refused("malformed", detail="wrapped length")
        header.entries.append((scheme, key_id.decode("ascii"), wrapped))
    if len({key_id for _, key_id, _ in header.entries}) != count:
        raise Refused("malformed", detail="key id twice")
    if kind == RECORDS and any(scheme == PASSPHRASE for scheme, _, _ in header.entries):
        raise Refused("malformed", detail="records under a passphrase")
    if count > 1 and any(scheme == PASSPHRASE for scheme, _, _ in header.entries):
        raise Refused("malformed", detail="passphrase beside others")
    header.commitment = reader.take(32)
    header.before_tag = reader.data[start : reader.at]
    header.tag = reader.take(16)
    header.raw = reader.data[start : reader.at]
    return header


def context_check(salt, canonical):
    return blake2b(256, canonical, salt=salt, personal=b"EK context")[:4]


def prefix_of(kind, suite=XCHACHA20, parameters=b""):
    return b"EK\x01" + bytes([kind, suite]) + parameters


class Schedule:
    def __init__(self, data_key, prefix, salt, canonical):
        self.okm = blake2b(
            512, lp16(canonical) + prefix + salt, key=data_key, salt=salt, personal=b"EnvelopeKit v1"
        )
        self.root_key, self.commitment = self.okm[:32], self.okm[32:]
        self.payload_key, self.header_key, self.manifest_key, self.plain_key = (
            blake2b(256, key=self.root_key, personal=personal)
            for personal in (b"EK payload", b"EK header", b"EK manifest", b"EK plain")
        )

    def header_tag(self, before_tag):
        return blake2b(128, before_tag, key=self.header_key)


def unlock(header, holder, pairs, trace, anonymous=False, envelope_kind=None):
    """Steps 2 to 4 of unlocking a header: the key schedule and the key id it was unlocked by.

    `anonymous` accepts an anonymous sender, as does every locked key store.
    """
    envelope_kind = envelope_kind or ENVELOPE_KIND[header.kind]
    canonical, wrapping = canonical_context(pairs), wrapping_context(pairs, envelope_kind)
    trace.update(canonical=canonical, wrappingCanonical=canonical_form(wrapping))
    trace.update(salt=header.salt, contextCheck=context_check(header.salt, canonical))
    if not same(header.context_check, trace["contextCheck"]):
        raise Refused("contextDiffers")
    candidates = holder.held(header.entries)
    if not candidates:
        raise Refused("keyNotFound")
    reasons, unwraps = [], False
    for entry in candidates:
        own = {}
        try:
            data_key = holder.unwrap(entry, wrapping, own)
        except Refused as refused:
            reasons.append((holder.rank(entry), refused))
            continue
        unwraps = True
        schedule = Schedule(data_key, prefix_of(header.kind, header.suite, header.parameters), header.salt, canonical)
        if same(schedule.commitment, header.commitment):
            break
    else:
        # By key, of each key in the order of its entries; a key that is missing says less than one that fails.
        reasons = [refused for _, refused in sorted(reasons, key=lambda reason: reason[0])]
        failures = [refused for refused in reasons if refused.code != "keyNotFound"] or reasons
        reason = failures[0] if failures else None
        if reason is None or unwraps and reason.code in ("keyNotFound", "unwrapFailed"):
            raise Refused("headerAltered")
        raise reason
    trace_schedule(trace, schedule, entry[1], own, data_key, header)
    if not same(schedule.header_tag(header.before_tag), header.tag):
        raise Refused("headerAltered")
    if entry[0] in ANONYMOUS and not anonymous and envelope_kind != KEY_STORE:
        raise Refused("anonymousSender")
    return schedule, entry[1]


def trace_schedule(trace, schedule, key_id, own, data_key, header):
    trace.update(
        own,
        keyId=key_id.encode("ascii"),
        dataKey=data_key,
        okm=schedule.okm,
        rootKey=schedule.root_key,
        commitment=schedule.commitment,
        payloadKey=schedule.payload_key,
        headerKey=schedule.header_key,
        manifestKey=schedule.manifest_key,
        plainKey=schedule.plain_key,
        headerTag=schedule.header_tag(header.before_tag),
    )


def make_header(kind, holder, pairs, key=None, envelope_kind=None, suite=XCHACHA20, parameters=b""):
    """A header wrapped by a holder of keys: its bytes and key schedule."""
    data_key, canonical = random_bytes(32), canonical_context(pairs)
    entry = holder.wrap(wrapping_context(pairs, envelope_kind or ENVELOPE_KIND[kind]), data_key, key)
    return assemble_header(prefix_of(kind, suite, parameters), data_key, [entry], canonical)


def assemble_header(prefix, data_key, entries, canonical):
    salt = random_bytes(16)
    schedule = Schedule(data_key, prefix, salt, canonical)
    before_tag = (
        prefix
        + salt
        + context_check(salt, canonical)
        + bytes([len(entries)])
        + b"".join(
            bytes([scheme, len(key_id)]) + key_id.encode("ascii") + lp16(wrapped)
            for scheme, key_id, wrapped in entries
        )
        + schedule.commitment
    )
    return before_tag + schedule.header_tag(before_tag), schedule


# Values


def seal_value(holder, pairs, associated_data, plaintext, key=None, envelope_kind=None, suite=XCHACHA20):
    header, schedule = make_header(VALUE, holder, pairs, key, envelope_kind, suite)
    return "ek1:" + to_text(header + seal_payload(schedule, associated_data, plaintext, suite))


# Of each suite: the function that encrypts, the one that decrypts, and the lengths of the nonce and the tag.
PAYLOAD_CIPHER = {
    XCHACHA20: (
        bindings.crypto_aead_xchacha20poly1305_ietf_encrypt, bindings.crypto_aead_xchacha20poly1305_ietf_decrypt, 24, 16,
    ),
    AEGIS_256: (bindings.crypto_aead_aegis256_encrypt, bindings.crypto_aead_aegis256_decrypt, 32, 32),
}  # fmt: skip


def seal_payload(schedule, associated_data, plaintext, suite=XCHACHA20):
    encrypt, _, nonce_length, _ = PAYLOAD_CIPHER[suite]
    nonce = random_bytes(nonce_length)
    return nonce + encrypt(plaintext, associated_data, nonce, schedule.payload_key)


def take_payload(reader, suite=XCHACHA20):
    sealed = reader.rest()
    _, _, nonce_length, tag_length = PAYLOAD_CIPHER[suite]
    if len(sealed) < nonce_length + tag_length:
        raise Refused("malformed", detail="payload too short")
    return sealed


def open_payload(schedule, associated_data, sealed, suite=XCHACHA20):
    _, decrypt, nonce_length, _ = PAYLOAD_CIPHER[suite]
    nonce, ciphertext = sealed[:nonce_length], sealed[nonce_length:]
    try:
        return decrypt(ciphertext, associated_data, nonce, schedule.payload_key)
    except CryptoError:
        raise Refused("payloadAltered")


def open_value(holder, pairs, associated_data, envelope, trace, anonymous=False, envelope_kind=None):
    reader = Reader(envelope)
    header = parse_header(reader, VALUE)
    sealed = take_payload(reader, header.suite)
    if header.suite == AEGIS_256 and not has_aegis_256:
        raise Refused("unsupportedSuite", detail="AEGIS-256")
    schedule, key_id = unlock(header, holder, pairs, trace, anonymous, envelope_kind)
    return open_payload(schedule, associated_data, sealed, header.suite), key_id


# Files

# Of each suite: the function that encrypts a chunk, the one that decrypts it, and the lengths of the nonce and the tag.
CHUNK_CIPHER = {
    XCHACHA20: (
        bindings.crypto_aead_chacha20poly1305_ietf_encrypt, bindings.crypto_aead_chacha20poly1305_ietf_decrypt, 12, 16,
    ),
    AEGIS_256: PAYLOAD_CIPHER[AEGIS_256],
}  # fmt: skip


def chunk_nonce(suite, number, is_last):
    return (u64(number) + bytes([1 if is_last else 0])).rjust(CHUNK_CIPHER[suite][2], b"\x00")


def seal_chunk(schedule, suite, number, is_last, plaintext):
    encrypt = CHUNK_CIPHER[suite][0]
    return encrypt(plaintext, b"", chunk_nonce(suite, number, is_last), schedule.payload_key)


def open_chunk(schedule, suite, number, is_last, sealed):
    decrypt = CHUNK_CIPHER[suite][1]
    try:
        return decrypt(sealed, b"", chunk_nonce(suite, number, is_last), schedule.payload_key)
    except CryptoError:
        raise Refused("payloadAltered", detail=f"chunk {number}")


def split(data, size):
    """The pieces of `size` bytes and the last, shorter one; one empty piece if there are no bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)] or [b""]


def seal_chunks(schedule, suite, size, plaintext):
    pieces = split(plaintext, size)
    return [seal_chunk(schedule, suite, n, n == len(pieces) - 1, piece) for n, piece in enumerate(pieces)]


def seal_file(holder, pairs, plaintext, key=None, suite=XCHACHA20, log2=16):
    if log2 not in LOG2_OF_CHUNK:
        raise Refused("invalidArgument", detail="chunk size")
    header, schedule = make_header(FILE, holder, pairs, key, suite=suite, parameters=bytes([log2]))
    return header + b"".join(seal_chunks(schedule, suite, 1 << log2, plaintext))


def open_file(holder, pairs, file, trace, anonymous=False):
    """The plaintext and the key id. `verified` in the trace is the plaintext of the chunks that verified, in order."""
    trace["verified"] = b""
    reader = Reader(file)
    header = parse_header(reader, FILE)
    if header.suite == AEGIS_256 and not has_aegis_256:
        raise Refused("unsupportedSuite", detail="AEGIS-256")
    schedule, key_id = unlock(header, holder, pairs, trace, anonymous)
    tag_length = CHUNK_CIPHER[header.suite][3]
    chunks = split(reader.rest(), (1 << header.parameters[0]) + tag_length)
    for number, chunk in enumerate(chunks):
        if len(chunk) < tag_length + (1 if number > 0 else 0):
            raise Refused("malformed", detail=f"chunk {number} is too short")
        trace["verified"] += open_chunk(schedule, header.suite, number, number == len(chunks) - 1, chunk)
    return trace["verified"], key_id


# Environments


def valid_name(name):
    return bool(NAME.fullmatch(name)) and len(name) <= 255 and name not in (HEADER_NAME, SEALED_NAME)


def check_values(values):
    if len(values) > 65535 or not all(valid_name(name) for name in values):
        raise Refused("invalidArgument", detail="names")


def next_generation(previous):
    generation = now() if previous is None else max(previous + 1, now())
    if generation > 0xFFFFFFFF:
        raise Refused("invalidArgument", detail="generation")
    return generation


def seal_variable(schedule, name, value):
    nonce = random_bytes(12)
    return nonce + bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
        value, name.encode("ascii"), nonce, schedule.payload_key
    )


# Plain variables

TAG_LENGTH, MOST_TAGS = 16, 4095


def name_tag(schedule, name):
    return blake2b(128, b"\x00" + name.encode("utf-8"), key=schedule.plain_key)[:4]


def plain_tag(schedule, name, value):
    message = b"\x01" + lp16(name.encode("utf-8")) + value.encode("utf-8")
    return name_tag(schedule, name) + blake2b(128, message, key=schedule.plain_key)[:12]


def plain_tags(schedule, plain):
    """`plain` of the format, for plain variables by their names."""
    return b"".join(sorted(plain_tag(schedule, name, value) for name, value in plain.items()))


def split_tags(data):
    tags = [data[at : at + TAG_LENGTH] for at in range(0, len(data), TAG_LENGTH)]
    if len(data) % TAG_LENGTH or len(tags) > MOST_TAGS:
        raise Refused("malformed", detail="length of the tags of plain variables")
    if any(a >= b for a, b in zip(tags, tags[1:])):
        raise Refused("malformed", detail="order of the tags of plain variables")
    return tags


def is_plain(name, text):
    return name not in (HEADER_NAME, SEALED_NAME) and not text.startswith("ev1:")


def check_plain(values, plain):
    """What a writer refuses."""
    if len(plain) > MOST_TAGS or not plain.keys().isdisjoint(values):
        raise Refused("invalidArgument", detail="plain variables: too many, or sealed as well")
    for name, text in plain.items():
        if not is_plain(name, text) or len(name.encode("utf-8")) > 65535:
            raise Refused("invalidArgument", detail="a plain variable's name or value")


def compare_plain(schedule, tags, plain, values, allowed):
    """Refuses unless the plain variables of a document are those that were sealed with it."""
    present = set(tags)
    mine = {name: plain_tag(schedule, name, text) for name, text in plain.items() if len(name.encode("utf-8")) < 65536}
    may_differ = {name_tag(schedule, name) for name in allowed}
    without_tag = {name for name in plain if name not in allowed and mine.get(name) not in present}
    without_variable = present - set(mine.values())
    if without_tag or not plain.keys().isdisjoint(values) or any(tag[:4] not in may_differ for tag in without_variable):
        added = sorted(without_tag - set(were_plain(schedule, tags, without_tag)))
        raise Refused("plainVariablesAltered", without_tag | plain.keys() & values.keys(), f"added: {added}")


def were_plain(schedule, tags, names):
    """The names that have a tag, whatever their value."""
    name_tags = {tag[:4] for tag in tags}
    return [name for name in names if name_tag(schedule, name) in name_tags]


# Both forms


def manifest(schedule, generation, sealed, tags=b""):
    message = u32(generation) + u16(len(sealed)) + lp16(tags)
    for name in sorted(sealed, key=lambda name: name.encode("utf-8")):
        message += lp16(name.encode("utf-8")) + lp32(sealed[name])
    return blake2b(256, message, key=schedule.manifest_key)


def seal_separate(holder, pairs, values, key=None, previous=None, plain=None):
    plain = plain or {}
    check_values(values)
    check_plain(values, plain)
    header, schedule = make_header(ENVIRONMENT, holder, pairs, key)
    sealed = {name: seal_variable(schedule, name, value) for name, value in values.items()}
    tags = plain_tags(schedule, plain)
    return plain | separate_variables(header, schedule, next_generation(previous), sealed, tags)


def separate_variables(header, schedule, generation, sealed, tags=b"", sealed_manifest=None):
    sealed_manifest = sealed_manifest or manifest(schedule, generation, sealed, tags)
    trailer = u32(generation) + u16(len(sealed)) + sealed_manifest + tags
    variables = {name: "ev1:" + to_text(data) for name, data in sealed.items()}
    variables[HEADER_NAME] = "ek1:" + to_text(header + trailer)
    return variables


def open_separate(holder, pairs, variables, trace, document, anonymous):
    reader = Reader(from_variable_text(variables[HEADER_NAME]))
    header = parse_header(reader, ENVIRONMENT)
    generation, count, expected, tags = reader.integer(4), reader.integer(2), reader.take(32), reader.rest()
    trace["plainTags"] = tags
    tags = split_tags(tags)
    sealed = {}
    for name, text in sorted(variables.items(), key=lambda item: item[0].encode("utf-8")):
        if name == HEADER_NAME or not text.startswith("ev1:"):
            continue
        if not valid_name(name):
            raise Refused("malformed", detail="name")
        try:
            sealed[name] = from_text(text.removesuffix("\n")[4:])
        except Refused:
            raise Refused("malformed", [name], "base64url")
        if len(sealed[name]) < 12 + 16:
            raise Refused("malformed", [name], "sealed variable too short")
    if len(sealed) > 65535:
        raise Refused("malformed", detail="too many sealed variables")
    schedule, key_id = unlock(header, holder, pairs, trace, anonymous)
    values, altered = {}, []
    for name, data in sealed.items():
        try:
            values[name] = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
                data[12:], name.encode("ascii"), data[:12], schedule.payload_key
            )
        except CryptoError:
            altered.append(name)
    trace["manifest"] = manifest(schedule, generation, sealed, trace["plainTags"])
    if altered:
        raise Refused("variablesAltered", altered)
    if len(sealed) > count:
        raise Refused("variablesAdded")
    if len(sealed) < count:
        plain = {name for name, text in variables.items() if document and is_plain(name, text)}
        raise Refused("variablesMissing", plain - set(were_plain(schedule, tags, plain)))
    if not same(trace["manifest"], expected):
        raise Refused("variablePutBack")
    return values, generation, key_id, schedule, tags


def pack(values, tags=b""):
    plaintext = lp16(tags) + u16(len(values))
    for name in sorted(values, key=lambda name: name.encode("utf-8")):
        if len(values[name]) > 65535:
            raise Refused("invalidArgument", detail="value too long to pack")
        plaintext += lp16(name.encode("ascii")) + lp16(values[name])
    return plaintext


def seal_packed(holder, pairs, values, key=None, previous=None, plain=None):
    plain = plain or {}
    check_values(values)
    check_plain(values, plain)
    header, schedule = make_header(PACKED, holder, pairs, key)
    plaintext = pack(values, plain_tags(schedule, plain))
    return plain | packed_variables(header, schedule, next_generation(previous), plaintext)


def packed_variables(header, schedule, generation, plaintext):
    payload = seal_payload(schedule, u32(generation), plaintext)
    return {SEALED_NAME: "ek1:" + to_text(header + u32(generation) + payload)}


def open_packed(holder, pairs, variables, trace, anonymous):
    reader = Reader(from_variable_text(variables[SEALED_NAME]))
    header = parse_header(reader, PACKED)
    generation, sealed = reader.integer(4), take_payload(reader)
    schedule, key_id = unlock(header, holder, pairs, trace, anonymous)
    plaintext = open_payload(schedule, u32(generation), sealed)
    trace["packedPlaintext"] = plaintext
    reader, values, last = Reader(plaintext), {}, None
    trace["plainTags"] = reader.take(reader.integer(2))
    tags = split_tags(trace["plainTags"])
    for _ in range(reader.integer(2)):
        name = reader.take(reader.integer(2))
        if last is not None and name <= last:
            raise Refused("malformed", detail="names out of order")
        last = name
        name = name.decode("latin-1")
        if not valid_name(name):
            raise Refused("malformed", detail="name")
        values[name] = reader.take(reader.integer(2))
    reader.end()
    return values, generation, key_id, schedule, tags


def open_environment(
    holder, pairs, variables, minimum_generation=None, trace=None, document=False, allowed=(), anonymous=False
):
    """The values, the generation and the key id of an environment in either form.

    `document` compares the plain variables, except those in `allowed`.
    """
    trace = {} if trace is None else trace
    canonical_context(pairs)
    if SEALED_NAME in variables:
        if HEADER_NAME in variables:
            raise Refused("malformed", detail="both forms")
        if any(t.startswith("ev1:") for n, t in variables.items() if n != SEALED_NAME):
            raise Refused("malformed", detail="a sealed variable beside a packed environment")
        opened = open_packed(holder, pairs, variables, trace, anonymous)
    elif HEADER_NAME in variables:
        opened = open_separate(holder, pairs, variables, trace, document, anonymous)
    else:
        raise Refused("noHeader")
    values, generation, key_id, schedule, tags = opened
    if document:
        plain = {name: text for name, text in variables.items() if is_plain(name, text)}
        compare_plain(schedule, tags, plain, values, set(allowed))
    if minimum_generation is not None and generation < minimum_generation:
        raise Refused("staleGeneration")
    return values, generation, key_id


# Log of uses

LOG_LINE = re.compile(
    rb'(\{"entry":([1-9][0-9]{0,19})(?![0-9]).*),"chain":"([A-Za-z0-9_-]{43})"\}', re.DOTALL
)
CHECKPOINT = re.compile(r"(0|[1-9][0-9]{0,19}):([A-Za-z0-9_-]{43})", re.ASCII)


def parse_checkpoint(text):
    match = CHECKPOINT.fullmatch(text)
    if not match or int(match[1]) >= 2**64:
        raise Refused("invalidArgument", detail="checkpoint")
    return int(match[1]), from_text(match[2], "invalidArgument")


def verify_log(data, key, checkpoint=None):
    """The number and the chain of the last line; refuses with the number of the line that is not as it must be."""
    *lines, rest = data.split(b"\n")
    count, head = 0, bytes(32)
    found = checkpoint is None or checkpoint == (count, head)

    def altered(number):
        raise Refused("auditLogAltered", detail=str(number))

    for line in lines:
        match = LOG_LINE.fullmatch(line)
        if len(line) + 1 > 65536 or not match or int(match[2]) != count + 1:
            altered(count + 1)
        try:
            written = from_text(match[3].decode("ascii"))
        except Refused:
            altered(count + 1)
        count, head = count + 1, blake2b(256, head + match[1], key=key, personal=b"EK audit")
        if not same(written, head):
            altered(count)
        if checkpoint is not None and checkpoint[0] == count:
            found = checkpoint[1] == head
            if not found:
                altered(count)
    if rest or not found:
        altered(count + 1)
    return count, head


def log_line(number, time, operation, key_id, function, outcome, head, key):
    """A line and its chain."""

    def string(text):
        escape = lambda byte: b"\\" + bytes([byte]) if byte in b'"\\' else b"\\u00%02x" % byte
        return b'"' + b"".join(
            escape(byte) if byte in b'"\\\x7f' or byte < 0x20 else bytes([byte]) for byte in text.encode("utf-8")
        ) + b'"'

    identifier, dot, version = key_id.partition(".")
    body = b'{"entry":%d,"time":%d,"operation":' % (number, time) + string(operation) + b',"key":' + string(identifier)
    body += b',"version":' + version.encode("ascii") if dot else b""
    body += b',"function":' + string(function) if function is not None else b""
    body += b',"outcome":' + string(outcome)
    chain = blake2b(256, head + body, key=key, personal=b"EK audit")
    return body + b',"chain":"' + to_text(chain).encode("ascii") + b'"}\n', chain


# Command line


def holder_of(request):
    """Whoever opens or seals: a passphrase, a recipient, or a key store."""
    if "passphrase" in request:
        return Passphrase(from_text(request["passphrase"]), tuple(request.get("cost", (18, 3))))
    return Recipient(request["recipient"]) if "recipient" in request else Store(request["store"])


def run(command, request):
    global has_aegis_256, has_xwing
    if "lacks" in request:
        has_aegis_256, has_xwing = "aegis-256" not in request["lacks"], "x-wing" not in request["lacks"]
    trace = {}
    try:
        answer = perform(command, request, trace)
    except Refused as refused:
        answer = {"error": refused.code, "names": refused.names}
        if refused.detail:
            answer["detail"] = refused.detail
    if command == "explain":
        answer["explain"] = {name: data.hex() for name, data in trace.items()}
    return answer


def read_store(store):
    """All that a store says, but for its secrets: of these a hash that tells whether they are the same."""
    keys = {}
    for identifier, key in store.keys.items():
        digest = lambda secrets: blake2b(256, b"".join(filter(None, secrets)), personal=b"read-store").hex()
        scopes = lambda names: ["-" if name is None else to_text(name) for name in names or []]
        keys[identifier] = {
            "kind": key.kind, "primary": key.primary, "destroyed": key.destroyed, "disabled": key.disabled,
            "pending": key.pending, "minimum": key.minimum, "rotation": key.rotation,
            "operations": sorted(key.operations), "functions": scopes(key.functions), "narrowed": scopes(key.scopes),
            "versions": {number: digest(secrets) for number, secrets in key.versions.items()},
            "held": {
                number: [scope for scope, secret in zip(scopes(key.scopes), secrets) if secret is not None]
                for number, secrets in key.versions.items()
            },
        }  # fmt: skip
    return {"keys": keys, "aliases": store.aliases, "default": store.default, "audit": store.audit is not None}


def plain_text(value):
    try:
        return from_text(value).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalidArgument", detail="a plain value that is not UTF-8")


def perform(command, request, trace):
    if command == "recipient":
        # Of a text what it says, or of a store's identity the text.
        if "store" in request:
            store = Store(request["store"])
            key_id = f"{request['key']}.{store.keys[request['key']].primary}"
            public = store.keys[request["key"]].public_key(int(key_id[13:]))
            return {"recipient": recipient_text(key_id, public)}
        recipient = Recipient(request["recipient"])
        return {"key_id": recipient.key_id, "public": recipient.public.hex()}
    if command == "verify-log":
        checkpoint = parse_checkpoint(request["checkpoint"]) if "checkpoint" in request else None
        count, head = verify_log(from_text(request["log"]), from_text(request["key"]), checkpoint)
        return {"checkpoint": f"{count}:{to_text(head)}"}
    if command == "write-log":
        head, log = bytes(32), b""
        for number, use in enumerate(request["uses"], 1):
            line, head = log_line(number, *use, head, from_text(request["key"]))
            log += line
        return {"log": log.decode("utf-8")}
    if command == "read-store":
        return read_store(Store(request["store"]))
    holder, pairs = holder_of(request), request["context"]
    if command == "explain":
        command = "open-value" if "envelope" in request else "open-file" if "file" in request else "open"
    if command == "open":
        values, generation, key_id = open_environment(
            holder, pairs, request["variables"], request.get("minimum_generation"), trace,
            request.get("document", False), request.get("allow", ()), request.get("anonymous", False),
        )  # fmt: skip
        values = {name: to_text(value) for name, value in values.items()}
        return {"values": values, "generation": generation, "key_id": key_id}
    if command == "seal":
        values = {name: from_text(value) for name, value in request["values"].items()}
        plain = {name: plain_text(value) for name, value in request.get("plain", {}).items()}
        seal = {"separate": seal_separate, "packed": seal_packed}[request["form"]]
        previous = request.get("previous_generation")
        return {"variables": seal(holder, pairs, values, request.get("key"), previous, plain)}
    associated_data, kind = from_text(request.get("associated_data", "")), request.get("envelope_kind")
    if command == "open-value":
        envelope = from_envelope_text(request["envelope"])
        anonymous = request.get("anonymous", False)
        plaintext, key_id = open_value(holder, pairs, associated_data, envelope, trace, anonymous, kind)
        return {"plaintext": to_text(plaintext), "key_id": key_id}
    if command == "seal-value":
        plaintext = from_text(request["plaintext"])
        key, suite = request.get("key"), request.get("suite", XCHACHA20)
        return {"envelope": seal_value(holder, pairs, associated_data, plaintext, key, kind, suite)}
    if command == "open-file":
        file, anonymous = from_text(request["file"]), request.get("anonymous", False)
        canonical_context(pairs)
        plaintext, key_id = open_file(holder, pairs, file, trace, anonymous)
        return {"plaintext": to_text(plaintext), "key_id": key_id}
    if command == "seal-file":
        plaintext, key = from_text(request["plaintext"]), request.get("key")
        suite, log2 = request.get("suite", XCHACHA20), request.get("log2", 16)
        return {"file": to_text(seal_file(holder, pairs, plaintext, key, suite, log2))}
    raise SystemExit(__doc__)


def main(arguments):
    if arguments == ["serve"]:
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(run(request["command"], request)), flush=True)
    elif len(arguments) == 1:
        json.dump(run(arguments[0], json.load(sys.stdin)), sys.stdout, indent=2)
        print()
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

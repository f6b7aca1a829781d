#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of the envelope format, version 1, written from Docs/Format.md alone.

It exists to test the first. It is not meant for production: it does not wipe memory.

    envelope.py open | seal | open-value | seal-value | explain

reads one JSON object on standard input and writes one on standard output. With the argument
`serve` it reads one JSON object a line, {"command": ..., ...}, and answers each with a line.
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

VALUE, ENVIRONMENT, PACKED = 1, 2, 3
KEYSET, RECIPIENT, AWS_KMS, PASSPHRASE, OTHER_KEYRING = 1, 2, 3, 4, 0x7F
HEADER_NAME, SEALED_NAME = "ENVELOPE_HEADER", "ENVELOPE_SEALED"
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# Replaced by make_vectors.py, and by nothing else.
random_bytes = os.urandom
now = lambda: int(time.time())


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


# Encryption context


def canonical_context(pairs):
    """pairs: a dictionary, or a list of pairs."""
    items = list(pairs.items()) if isinstance(pairs, dict) else list(pairs)
    items = sorted((k.encode("utf-8"), v.encode("utf-8")) for k, v in items)
    if any(not k or not v for k, v in items):
        raise Refused("invalidArgument", detail="context: empty key or value")
    if len({k for k, _ in items}) != len(items):
        raise Refused("invalidArgument", detail="context: equal keys")
    if sum(4 + len(k) + len(v) for k, v in items) > 8192:
        raise Refused("invalidArgument", detail="context: too long")
    return b"".join(lp16(k) + lp16(v) for k, v in items)


# Key store


class Store:
    def __init__(self, text):
        """Reads the text of a key store; what the format does not allow is damaged."""
        self.keysets, self.primary, self.aliases, self.default = {}, {}, {}, None
        if len(text.encode("utf-8")) > 1 << 22:
            self.damaged("too long")
        lines = text.split("\n")
        if len(lines) > 1 and lines[0] != "envelope-keys 1":
            raise Refused("unsupportedVersion", detail="first line")
        if lines[-2:] != ["end", ""]:
            self.damaged("last line")
        at, lines = 0, lines[1:-2]
        while at < len(lines) and lines[at].startswith("keyset "):
            identifier, primary = self.fields(lines[at], 2)
            at += 1
            if len(identifier) != 12 or identifier in self.keysets:
                self.damaged("keyset id")
            from_text(identifier, "keyStoreDamaged")
            versions, last = {}, 0
            while at < len(lines) and lines[at].startswith("version "):
                number, created, secret = self.fields(lines[at], 3)
                at += 1
                number, _ = self.number(number, 1, 32), self.number(created, 0, 64)
                if number <= last or len(secret) != 43:
                    self.damaged("version")
                last = number
                versions[number] = from_text(secret, "keyStoreDamaged")
            self.keysets[identifier] = versions
            self.primary[identifier] = self.number(primary, 1, 32)
            if self.primary[identifier] not in versions or len(versions) > 1024:
                self.damaged("primary")
        while at < len(lines) and lines[at].startswith("alias "):
            alias, identifier = self.fields(lines[at], 2)
            at += 1
            if not ALIAS.fullmatch(alias) or alias in self.aliases or alias in self.keysets:
                self.damaged("alias")
            if identifier not in self.keysets:
                self.damaged("alias")
            self.aliases[alias] = identifier
        if at < len(lines) and lines[at].startswith("default "):
            (self.default,) = self.fields(lines[at], 1)
            at += 1
            if self.default not in self.keysets:
                self.damaged("default")
        if at != len(lines) or len(self.keysets) > 1024 or (self.default is None) != (not self.keysets):
            self.damaged("lines")

    @staticmethod
    def damaged(detail):
        raise Refused("keyStoreDamaged", detail=detail)

    def fields(self, line, count):
        fields = line.split(" ")[1:]
        if len(fields) != count or not all(fields):
            self.damaged("fields")
        return fields

    def number(self, text, least, bits):
        if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII) or not least <= int(text) < 2**bits:
            self.damaged("number")
        return int(text)

    def held(self):
        """Every secret by its key id."""
        return {
            f"{identifier}.{number}": secret
            for identifier, versions in self.keysets.items()
            for number, secret in versions.items()
        }

    def to_wrap(self, name=None):
        """The key id and the secret that wrap for an alias, an id, or by default."""
        identifier = self.aliases.get(name, name) if name is not None else self.default
        if identifier not in self.keysets:
            raise Refused("keyNotFound")
        number = self.primary[identifier]
        return f"{identifier}.{number}", self.keysets[identifier][number]


# Wrapping by a keyset


def narrow(secret, pairs):
    function = dict(pairs).get("function")
    message = b"\x00" if function is None else b"\x01" + lp16(function.encode("utf-8"))
    return blake2b(256, message, key=secret, personal=b"EK wrap")


def wrap_associated_data(key_id, canonical):
    return b"\x01" + lp16(key_id.encode("ascii")) + canonical


def wrap(secret, key_id, pairs, data_key):
    nonce = random_bytes(24)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        data_key, wrap_associated_data(key_id, canonical_context(pairs)), nonce, narrow(secret, pairs)
    )


def unwrap(secret, key_id, pairs, wrapped):
    """The data key, or nothing where it does not verify."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            wrapped[24:],
            wrap_associated_data(key_id, canonical_context(pairs)),
            wrapped[:24],
            narrow(secret, pairs),
        )
    except CryptoError:
        return None


# Header and key schedule


class Header:
    """A header's parts; `raw` are its bytes."""


WRAPPED_LENGTH = {KEYSET: (72, 72), RECIPIENT: (80, 80), AWS_KMS: (1, 6144), PASSPHRASE: (90, 90)}


def parse_header(reader, kind):
    header, start = Header(), reader.at
    if reader.take(2) != b"EK":
        raise Refused("malformed", detail="magic")
    version, header.kind, suite = reader.take(3)
    if version != 1 or suite != 1 or not 1 <= header.kind <= 5:
        raise Refused("unsupportedVersion", detail="version, kind or suite")
    if header.kind != kind:
        raise Refused("malformed", detail="kind in the wrong place")
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
    if count > 1 and any(scheme == PASSPHRASE for scheme, _, _ in header.entries):
        raise Refused("malformed", detail="passphrase beside others")
    header.commitment = reader.take(32)
    header.before_tag = reader.data[start : reader.at]
    header.tag = reader.take(16)
    header.raw = reader.data[start : reader.at]
    return header


def context_check(salt, canonical):
    return blake2b(256, canonical, salt=salt, personal=b"EK context")[:4]


def prefix_of(kind):
    return b"EK\x01" + bytes([kind]) + b"\x01"


class Schedule:
    def __init__(self, data_key, prefix, salt, canonical):
        self.okm = blake2b(
            512, lp16(canonical) + prefix + salt, key=data_key, salt=salt, personal=b"EnvelopeKit v1"
        )
        self.root_key, self.commitment = self.okm[:32], self.okm[32:]
        self.payload_key, self.header_key, self.manifest_key = (
            blake2b(256, key=self.root_key, personal=personal)
            for personal in (b"EK payload", b"EK header", b"EK manifest")
        )

    def header_tag(self, before_tag):
        return blake2b(128, before_tag, key=self.header_key)


def unlock(header, store, pairs, trace):
    """Steps 2 to 4 of unlocking a header: the key schedule and the key id it was unlocked by."""
    canonical = canonical_context(pairs)
    trace.update(canonical=canonical, salt=header.salt, contextCheck=context_check(header.salt, canonical))
    if not same(header.context_check, trace["contextCheck"]):
        raise Refused("contextDiffers")
    held = store.held()
    candidates = [
        (key_id, wrapped, held[key_id])
        for scheme, key_id, wrapped in header.entries
        if scheme == KEYSET and key_id in held
    ]
    if not candidates:
        raise Refused("keyNotFound")
    unwrapped = False
    for key_id, wrapped, secret in candidates:
        data_key = unwrap(secret, key_id, pairs, wrapped)
        if data_key is None:
            continue
        unwrapped = True
        schedule = Schedule(data_key, prefix_of(header.kind), header.salt, canonical)
        if same(schedule.commitment, header.commitment):
            break
    else:
        raise Refused("headerAltered" if unwrapped else "unwrapFailed")
    trace_schedule(trace, schedule, key_id, secret, pairs, data_key, header)
    if not same(schedule.header_tag(header.before_tag), header.tag):
        raise Refused("headerAltered")
    return schedule, key_id


def trace_schedule(trace, schedule, key_id, secret, pairs, data_key, header):
    trace.update(
        keyId=key_id.encode("ascii"),
        narrowed=narrow(secret, pairs),
        dataKey=data_key,
        okm=schedule.okm,
        rootKey=schedule.root_key,
        commitment=schedule.commitment,
        payloadKey=schedule.payload_key,
        headerKey=schedule.header_key,
        manifestKey=schedule.manifest_key,
        headerTag=schedule.header_tag(header.before_tag),
    )


def make_header(kind, keys, pairs):
    """A header wrapped for `keys`, a list of key ids and secrets: its bytes and key schedule."""
    data_key = random_bytes(32)
    entries = [(KEYSET, key_id, wrap(secret, key_id, pairs, data_key)) for key_id, secret in keys]
    return assemble_header(prefix_of(kind), data_key, entries, canonical_context(pairs))


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


def seal_value(store, pairs, associated_data, plaintext, key=None):
    header, schedule = make_header(VALUE, [store.to_wrap(key)], pairs)
    return "ek1:" + to_text(header + seal_payload(schedule, associated_data, plaintext))


def seal_payload(schedule, associated_data, plaintext):
    nonce = random_bytes(24)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, associated_data, nonce, schedule.payload_key
    )


def take_payload(reader):
    sealed = reader.rest()
    if len(sealed) < 24 + 16:
        raise Refused("malformed", detail="payload too short")
    return sealed


def open_payload(schedule, associated_data, sealed):
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[24:], associated_data, sealed[:24], schedule.payload_key
        )
    except CryptoError:
        raise Refused("payloadAltered")


def open_value(store, pairs, associated_data, envelope, trace):
    reader = Reader(envelope)
    header, sealed = parse_header(reader, VALUE), take_payload(reader)
    schedule, key_id = unlock(header, store, pairs, trace)
    return open_payload(schedule, associated_data, sealed), key_id


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


def manifest(schedule, generation, sealed, count=None):
    message = u32(generation) + u16(len(sealed) if count is None else count)
    for name in sorted(sealed, key=lambda name: name.encode("utf-8")):
        message += lp16(name.encode("utf-8")) + lp32(sealed[name])
    return blake2b(256, message, key=schedule.manifest_key)


def seal_separate(store, pairs, values, key=None, previous=None):
    check_values(values)
    header, schedule = make_header(ENVIRONMENT, [store.to_wrap(key)], pairs)
    sealed = {name: seal_variable(schedule, name, value) for name, value in values.items()}
    return separate_variables(header, schedule, next_generation(previous), sealed)


def separate_variables(header, schedule, generation, sealed):
    trailer = u32(generation) + u16(len(sealed)) + manifest(schedule, generation, sealed)
    variables = {name: "ev1:" + to_text(data) for name, data in sealed.items()}
    variables[HEADER_NAME] = "ek1:" + to_text(header + trailer)
    return variables


def open_separate(store, pairs, variables, trace):
    reader = Reader(from_envelope_text(variables[HEADER_NAME]))
    header = parse_header(reader, ENVIRONMENT)
    generation, count, expected = reader.integer(4), reader.integer(2), reader.take(32)
    reader.end()
    sealed = {}
    for name, text in sorted(variables.items(), key=lambda item: item[0].encode("utf-8")):
        if name == HEADER_NAME or not text.startswith("ev1:"):
            continue
        if not valid_name(name):
            raise Refused("malformed", detail="name")
        try:
            sealed[name] = from_text(text[4:])
        except Refused:
            raise Refused("malformed", [name], "base64url")
        if len(sealed[name]) < 12 + 16:
            raise Refused("malformed", [name], "sealed variable too short")
    if len(sealed) > 65535:
        raise Refused("malformed", detail="too many sealed variables")
    schedule, key_id = unlock(header, store, pairs, trace)
    values, altered = {}, []
    for name, data in sealed.items():
        try:
            values[name] = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
                data[12:], name.encode("ascii"), data[:12], schedule.payload_key
            )
        except CryptoError:
            altered.append(name)
    trace["manifest"] = manifest(schedule, generation, sealed)
    if altered:
        raise Refused("variablesAltered", altered)
    if len(sealed) > count:
        raise Refused("variablesAdded")
    if len(sealed) < count:
        raise Refused("variablesMissing")
    if not same(trace["manifest"], expected):
        raise Refused("variablePutBack")
    return values, generation, key_id


def pack(values):
    plaintext = u16(len(values))
    for name in sorted(values, key=lambda name: name.encode("utf-8")):
        if len(values[name]) > 65535:
            raise Refused("invalidArgument", detail="value too long to pack")
        plaintext += lp16(name.encode("ascii")) + lp16(values[name])
    return plaintext


def seal_packed(store, pairs, values, key=None, previous=None):
    check_values(values)
    header, schedule = make_header(PACKED, [store.to_wrap(key)], pairs)
    return packed_variables(header, schedule, next_generation(previous), pack(values))


def packed_variables(header, schedule, generation, plaintext):
    payload = seal_payload(schedule, u32(generation), plaintext)
    return {SEALED_NAME: "ek1:" + to_text(header + u32(generation) + payload)}


def open_packed(store, pairs, variables, trace):
    reader = Reader(from_envelope_text(variables[SEALED_NAME]))
    header = parse_header(reader, PACKED)
    generation, sealed = reader.integer(4), take_payload(reader)
    schedule, key_id = unlock(header, store, pairs, trace)
    plaintext = open_payload(schedule, u32(generation), sealed)
    trace["packedPlaintext"] = plaintext
    reader, values, last = Reader(plaintext), {}, None
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
    return values, generation, key_id


def open_environment(store, pairs, variables, minimum_generation=None, trace=None):
    """The values, the generation and the key id of an environment in either form."""
    trace = {} if trace is None else trace
    canonical_context(pairs)
    if SEALED_NAME in variables:
        if HEADER_NAME in variables:
            raise Refused("malformed", detail="both forms")
        if any(t.startswith("ev1:") for n, t in variables.items() if n != SEALED_NAME):
            raise Refused("malformed", detail="a sealed variable beside a packed environment")
        opened = open_packed(store, pairs, variables, trace)
    elif HEADER_NAME in variables:
        opened = open_separate(store, pairs, variables, trace)
    else:
        raise Refused("noHeader")
    if minimum_generation is not None and opened[1] < minimum_generation:
        raise Refused("staleGeneration")
    return opened


# Command line


def run(command, request):
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


def perform(command, request, trace):
    store, pairs = Store(request["store"]), request["context"]
    if command == "explain":
        command = "open-value" if "envelope" in request else "open"
    if command == "open":
        values, generation, key_id = open_environment(
            store, pairs, request["variables"], request.get("minimum_generation"), trace
        )
        values = {name: to_text(value) for name, value in values.items()}
        return {"values": values, "generation": generation, "key_id": key_id}
    if command == "seal":
        values = {name: from_text(value) for name, value in request["values"].items()}
        seal = {"separate": seal_separate, "packed": seal_packed}[request["form"]]
        previous = request.get("previous_generation")
        return {"variables": seal(store, pairs, values, request.get("key"), previous)}
    associated_data = from_text(request.get("associated_data", ""))
    if command == "open-value":
        envelope = from_envelope_text(request["envelope"])
        plaintext, key_id = open_value(store, pairs, associated_data, envelope, trace)
        return {"plaintext": to_text(plaintext), "key_id": key_id}
    if command == "seal-value":
        plaintext = from_text(request["plaintext"])
        return {"envelope": seal_value(store, pairs, associated_data, plaintext, request.get("key"))}
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

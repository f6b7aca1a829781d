#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the files of Tests/Vectors. The same files every time: all randomness comes from a seed.

    make_vectors.py          writes them
    make_vectors.py --check  fails where a file differs from what would be written
"""

import hashlib
import pathlib
import sys

sys.dont_write_bytecode = True

import envelope as e

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Vectors"
TIME = 1_750_000_000


class Seeded:
    """Bytes that look random and are the same for the same seed."""

    def __init__(self, seed):
        self.seed, self.count = seed.encode(), 0

    def __call__(self, n):
        self.count += 1
        personal = self.count.to_bytes(8, "big")
        return hashlib.blake2b(self.seed, digest_size=n, person=personal).digest()


def secret(name):
    return hashlib.blake2b(name.encode(), digest_size=32).digest()


# Two keysets, in stores of several contents.

ONE, TWO, THREE = "Vh0dNZkcTqfV", "b3M-_0mZQ1aX", "0000AAAAzzzz"


def keyset(identifier, *versions, primary=None):
    lines = [f"keyset {identifier} {primary or versions[-1]}"]
    for number in versions:
        text = e.to_text(secret(f"{identifier}.{number}"))
        lines.append(f"version {number} {1_700_000_000 + number} {text}")
    return lines


def store_of(*keysets, default=ONE, aliases=()):
    lines = ["envelope-keys 1"]
    for lines_of_keyset in keysets:
        lines += lines_of_keyset
    lines += [f"alias {alias} {identifier}" for alias, identifier in aliases]
    return lines + ([f"default {default}"] if default else []) + ["end"]


STORE = store_of(keyset(ONE, 1))
STORE_TWO = store_of(keyset(TWO, 1), default=TWO)
STORE_BOTH = store_of(keyset(ONE, 1), keyset(TWO, 1))
STORE_ROTATED = store_of(keyset(ONE, 1, 2), aliases=[("production", ONE)])
KEY_ONE, KEY_TWO = f"{ONE}.1", f"{TWO}.1"

PLAIN_CONTEXT = [("app", "shop"), ("stage", "prod")]
FUNCTION_CONTEXT = [("app", "shop"), ("function", "orders"), ("stage", "prod")]
NO_CONTEXT = []
VALUES = {"API_KEY": b"first value", "DATABASE_URL": b"the second value", "_empty": b""}


# Builders. Headers may break the rules here, and are otherwise valid: their tags are right.


def entry(key_id, pairs, data_key, scheme=e.KEYSET, secret_of=None):
    return scheme, key_id, e.wrap(secret(secret_of or key_id), key_id, pairs, data_key)


def header(kind, pairs, entries=None, prefix=None, canonical=None):
    """`entries` is a function of the data key, or nothing for one keyset."""
    data_key = e.random_bytes(32)
    entries = entries(data_key) if entries else [entry(KEY_ONE, pairs, data_key)]
    canonical = e.canonical_context(pairs) if canonical is None else canonical
    return e.assemble_header(prefix or e.prefix_of(kind), data_key, entries, canonical)


def flip(data, at, bit=1):
    data = bytearray(data)
    data[at] ^= bit
    return bytes(data)


# Offsets into a header with one keyset.
VERSION, KIND, SUITE, SALT, CHECK, COUNT, SCHEME, KEY_ID, LENGTH, WRAPPED, COMMITMENT, TAG, AFTER = (
    2, 3, 4, 5, 21, 25, 26, 28, 42, 44, 116, 148, 164,
)  # fmt: skip

vectors = {}


def add(name, comment, kind, expect, lines):
    """`lines` are pairs of a key and a text. What is expected is tried before it is written."""
    assert name not in vectors, name
    fields = [("comment", comment), ("kind", kind), ("expect", expect)] + lines
    outcome = open_vector(fields)
    assert outcome["expect"] == expect, (name, outcome)
    fields += [("name", altered) for altered in outcome["names"]] + outcome["lines"]
    vectors[name] = "".join(f"{key}: {text}".rstrip(" ") + "\n" for key, text in fields)


def open_vector(fields):
    def all_of(key):
        return [text for k, text in fields if k == key]

    def pairs_of(key):
        return [tuple(text.split("=", 1)) for text in all_of(key)]

    trace, kind, lines = {}, all_of("kind")[0], []
    try:
        text = "".join(line + "\n" for line in all_of("store"))
        text = bytes.fromhex(all_of("store-hex")[0]).decode() if all_of("store-hex") else text
        store, context = e.Store(text), pairs_of("context")
        if kind == "value":
            data = bytes.fromhex(all_of("associated-data")[0])
            sealed = bytes.fromhex(all_of("envelope")[0])
            e.canonical_context(context)
            plaintext, key_id = e.open_value(store, context, data, sealed, trace)
            lines += [("plaintext", plaintext.hex())]
        else:
            variables = dict(pairs_of("variable"))
            for name, text in pairs_of("variable-hex"):
                variables[name] = bytes.fromhex(text).decode()
            minimum = int(all_of("minimum-generation")[0]) if all_of("minimum-generation") else None
            opened = e.open_environment(store, context, variables, minimum, trace)
            values, generation, key_id = opened
            lines += [("generation", str(generation))]
            lines += [("plain", f"{name}={value.hex()}") for name, value in sorted(values.items())]
    except e.Refused as refused:
        return {"expect": refused.code, "names": refused.names, "lines": []}
    lines += [("keyId", key_id)]
    shown = "canonical contextCheck narrowed dataKey okm payloadKey headerKey manifestKey headerTag manifest"
    lines += [(name, trace[name].hex()) for name in shown.split() if name in trace]
    return {"expect": "success", "names": [], "lines": lines}


def store_lines(store):
    return [("store", line) for line in store]


def context_lines(pairs):
    return [("context", f"{key}={value}") for key, value in pairs]


def value(
    name, comment, expect, pairs=PLAIN_CONTEXT, entries=None, prefix=None, change=None, store=STORE,
    plaintext=b"a secret", data=b"", open_data=None, open_pairs=None, canonical=None,
):  # fmt: skip
    """Seals a value, changes its bytes, and adds the vector."""
    e.random_bytes = Seeded("value " + name)
    raw, schedule = header(e.VALUE, pairs, entries, prefix, canonical)
    sealed = raw + e.seal_payload(schedule, data, plaintext)
    sealed = change(sealed) if change else sealed
    lines = store_lines(store) + context_lines(pairs if open_pairs is None else open_pairs)
    lines += [("associated-data", (data if open_data is None else open_data).hex())]
    add("value-" + name, comment, "value", expect, lines + [("envelope", sealed.hex())])


def environment_lines(store, pairs, variables, minimum):
    lines = store_lines(store) + context_lines(pairs)
    lines += [("minimum-generation", str(minimum))] if minimum is not None else []
    for variable, text in sorted(variables.items()):
        if text.isascii() and text.isprintable() and text == text.strip():
            lines.append(("variable", f"{variable}={text}"))
        else:
            lines.append(("variable-hex", f"{variable}={text.encode().hex()}"))
    return lines


def environment(
    name, comment, expect, pairs=PLAIN_CONTEXT, entries=None, change=None, change_header=None,
    values=VALUES, store=STORE, minimum=None, open_pairs=None, kind=e.ENVIRONMENT, generation=TIME,
    others=None,
):  # fmt: skip
    """`change` is given the variables and how to seal one more under the same header."""
    e.random_bytes = Seeded("environment " + name)
    raw, schedule = header(kind, pairs, entries)
    sealed = {n: e.seal_variable(schedule, n, v) for n, v in sorted(values.items())}
    variables = e.separate_variables(raw, schedule, generation, sealed)
    if change_header:
        data = change_header(e.from_envelope_text(variables[e.HEADER_NAME]))
        variables[e.HEADER_NAME] = "ek1:" + e.to_text(data)
    if change:
        seal = lambda n, v: "ev1:" + e.to_text(e.seal_variable(schedule, n, v))
        change(variables, seal)
    variables.update(others or {})
    lines = environment_lines(store, pairs if open_pairs is None else open_pairs, variables, minimum)
    add("environment-" + name, comment, "environment", expect, lines)


def packed(
    name, comment, expect, pairs=PLAIN_CONTEXT, entries=None, change=None, plaintext=None,
    values=VALUES, store=STORE, minimum=None, open_pairs=None, others=None, kind=e.PACKED, text=None,
    generation=TIME,
):  # fmt: skip
    e.random_bytes = Seeded("packed " + name)
    raw, schedule = header(kind, pairs, entries)
    plaintext = e.pack(values) if plaintext is None else plaintext
    variables = e.packed_variables(raw, schedule, generation, plaintext)
    if change:
        data = change(e.from_envelope_text(variables[e.SEALED_NAME]))
        variables[e.SEALED_NAME] = "ek1:" + e.to_text(data)
    if text:
        variables[e.SEALED_NAME] = text(variables[e.SEALED_NAME])
    variables.update(others or {})
    lines = environment_lines(store, pairs if open_pairs is None else open_pairs, variables, minimum)
    add("packed-" + name, comment, "packed", expect, lines)


def spare_bits(text):
    """The same bytes in a text that is not canonical; the text must have spare bits."""
    assert (len(text) - 4) % 4 in (2, 3), len(text)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


# Success


def two(pairs):
    return lambda key: [entry(KEY_TWO, pairs, key), entry(KEY_ONE, pairs, key)]


def of_any(scheme, key_id, length):
    return scheme, key_id, e.random_bytes(64)[:1] * length


UNICODE_CONTEXT = [("e\u0301", "2"), ("\u00e9", "1"), ("Z", "z"), ("a", "b"), ("\uff5e", "x"), ("\U0001f511", "y")]


def successes():
    for make in (value, environment, packed):
        make("plain", "one keyset, a context without function", "success")
        make("function", "one keyset, a context with function", "success", pairs=FUNCTION_CONTEXT)
        make("no-context", "no context", "success", pairs=NO_CONTEXT)
        make("unicode-context", "keys that are equal by Unicode and differ as bytes", "success",
             pairs=UNICODE_CONTEXT)  # fmt: skip
        make("two-keys", "two wrapped keys, the reader holds the second", "success",
             entries=two(PLAIN_CONTEXT))  # fmt: skip
        make("unknown-scheme", "an entry of scheme 7f and one of an unknown scheme are passed over",
             "success", entries=lambda key: [
                 of_any(0x7F, "x!~", 1), of_any(0x55, "other", 300), entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
        make("other-data-key", "an entry that unwraps to another data key is passed over", "success",
             store=STORE_BOTH, entries=lambda key: [
                 entry(KEY_TWO, PLAIN_CONTEXT, bytes(32)), entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
        make("entry-not-unwrapped", "an entry that a key is held for and that does not verify is passed over",
             "success", store=STORE_BOTH, entries=lambda key: [
                 entry(KEY_TWO, PLAIN_CONTEXT, key, secret_of="another"), entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
        make("rotated-2", "version 2 of the keyset", "success", store=STORE_ROTATED,
             entries=lambda key: [entry(f"{ONE}.2", PLAIN_CONTEXT, key)])  # fmt: skip
        make("rotated-1", "version 1 of a keyset whose primary is 2", "success", store=STORE_ROTATED)
    value("empty", "no bytes", "success", plaintext=b"")
    value("associated-data", "with associated data", "success", data=b"users/17/\x00\xff", plaintext=bytes(range(256)))
    value("sixteen-keys", "sixteen wrapped keys, the reader holds the last", "success", entries=lambda key:
          [of_any(e.KEYSET, f"{TWO}.{n}", 72) for n in range(1, 14)]
          + [of_any(e.RECIPIENT, "~" * 255, 80), of_any(e.AWS_KMS, "arn:aws:kms", 6144),
             entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
    long = "v" * (8192 - 4 - 1)
    value("context-8192", "a canonical context of 8,192 bytes", "success", pairs=[("k", long)])
    for make in (environment, packed):
        make("no-variables", "no variables", "success", values={}, others={"PATH": "/bin"})
        make("bytes", "values with NUL and bytes that are not UTF-8", "success",
             values={"NUL": b"a\x00b", "BYTES": bytes(range(256)), "E": b"", "EV": b"ev1:AAAA"})  # fmt: skip
        make("order", "names in the order of their bytes", "success",
             values={n: n.encode() for n in ("a", "B", "_", "A", "AA", "A1", "A_", "Aa", "b0")})  # fmt: skip
        make("long-name", "a name of 255 bytes", "success", values={"N" * 255: b"v"})
        make("others", "plain variables beside", "success",
             others={"PATH": "/bin", "EMPTY": "", "A-B": "x", "EV": "EV1:x", "SP": " ev1:x", "H": "ek1:x"})  # fmt: skip
        make("minimum", "exactly the generation that is demanded", "success", minimum=TIME)
        make("generation-0", "generation 0", "success", generation=0)
        make("generation-last", "generation 2^32 - 1", "success", generation=0xFFFFFFFF)


# Failures


def header_failures():
    wrong = [("app", "shop"), ("stage", "test")]
    other_function = [("app", "shop"), ("function", "mails"), ("stage", "prod")]
    for make, changed in ((value, "change"), (environment, "change_header"), (packed, "change")):
        def fails(name, comment, expect, change=None, **more):
            make(name, comment, expect, **({changed: change} if change else {}), **more)

        fails("wrong-context", "another context", "contextDiffers", open_pairs=wrong)
        fails("less-context", "a pair missing", "contextDiffers", open_pairs=PLAIN_CONTEXT[:1])
        fails("other-function", "another function", "contextDiffers", pairs=FUNCTION_CONTEXT, open_pairs=other_function)
        fails("context-check", "contextCheck altered", "contextDiffers", lambda x: flip(x, CHECK + 3))
        fails("salt", "salt altered", "contextDiffers", lambda x: flip(x, SALT))
        fails("commitment", "commitment altered", "headerAltered", lambda x: flip(x, COMMITMENT))
        fails("tag", "headerTag altered", "headerAltered", lambda x: flip(x, TAG + 15, 0x80))
        fails("wrapped", "the wrapped key altered", "unwrapFailed", lambda x: flip(x, WRAPPED + 30))
        fails("key-id-moved", "the key id replaced by that of another held key", "unwrapFailed",
              lambda x: x[:KEY_ID] + KEY_TWO.encode() + x[LENGTH:], store=STORE_BOTH)  # fmt: skip
        fails("wrapped-without-function", "wrapped by the key not narrowed to the function", "unwrapFailed",
              pairs=FUNCTION_CONTEXT, entries=lambda key: [wrap_unnarrowed(key, FUNCTION_CONTEXT)])  # fmt: skip
        fails("key-not-held", "another keyset", "keyNotFound", store=STORE_TWO)
        fails("truncated-header", "ends within the commitment", "malformed", lambda x: x[: COMMITMENT + 31])
        fails("header-only-cut", "ends within headerTag", "malformed", lambda x: x[: AFTER - 1])
        fails("no-payload", "nothing after the header", "malformed", lambda x: x[:AFTER])
        fails("magic", "the magic altered", "malformed", lambda x: flip(x, 0))
        fails("version-2", "version 2", "unsupportedVersion", lambda x: x[:VERSION] + b"\x02" + x[KIND:])
        fails("version-0", "version 0", "unsupportedVersion", lambda x: x[:VERSION] + b"\x00" + x[KIND:])
        for kind in (0, 4, 5, 6, 255):
            word, expect = ("reserved", "malformed") if kind in (4, 5) else ("unknown", "unsupportedVersion")
            fails(f"kind-{kind}", f"kind {kind}, {word}", expect, lambda x: x[:KIND] + bytes([kind]) + x[SUITE:])
        fails("suite-2", "suite 2", "unsupportedVersion", lambda x: x[:SUITE] + b"\x02" + x[SALT:])
        fails("commitment-two-keys", "commitment altered, and an entry that no key is held for", "headerAltered",
              lambda x: x[:COMMITMENT + 90] + flip(x[COMMITMENT + 90:], 0), entries=two(PLAIN_CONTEXT))  # fmt: skip
        fails("first-form", "another context, and cut after the header: the form is looked at first",
              "malformed", lambda x: x[:AFTER], open_pairs=wrong)  # fmt: skip
        fails("first-context", "another context, and a commitment and a key altered: the context is looked at first",
              "contextDiffers", lambda x: flip(flip(x, COMMITMENT), WRAPPED), open_pairs=wrong)  # fmt: skip
        fails("first-key", "a wrapped key and the commitment altered: the key is looked at first",
              "unwrapFailed", lambda x: flip(flip(x, COMMITMENT), WRAPPED))  # fmt: skip
        fails("first-header", "headerTag and the last byte altered: the header is looked at first",
              "headerAltered", lambda x: flip(flip(x, TAG), -1))  # fmt: skip

    value("kind-02", "the kind of an environment", "malformed", change=lambda x: flip(x, KIND, 3))
    value("kind-swapped", "the kind of an environment, sealed as a value", "malformed", prefix=b"EK\x01\x02\x01")
    environment("kind-03", "a packed header in ENVELOPE_HEADER", "malformed", kind=e.PACKED)
    packed("kind-02", "a header of kind 02 in ENVELOPE_SEALED", "malformed", kind=e.ENVIRONMENT)

    # The tags of all of these are right: only the rule refuses them.
    mine = lambda key: entry(KEY_ONE, PLAIN_CONTEXT, key)
    refused = {
        "count-0": ("keyCount 0", lambda key: []),
        "count-17": ("keyCount 17", lambda key: [mine(key)] + [of_any(0x7F, f"k{n}", 1) for n in range(16)]),
        "key-id-twice": ("a key id twice", lambda key: [mine(key), mine(key)]),
        "key-id-twice-schemes": ("a key id twice, in two schemes", lambda key: [mine(key), of_any(0x7F, KEY_ONE, 1)]),
        "key-id-twice-unknown": (
            "a key id twice, both of a scheme not known",
            lambda key: [mine(key), of_any(0x55, "k", 1), of_any(0x56, "k", 1)],
        ),
        "passphrase-beside": ("a passphrase beside a keyset", lambda key: [mine(key), of_any(e.PASSPHRASE, "p", 90)]),
        "passphrase-twice": (
            "two passphrases",
            lambda key: [of_any(e.PASSPHRASE, "p", 90), of_any(e.PASSPHRASE, "q", 90)],
        ),
        "key-id-empty": ("an empty key id", lambda key: [mine(key), of_any(0x7F, "", 1)]),
        "key-id-space": ("a key id with a space", lambda key: [mine(key), of_any(0x7F, "a b", 1)]),
        "key-id-del": ("a key id with byte 7f", lambda key: [mine(key), of_any(0x7F, "a\x7f", 1)]),
        "key-id-nul": ("a key id with byte 00", lambda key: [mine(key), of_any(0x7F, "a\x00", 1)]),
        "keyset-71": ("71 wrapped bytes of a keyset", lambda key: [mine(key), of_any(e.KEYSET, "k", 71)]),
        "keyset-73": ("73 wrapped bytes of a keyset", lambda key: [mine(key), of_any(e.KEYSET, "k", 73)]),
        "recipient-79": ("79 wrapped bytes of a recipient", lambda key: [mine(key), of_any(e.RECIPIENT, "r", 79)]),
        "recipient-81": ("81 wrapped bytes of a recipient", lambda key: [mine(key), of_any(e.RECIPIENT, "r", 81)]),
        "kms-0": ("no wrapped bytes of AWS KMS", lambda key: [mine(key), of_any(e.AWS_KMS, "a", 0)]),
        "kms-6145": ("6,145 wrapped bytes of AWS KMS", lambda key: [mine(key), of_any(e.AWS_KMS, "a", 6145)]),
        "passphrase-89": ("89 wrapped bytes of a passphrase", lambda key: [of_any(e.PASSPHRASE, "p", 89)]),
        "passphrase-91": ("91 wrapped bytes of a passphrase", lambda key: [of_any(e.PASSPHRASE, "p", 91)]),
        "other-keyring-0": ("no wrapped bytes of another keyring", lambda key: [mine(key), of_any(0x7F, "k", 0)]),
        "unknown-0": ("no wrapped bytes of an unknown scheme", lambda key: [mine(key), of_any(0x55, "k", 0)]),
    }
    for name, (comment, entries) in refused.items():
        value("rule-" + name, comment, "malformed", entries=entries)
    value("rule-key-id-high", "a key id with byte c3", "malformed",
          entries=lambda key: [mine(key), of_any(0x7F, "aa", 1)], change=lambda x: x.replace(b"\x02aa", b"\x02\xc3a"))  # fmt: skip
    value("wrapped-past-end", "a wrapped length beyond the end", "malformed",
          change=lambda x: x[:LENGTH] + b"\xff\xff" + x[WRAPPED:])  # fmt: skip
    value("other-entry-altered", "a wrapped key of another reader altered", "headerAltered",
          entries=two(PLAIN_CONTEXT), change=lambda x: flip(x, WRAPPED + 5))  # fmt: skip
    value("unknown-entry-altered", "an entry of an unknown scheme altered", "headerAltered",
          entries=lambda key: [of_any(0x55, "k", 9), mine(key)], change=lambda x: flip(x, 31))  # fmt: skip
    value("entries-swapped", "two entries in another order", "headerAltered", entries=two(PLAIN_CONTEXT),
          change=lambda x: x[:26] + x[116:206] + x[26:116] + x[206:])  # fmt: skip
    value("all-other-data-keys", "every entry unwraps to another data key", "headerAltered",
          entries=lambda key: [entry(KEY_ONE, PLAIN_CONTEXT, bytes(32))])  # fmt: skip
    for scheme, length in ((e.RECIPIENT, 80), (e.AWS_KMS, 72), (e.PASSPHRASE, 90), (0x7F, 72), (0x55, 72), (0, 72)):
        value(f"only-scheme-{scheme:02x}", f"the held key id, in an entry of scheme {scheme:02x} only",
              "keyNotFound", entries=lambda key: [of_any(scheme, KEY_ONE, length)])  # fmt: skip
    for name, key_id in (("zero", f"{ONE}.01"), ("version-3", f"{ONE}.3"), ("no-version", ONE), ("plus", f"{ONE}.+1")):
        value("key-id-" + name, f"the key id {key_id} is not held", "keyNotFound", store=STORE_ROTATED,
              entries=lambda key: [entry(key_id, PLAIN_CONTEXT, key, secret_of=KEY_ONE)])  # fmt: skip
    long = "v" * (8192 - 4)
    for name, comment, pairs in (
        ("empty-key", "an empty key in the context", [("", "x")]),
        ("empty-value", "an empty value in the context", [("x", "")]),
        ("equal-keys", "equal keys in the context", [("x", "1"), ("x", "2")]),
        ("8193", "a canonical context of 8,193 bytes", [("k", long)]),
    ):
        canonical = b"".join(e.lp16(k.encode()) + e.lp16(v.encode()) for k, v in pairs)
        sealed_for = lambda key: [entry(KEY_ONE, [("x", "1")], key)]
        value("context-" + name, comment, "invalidArgument", pairs=pairs, entries=sealed_for, canonical=canonical)


def wrap_unnarrowed(key, pairs):
    nonce, canonical = e.random_bytes(24), e.canonical_context(pairs)
    return e.KEYSET, KEY_ONE, nonce + e.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        key, e.wrap_associated_data(KEY_ONE, canonical), nonce, e.narrow(secret(KEY_ONE), [])
    )


def value_failures():
    value("wrong-data", "other associated data", "payloadAltered", data=b"a", open_data=b"b")
    value("no-data", "no associated data", "payloadAltered", data=b"a", open_data=b"")
    value("nonce", "the nonce altered", "payloadAltered", change=lambda x: flip(x, AFTER))
    value("ciphertext", "the ciphertext altered", "payloadAltered", change=lambda x: flip(x, AFTER + 24))
    value("payload-tag", "the tag altered", "payloadAltered", change=lambda x: flip(x, len(x) - 1, 0x80))
    value("longer", "one byte more", "payloadAltered", change=lambda x: x + b"\x00")
    value("shorter", "one byte less", "payloadAltered", change=lambda x: x[:-1])
    value("short-payload", "39 bytes after the header", "malformed", change=lambda x: x[: AFTER + 39])


def environment_failures():
    def fails(name, comment, expect, change=None, **more):
        environment(name, comment, expect, change=change, **more)

    def swap(v, seal):
        v["API_KEY"], v["DATABASE_URL"] = v["DATABASE_URL"], v["API_KEY"]

    def rename(v, seal):
        v["API_KEY_2"] = v.pop("API_KEY")

    def put(name, text):
        return lambda v, seal: v.update({name: text(v) if callable(text) else text})

    def both(v, seal):
        del v["API_KEY"]
        v["DATABASE_URL"] = v["_empty"]

    fails("swapped", "two variables swapped", "variablesAltered", swap)
    fails("renamed", "a variable renamed", "variablesAltered", rename)
    fails("added-copy", "a copy under another name", "variablesAltered", put("COPY", lambda v: v["API_KEY"]))
    fails("added-old", "a variable that was sealed under this header and removed since", "variablesAdded",
          lambda v, seal: v.update(OLD=seal("OLD", b"old")))  # fmt: skip
    fails("added-when-none", "a variable beside a header of none", "variablesAdded",
          lambda v, seal: v.update(OLD=seal("OLD", b"old")), values={})  # fmt: skip
    fails("removed", "a variable removed", "variablesMissing", lambda v, seal: v.pop("API_KEY"))
    fails("removed-all", "every variable removed", "variablesMissing", lambda v, seal: [v.pop(n) for n in VALUES])
    fails("removed-and-altered", "one removed, another altered: what does not verify is named first", "variablesAltered", both)
    fails("made-plain", "a variable replaced by a plain one", "variablesMissing", put("API_KEY", "plain"))
    fails("put-back", "an older value under the same header put back", "variablePutBack",
          lambda v, seal: v.update(API_KEY=seal("API_KEY", b"old")))  # fmt: skip
    fails("removed-other-added", "one removed, one that was removed before added", "variablePutBack",
          lambda v, seal: (v.pop("API_KEY"), v.update(OLD=seal("OLD", b"old"))))  # fmt: skip
    fails("variable-nonce", "the nonce of a variable altered", "variablesAltered",
          put("API_KEY", lambda v: "ev1:" + e.to_text(flip(e.from_text(v["API_KEY"][4:]), 0))))  # fmt: skip
    fails("variable-tag", "the tag of a variable altered", "variablesAltered",
          put("API_KEY", lambda v: "ev1:" + e.to_text(flip(e.from_text(v["API_KEY"][4:]), -1))))  # fmt: skip
    fails("variable-empty", "ev1: and nothing more", "malformed", put("API_KEY", "ev1:"))
    fails("variable-short", "a sealed variable of 27 bytes", "malformed", put("API_KEY", "ev1:" + "A" * 36))
    fails("variable-padded", "a sealed variable with padding", "malformed", put("_empty", lambda v: v["_empty"] + "=="))
    fails("variable-spare-bits", "a sealed variable with spare bits set", "malformed", put("_empty", lambda v: spare_bits(v["_empty"])))
    fails("variable-newline", "a sealed variable with a line feed", "malformed", put("API_KEY", lambda v: v["API_KEY"] + "\n"))
    fails("variable-alphabet", "a sealed variable in the alphabet of base64", "malformed", put("API_KEY", "ev1:" + "+/" * 20))
    fails("variable-length", "a sealed variable whose text has a length that no bytes have", "malformed",
          put("API_KEY", lambda v: "ev1:" + "A" * 41))  # fmt: skip
    fails("variable-combining", "ev1: and a combining character: it begins with these bytes, so it is sealed", "malformed",
          put("X", "ev1:\u0301AAAA"))  # fmt: skip
    fails("plain-combining", "a sealed variable whose text is followed by a combining character", "malformed",
          put("API_KEY", lambda v: v["API_KEY"] + "\u0301"))  # fmt: skip
    fails("variable-bad-name", "a sealed variable whose name no sealed variable has", "malformed",
          put("A-B", lambda v: v["API_KEY"]))  # fmt: skip

    def trailer(name, comment, expect, change):
        environment(name, comment, expect, change_header=change)

    trailer("count-more", "the count altered upwards", "variablesMissing", lambda x: x[: AFTER + 4] + e.u16(4) + x[AFTER + 6 :])
    trailer("count-less", "the count altered downwards", "variablesAdded", lambda x: x[: AFTER + 4] + e.u16(2) + x[AFTER + 6 :])
    trailer("generation", "the generation altered", "variablePutBack", lambda x: flip(x, AFTER + 3))
    trailer("manifest", "the manifest altered", "variablePutBack", lambda x: flip(x, AFTER + 6))
    trailer("trailing-byte", "a byte after the trailer", "malformed", lambda x: x + b"\x00")
    trailer("trailer-cut", "ends within the trailer", "malformed", lambda x: x[:-1])
    fails("removed-count-altered", "a variable removed and the count with it", "variablePutBack",
          lambda v, seal: v.pop("API_KEY"), change_header=lambda x: x[: AFTER + 4] + e.u16(2) + x[AFTER + 6 :])  # fmt: skip
    fails("stale", "a generation below the one demanded", "staleGeneration", minimum=TIME + 1)
    fails("stale-altered", "the generation raised to the one demanded", "variablePutBack", minimum=TIME + 1,
          change_header=lambda x: x[:AFTER] + e.u32(TIME + 1) + x[AFTER + 4 :])  # fmt: skip

    e.random_bytes = Seeded("another environment")
    other = e.seal_separate(e.Store("\n".join(STORE) + "\n"), PLAIN_CONTEXT, VALUES)
    fails("other-header", "the header of another environment with the same key and names", "variablesAltered",
          put(e.HEADER_NAME, other[e.HEADER_NAME]))  # fmt: skip

    text = lambda change: put(e.HEADER_NAME, lambda v: change(v[e.HEADER_NAME]))
    fails("header-missing", "no header beside sealed variables", "noHeader", lambda v, seal: v.pop(e.HEADER_NAME))
    fails("nothing", "no variables at all", "noHeader", lambda v, seal: v.clear())
    fails("header-empty", "an empty ENVELOPE_HEADER", "malformed", put(e.HEADER_NAME, ""))
    fails("header-prefix-only", "ENVELOPE_HEADER is ek1: and no more", "malformed", put(e.HEADER_NAME, "ek1:"))
    fails("header-no-prefix", "ENVELOPE_HEADER without ek1:", "malformed", text(lambda t: t[4:]))
    fails("header-ev1", "ENVELOPE_HEADER with ev1:", "malformed", text(lambda t: "ev1:" + t[4:]))
    fails("header-upper", "ENVELOPE_HEADER with EK1:", "malformed", text(lambda t: "EK1:" + t[4:]))
    fails("header-padded", "ENVELOPE_HEADER with padding", "malformed", text(lambda t: t + "=="))
    fails("header-spare-bits", "ENVELOPE_HEADER with spare bits set", "malformed", text(spare_bits))
    fails("header-newline", "ENVELOPE_HEADER with a line feed", "malformed", text(lambda t: t + "\n"))
    fails("header-space", "ENVELOPE_HEADER with a space within", "malformed", text(lambda t: t[:40] + " " + t[40:]))
    fails("both-forms", "ENVELOPE_SEALED beside ENVELOPE_HEADER", "malformed", put(e.SEALED_NAME, lambda v: v[e.HEADER_NAME]))
    fails("both-forms-empty", "an empty ENVELOPE_SEALED beside ENVELOPE_HEADER", "malformed", put(e.SEALED_NAME, ""))


def packed_failures():
    named = lambda *names: e.u16(len(names)) + b"".join(e.lp16(n) + e.lp16(b"v") for n in names)
    for name, comment, plaintext in (
        ("order", "names out of order", named(b"B", b"A")),
        ("order-last", "the last two names out of order", named(b"A", b"C", b"B")),
        ("duplicate", "a name twice", named(b"A", b"A")),
        ("name-dash", "a name with a dash", named(b"A-B")),
        ("name-digit", "a name that begins with a digit", named(b"1A")),
        ("name-empty", "an empty name", named(b"")),
        ("name-newline", "a name that ends with a line feed", named(b"A\n")),
        ("name-nul", "a name with NUL", named(b"A\x00")),
        ("name-high", "a name with a letter that is not ASCII", named("A\u00e9".encode())),
        ("name-bytes", "a name that is not UTF-8", named(b"A\xff")),
        ("name-256", "a name of 256 bytes", named(b"N" * 256)),
        ("name-header", "the name ENVELOPE_HEADER", named(b"ENVELOPE_HEADER")),
        ("name-sealed", "the name ENVELOPE_SEALED", named(b"ENVELOPE_SEALED")),
        ("trailing-byte", "a byte after the last variable", named(b"A") + b"\x00"),
        ("trailing-variable", "a variable more than the count", e.u16(1) + named(b"A", b"B")[2:]),
        ("count-more", "a variable less than the count", e.u16(2) + named(b"A")[2:]),
        ("value-past-end", "a value's length beyond the end", e.u16(1) + e.lp16(b"A") + e.u16(2) + b"v"),
        ("name-past-end", "a name's length beyond the end", e.u16(1) + b"\xff\xffA"),
        ("no-bytes", "a plaintext of no bytes", b""),
        ("one-byte", "a plaintext of one byte", b"\x00"),
    ):
        packed("rule-" + name, comment, "malformed", plaintext=plaintext)
    packed("generation", "the generation altered", "payloadAltered", change=lambda x: flip(x, AFTER + 3))
    packed("nonce", "the nonce altered", "payloadAltered", change=lambda x: flip(x, AFTER + 4))
    packed("ciphertext", "the ciphertext altered", "payloadAltered", change=lambda x: flip(x, AFTER + 30))
    packed("payload-tag", "the tag altered", "payloadAltered", change=lambda x: flip(x, -1))
    packed("trailing-byte", "a byte after the envelope", "payloadAltered", change=lambda x: x + b"\x00")
    packed("short", "43 bytes after the header", "malformed", change=lambda x: x[: AFTER + 43])
    packed("stale", "a generation below the one demanded", "staleGeneration", minimum=TIME + 1)
    packed("ev1-beside", "a variable that begins with ev1: beside", "malformed", others={"X": "ev1:AAAA"})
    packed("ev1-empty-beside", "a variable that is ev1: beside", "malformed", others={"X": "ev1:"})
    packed("ev1-combining-beside", "a variable that begins with ev1: and a combining character beside", "malformed", others={"X": "ev1:\u0301"})
    packed("both-forms", "ENVELOPE_HEADER beside", "malformed", others={e.HEADER_NAME: "ek1:AAAA"})
    packed("both-forms-empty", "an empty ENVELOPE_HEADER beside", "malformed", others={e.HEADER_NAME: ""})
    packed("empty-text", "an empty ENVELOPE_SEALED", "malformed", others={e.SEALED_NAME: ""})
    packed("no-prefix", "without ek1:", "malformed", text=lambda t: t[4:])
    packed("padded", "with padding", "malformed", text=lambda t: t + "=" * (-(len(t) - 4) % 4 or 4))
    packed("spare-bits", "with spare bits set", "malformed", text=spare_bits, values={"A": b"12"})
    packed("newline", "with a line feed", "malformed", text=lambda t: t + "\n")


def store_failures():
    good = store_of(keyset(ONE, 1, 3), keyset(TWO, 1), aliases=[("production", ONE), ("a.b-c_d", TWO)])
    e.random_bytes = Seeded("store")
    raw, schedule = header(e.VALUE, PLAIN_CONTEXT)
    sealed = (raw + e.seal_payload(schedule, b"", b"a secret")).hex()

    def store(name, comment, expect, change=None, text=None):
        lines = list(good)
        lines = change(lines) or lines if change else lines
        written = store_lines(lines) if text is None else [("store-hex", text.encode().hex())]
        lines = written + context_lines(PLAIN_CONTEXT) + [("associated-data", ""), ("envelope", sealed)]
        add("store-" + name, comment, "value", expect, lines)

    def damaged(name, comment, change=None, text=None):
        store(name, comment, "keyStoreDamaged", change, text)

    whole = "".join(line + "\n" for line in good)
    version = good[2].split(" ")
    line = lambda at, text: lambda x: x[:at] + [text] + x[at + 1 :]
    store("good", "two keysets, versions 1 and 3, aliases", "success")
    store("empty", "a store of no keysets", "keyNotFound", lambda x: ["envelope-keys 1", "end"])
    damaged("no-text", "no text", text="")
    damaged("no-last-line-feed", "no line feed after end", text=whole[:-1])
    damaged("after-end", "an empty line after end", text=whole + "\n")
    store("crlf", "lines that end with carriage return and line feed", "unsupportedVersion", text=whole.replace("\n", "\r\n"))
    store("version-2", "envelope-keys 2", "unsupportedVersion", line(0, "envelope-keys 2"))
    damaged("no-end", "no end", lambda x: x[:-1])
    damaged("end-twice", "end twice", lambda x: x + ["end"])
    damaged("no-default", "no default", lambda x: x[:-2] + x[-1:])
    damaged("default-unknown", "a default that is not there", lambda x: x[:-2] + [f"default {THREE}", "end"])
    damaged("default-twice", "default twice", lambda x: x[:-1] + x[-2:])
    damaged("default-when-empty", "a default in a store of no keysets", lambda x: ["envelope-keys 1", f"default {ONE}", "end"])
    damaged("alias-unknown", "an alias of a keyset that is not there", lambda x: x[:-2] + [f"alias z {THREE}"] + x[-2:])
    damaged("alias-twice", "an alias twice", lambda x: x[:-2] + [f"alias production {TWO}"] + x[-2:])
    damaged("alias-after-default", "an alias after default", lambda x: x[:-1] + [f"alias z {TWO}", "end"])
    for name, alias in (("hyphen", "-a"), ("dot", ".a"), ("65", "a" * 65), ("slash", "a/b"), ("high", "\u00e9"), ("id", TWO)):
        damaged("alias-" + name, "an alias that cannot be one", lambda x: x[:-2] + [f"alias {alias} {ONE}"] + x[-2:])
    damaged("alias-first", "an alias before a keyset", lambda x: x[:4] + [x[6]] + x[4:6] + x[7:])
    damaged("number-32-bits", "a number beyond 32 bits", line(3, " ".join(["version", str(2**32)] + version[2:])))
    damaged("keyset-twice", "a keyset twice", lambda x: x[:1] + x[1:4] + x[1:])
    damaged("keyset-short", "an id of 11 characters", lambda x: [t.replace(TWO, TWO[:-1]) for t in x])
    damaged("keyset-alphabet", "an id with a character that is not base64url", lambda x: [t.replace(TWO, TWO[:-1] + "+") for t in x])
    damaged("keyset-no-versions", "a keyset of no versions", lambda x: x[:1] + x[1:2] + x[4:])
    damaged("primary-unknown", "a primary that is not there", line(1, f"keyset {ONE} 2"))
    damaged("versions-order", "versions out of order", lambda x: x[:2] + [x[3], x[2]] + x[4:])
    damaged("versions-equal", "a version twice", lambda x: x[:3] + [x[2]] + x[3:])
    damaged("version-zero", "version 0", lambda x: x[:2] + [" ".join(["version", "0"] + version[2:])] + x[3:])
    damaged("version-leading-zero", "a number with a leading zero", line(2, " ".join(["version", "01"] + version[2:])))
    damaged("version-plus", "a number with a sign", line(2, " ".join(["version", "+1"] + version[2:])))
    damaged("created-large", "a time beyond 64 bits", line(2, " ".join(["version", "1", str(2**64), version[3]])))
    damaged("secret-short", "a secret of 31 bytes", line(2, " ".join(version[:3] + [version[3][:42]])))
    damaged("secret-spare-bits", "a secret with spare bits set", line(2, " ".join(version[:3] + [spare_bits("    " + version[3])[4:]])))
    damaged("secret-padded", "a secret with padding", line(2, good[2] + "="))
    damaged("two-spaces", "two spaces between fields", line(2, good[2].replace(" ", "  ", 1)))
    damaged("space-at-end", "a space at the end of a line", text=whole.replace(good[2], good[2] + " "))
    damaged("field-more", "a field more", line(2, good[2] + " x"))
    damaged("unknown-line", "a line of another kind", lambda x: x[:1] + ["# comment"] + x[1:])
    damaged("empty-line", "an empty line", text=whole.replace("default", "\ndefault"))
    store("bom", "a byte order mark", "unsupportedVersion", text="\ufeff" + whole)


def main(arguments):
    e.now = lambda: TIME
    successes()
    header_failures()
    value_failures()
    environment_failures()
    packed_failures()
    store_failures()
    paths = {f"{name}.txt": text for name, text in vectors.items()}
    found = {path.name: path.read_text() for path in FOLDER.glob("*.txt")} if FOLDER.exists() else {}
    if arguments == ["--check"]:
        wrong = sorted(n for n in paths.keys() | found.keys() if paths.get(n) != found.get(n))
        raise SystemExit("differ: " + ", ".join(wrong) if wrong else 0)
    FOLDER.mkdir(exist_ok=True)
    for name in found.keys() - paths.keys():
        (FOLDER / name).unlink()
    for name, text in paths.items():
        (FOLDER / name).write_text(text)
    print(len(paths), "files", sum(map(len, paths.values())), "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])

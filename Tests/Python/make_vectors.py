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
import records
import vectors_files
import vectors_records
import vectors_suites
import vectors_xwing

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

# The envelope kind that entries are wrapped for: that of the vector being built, unless a vector replaces it. None
# leaves the pair out.
envelope_kind = None


def wrapping(pairs):
    return pairs if envelope_kind is None else e.wrapping_context(pairs, envelope_kind)


def for_kind(kind, entries):
    """The entries, wrapped for an envelope of another kind."""

    def wrapped(data_key):
        global envelope_kind
        own, envelope_kind = envelope_kind, kind
        try:
            return entries(data_key)
        finally:
            envelope_kind = own

    return wrapped


def entry(key_id, pairs, data_key, scheme=e.KEYSET, secret_of=None):
    return scheme, key_id, e.wrap(secret(secret_of or key_id), key_id, wrapping(pairs), data_key)


def header(kind, pairs, entries=None, prefix=None, canonical=None, data_key=None):
    """`entries` is a function of the data key, or nothing for one keyset."""
    global envelope_kind
    envelope_kind = e.ENVELOPE_KIND[kind]
    data_key = data_key or e.random_bytes(32)
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
    fields[3:3] = [("needs", needed) for needed in needs(fields, outcome)]
    fields += [("name", altered) for altered in outcome["names"]] + outcome["lines"]
    vectors[name] = "".join(f"{key}: {text}".rstrip(" ") + "\n" for key, text in fields)


def needs(fields, outcome):
    """The features that the outcome depends on: a reader without one refuses the vector with `unsupportedSuite`."""
    for needed, flag in (("aegis-256", "has_aegis_256"), ("x-wing", "has_xwing")):
        setattr(e, flag, False)
        without = open_vector(fields)
        setattr(e, flag, True)
        if without != outcome:
            assert without["expect"] == "unsupportedSuite", (fields[0], without)
            yield needed


def open_vector(fields):
    def all_of(key):
        return [text for k, text in fields if k == key]

    def pairs_of(key):
        return [tuple(text.split("=", 1)) for text in all_of(key)]

    trace, kind, lines = {}, all_of("kind")[0], []
    try:
        if kind == "recipient":
            recipient = e.Recipient(all_of("recipient")[0])
            lines = [("keyId", recipient.key_id), ("publicKey", recipient.public.hex())]
            return {"expect": "success", "names": [], "lines": lines}
        store, context, anonymous = holder_of(all_of), pairs_of("context"), all_of("sender") == ["accepted"]
        if kind == "value":
            data = bytes.fromhex(all_of("associated-data")[0])
            sealed = bytes.fromhex(all_of("envelope")[0])
            e.canonical_context(context)
            plaintext, key_id = e.open_value(store, context, data, sealed, trace, anonymous)
            lines += [("plaintext", plaintext.hex())]
        elif kind == "file":
            e.canonical_context(context)
            plaintext, key_id = e.open_file(store, context, bytes.fromhex(all_of("file")[0]), trace, anonymous)
            assert plaintext == vectors_files.plaintext(len(plaintext))
            lines += [("byte-count", str(len(plaintext)))]
        elif kind == "records":
            return open_records(store, context, all_of, anonymous)
        else:
            variables = dict(pairs_of("variable"))
            for name, text in pairs_of("variable-hex"):
                variables[name] = bytes.fromhex(text).decode()
            minimum = int(all_of("minimum-generation")[0]) if all_of("minimum-generation") else None
            document, allowed = all_of("reader") == ["document"], all_of("allow")
            opened = e.open_environment(store, context, variables, minimum, trace, document, allowed, anonymous)
            values, generation, key_id = opened
            lines += [("generation", str(generation))]
            lines += [("plain", f"{name}={value.hex()}") for name, value in sorted(values.items())]
    except e.Refused as refused:
        if kind == "file":
            lines = [("verified", str(len(trace.get("verified", b""))))]
        return {"expect": refused.code, "names": refused.names, "lines": lines}
    lines += [("keyId", key_id)]
    shown = "canonical wrappingCanonical contextCheck narrowed sharedSecret hpkeKey hpkeNonce passphraseKey dataKey okm"
    shown = f"{shown} payloadKey headerKey manifestKey plainKey headerTag".split() + ["manifest", "plainTags"] * (kind == "environment")
    lines += [(name, trace[name].hex()) for name in shown if name in trace]
    return {"expect": "success", "names": [], "lines": lines}


def open_records(store, context, all_of, anonymous):
    sealed = [line.encode() for line in all_of("line")] + [bytes.fromhex(line) for line in all_of("line-hex")]
    reader = records.RecordReader(store, context, anonymous)
    events = [records.text_of(event) for event in records.all_events(reader, sealed)]
    lacks = not (e.has_aegis_256 and e.has_xwing)
    if lacks and "unsupportedSuite" in reader.codes:
        return {"expect": "unsupportedSuite", "names": [], "lines": []}
    whole = all(event.startswith(("record ", "other ")) for event in events)
    return {"expect": "success" if whole else "damaged", "names": [], "lines": [("event", event) for event in events]}


def holder_of(all_of):
    if all_of("passphrase"):
        return e.Passphrase(bytes.fromhex(all_of("passphrase")[0]))
    text = "".join(line + "\n" for line in all_of("store"))
    if all_of("store-hex"):
        text = bytes.fromhex(all_of("store-hex")[0]).decode("utf-8", "surrogateescape")
    return e.Store(text)


def store_lines(store):
    """The lines of a store, or bytes: a passphrase."""
    return [("passphrase", store.hex())] if isinstance(store, bytes) else [("store", line) for line in store]


def context_lines(pairs):
    return [("context", f"{key}={value}") for key, value in pairs]


def reader_lines(accepted=False, document=False, allow=()):
    lines = [("sender", "accepted")] * accepted + [("reader", "document")] * document
    return lines + [("allow", name) for name in allow]


def value(
    name, comment, expect, pairs=PLAIN_CONTEXT, entries=None, prefix=None, change=None, store=STORE,
    plaintext=b"a secret", data=b"", open_data=None, open_pairs=None, canonical=None, suite=e.XCHACHA20,
    payload_suite=None, **reader,
):  # fmt: skip
    """Seals a value, changes its bytes, and adds the vector. `payload_suite` is that of the payload alone."""
    e.random_bytes = Seeded("value " + name)
    raw, schedule = header(e.VALUE, pairs, entries, prefix or e.prefix_of(e.VALUE, suite), canonical)
    sealed = raw + e.seal_payload(schedule, data, plaintext, payload_suite or suite)
    sealed = change(sealed) if change else sealed
    lines = store_lines(store) + context_lines(pairs if open_pairs is None else open_pairs)
    lines += reader_lines(**reader)
    lines += [("associated-data", (data if open_data is None else open_data).hex())]
    add("value-" + name, comment, "value", expect, lines + [("envelope", sealed.hex())])


def environment_lines(store, pairs, variables, minimum, reader):
    lines = store_lines(store) + context_lines(pairs) + reader_lines(**reader)
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
    others=None, plain=None, tags=None, manifest=None, canonical=None, data_key=None, prefix=None, **reader,
):  # fmt: skip
    """`change` gets the variables and a function that seals one more under the same header.

    `tags` replaces the tags of the plain variables before the manifest is computed: it gets the key schedule.
    `manifest` replaces the manifest: it gets the key schedule, the generation and the sealed variables.
    """
    e.random_bytes = Seeded("environment " + name)
    raw, schedule = header(kind, pairs, entries, prefix, canonical, data_key)
    sealed = {n: e.seal_variable(schedule, n, v) for n, v in sorted(values.items())}
    plain = plain(schedule) if callable(plain) else dict(plain or {})
    tags = tags(schedule) if tags else e.plain_tags(schedule, plain)
    manifest = manifest(schedule, generation, sealed) if manifest else None
    variables = plain | e.separate_variables(raw, schedule, generation, sealed, tags, manifest)
    if change_header:
        data = change_header(e.from_envelope_text(variables[e.HEADER_NAME]))
        variables[e.HEADER_NAME] = "ek1:" + e.to_text(data)
    if change:
        seal = lambda n, v: "ev1:" + e.to_text(e.seal_variable(schedule, n, v))
        change(variables, seal)
    variables.update(others or {})
    lines = environment_lines(store, pairs if open_pairs is None else open_pairs, variables, minimum, reader)
    add("environment-" + name, comment, "environment", expect, lines)


def packed(
    name, comment, expect, pairs=PLAIN_CONTEXT, entries=None, change=None, plaintext=None,
    values=VALUES, store=STORE, minimum=None, open_pairs=None, others=None, kind=e.PACKED, text=None,
    generation=TIME, plain=None, tags=None, change_variables=None, canonical=None, data_key=None, prefix=None, **reader,
):  # fmt: skip
    e.random_bytes = Seeded("packed " + name)
    raw, schedule = header(kind, pairs, entries, prefix, canonical, data_key)
    plain = plain(schedule) if callable(plain) else dict(plain or {})
    tags = tags(schedule) if tags else e.plain_tags(schedule, plain)
    plaintext = e.pack(values, tags) if plaintext is None else plaintext
    variables = plain | e.packed_variables(raw, schedule, generation, plaintext)
    if change:
        data = change(e.from_envelope_text(variables[e.SEALED_NAME]))
        variables[e.SEALED_NAME] = "ek1:" + e.to_text(data)
    if text:
        variables[e.SEALED_NAME] = text(variables[e.SEALED_NAME])
    if change_variables:
        change_variables(variables)
    variables.update(others or {})
    lines = environment_lines(store, pairs if open_pairs is None else open_pairs, variables, minimum, reader)
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
    data = e.wrap_associated_data(KEY_ONE, wrapping(pairs))
    return e.KEYSET, KEY_ONE, e.seal_24(e.narrow(secret(KEY_ONE), []), data, key)


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
    fails("variable-newline", "a sealed variable with a line feed", "success", put("API_KEY", lambda v: v["API_KEY"] + "\n"))
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
    fails("header-newline", "ENVELOPE_HEADER with a line feed", "success", text(lambda t: t + "\n"))
    fails("header-newlines", "ENVELOPE_HEADER with two line feeds", "malformed", text(lambda t: t + "\n\n"))
    fails("header-carriage-return", "ENVELOPE_HEADER with a carriage return", "malformed", text(lambda t: t + "\r"))
    fails("header-space", "ENVELOPE_HEADER with a space within", "malformed", text(lambda t: t[:40] + " " + t[40:]))
    fails("both-forms", "ENVELOPE_SEALED beside ENVELOPE_HEADER", "malformed", put(e.SEALED_NAME, lambda v: v[e.HEADER_NAME]))
    fails("both-forms-empty", "an empty ENVELOPE_SEALED beside ENVELOPE_HEADER", "malformed", put(e.SEALED_NAME, ""))


def packed_failures():
    none = e.lp16(b"")
    variables = lambda *names: b"".join(e.lp16(n) + e.lp16(b"v") for n in names)
    named = lambda *names: none + e.u16(len(names)) + variables(*names)
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
        ("trailing-variable", "a variable more than the count", none + e.u16(1) + variables(b"A", b"B")),
        ("count-more", "a variable less than the count", none + e.u16(2) + variables(b"A")),
        ("value-past-end", "a value's length beyond the end", none + e.u16(1) + e.lp16(b"A") + e.u16(2) + b"v"),
        ("name-past-end", "a name's length beyond the end", none + e.u16(1) + b"\xff\xffA"),
        ("no-bytes", "a plaintext of no bytes", b""),
        ("one-byte", "a plaintext of one byte", b"\x00"),
        ("no-count", "a plaintext that ends after the tags of plain variables", none),
        ("no-plain", "a plaintext without the tags of plain variables", named(b"A")[2:]),
        ("plain-past-end", "a length of the tags of plain variables beyond the end", e.u16(16) + bytes(15)),
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
    packed("spare-bits", "with spare bits set", "malformed", text=spare_bits, values={"A": b"123"})
    packed("newline", "with a line feed", "success", text=lambda t: t + "\n")
    packed("newlines", "with two line feeds", "malformed", text=lambda t: t + "\n\n")


def store_failures():
    good = store_of(keyset(ONE, 1, 3), keyset(TWO, 1), aliases=[("production", ONE), ("a.b-c_d", TWO)])
    e.random_bytes = Seeded("store")
    raw, schedule = header(e.VALUE, PLAIN_CONTEXT)
    sealed = (raw + e.seal_payload(schedule, b"", b"a secret")).hex()

    def store(name, comment, expect, change=None, text=None):
        lines = list(good)
        lines = change(lines) or lines if change else lines
        written = store_lines(lines) if text is None else [("store-hex", text.encode("utf-8", "surrogateescape").hex())]
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
    store("version-3", "envelope-keys 3", "unsupportedVersion", line(0, "envelope-keys 3"))
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


# Envelope kinds


def kinds():
    own = lambda pairs: lambda key: [entry(KEY_ONE, pairs, key)]
    around = [("Envelope-Kind", "1"), ("envelope", "2"), ("envelope-kin", "3"), ("envelope-kind\u0301", "4"),
              ("envelope-kinds", "5"), ("envelope_kind", "6"), ("function", "orders")]  # fmt: skip
    for make in (value, environment, packed):
        mine = "value" if make is value else "environment"
        for kind in ("value", "environment", "key-store", "file", "records", "Value", "packed-environment"):
            if kind != mine:
                make("wrapped-for-" + kind.lower().replace("value", "value-upper" if kind == "Value" else "value"),
                     f"an entry that was wrapped for the envelope kind {kind}", "unwrapFailed",
                     entries=for_kind(kind, own(PLAIN_CONTEXT)))  # fmt: skip
        make("wrapped-for-no-kind", "an entry that was wrapped for the caller's context alone", "unwrapFailed",
             entries=for_kind(None, own(PLAIN_CONTEXT)))  # fmt: skip
        make("wrapped-for-other-function", "an entry of the function that was wrapped for another envelope kind",
             "unwrapFailed", pairs=FUNCTION_CONTEXT,
             entries=for_kind("environment" if make is value else "value", own(FUNCTION_CONTEXT)))  # fmt: skip
        make("wrapped-for-no-context", "no context, and an entry that was wrapped for no pairs", "unwrapFailed",
             pairs=NO_CONTEXT, entries=for_kind(None, own(NO_CONTEXT)))  # fmt: skip
        make("kind-around", "pairs that sort before and after envelope-kind", "success", pairs=around)

        pair, canonical = [e.lp16(b"envelope-kind") + e.lp16(mine.encode())], e.canonical_form(PLAIN_CONTEXT)
        for name, parts in (("first", pair + [canonical]), ("last", [canonical] + pair), ("twice", pair + [wrapping_form(mine)])):
            make("kind-" + name, "the pair envelope-kind in a place where it does not sort, or twice", "unwrapFailed",
                 entries=lambda key: [bound_to(key, b"".join(parts))])  # fmt: skip

        given = PLAIN_CONTEXT[:1] + [("envelope-kind", mine)] + PLAIN_CONTEXT[1:]
        other = PLAIN_CONTEXT[:1] + [("envelope-kind", "other")] + PLAIN_CONTEXT[1:]
        for name, comment, pairs in (
            ("kind", "a context with envelope-kind, of the right value", given),
            ("kind-other", "a context with envelope-kind, of another value", other),
            ("kind-alone", "a context of envelope-kind alone", given[1:2]),
        ):
            make("context-" + name, comment, "invalidArgument", pairs=pairs, canonical=e.canonical_form(pairs),
                 entries=for_kind(None, own(pairs)))  # fmt: skip

    value("kind-in-context-check", "contextCheck and key schedule of the wrapping context", "contextDiffers",
          canonical=wrapping_form("value"))  # fmt: skip
    value("locked-store", "a locked key store, opened as a value", "unwrapFailed", pairs=[("purpose", "envelope-keys")],
          data=b"envelope-keys", plaintext="".join(line + "\n" for line in STORE).encode(),
          entries=for_kind("key-store", own([("purpose", "envelope-keys")])))  # fmt: skip

    # The same wrapped key in both forms of an environment.
    global envelope_kind
    e.random_bytes, envelope_kind = Seeded("shared"), "environment"
    data_key = e.random_bytes(32)
    shared = entry(KEY_ONE, FUNCTION_CONTEXT, data_key)
    for make in (environment, packed):
        make("kind-shared", "a wrapped key that an environment of the other form has, too", "success",
             pairs=FUNCTION_CONTEXT, entries=lambda key: [shared], data_key=data_key)  # fmt: skip


def wrapping_form(kind):
    return e.canonical_form(e.wrapping_context(PLAIN_CONTEXT, kind))


def bound_to(data_key, canonical):
    """An entry of a keyset, bound to the bytes of any context."""
    data = e.wrap_associated_data(KEY_ONE, NO_CONTEXT) + canonical
    return e.KEYSET, KEY_ONE, e.seal_24(e.narrow(secret(KEY_ONE), NO_CONTEXT), data, data_key)


# Documents and plain variables

PLAIN = {"LOG_LEVEL": "info", "REGION": "eu-central-1", "TITLE": "K\u00e4se", "UNSET": ""}


def documents():
    for make in (environment, packed):
        word = "change" if make is environment else "change_variables"
        removed = lambda *names: {word: lambda v, seal=None: [v.pop(n) for n in names]}

        def one(name, comment, expect, plain=PLAIN, document=True, **more):
            make(("document-" if document else "process-") + name, comment, expect, plain=plain, document=document, **more)

        def altered(name, comment, **more):
            """Refused in a document, and passed over in the environment of a process."""
            one(name, comment, "plainVariablesAltered", **more)
            one(name, comment + ", in the environment of a process", "success", document=False, **more)

        one("none", "no plain variables", "success", plain={})
        one("one", "one plain variable", "success", plain={"A": "b"})
        one("several", "several plain variables", "success")
        one("several", "several plain variables, in the environment of a process", "success", document=False)
        one("no-secrets", "plain variables alone", "success", values={})
        one("nothing", "no variables", "success", plain={}, values={})
        one("order", "tags whose order is not that of the names", "success", plain=tags_not_in_order)
        one("values", "values with NUL, control characters, letters that are not ASCII, and spaces at either end", "success",
            plain={"NUL": "a\x00b", "END": "a\x00", "LINES": "a\r\nb\n", "DECOMPOSED": "e\u0301", "COMPOSED": "\u00e9",
                   "KEY": "\U0001f511", "SPACE": " a ", "EQUALS": "=a=b"})  # fmt: skip
        one("prefixes", "values that resemble the text forms", "success",
            plain={"A": "EV1:x", "B": " ev1:x", "C": "ek1:AAAA", "D": "ev1", "E": "ev1\uff1aA"})  # fmt: skip
        one("names", "names of 1 and 255 bytes, and names that are prefixes of others", "success",
            plain={"N": "1", "NN": "1", "N" * 255: "1", "_": "1", "n": "1"})  # fmt: skip
        one("function", "a context with function", "success", pairs=FUNCTION_CONTEXT)
        one("recipient", "under a recipient", "success", store=STORE_IDENTITY, accepted=True,
            entries=lambda key: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)])  # fmt: skip

        altered("added", "a plain variable added", others={"LD_PRELOAD": "/tmp/x.so"})
        altered("added-when-none", "a plain variable added to none", plain={}, others={"LD_PRELOAD": "/tmp/x.so"})
        altered("added-empty", "a plain variable without a value added", others={"LD_PRELOAD": ""})
        altered("added-two", "two plain variables added", others={"Z": "1", "B": "2"})
        altered("changed", "a plain value changed", others={"REGION": "us-east-1"})
        altered("changed-two", "two plain values changed", others={"REGION": "us-east-1", "LOG_LEVEL": "debug"})
        altered("changed-case", "the case of a plain value changed", others={"LOG_LEVEL": "INFO"})
        altered("changed-space", "a space after a plain value", others={"LOG_LEVEL": "info "})
        altered("changed-line-feed", "a line feed after a plain value", others={"LOG_LEVEL": "info\n"})
        altered("changed-unicode", "a plain value that is equal by Unicode and differs as bytes", others={"TITLE": "Ka\u0308se"})
        altered("changed-nul", "a plain value cut at its NUL", plain={"A": "a\x00b"}, others={"A": "a"})
        altered("emptied", "a plain value emptied", others={"REGION": ""})
        altered("filled", "a plain value that was empty", others={"UNSET": "x"})
        altered("removed", "a plain variable removed", **removed("REGION"))
        altered("removed-empty", "a plain variable without a value removed", **removed("UNSET"))
        altered("removed-all", "all plain variables removed", **removed(*PLAIN))
        altered("renamed", "a plain variable renamed", others={"AREA": PLAIN["REGION"]}, **removed("REGION"))
        altered("renamed-case", "the case of a plain variable's name changed", others={"region": PLAIN["REGION"]}, **removed("REGION"))
        altered("swapped", "two plain values swapped", others={"REGION": PLAIN["LOG_LEVEL"], "LOG_LEVEL": PLAIN["REGION"]})
        altered("boundary", "a byte moved from a plain value to its name", plain={"A": "BC"}, others={"AB": "C"}, **removed("A"))
        altered("mixed", "a plain variable added, one changed, one removed", others={"ADDED": "1", "REGION": "us-east-1"},
                **removed("UNSET"))  # fmt: skip

        allow = lambda *names: {"allow": names}
        one("allowed", "an allowed variable as it was sealed", "success", **allow("REGION"))
        one("allowed-nowhere", "an allowed name that no variable has", "success", **allow("NOWHERE"))
        one("allowed-sealed", "an allowed name of a sealed variable", "success", **allow("API_KEY"))
        one("allowed-changed", "an allowed variable changed", "success", others={"REGION": "us-east-1"}, **allow("REGION"))
        one("allowed-added", "an allowed variable added", "success", others={"AWS_REGION": "eu"}, **allow("AWS_REGION"))
        one("allowed-removed", "an allowed variable removed", "success", **allow("REGION"), **removed("REGION"))
        one("allowed-several", "one allowed variable changed, one added, one removed", "success",
            others={"REGION": "us-east-1", "ADDED": "1"}, **allow("REGION", "ADDED", "UNSET"), **removed("UNSET"))  # fmt: skip
        one("allowed-other-changed", "an allowed variable changed, and another", "plainVariablesAltered",
            others={"REGION": "us-east-1", "LOG_LEVEL": "debug"}, **allow("REGION"))  # fmt: skip
        one("allowed-other-added", "an allowed variable added, and another", "plainVariablesAltered",
            others={"AWS_REGION": "eu", "LD_PRELOAD": "x"}, **allow("AWS_REGION"))  # fmt: skip
        one("allowed-other-removed", "an allowed variable removed, and another", "plainVariablesAltered",
            **allow("REGION"), **removed("REGION", "LOG_LEVEL"))  # fmt: skip
        one("allowed-case", "an allowed name of other case", "plainVariablesAltered", others={"REGION": "x"}, **allow("region"))
        one("allowed-prefix", "an allowed name that is a prefix", "plainVariablesAltered", others={"REGION": "x"}, **allow("REGIO"))
        one("allowed-renamed", "an allowed variable renamed to another name", "plainVariablesAltered",
            others={"AREA": PLAIN["REGION"]}, **allow("REGION"), **removed("REGION"))  # fmt: skip

        tags_of_plain_variables(make, one, altered)
        precedence_of_documents(make, one)


def tags_not_in_order(schedule):
    plain = {name: name for name in ("A", "B", "C", "D", "E", "F", "G", "H")}
    tags = [e.plain_tag(schedule, name, plain[name]) for name in plain]
    assert tags != sorted(tags)
    return plain


def tags_of_plain_variables(make, one, altered):
    tags_of = lambda schedule, plain=PLAIN: e.split_tags(e.plain_tags(schedule, plain))
    join = b"".join

    def malformed(name, comment, change):
        one("tags-" + name, comment, "malformed", document=False, tags=lambda schedule: join(change(tags_of(schedule))))

    malformed("15", "tags that lack a byte", lambda t: t[:-1] + [t[-1][:15]])
    malformed("17", "tags of a byte more", lambda t: t + [b"\xff"])
    malformed("1", "tags of one byte", lambda t: [b"\x01"])
    malformed("24", "tags of a tag and a half", lambda t: [t[0], t[1][:8]])
    malformed("equal", "a tag twice", lambda t: t[:1] + t)
    malformed("equal-last", "the last tag twice", lambda t: t + t[-1:])
    malformed("descending", "tags in descending order", lambda t: t[::-1])
    malformed("last-two", "the last two tags out of order", lambda t: t[:-2] + [t[-1], t[-2]])
    malformed("value-order", "tags of one name whose values are out of order",
              lambda t: [b"name" + b"\x02" * 12, b"name" + b"\x01" * 12])  # fmt: skip

    def by_name(schedule):
        tags = [e.plain_tag(schedule, name, text) for name, text in sorted(PLAIN.items())]
        assert tags != sorted(tags), "choose other names"
        return join(tags)

    one("tags-by-name", "tags in the order of the names", "malformed", tags=by_name)
    one("tags-of-one-name", "two tags of one name, in the environment of a process", "success", document=False,
        tags=lambda schedule: b"name" + b"\x01" * 12 + b"name" + b"\x02" * 12)  # fmt: skip

    def under(key):
        def tags(schedule):
            other = e.Schedule(bytes(32), e.prefix_of(e.ENVIRONMENT), bytes(16), b"")
            other.plain_key = key(schedule, other)
            return e.plain_tags(other, PLAIN)

        return {"tags": tags}

    altered("tags-other-environment", "the tags of another environment", **under(lambda own, other: other.plain_key))
    altered("tags-manifest-key", "tags under manifestKey", **under(lambda own, other: own.manifest_key))
    altered("tags-none", "plain variables without tags", tags=lambda schedule: b"")
    altered("tags-less", "no tag of one plain variable",
            tags=lambda schedule: e.plain_tags(schedule, {n: t for n, t in PLAIN.items() if n != "REGION"}))  # fmt: skip
    altered("tags-more", "a tag of no plain variable", tags=lambda schedule: e.plain_tags(schedule, PLAIN | {"MORE": "1"}))
    altered("tags-alone", "tags, and no plain variables", plain={}, tags=lambda schedule: e.plain_tags(schedule, PLAIN))

    def other_value(schedule):
        own, other = (e.plain_tag(schedule, name, PLAIN[name]) for name in ("REGION", "LOG_LEVEL"))
        return join(sorted([own[:4] + other[4:]] + [tag for tag in tags_of(schedule) if tag != own]))

    altered("tags-other-value", "the tag of one plain value beside another name", tags=other_value)
    one("tags-other-value-allowed", "the tag of one plain value beside another name, which is allowed", "success",
        tags=other_value, allow=["REGION"])  # fmt: skip


def precedence_of_documents(make, one):
    added, fifteen = {"LD_PRELOAD": "x"}, lambda schedule: bytes(15)
    recipient = lambda key: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)]
    separate = make is environment
    one("no-header", "plain variables, and no header", "noHeader",
        **({"change": lambda v, seal: v.pop(e.HEADER_NAME)} if separate else
           {"change_variables": lambda v: v.pop(e.SEALED_NAME)}), values={})  # fmt: skip
    one("first-context", "another context, and a plain variable added: the context is checked first", "contextDiffers",
        open_pairs=NO_CONTEXT, others=added)  # fmt: skip
    one("first-sender", "an anonymous sender, and a plain variable added: the sender is checked first", "anonymousSender",
        store=STORE_IDENTITY, entries=recipient, others=added)  # fmt: skip
    one("first-tags", "tags of 15 bytes, and a plain variable added: the form is checked first", "malformed",
        tags=fifteen, others=added)  # fmt: skip
    one("first-plain", "a plain variable added, and a generation below the one demanded", "plainVariablesAltered",
        others=added, minimum=TIME + 1)  # fmt: skip
    one("stale", "a generation below the one demanded", "staleGeneration", minimum=TIME + 1)
    one("tags-and-context", "tags of 15 bytes, and another context", "malformed" if separate else "contextDiffers",
        tags=fifteen, open_pairs=NO_CONTEXT)  # fmt: skip


def separate_documents():
    def fails(name, comment, expect, plain=PLAIN, document=True, **more):
        environment(("document-" if document else "process-") + name, comment, expect, plain=plain, document=document, **more)

    def both(name, comment, expect, **more):
        fails(name, comment, expect, **more)
        fails(name, comment + ", in the environment of a process", expect, document=False, **more)

    put = lambda **texts: lambda v, seal: v.update(texts)
    remove = lambda *names: lambda v, seal: [v.pop(n) for n in names]

    fails("value-65536", "a plain value of 65,536 bytes", "success", plain={"LONG": "v" * 65536})

    # The manifest covers the tags.
    both("tags-stripped", "the tags cut off", "variablePutBack", change_header=lambda x: x[:-64])
    both("tags-cut", "the last tag cut off", "variablePutBack", change_header=lambda x: x[:-16])
    both("tags-altered", "a tag altered", "variablePutBack", change_header=lambda x: flip(x, -1))
    both("tags-added", "a tag added", "variablePutBack", change_header=lambda x: x + b"\xff" * 16)
    both("tags-added-to-none", "a tag added to none", "variablePutBack", plain={}, change_header=lambda x: x + bytes(16))
    fails("tags-stripped-with-variables", "the plain variables removed, and their tags", "variablePutBack",
          change=remove(*PLAIN), change_header=lambda x: x[:-64])  # fmt: skip
    fails("tags-transplanted", "the tags of another environment, beside its plain variables", "variablePutBack",
          change_header=lambda x: x[:-64] + e.plain_tags(e.Schedule(bytes(32), bytes(5), bytes(16), b""), PLAIN))  # fmt: skip

    def manifest_of(tags):
        def manifest(schedule, generation, sealed):
            message = e.u32(generation) + e.u16(len(sealed)) + tags(schedule)
            message += b"".join(e.lp16(n.encode()) + e.lp32(sealed[n]) for n in sorted(sealed))
            return e.blake2b(256, message, key=schedule.manifest_key)

        return manifest

    both("manifest-no-length", "a manifest without the length of the tags, which are none", "variablePutBack", plain={},
         manifest=manifest_of(lambda schedule: b""))  # fmt: skip
    both("manifest-no-tags", "a manifest without the tags", "variablePutBack", manifest=manifest_of(lambda schedule: b""))
    both("manifest-tags-alone", "a manifest with the tags and not their length", "variablePutBack",
         manifest=manifest_of(lambda schedule: e.plain_tags(schedule, PLAIN)))  # fmt: skip

    # The number of tags.
    numbered = lambda count: lambda schedule: b"".join(e.u32(n) + bytes(12) for n in range(count))
    fails("tags-4095", "4,095 tags, and no plain variables", "plainVariablesAltered", plain={}, tags=numbered(4095))
    fails("tags-4096", "4,096 tags", "malformed", plain={}, tags=numbered(4096), manifest=lambda *_: bytes(32))

    # Two names with one nameTag, found by trying some hundred thousand. The second one's tag is the lower.
    chosen = []

    def colliding(schedule):
        names, number, start = {}, 0, hashlib.blake2b(b"\x00", digest_size=16, key=schedule.plain_key)
        while True:
            name, tag = f"N{number}", start.copy()
            tag.update(name.encode())
            if (tag := tag.digest()[:4]) in names:
                first, second = sorted((name, names[tag]))
                text = next(str(n) for n in range(99) if e.plain_tag(schedule, second, str(n)) < e.plain_tag(schedule, first, "1"))
                assert e.plain_tags(schedule, {second: text, first: "1"})[:4] == e.name_tag(schedule, first) == tag
                chosen[:] = [first]
                return {first: "1", second: text}
            names[tag], number = name, number + 1

    fails("tags-collide", "two names with one nameTag", "success", plain=colliding)
    fails("tags-collide-allowed", "two names with one nameTag, one of them allowed", "success", plain=colliding, allow=chosen)
    fails("tags-collide-changed", "two names with one nameTag, the value of one changed", "plainVariablesAltered",
          plain=colliding, change=lambda v, seal: v.update({chosen[0]: "changed"}))  # fmt: skip
    fails("tags-collide-removed", "two names with one nameTag, one removed", "plainVariablesAltered",
          plain=colliding, change=lambda v, seal: v.pop(chosen[0]))  # fmt: skip

    # Names in variablesMissing.
    fails("in-place", "a plain variable in place of a sealed one", "variablesMissing", change=put(API_KEY="plain"))
    fails("in-place-when-none", "a plain variable in place of a sealed one, no others", "variablesMissing", plain={},
          change=put(API_KEY="plain"))  # fmt: skip
    fails("in-place-two", "plain variables in place of two sealed ones", "variablesMissing", change=put(API_KEY="1", _empty=""))
    fails("in-place-changed", "a plain variable in place of a sealed one, another changed: it was plain before",
          "variablesMissing", change=put(API_KEY="plain", REGION="us-east-1"))  # fmt: skip
    fails("in-place-allowed", "an allowed plain variable in place of a sealed one", "variablesMissing",
          change=put(API_KEY="plain"), allow=["API_KEY"])  # fmt: skip
    fails("in-place-other-name", "a sealed variable removed, a plain one added", "variablesMissing",
          change=lambda v, seal: (v.pop("API_KEY"), v.update(ADDED="1")))  # fmt: skip
    fails("in-place", "a plain variable in place of a sealed one, in the environment of a process", "variablesMissing",
          document=False, change=put(API_KEY="plain"))  # fmt: skip
    fails("sealed-removed", "a sealed variable removed", "variablesMissing", change=remove("API_KEY"))
    fails("sealed-and-plain-removed", "a sealed variable removed, and a plain one", "variablesMissing",
          change=remove("API_KEY", "REGION"))  # fmt: skip

    # What precedes the comparison.
    def after(change):
        return lambda v, seal: (change(v, seal), v.update(LD_PRELOAD="x"))

    swapped = lambda v, seal: v.update(API_KEY=v["DATABASE_URL"], DATABASE_URL=v["API_KEY"])
    fails("first-altered", "sealed variables swapped, and a plain one added", "variablesAltered", change=after(swapped))
    fails("first-added", "a sealed variable added, and a plain one", "variablesAdded",
          change=after(lambda v, seal: v.update(OLD=seal("OLD", b"old"))))  # fmt: skip
    fails("first-put-back", "an older sealed value, and a plain variable added", "variablePutBack",
          change=after(lambda v, seal: v.update(API_KEY=seal("API_KEY", b"old"))))  # fmt: skip
    fails("sealed-as-plain", "a plain variable replaced by one that was sealed under the header", "variablesAdded",
          change=lambda v, seal: v.update(REGION=seal("REGION", b"eu-central-1")))  # fmt: skip


def packed_documents():
    def fails(name, comment, expect, document=True, **more):
        packed(("document-" if document else "process-") + name, comment, expect, document=document, **more)

    for name, comment, text in (
        ("shadowed", "a plain variable", "plain"),
        ("shadowed-equal", "a plain variable of the same value,", "first value"),
    ):
        fails(name, comment + " beside a sealed one of its name", "plainVariablesAltered", plain=PLAIN, others={"API_KEY": text})
        fails(name + "-allowed", f"allowed: {comment} beside a sealed one of its name", "plainVariablesAltered", plain=PLAIN,
              others={"API_KEY": text}, allow=["API_KEY"])  # fmt: skip
        fails(name + "-tagged", comment + " with a tag beside a sealed one of its name", "plainVariablesAltered",
              plain=PLAIN | {"API_KEY": text})  # fmt: skip
        fails(name + "-tagged-allowed", f"allowed: {comment} with a tag beside a sealed one of its name",
              "plainVariablesAltered", plain=PLAIN | {"API_KEY": text}, allow=["API_KEY"])  # fmt: skip
    fails("shadowed", "a plain variable beside a sealed one of its name, in the environment of a process", "success",
          document=False, plain=PLAIN, others={"API_KEY": "plain"})  # fmt: skip
    fails("shadowed-and-changed", "a plain variable beside a sealed one of its name, another changed", "plainVariablesAltered",
          plain=PLAIN, others={"API_KEY": "plain", "REGION": "x"}, allow=["API_KEY"])  # fmt: skip
    fails("first-payload", "the payload altered, and a plain variable added", "payloadAltered", plain=PLAIN,
          change=lambda x: flip(x, -1), others={"LD_PRELOAD": "x"})  # fmt: skip
    fails("ev1-beside", "a variable that begins with ev1: beside", "malformed", plain=PLAIN, others={"REGION": "ev1:AAAA"})


# Recipients


def second(*keys, audit=None, aliases=(), default=ONE):
    """A store of version 2."""
    lines = store_of(*keys, default=default, aliases=aliases)
    at = 1 + sum(map(len, keys))
    return ["envelope-keys 2"] + lines[1:at] + ([f"audit {audit}"] if audit else []) + lines[at:]


def identity(identifier, *versions):
    return [line.replace("keyset", "identity", 1) for line in keyset(identifier, *versions)]


def public_key(key_id):
    return e.bindings.crypto_scalarmult_base(secret(key_id))


def for_recipient(key_id, pairs, data_key, public=None, name=None):
    """An entry; `name` is another key id to write than the one that is bound."""
    return e.RECIPIENT, name or key_id, e.wrap_to_public_key(public or public_key(key_id), key_id, wrapping(pairs), data_key)


ID = "identity-111"
KEY_ID_OF = f"{ID}.1"
STORE_IDENTITY = second(identity(ID, 1), default=ID)
STORE_ALL = second(keyset(ONE, 1), identity(ID, 1, 2))
# Points whose multiples are few: RFC 7748 shuts out none of them, and every shared secret with them is all zero.
P = 2**255 - 19
LOW_ORDER = {
    "0": 0, "1": 1, "p-1": P - 1, "p": P, "p+1": P + 1,
    "8": 325606250916557431795983626356110631294008115727848805560023387167927233504,
    "8-other": 39382357235489614581723060781553021112529911719440698176882885853963445705823,
}  # fmt: skip


def recipients():
    for make in (value, environment, packed):
        changed = "change_header" if make is environment else "change"

        def one(name, comment, expect, change=None, pairs=PLAIN_CONTEXT, store=STORE_IDENTITY, entries=None, **more):
            entries = entries or (lambda key: [for_recipient(KEY_ID_OF, pairs, key)])
            more |= {changed: change} if change else {}
            make("recipient-" + name, comment, expect, pairs=pairs, store=store, entries=entries, **more)

        one("plain", "under a recipient, a context without function", "success", accepted=True)
        one("function", "under a recipient, a context with function", "success", pairs=FUNCTION_CONTEXT, accepted=True)
        one("of-two", "under a keyset that is not held and a recipient", "success", accepted=True,
            entries=lambda key: [entry(KEY_ONE, PLAIN_CONTEXT, key), for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)])  # fmt: skip
        two_entries = lambda key: [entry(KEY_ONE, PLAIN_CONTEXT, key), for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)]
        tag = WRAPPED + 80 + 32
        one("anonymous", "an anonymous sender that is not accepted", "anonymousSender")
        one("anonymous-of-two", "an anonymous sender that is not accepted, and a keyset that is not held", "anonymousSender",
            entries=two_entries)  # fmt: skip
        one("anonymous-commitment", "the commitment altered: the header is checked before the sender", "headerAltered",
            lambda x: flip(x, tag - 1))  # fmt: skip
        one("anonymous-tag", "headerTag altered: the header is checked before the sender", "headerAltered", lambda x: flip(x, tag))
        one("anonymous-payload", "the last byte altered: the sender is checked before the payload", "anonymousSender",
            lambda x: flip(x, -1))  # fmt: skip
        one("accepted-altered", "the last byte altered, the sender accepted",
            "variablePutBack" if make is environment else "payloadAltered", lambda x: flip(x, -1), accepted=True)  # fmt: skip
        one("accepted-keyset", "an anonymous sender accepted, and a keyset's entry", "success", store=STORE, accepted=True,
            entries=lambda key: [entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
        one("both-held", "a keyset and a recipient, both held: the keyset has opened it", "success", store=STORE_ALL,
            entries=two_entries)  # fmt: skip
        one("accepted-both-held", "a keyset and a recipient, both held, an anonymous sender accepted", "success",
            store=STORE_ALL, entries=two_entries, accepted=True)  # fmt: skip
        one("anonymous-keyset-altered", "an anonymous sender, and a keyset's entry that does not verify", "anonymousSender",
            store=STORE_ALL, entries=lambda key: [
                entry(KEY_ONE, PLAIN_CONTEXT, key, secret_of="another"), for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)])  # fmt: skip
        one("anonymous-keyset-stray", "an anonymous sender, and a keyset's entry of another data key", "anonymousSender",
            store=STORE_ALL, entries=lambda key: [
                entry(KEY_ONE, PLAIN_CONTEXT, bytes(32)), for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)])  # fmt: skip
        mine = lambda key: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)]
        for kind in ("environment" if make is value else "value", "key-store", None):
            one(f"wrapped-for-{kind or 'no-kind'}", f"a recipient's entry that was wrapped for {kind or 'no kind'}",
                "unwrapFailed", entries=for_kind(kind, mine), accepted=True)  # fmt: skip
        one("tried-last", "a recipient before a keyset, both held: the keyset is tried first", "success", store=STORE_ALL,
            entries=lambda key: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key), entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
        one("altered", "the ciphertext of a recipient's entry altered", "unwrapFailed", lambda x: flip(x, WRAPPED + 40))
        one("encapsulated", "the encapsulated key altered", "unwrapFailed", lambda x: flip(x, WRAPPED))
        one("encapsulated-high-bit", "a bit of the encapsulated key that the exchange passes over", "unwrapFailed",
            lambda x: flip(x, WRAPPED + 31, 0x80))  # fmt: skip
        one("not-held", "another identity", "keyNotFound", store=second(identity(TWO, 1), default=TWO))
        one("version-not-held", "another version of the identity", "keyNotFound",
            entries=lambda key: [for_recipient(f"{ID}.2", PLAIN_CONTEXT, key)])  # fmt: skip
        one("wrong-context", "another context", "contextDiffers", open_pairs=NO_CONTEXT)

    def fails(name, comment, expect, entries, store=STORE_IDENTITY, **more):
        value("recipient-" + name, comment, expect, entries=entries, store=store, **more)

    plain = PLAIN_CONTEXT
    value("recipient-version-2", "version 2 of an identity", "success", store=STORE_ALL, accepted=True,
          entries=lambda key: [for_recipient(f"{ID}.2", plain, key)])  # fmt: skip
    value("recipient-when-keyset-altered", "a keyset's entry that does not verify, and a recipient's", "success",
          store=STORE_ALL, accepted=True, entries=lambda key: [
              entry(KEY_ONE, plain, key, secret_of="another"), for_recipient(KEY_ID_OF, plain, key)])  # fmt: skip
    value("recipient-high-bit", "the last bit of the public key set: the exchange passes over it, HPKE does not",
          "unwrapFailed", store=STORE_IDENTITY, entries=lambda key: [
              for_recipient(KEY_ID_OF, plain, key, public=flip(public_key(KEY_ID_OF), 31, 0x80))])  # fmt: skip
    fails("other-public-key", "the key id of an identity, wrapped to another's public key", "unwrapFailed",
          lambda key: [for_recipient(KEY_ID_OF, plain, key, public=public_key("another"))])  # fmt: skip
    fails("bound-context", "an entry that is bound to another context", "unwrapFailed",
          lambda key: [for_recipient(KEY_ID_OF, FUNCTION_CONTEXT, key)])  # fmt: skip
    fails("bound-key-id", "an entry that is bound to another key id", "unwrapFailed",
          lambda key: [for_recipient(f"{ID}.2", plain, key, public=public_key(KEY_ID_OF), name=KEY_ID_OF)])  # fmt: skip
    fails("narrowed", "a private key narrowed as a keyset's would be", "unwrapFailed", lambda key: [
        for_recipient(KEY_ID_OF, plain, key, public=e.bindings.crypto_scalarmult_base(e.narrow(secret(KEY_ID_OF), plain)))])  # fmt: skip
    fails("in-scheme-01", "an identity's key id in an entry of a keyset", "keyNotFound",
          lambda key: [entry(KEY_ID_OF, plain, key)])  # fmt: skip
    fails("of-keyset", "a keyset's key id in an entry of a recipient", "keyNotFound",
          lambda key: [for_recipient(KEY_ONE, plain, key)], store=STORE)  # fmt: skip
    fails("leading-zero", "a key id with a leading zero", "keyNotFound",
          lambda key: [for_recipient(f"{ID}.01", plain, key, public=public_key(KEY_ID_OF))])  # fmt: skip
    fails("other-data-key", "a recipient's entry that unwraps to another data key", "headerAltered",
          lambda key: [for_recipient(KEY_ID_OF, plain, bytes(32))])  # fmt: skip
    fails("other-entry-altered", "a recipient's entry altered beside a keyset's that opens", "headerAltered",
          lambda key: [entry(KEY_ONE, plain, key), for_recipient(KEY_ID_OF, plain, key)], store=STORE_ALL,
          change=lambda x: flip(x, WRAPPED + 72 + 18 + 40))  # fmt: skip
    for name, point in LOW_ORDER.items():
        def of_no_secret(key, enc=point.to_bytes(32, "little")):
            _, message_key, nonce = e.hpke_keys(bytes(32), enc, public_key(KEY_ID_OF))
            data = e.wrap_associated_data(KEY_ID_OF, wrapping(plain), e.RECIPIENT)
            sealed = e.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(key, data, nonce, message_key)
            return [(e.RECIPIENT, KEY_ID_OF, enc + sealed)]

        fails("low-order-" + name, "an encapsulated key of low order, and what the secret of zeros sealed", "unwrapFailed",
              of_no_secret)  # fmt: skip


def recipient_texts():
    def text(name, comment, expect, text):
        add("recipient-" + name, comment, "recipient", expect, [("recipient", text)])

    def of(identifier, version, public):
        data = e.from_text(identifier) + e.u32(version) + public
        return data + e.blake2b(256, data, personal=b"EK recipient")[:4]

    public = public_key(KEY_ID_OF)
    good = of(ID, 1, public)
    whole = "er1:" + e.to_text(good)
    refused = lambda name, comment, given: text("text-" + name, comment, "invalidArgument", given)
    text("text-1", "version 1", "success", whole)
    text("text-last", "the last version", "success", "er1:" + e.to_text(of(ID, 2**32 - 1, public)))
    refused("version-0", "version 0", "er1:" + e.to_text(of(ID, 0, public)))
    for at in (0, 8, 9, 12, 13, 44, 45, 48):
        refused(f"byte-{at}", f"byte {at} altered", "er1:" + e.to_text(flip(good, at)))
    refused("short", "a byte less, its check right", "er1:" + e.to_text(of(ID, 1, public[:-1])))
    refused("long", "a byte more, its check right", "er1:" + e.to_text(of(ID, 1, public + b"\x00")))
    refused("no-check", "no check", "er1:" + e.to_text(good[:45]))
    refused("empty", "no bytes", "er1:")
    refused("upper", "ER1:", "ER1:" + whole[4:])
    refused("ek1", "ek1:", "ek1:" + whole[4:])
    refused("no-prefix", "no prefix", whole[4:])
    refused("spare-bits", "spare bits set", spare_bits(whole))
    refused("padded", "with padding", whole + "==")
    refused("space", "a space within", whole[:30] + " " + whole[30:])
    refused("combining", "a combining character after the prefix", "er1:\u0301" + whole[4:])
    for name, point in LOW_ORDER.items():
        low = point.to_bytes(32, "little")
        refused("low-order-" + name, "a public key of low order", "er1:" + e.to_text(of(ID, 1, low)))
    key = public_key(KEY_ID_OF)
    refused("high-bit", "the last bit of the public key set", "er1:" + e.to_text(of(ID, 1, flip(key, 31, 0x80))))
    for more in (2, 18):
        refused(f"p+{more}", f"a public key that is {more} more than p", "er1:" + e.to_text(of(ID, 1, (2**255 - 19 + more).to_bytes(32, "little"))))
    refused("low-order-high-bit", "a public key of low order, its last bit set", "er1:" + e.to_text(of(ID, 1, b"\x01" + bytes(30) + b"\x80")))


# Passphrases. Cheap ones: what new entries cost is not for a test that is run often.

WORDS = "korrekt pferd batterie \u00e9".encode()


def passphrases():
    def by(words=WORDS, cost=(3, 1), bound=None, key_id="passphrase-1"):
        def entries(key, pairs=PLAIN_CONTEXT):
            salt = e.random_bytes(16)
            hash_key = e.passphrase_key(words, salt, *cost) if 3 <= cost[0] <= 13 and cost[1] else bytes(32)
            data = e.wrap_associated_data(key_id, wrapping(bound or pairs), e.PASSPHRASE)
            return [(e.PASSPHRASE, key_id, bytes(cost) + salt + e.seal_24(hash_key, data, key))]

        return entries

    wrapped = WRAPPED - 2  # The key id is 12 bytes long.
    for make in (value, environment, packed):
        changed = "change_header" if make is environment else "change"

        def one(name, comment, expect, change=None, store=WORDS, entries=by(), **more):
            more |= {changed: change} if change else {}
            make("passphrase-" + name, comment, expect, store=store, entries=entries, **more)

        one("plain", "under a passphrase", "success")
        one("wrong", "another passphrase", "unwrapFailed", store=b"another")
        one("altered", "the wrapped key altered", "unwrapFailed", lambda x: flip(x, wrapped + 50))
        one("cost", "a cost that is too high", "malformed", entries=by(cost=(20, 5)))
        for kind in ("environment" if make is value else "value", "key-store", None):
            one(f"wrapped-for-{kind or 'no-kind'}", f"a passphrase's entry that was wrapped for {kind or 'no kind'}",
                "unwrapFailed", entries=for_kind(kind, by()))  # fmt: skip

    def fails(name, comment, expect, entries, store=WORDS, **more):
        value("passphrase-" + name, comment, expect, entries=entries, store=store, **more)

    fails("cost-dearer", "16 MiB gone over twice in all", "success", by(cost=(13, 2)))
    fails("cost-255-passes", "8 KiB gone over 255 times", "success", by(cost=(3, 255)))
    fails("one-byte", "a passphrase of one byte", "success", by(words=b"\x00"), store=b"\x00")
    fails("nul", "a passphrase up to its NUL alone", "unwrapFailed", by(words=b"a\x00b"), store=b"a")
    fails("decomposed", "the same letters in other bytes", "unwrapFailed", by(),
          store="korrekt pferd batterie e\u0301".encode())  # fmt: skip
    for name, cost in (("2", (2, 1)), ("0", (0, 1)), ("21", (21, 1)), ("255", (255, 1))):
        fails("memory-" + name, f"log\u2082 {cost[0]}", "malformed", by(cost=cost))
    for name, cost in (("0", (13, 0)), ("5", (20, 5)), ("17", (18, 17)), ("33", (17, 33)), ("129", (15, 129)), ("255", (15, 255))):
        fails("passes-" + name, f"log\u2082 {cost[0]}, {cost[1]} passes", "malformed", by(cost=cost))
    fails("memory-altered", "log\u2082 altered", "unwrapFailed", by(), change=lambda x: flip(x, wrapped, 7))
    fails("passes-altered", "passes altered", "unwrapFailed", by(), change=lambda x: flip(x, wrapped + 1, 2))
    fails("salt-altered", "the salt altered", "unwrapFailed", by(), change=lambda x: flip(x, wrapped + 2))
    fails("key-id", "the key id altered", "unwrapFailed", by(), change=lambda x: flip(x, KEY_ID))
    fails("bound-context", "an entry that is bound to another context", "unwrapFailed", by(bound=FUNCTION_CONTEXT))
    fails("first-context", "another context, and a cost that is too high: the context is looked at first",
          "contextDiffers", by(cost=(255, 255)), open_pairs=NO_CONTEXT)  # fmt: skip
    fails("no-key", "a cost that is too high, and no passphrase", "keyNotFound", by(cost=(255, 255)), store=STORE)
    fails("only-keyset", "a passphrase, and a header with a keyset", "keyNotFound", None)
    fails("other-data-key", "a passphrase that unwraps to another data key", "headerAltered", lambda key: by()(bytes(32)))
    fails("header-tag", "headerTag altered", "headerAltered", by(), change=lambda x: flip(x, 26 + 106 + 32))
    fails("with-keyset", "a passphrase before a keyset", "malformed",
          lambda key: by()(key) + [entry(KEY_ONE, PLAIN_CONTEXT, key)])  # fmt: skip
    fails("with-recipient", "a passphrase after a recipient", "malformed",
          lambda key: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, key)] + by()(key))  # fmt: skip
    fails("with-unknown", "a passphrase beside a scheme that is not known", "malformed",
          lambda key: by()(key) + [of_any(0x55, "k", 1)])  # fmt: skip
    fails("with-passphrase", "two passphrases, the same", "malformed",
          lambda key: by()(key) + by(key_id="passphrase-2")(key))  # fmt: skip


# Keys of stores of version 2


def scope(function):
    return "-" if function is None else e.to_text(function.encode())


def narrowed(identifier, functions, *versions, primary=None, more=()):
    lines = [f"keyset {identifier} {primary or versions[-1]}", *more] + [f"narrowed {scope(f)}" for f in functions]
    for number in versions:
        whole = secret(f"{identifier}.{number}")
        keys = b"".join(e.narrow_to(whole, None if f is None else f.encode()) for f in functions)
        lines.append(f"version {number} {1_700_000_000 + number} {e.to_text(keys)}")
    return lines


def narrowed_keys():
    orders = second(narrowed(ONE, ["orders"], 1))
    for make in (value, environment, packed):
        make("narrowed-function", "a key narrowed to the envelope's function", "success", pairs=FUNCTION_CONTEXT, store=orders)
        make("narrowed-none", "a key narrowed to no function", "success", store=second(narrowed(ONE, [None], 1)))
        make("narrowed-other", "a key narrowed to another function", "keyNotFound", pairs=FUNCTION_CONTEXT,
             store=second(narrowed(ONE, ["mails"], 1)))  # fmt: skip
        make("narrowed-not-none", "a key narrowed to a function, an envelope of none", "keyNotFound", store=orders)
        make("narrowed-not-some", "a key narrowed to no function, an envelope of one", "keyNotFound", pairs=FUNCTION_CONTEXT,
             store=second(narrowed(ONE, [None], 1)))  # fmt: skip

    def for_orders(name, comment, expect, store, **more):
        value("narrowed-" + name, comment, expect, store=store, pairs=FUNCTION_CONTEXT, **more)

    several = [None, "mails", "orders", "\u00e9"]
    for_orders("several", "a key narrowed to four, this among them", "success", second(narrowed(ONE, several, 1, 2)))
    value("narrowed-several-none", "a key narrowed to four, none among them", "success", store=second(narrowed(ONE, several, 1, 2)))
    for_orders("version-2", "version 2 of a narrowed key", "success", second(narrowed(ONE, ["a", "orders"], 1, 2)),
               entries=lambda key: [entry(f"{ONE}.2", FUNCTION_CONTEXT, key)])  # fmt: skip
    for_orders("version-not-held", "a version that the copy does not have", "keyNotFound", second(narrowed(ONE, ["orders"], 2)))
    swapped = narrowed(ONE, ["mails", "orders"], 1)
    keys = e.from_text(swapped[-1].split(" ")[3])
    swapped[-1] = " ".join(swapped[-1].split(" ")[:3] + [e.to_text(keys[32:] + keys[:32])])
    for_orders("swapped", "the values of two functions swapped", "unwrapFailed", second(swapped))
    relabeled = [line.replace(scope("orders"), scope("mails")) for line in narrowed(ONE, ["orders"], 1)]
    for_orders("relabeled", "a key narrowed to this function that claims another", "keyNotFound", second(relabeled))
    relabeled = [line.replace(scope("mails"), scope("orders")) for line in narrowed(ONE, ["mails"], 1)]
    for_orders("claimed", "a key narrowed to another function that claims this", "unwrapFailed", second(relabeled))
    whole = [line for line in narrowed(ONE, ["orders"], 1) if not line.startswith("narrowed")]
    for_orders("as-whole", "a narrowed key that claims to be the whole one", "unwrapFailed", second(whole))
    for_orders("twice", "a narrowed key narrowed once more", "unwrapFailed", second(
        narrowed(ONE, ["orders"], 1)[:2] + [f"version 1 1 {e.to_text(e.narrow_to(e.narrow_to(secret(KEY_ONE), b'orders'), b'orders'))}"]))  # fmt: skip
    combining = [("function", "\u00e9")]
    value("narrowed-bytes", "a function that is equal by Unicode and differs as bytes", "keyNotFound", pairs=combining,
          store=second(narrowed(ONE, ["e\u0301"], 1)))  # fmt: skip
    joined_keys(for_orders)


def joined(*marks, functions=("mails", "orders"), primary=None):
    """A key that was narrowed to different functions before and after a rotation: a mark for each function."""
    lines = narrowed(ONE, functions, *range(1, len(marks) + 1), primary=primary)
    for number, mark in enumerate(marks, 1):
        at = 1 + len(functions) + number - 1
        word, number, created, text = lines[at].split(" ")
        keys = e.from_text(text)
        held = b"".join(keys[32 * n : 32 * n + 32] for n, one in enumerate(mark) if one == "1")
        lines[at] = " ".join([word, number, created, e.to_text(held)] + ([mark] if "0" in mark else []))
    return lines


def joined_keys(for_orders):
    second_version = lambda key: [entry(f"{ONE}.2", FUNCTION_CONTEXT, key)]
    for name, comment, expect, marks, entries in (
        ("old", "version 1 for this function alone", "success", ("01", "10"), None),
        ("new", "version 2 for this function alone", "success", ("10", "01"), second_version),
        ("both", "version 1 for another function alone, version 2 for both", "success", ("10", "11"), second_version),
        ("old-missing", "version 1 for another function alone", "keyNotFound", ("10", "11"), None),
        ("new-missing", "version 2 for another function alone", "keyNotFound", ("11", "10"), second_version),
    ):
        for_orders("joined-" + name, comment, expect, second(joined(*marks)), entries=entries)
    good = joined("10", "01")
    bad = lambda name, comment, lines: for_orders("joined-" + name, comment, "keyStoreDamaged", second(lines))
    end = lambda mark: good[:-1] + [good[-1].rsplit(" ", 1)[0] + mark]
    for name, mark in (("short", " 1"), ("long", " 010"), ("no-function", " 00"), ("words", " 0 1"), ("empty", " "), ("other", " 02")):
        bad("marks-" + name, "marks that cannot be", end(mark))
    bad("marks-all", "marks that say what holds without", narrowed(ONE, ["orders"], 1)[:-1] + [narrowed(ONE, ["orders"], 1)[-1] + " 1"])
    bad("marks-length", "a mark for one function, and the secrets of two", narrowed(ONE, ["mails", "orders"], 1, 2)[:-1]
        + [narrowed(ONE, ["mails", "orders"], 1, 2)[-1] + " 01"])  # fmt: skip
    bad("function-missing", "a function that no version is for", joined("01", "01"))
    bad("marks-whole", "marks of a whole key", keyset(ONE, 1)[:1] + [keyset(ONE, 1)[1] + " 1"])


def uses():
    """States, policies and the minimum: what refuses, and before what else."""
    last = 2**64 - 1
    key = lambda *more, versions=(1,), identifier=ONE: (
        [keyset(identifier, *versions)[0], *more] + keyset(identifier, *versions)[1:]
    )
    gone = [f"destroyed {ONE} keyset 1"]
    pending, overdue, disabled = f"state pending {last}", "state pending 1", "state disabled"
    for make in (value, environment, packed):
        for name, comment, expect, store in (
            ("disabled", "a disabled key", "keyDisabled", key(disabled)),
            ("pending", "a key whose deletion is pending", "keyInvalidState", key(pending)),
            ("overdue", "a key whose deletion was due", "keyNotFound", key(overdue)),
            ("destroyed", "a destroyed key", "keyNotFound", gone),
            ("wrap-only", "a key that only wraps", "keyAccessDenied", key("operations wrap")),
            ("unwrap-only", "a key that only unwraps", "success", key("operations unwrap")),
            ("minimum", "a version below the minimum", "keyVersionTooOld", key("minimum 2", versions=(1, 2))),
        ):
            make("use-" + name, comment, expect, store=second(store))
        make("use-policy", "the policy's function", "success", pairs=FUNCTION_CONTEXT,
             store=second(key(f"function {scope('a')}", f"function {scope('orders')}")))  # fmt: skip
        make("use-policy-other", "a function that the policy does not have", "keyAccessDenied", pairs=FUNCTION_CONTEXT,
             store=second(key("function -", f"function {scope('mails')}")))  # fmt: skip

    def use(name, comment, expect, *keys, entries=None, pairs=PLAIN_CONTEXT, default=ONE, **more):
        value("use-" + name, comment, expect, store=second(*keys, default=default), entries=entries, pairs=pairs, **more)

    orders, other = f"function {scope('orders')}", f"function {scope('other')}"
    use("policy-none", "a policy for envelopes of no function", "success", key("function -"))
    use("policy-not-none", "a policy for a function, an envelope of none", "keyAccessDenied", key(orders))
    use("policy-bytes", "a policy for a function that is equal by Unicode", "keyAccessDenied",
        key(f"function {scope(chr(0xe9))}"), pairs=[("function", "e\u0301")])  # fmt: skip
    use("minimum-met", "the version of the minimum", "success", key("minimum 2", versions=(1, 2)),
        entries=lambda k: [entry(f"{ONE}.2", PLAIN_CONTEXT, k)])  # fmt: skip
    use("rotation", "a rotation period that has passed", "success", key("rotation 1"))
    # The reasons in their order: each of these has all that follow it, too.
    everything = ["minimum 2", "operations wrap", other, f"narrowed {scope('other')}"]
    rest = narrowed(ONE, ["other"], 1, 2)[2:]
    first = [f"keyset {ONE} 2"]
    altered = lambda k: [entry(KEY_ONE, PLAIN_CONTEXT, k, secret_of="another")]
    use("first-destroyed", "due, and all else", "keyNotFound", first + [overdue] + everything + rest, entries=altered)
    use("first-pending", "pending, and all that follows", "keyInvalidState", first + [pending] + everything + rest, entries=altered)
    use("first-disabled", "disabled, and all that follows", "keyDisabled", first + [disabled] + everything + rest, entries=altered)
    use("first-policy", "not allowed, and all that follows", "keyAccessDenied", first + everything + rest, entries=altered)
    use("first-version", "too old, and all that follows", "keyVersionTooOld", first + everything[:1] + everything[3:] + rest, entries=altered)
    use("first-narrowed", "narrowed, and altered", "keyNotFound", first + everything[3:] + rest, entries=altered)
    use("not-held", "a disabled key that does not have the version", "keyNotFound", key(disabled),
        entries=lambda k: [entry(f"{ONE}.2", PLAIN_CONTEXT, k)])  # fmt: skip
    use("destroyed-identity", "a destroyed identity", "keyNotFound", [f"destroyed {ID} identity 1"], default=ID,
        entries=lambda k: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, k)])  # fmt: skip
    disabled_identity = identity(ID, 1)
    disabled_identity.insert(1, disabled)
    use("disabled-identity", "a disabled identity", "keyDisabled", disabled_identity, default=ID,
        entries=lambda k: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, k)])  # fmt: skip
    # Several entries.
    pair = lambda k: [entry(KEY_ONE, PLAIN_CONTEXT, k), entry(KEY_TWO, PLAIN_CONTEXT, k)]
    bad = lambda k: [entry(KEY_ONE, PLAIN_CONTEXT, k), entry(KEY_TWO, PLAIN_CONTEXT, k, secret_of="another")]
    bad_first = lambda k: [entry(KEY_ONE, PLAIN_CONTEXT, k, secret_of="another"), entry(KEY_TWO, PLAIN_CONTEXT, k)]
    stray = lambda k: [entry(KEY_ONE, PLAIN_CONTEXT, k), entry(KEY_TWO, PLAIN_CONTEXT, bytes(32))]
    two_key = key(identifier=TWO)
    use("passed-over", "a disabled key, and one that opens", "success", key(disabled), two_key, entries=pair)
    use("destroyed-passed-over", "a destroyed key, and one that opens", "success", gone, two_key, entries=pair)
    use("two-reasons", "a disabled key, and an entry that does not verify: the first tells", "keyDisabled",
        key(disabled), two_key, entries=bad)  # fmt: skip
    use("two-reasons-other", "an entry that does not verify, and a disabled key: the first tells", "unwrapFailed",
        key(), key(disabled, identifier=TWO), entries=bad_first)  # fmt: skip
    use("destroyed-first", "a destroyed key, and an entry that does not verify: a failure says more", "unwrapFailed",
        gone, two_key, entries=bad)  # fmt: skip
    use("disabled-and-stray", "a disabled key, and an entry of another data key", "keyDisabled", key(disabled), two_key, entries=stray)
    use("destroyed-and-stray", "a destroyed key, and an entry of another data key", "headerAltered", gone, two_key, entries=stray)
    use("recipient-reason-last", "an identity that is disabled before a keyset that is pending: recipients come last",
        "keyInvalidState", key(pending), disabled_identity,
        entries=lambda k: [for_recipient(KEY_ID_OF, PLAIN_CONTEXT, k), entry(KEY_ONE, PLAIN_CONTEXT, k)])  # fmt: skip


def second_stores():
    whole = keyset(ONE, 1, 3)
    e.random_bytes = Seeded("store")
    raw, schedule = header(e.VALUE, PLAIN_CONTEXT)
    sealed = (raw + e.seal_payload(schedule, b"", b"a secret")).hex()

    def store(name, comment, expect, lines):
        text = "".join(line + "\n" for line in lines)
        if text.replace("\n", "").isprintable() and text.isascii() and all(line == line.strip() for line in lines):
            written = store_lines(lines)
        else:
            written = [("store-hex", text.encode("utf-8", "surrogateescape").hex())]
        lines = written + context_lines(PLAIN_CONTEXT) + [("associated-data", ""), ("envelope", sealed)]
        add("store2-" + name, comment, "value", expect, lines)

    def with_lines(*more, of=whole):
        return second(of[:1] + list(more) + of[1:])

    def good(name, comment, *more):
        store(name, comment, "success", with_lines(*more))

    def damaged(name, comment, *more, of=whole):
        store(name, comment, "keyStoreDamaged", with_lines(*more, of=of))

    audit = e.to_text(secret("audit"))
    many = [f"function {scope(f'f{n:03}')}" for n in range(257)]
    everything = [
        "minimum 2", "rotation 90", "operations unwrap", "function -", f"function {scope('b')}",
    ]  # fmt: skip
    store("good", "every line", "keyVersionTooOld", second(
        whole[:1] + everything + whole[1:], [f"identity {ID} 1", "state disabled", "rotation 2560"] + identity(ID, 1)[1:],
        narrowed(TWO, [None, "b"], 1, more=["state pending 18446744073709551615"]), [f"destroyed {THREE} keyset 0"],
        audit=audit, aliases=[("production", ONE), ("backup", ID)]))  # fmt: skip
    good("needless", "no line that needs version 2")
    good("minimum-primary", "other lines in their places", "rotation 1", "operations unwrap", "function -")
    good("functions-256", "256 functions", "function -", *many[:255])
    good("scope-1024", "a function of 1,024 bytes", "function -", f"function {scope('v' * 1024)}")
    store("audit", "a log of uses", "success", second(whole, audit=audit))
    store("audit-empty", "a log of uses, and no keys", "keyNotFound", ["envelope-keys 2", f"audit {audit}", "end"])
    store("alias-of-destroyed", "a default and an alias of a destroyed key", "keyNotFound",
          second([f"destroyed {ONE} keyset 7"], aliases=[("a", ONE)]))  # fmt: skip
    for name, line in (
        ("state", "state disabled"), ("minimum", "minimum 2"), ("rotation", "rotation 1"), ("operations", "operations wrap"),
        ("function", "function -"), ("narrowed", "narrowed -"),
    ):  # fmt: skip
        first = ["envelope-keys 1"]
        lines = with_lines(line)
        store(f"{name}-in-version-1", f"{name} in a text of version 1", "keyStoreDamaged", first + lines[1:])
        store(f"{name}-before-keys", f"{name} before any key", "keyStoreDamaged", lines[:1] + [line] + second(whole)[1:])
        store(f"{name}-after-version", f"{name} after a version", "keyStoreDamaged", second(whole[:2] + [line] + whole[2:]))
        store(f"{name}-after-destroyed", f"{name} after a destroyed key", "keyStoreDamaged",
              second(whole, [f"destroyed {TWO} keyset 7", line]))  # fmt: skip
        store(f"{name}-after-alias", f"{name} after an alias", "keyStoreDamaged",
              second(whole, aliases=[("a", ONE)])[:-2] + [line] + second(whole)[-2:])  # fmt: skip
        damaged(f"{name}-no-word", f"{name} and no more", name)
        damaged(f"{name}-empty-word", f"{name} and an empty word", name + " ")
        damaged(f"{name}-more", f"{name} and a word more", line + " x", of=narrowed(ONE, [], 1))
        if name not in ("function", "narrowed"):
            damaged(f"{name}-twice", f"{name} twice", line, line)
    store("identity-in-version-1", "an identity in a text of version 1", "keyStoreDamaged",
          ["envelope-keys 1"] + second(identity(ONE, 1))[1:])  # fmt: skip
    store("destroyed-in-version-1", "a destroyed key in a text of version 1", "keyStoreDamaged",
          ["envelope-keys 1"] + second([f"destroyed {ONE} keyset 1"])[1:])  # fmt: skip
    store("audit-in-version-1", "a log of uses in a text of version 1", "keyStoreDamaged",
          ["envelope-keys 1"] + second(whole, audit=audit)[1:])  # fmt: skip

    damaged("state-enabled", "the state that holds without", "state enabled")
    damaged("state-unknown", "a state that there is not", "state destroyed")
    damaged("state-two", "two states", "state disabled", "state pending 7")
    damaged("state-pending-twice", "two times", "state pending 7", "state pending 7")
    damaged("state-pending-no-time", "pending, and no time", "state pending")
    damaged("state-pending-more", "pending, a time and a word", "state pending 18446744073709551615 x")
    damaged("state-pending-space", "pending, a time and a space", "state pending 18446744073709551615 ")
    damaged("state-disabled-time", "disabled, and a time", "state disabled 7")
    for word, numbers in (
        ("state pending", ("-1", "+7", "07", "18446744073709551616", "7.0", "\u0667", "x")),
        ("minimum", ("0", "1", "4", "02", "+2", "4294967296", "-1")),
        ("rotation", ("0", "2561", "01", "+1", "-1", "1d", "99999999999999999999")),
    ):
        for at, number in enumerate(numbers):
            damaged(f"{word.replace(' ', '-')}-number-{at}", f"{word} and what is no number for it", f"{word} {number}")
    good_primary = keyset(ONE, 1, 3, primary=1)
    damaged("minimum-above-primary", "a minimum above the primary", "minimum 2", of=good_primary)
    store("minimum-no-version", "a minimum that is no version's number", "keyVersionTooOld", with_lines("minimum 2"))
    for at, word in enumerate(("both", "wrap,unwrap", "Wrap", "export", "-")):
        damaged(f"operations-word-{at}", "an operation that there is not", f"operations {word}")
    damaged("operations-two", "both operations", "operations wrap", "operations unwrap")
    order = ["state disabled", "minimum 2", "rotation 1", "operations wrap", f"function {scope('b')}", f"narrowed {scope('b')}"]
    two_secrets = narrowed(ONE, ["b"], 1, 3)
    for at in range(5):
        lines = order[:at] + [order[at + 1], order[at]] + order[at + 2 :]
        damaged(f"order-{at}", "two lines of a key in another order", *lines, of=two_secrets[:1] + two_secrets[2:])
    for word, of in (("function", whole), ("narrowed", None)):
        def scopes(name, comment, *words, count=None):
            lines = [f"{word} {w}" for w in words]
            secrets = narrowed(ONE, ["x"] * len(words), 1, 3) if word == "narrowed" else whole
            lines_of = [secrets[0]] + [line for line in secrets[1:] if line.startswith("version")]
            damaged(f"{word}-{name}", comment, *lines, of=lines_of)

        scopes("twice", "a function twice", scope("b"), scope("b"))
        scopes("order", "functions out of order", scope("b"), scope("a"))
        scopes("order-length", "the longer of two functions first", scope("ab"), scope("a"))
        scopes("order-none", "no function after a function", scope("a"), "-")
        scopes("none-twice", "no function twice", "-", "-")
        scopes("empty", "two hyphens", "--")
        scopes("1025", "a function of 1,025 bytes", scope("v" * 1025))
        scopes("padded", "a function with padding", scope("a") + "==")
        scopes("spare-bits", "a function with spare bits set", "YR")
        scopes("alphabet", "a function in the alphabet of base64", "+/+/")
        scopes("not-utf-8", "a function that is not UTF-8", e.to_text(b"\xff\xfe\xfd"))
        scopes("surrogate", "a function with a surrogate", e.to_text(b"\xed\xa0\x80"))
        scopes("overlong", "a function with an overlong form", e.to_text(b"\xc0\xaf\x41"))
        scopes("length", "a text that no bytes have", "abcde")
        scopes("bytes", "a text of other bytes", "\udcff\udcfe")
        scopes("257", "257 functions", *[line.split(" ")[1] for line in many])
    one = narrowed(ONE, ["b"], 1)
    damaged("narrowed-whole-length", "two functions, and the secrets of one", f"narrowed {scope('a')}", of=one)
    damaged("narrowed-too-long", "a function, and the secrets of two", *one[1:2], of=[l for l in narrowed(ONE, ["a", "b"], 1) if "narrowed" not in l])
    damaged("narrowed-versions-differ", "a version with the secrets of two", of=narrowed(ONE, ["b"], 1)[:-1] + [
        f"version 1 1 {e.to_text(bytes(32))}", f"version 2 1 {e.to_text(bytes(64))}"])  # fmt: skip
    damaged("not-narrowed-two", "the secrets of two, and no function", of=[whole[0], whole[1], f"version 3 1 {e.to_text(bytes(64))}"])
    store("narrowed-identity", "a narrowed identity", "keyStoreDamaged",
          second([line.replace("keyset", "identity", 1) for line in one]))  # fmt: skip
    for name, line in (
        ("kind", f"destroyed {ONE} key 7"), ("no-time", f"destroyed {ONE} keyset"), ("zero", f"destroyed {ONE} keyset 07"),
        ("time", f"destroyed {ONE} keyset {2**64}"), ("more", f"destroyed {ONE} keyset 7 x"), ("no-kind", f"destroyed {ONE} 7"),
        ("id", f"destroyed {ONE[1:]} keyset 7"), ("id-alphabet", f"destroyed {ONE[1:]}+ keyset 7"),
    ):  # fmt: skip
        store("destroyed-" + name, "a destroyed key that cannot be", "keyStoreDamaged", second([line]))
    store("destroyed-versions", "a destroyed key with a version", "keyStoreDamaged", second([f"destroyed {ONE} keyset 7", whole[1]]))
    store("destroyed-twice", "a destroyed key twice", "keyStoreDamaged", second([f"destroyed {ONE} keyset 7"] * 2))
    store("destroyed-and-there", "a key that is destroyed and there", "keyStoreDamaged", second(whole, [f"destroyed {ONE} keyset 7"]))
    store("identity-and-keyset", "an id of a keyset and an identity", "keyStoreDamaged", second(whole, identity(ONE, 1)))
    store("identity-no-versions", "an identity of no versions", "keyStoreDamaged", second(whole, identity(ID, 1)[:1]))
    store("alias-id-of-destroyed", "an alias that is a destroyed key's id", "keyStoreDamaged",
          second(whole, [f"destroyed {TWO} keyset 7"], aliases=[(TWO, ONE)]))  # fmt: skip
    lines = second(whole, audit=audit)
    at = lines.index(f"audit {audit}")
    for name, line in (
        ("short", f"audit {audit[:-1]}"), ("long", f"audit {audit}A"), ("padded", f"audit {audit}="), ("none", "audit"),
        ("spare-bits", "audit " + spare_bits("    " + audit)[4:]), ("more", f"audit {audit} x"), ("number", "audit 1"),
    ):  # fmt: skip
        store("audit-" + name, "a log's key that cannot be", "keyStoreDamaged", lines[:at] + [line] + lines[at + 1 :])
    store("audit-twice", "a log's key twice", "keyStoreDamaged", lines[:at] + lines[at : at + 1] * 2 + lines[at + 1 :])
    store("audit-first", "a log's key before the keys", "keyStoreDamaged", lines[:1] + lines[at : at + 1] + second(whole)[1:])
    store("audit-after-alias", "a log's key after an alias", "keyStoreDamaged",
          second(whole, aliases=[("a", ONE)])[:-2] + lines[at : at + 1] + lines[-2:])  # fmt: skip
    store("audit-after-default", "a log's key after the default", "keyStoreDamaged", second(whole)[:-1] + lines[at : at + 1] + ["end"])
    store("key-after-audit", "a key after a log's key", "keyStoreDamaged", lines[: at + 1] + identity(ID, 1) + lines[at + 1 :])
    store("unknown-line", "a line of another kind", "keyStoreDamaged", with_lines("comment x"))
    store("empty-line", "an empty line among a key's", "keyStoreDamaged", with_lines(""))
    store("indented", "a line with a space before it", "keyStoreDamaged", with_lines(" minimum 2"))
    store("tab", "a tab in place of the space", "keyStoreDamaged", with_lines("minimum\t2"))
    store("upper", "a word in capitals", "keyStoreDamaged", with_lines("Minimum 2"))


def main(arguments):
    e.now = lambda: TIME
    successes()
    header_failures()
    value_failures()
    environment_failures()
    packed_failures()
    store_failures()
    kinds()
    documents()
    separate_documents()
    packed_documents()
    recipients()
    recipient_texts()
    passphrases()
    narrowed_keys()
    uses()
    second_stores()
    this = sys.modules[__name__]
    vectors_suites.add_all(this)
    vectors_xwing.add_all(this)
    vectors_files.add_all(this)
    vectors_records.add_all(this)
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

# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of files. Written by make_vectors.py.

Byte j of the plaintext of every file is j mod 251, so a vector stores its length alone.
"""

import envelope as e
import vectors_xwing

SIZE = 1 << 12
# Offsets into a header of a file with one keyset: one more than in other headers, after the suite.
PARAMETERS, SALT, CHECK, COUNT, WRAPPED, COMMITMENT, TAG, AFTER = 5, 6, 22, 26, 45, 117, 149, 165


def plaintext(count):
    return (bytes(range(251)) * (count // 251 + 1))[:count]


def add_all(m):
    """`m` is make_vectors."""
    for suite in (e.XCHACHA20, e.AEGIS_256):
        of = Files(m, suite)
        sizes(of)
        readers(m, of)
        header_parts(m, of)
        header_forms(m, of)
        other_kinds(m, of)
        truncations(of)
        moved_chunks(m, of)
        flags(of)
        extensions(of)
        lengths_of_chunks(of)
        flips(m, of)
        order(m, of)
    aegis_tags(m, Files(m, e.AEGIS_256))
    mixed_suites(m)


class Files:
    """Seals files of one suite, changes them, and adds the vectors."""

    def __init__(self, m, suite):
        self.m, self.suite = m, suite
        self.name, self.comment = ("file-aegis-", "suite 2, ") if suite == e.AEGIS_256 else ("file-", "")
        self.tag = e.CHUNK_CIPHER[suite][3]

    def sealed(self, seed, count, log2=12, pairs=None, entries=None, prefix=None, canonical=None, chunks=None):
        """The header, the chunks and the key schedule. `chunks` replaces these: it gets them, and a function that seals another."""
        m = self.m
        e.random_bytes = m.Seeded("file " + seed)
        prefix = prefix or e.prefix_of(e.FILE, self.suite, bytes([log2]))
        raw, schedule = m.header(e.FILE, m.PLAIN_CONTEXT if pairs is None else pairs, entries, prefix, canonical)
        made = e.seal_chunks(schedule, self.suite, 1 << log2, plaintext(count))
        seal = lambda number, is_last, text: e.seal_chunk(schedule, self.suite, number, is_last, text)
        return raw, chunks(made, seal) if chunks else made, schedule

    def schedule(self, name, raw):
        """The key schedule of a vector's header, for one that seals what `sealed` cannot."""
        key = self.m.Seeded(f"file {self.name}{name}")(32)
        return e.Schedule(key, raw[:SALT], raw[SALT:CHECK], e.canonical_context(self.m.PLAIN_CONTEXT))

    def add(
        self, name, comment, expect, count=100, change=None, store=None, open_pairs=None, accepted=False, verified=None,
        whole=None, **sealed,
    ):  # fmt: skip
        """`change` gets the file's bytes; `whole` gets the header and the chunks. `verified` is checked."""
        m, name = self.m, self.name + name
        raw, chunks, _ = self.sealed(name, count, **sealed)
        if whole:
            raw, chunks = whole(raw, chunks)
        file = raw + b"".join(chunks)
        pairs = open_pairs if open_pairs is not None else sealed.get("pairs", m.PLAIN_CONTEXT)
        lines = m.store_lines(m.STORE if store is None else store) + m.context_lines(pairs) + m.reader_lines(accepted)
        m.add(name, self.comment + comment, "file", expect, lines + [("file", (change(file) if change else file).hex())])
        assert verified is None or f"\nverified: {verified}\n" in m.vectors[name], name

    def opens(self, name, comment, count=100, **more):
        self.add(name, comment, "success", count, **more)
        assert f"\nbyte-count: {count}\n" in self.m.vectors[self.name + name], name

    def altered(self, name, comment, count=100, **more):
        self.add(name, comment, "payloadAltered", count, **more)

    def malformed(self, name, comment, count=100, **more):
        self.add(name, comment, "malformed", count, **more)


# What opens


def sizes(of):
    for count, comment in (
        (0, "no bytes"), (1, "one byte"), (SIZE - 1, "a byte less than a chunk"), (SIZE, "exactly one chunk"),
        (SIZE + 1, "a byte more than a chunk"), (2 * SIZE, "exactly two chunks"), (3 * SIZE, "exactly three chunks"),
    ):  # fmt: skip
        of.opens(f"bytes-{count}", comment, count)
    for log2 in range(13, 21):
        of.opens(f"chunk-{log2}", f"chunks of {1 << log2} bytes", 99 + log2, log2=log2)
    of.opens("chunk-13-two", "two chunks of other sizes", 2 * SIZE + 1, log2=13)
    of.opens("chunk-20-empty", "no bytes, in chunks of the maximum size", 0, log2=20)


def readers(m, of):
    plain = m.PLAIN_CONTEXT
    of.opens("function", "a context with function", pairs=m.FUNCTION_CONTEXT)
    of.opens("no-context", "no context", pairs=m.NO_CONTEXT)
    of.opens("unicode-context", "keys that are equal by Unicode and differ as bytes", pairs=m.UNICODE_CONTEXT)
    of.opens("context-8192", "a canonical context of 8,192 bytes", pairs=[("k", "v" * (8192 - 4 - 1))])
    of.opens("two-keys", "two wrapped keys, the reader holds the second", entries=m.two(plain))
    of.opens("unknown-scheme", "entries of scheme 7f and of an unknown scheme are skipped", entries=lambda key: [
        m.of_any(0x7F, "x!~", 1), m.of_any(0x55, "other", 300), m.entry(m.KEY_ONE, plain, key)])  # fmt: skip
    of.opens("other-data-key", "an entry that unwraps to another data key is skipped", store=m.STORE_BOTH,
             entries=lambda key: [m.entry(m.KEY_TWO, plain, bytes(32)), m.entry(m.KEY_ONE, plain, key)])  # fmt: skip
    of.opens("rotated-1", "version 1 of a keyset whose primary is 2", store=m.STORE_ROTATED)
    of.opens("narrowed", "a key narrowed to the envelope's function", pairs=m.FUNCTION_CONTEXT,
             store=m.second(m.narrowed(m.ONE, ["orders"], 1)))  # fmt: skip
    of.opens("recipient", "under a recipient", store=m.STORE_IDENTITY, accepted=True,
             entries=lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)])  # fmt: skip
    of.opens("recipient-function", "under a recipient, a context with function, two chunks", SIZE + 1, accepted=True,
             pairs=m.FUNCTION_CONTEXT, store=m.STORE_IDENTITY,
             entries=lambda key: [m.for_recipient(m.KEY_ID_OF, m.FUNCTION_CONTEXT, key)])  # fmt: skip
    of.opens("xwing", "under a post-quantum recipient", store=vectors_xwing.store(m), accepted=True,
             entries=lambda key: [vectors_xwing.entry(m, key)])  # fmt: skip
    by_passphrase = lambda key: [e.Passphrase(b"correct horse", (3, 1)).wrap(m.wrapping(plain), key)]
    of.opens("passphrase", "under a passphrase", store=b"correct horse", entries=by_passphrase)
    of.add("passphrase-other", "another passphrase", "unwrapFailed", store=b"correct horsf", entries=by_passphrase)
    of.add("anonymous", "an anonymous sender that is not accepted", "anonymousSender", store=m.STORE_IDENTITY,
           entries=lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)])  # fmt: skip
    of.add("key-not-held", "another keyset", "keyNotFound", store=m.STORE_TWO)
    of.add("narrowed-other", "a key narrowed to another function", "keyNotFound", pairs=m.FUNCTION_CONTEXT,
           store=m.second(m.narrowed(m.ONE, ["mails"], 1)))  # fmt: skip


# What the header refuses


def header_parts(m, of):
    flip = m.flip
    fails = lambda name, comment, expect, change=None, **more: of.add(name, comment, expect, change=change, **more)
    fails("wrong-context", "another context", "contextDiffers", open_pairs=m.NO_CONTEXT)
    fails("less-context", "a pair missing", "contextDiffers", open_pairs=m.PLAIN_CONTEXT[:1])
    fails("other-function", "another function", "contextDiffers", pairs=m.FUNCTION_CONTEXT,
          open_pairs=[("app", "shop"), ("function", "mails"), ("stage", "prod")])  # fmt: skip
    fails("context-check", "contextCheck altered", "contextDiffers", lambda x: flip(x, CHECK + 3))
    fails("salt", "salt altered", "contextDiffers", lambda x: flip(x, SALT))
    fails("wrapped", "the wrapped key altered", "unwrapFailed", lambda x: flip(x, WRAPPED + 30))
    fails("commitment", "commitment altered", "headerAltered", lambda x: flip(x, COMMITMENT))
    fails("tag", "headerTag altered", "headerAltered", lambda x: flip(x, TAG + 15, 0x80))
    fails("other-entry-altered", "a wrapped key of another reader altered", "headerAltered",
          lambda x: flip(x, WRAPPED + 5), entries=m.two(m.PLAIN_CONTEXT))  # fmt: skip
    fails("all-other-data-keys", "every entry unwraps to another data key", "headerAltered",
          entries=lambda key: [m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, bytes(32))])  # fmt: skip
    to = lambda log2: lambda x: x[:PARAMETERS] + bytes([log2]) + x[SALT:]
    for log2 in (12, 14, 16, 20):
        fails(f"parameters-{log2}", f"chunk size altered from 2^13 to 2^{log2}: the commitment differs", "headerAltered",
              to(log2), log2=13)  # fmt: skip

    def retagged(x):
        """An attacker with the data key alters the chunk size and recomputes headerTag."""
        key = m.Seeded(f"file {of.name}parameters-retagged")(32)
        canonical = e.canonical_context(m.PLAIN_CONTEXT)
        schedule = e.Schedule(key, e.prefix_of(e.FILE, of.suite, b"\x0d"), x[SALT:CHECK], canonical)
        altered = to(13)(x[:TAG])
        return altered + schedule.header_tag(altered) + x[AFTER:]

    fails("parameters-retagged", "chunk size altered, headerTag made for it: the commitment differs", "headerAltered", retagged)

    def not_committed(x):
        """The parameters are in the header, and not in the key schedule."""
        key = m.Seeded(f"file {of.name}parameters-not-committed")(32)
        canonical = e.canonical_context(m.PLAIN_CONTEXT)
        before = x[:PARAMETERS] + b"\x0c" + x[PARAMETERS : TAG - 1]
        schedule = e.Schedule(key, e.prefix_of(e.FILE, of.suite), x[PARAMETERS : PARAMETERS + 16], canonical)
        return before + schedule.header_tag(before) + x[AFTER - 1 :]

    fails("parameters-not-committed", "a key schedule whose prefix ends with the suite", "headerAltered", not_committed,
          prefix=e.prefix_of(e.FILE, of.suite))  # fmt: skip


def header_forms(m, of):
    flip = m.flip

    def fails(name, comment, change=None, expect="malformed", **more):
        of.add(name, comment, expect, change=change, **more)

    for log2 in (0, 11, 21, 32, 255):
        fails(f"parameters-{log2}", f"parameters {log2}", lambda x: x[:PARAMETERS] + bytes([log2]) + x[SALT:])
    for log2 in (11, 21):
        fails(f"parameters-{log2}-sealed", f"sealed in chunks of {1 << log2} bytes", log2=log2)
    fails("parameters-missing", "no parameters", prefix=e.prefix_of(e.FILE, of.suite))
    fails("magic", "the magic altered", lambda x: flip(x, 0))
    for version in (0, 2):
        fails(f"version-{version}", f"version {version}", lambda x: x[: m.VERSION] + bytes([version]) + x[m.KIND :],
              "unsupportedVersion")  # fmt: skip
    for kind in (0, 1, 2, 3, 5, 6, 255):
        expect = "malformed" if kind in range(1, 6) else "unsupportedVersion"
        fails(f"kind-{kind}", f"kind {kind}", lambda x: x[: m.KIND] + bytes([kind]) + x[m.SUITE :], expect)
    for suite in (0, 3, 255):
        to = lambda x: x[: m.SUITE] + bytes([suite]) + x[PARAMETERS:]
        fails(f"suite-{suite}", f"suite {suite}, unknown", to, "unsupportedSuite")
    fails("suite-3-parameters", "suite 3 and parameters 11: the suite is checked first",
          lambda x: x[: m.SUITE] + b"\x03\x0b" + x[SALT:], "unsupportedSuite")  # fmt: skip
    fails("suite-3-kind-1", "suite 3 and kind 1: the suite is checked first",
          lambda x: x[: m.KIND] + b"\x01\x03" + x[PARAMETERS:], "unsupportedSuite")  # fmt: skip
    fails("kind-6-parameters", "kind 6 and parameters 11: the range of the kind is checked first",
          lambda x: x[: m.KIND] + b"\x06" + x[m.SUITE : PARAMETERS] + b"\x0b" + x[SALT:], "unsupportedVersion")  # fmt: skip
    for name, at in (("suite", m.SUITE), ("parameters", PARAMETERS), ("salt", SALT + 15), ("context-check", CHECK + 3),
                     ("entry", WRAPPED + 71), ("commitment", COMMITMENT + 31), ("tag", AFTER - 1)):  # fmt: skip
        fails(f"header-cut-{name}", f"ends before the last byte of the header's {name}", lambda x: x[:at])
    fails("no-bytes", "no bytes at all", lambda x: b"")
    mine = lambda key: m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key)
    fails("count-0", "keyCount 0", entries=lambda key: [])
    fails("count-17", "keyCount 17", entries=lambda key: [mine(key)] + [m.of_any(0x7F, f"k{n}", 1) for n in range(16)])
    fails("key-id-twice", "a key id twice", entries=lambda key: [mine(key), mine(key)])
    fails("keyset-71", "71 wrapped bytes of a keyset", entries=lambda key: [mine(key), m.of_any(e.KEYSET, "k", 71)])
    fails("passphrase-beside", "a passphrase beside a keyset",
          entries=lambda key: [mine(key), m.of_any(e.PASSPHRASE, "p", 90)])  # fmt: skip


def other_kinds(m, of):
    own = lambda pairs: lambda key: [m.entry(m.KEY_ONE, pairs, key)]
    for kind in ("value", "environment", "key-store", "records", "File"):
        of.add("wrapped-for-" + kind.lower(), f"an entry that was wrapped for the envelope kind {kind}", "unwrapFailed",
               entries=m.for_kind(kind, own(m.PLAIN_CONTEXT)))  # fmt: skip
    of.add("wrapped-for-no-kind", "an entry that was wrapped for the caller's context alone", "unwrapFailed",
           entries=m.for_kind(None, own(m.PLAIN_CONTEXT)))  # fmt: skip
    of.add("recipient-wrapped-for-value", "a recipient's entry that was wrapped for a value", "unwrapFailed", accepted=True,
           store=m.STORE_IDENTITY,
           entries=m.for_kind("value", lambda key: [m.for_recipient(m.KEY_ID_OF, m.PLAIN_CONTEXT, key)]))  # fmt: skip

    # A value's header, with the kind and the parameters of a file; and the reverse.
    e.random_bytes = m.Seeded(f"{of.name}of-value")
    raw, schedule = m.header(e.VALUE, m.PLAIN_CONTEXT, prefix=e.prefix_of(e.VALUE, of.suite))
    chunk = e.seal_chunk(schedule, of.suite, 0, True, plaintext(100))
    moved = raw[: m.KIND] + bytes([e.FILE, of.suite, 12]) + raw[m.SALT :]
    lines = m.store_lines(m.STORE) + m.context_lines(m.PLAIN_CONTEXT)
    m.add(of.name + "of-value", of.comment + "the header of a value, as a file's", "file", "unwrapFailed",
          lines + [("file", (moved + chunk).hex())])  # fmt: skip
    raw, _, schedule = of.sealed(of.name + "to-value", 0)
    moved = raw[: m.KIND] + bytes([e.VALUE, of.suite]) + raw[SALT:]
    payload = e.seal_payload(schedule, b"", b"a secret", of.suite)
    name = "value-aegis-of-file" if of.suite == e.AEGIS_256 else "value-of-file"
    m.add(name, of.comment + "the header of a file, as a value's", "value", "unwrapFailed",
          lines + [("associated-data", ""), ("envelope", (moved + payload).hex())])  # fmt: skip
    of.altered("value-payload", "what follows the header is sealed as in a value", verified=0,
               whole=lambda raw, chunks: (raw, [e.seal_payload(of.schedule("value-payload", raw), b"", plaintext(100), of.suite)]))  # fmt: skip


# What the chunks refuse


def truncations(of):
    full, tag, malformed = SIZE + of.tag, of.tag, "malformed"
    # Two complete chunks and a byte.
    for name, length, expect, verified in (
        ("0", 0, malformed, 0),
        ("1", 1, malformed, 0),
        ("tag-less-1", tag - 1, malformed, 0),
        ("tag", tag, "payloadAltered", 0),
        ("tag-and-1", tag + 1, "payloadAltered", 0),
        ("chunk-less-tag", SIZE, "payloadAltered", 0),
        ("chunk-less-1", full - 1, "payloadAltered", 0),
        ("chunk", full, "payloadAltered", 0),
        ("chunk-and-1", full + 1, malformed, SIZE),
        ("chunk-and-tag", full + tag, malformed, SIZE),
        ("chunk-tag-and-1", full + tag + 1, "payloadAltered", SIZE),
        ("two-chunks-less-1", 2 * full - 1, "payloadAltered", SIZE),
        ("two-chunks", 2 * full, "payloadAltered", SIZE),
        ("two-chunks-and-1", 2 * full + 1, malformed, 2 * SIZE),
        ("two-chunks-and-tag", 2 * full + tag, malformed, 2 * SIZE),
    ):
        of.add("cut-" + name, f"cut to {length} bytes after the header, of {2 * full + tag + 1}", expect, 2 * SIZE + 1,
               verified=verified, change=lambda x: x[: AFTER + length])  # fmt: skip
    of.altered("cut-last-byte", "one byte of the last chunk missing", change=lambda x: x[:-1], verified=0)
    of.malformed("cut-empty", "one byte of the only tag missing", 0, change=lambda x: x[:-1], verified=0)
    of.altered("cut-of-two", "exactly two chunks, the second missing", 2 * SIZE, verified=0,
               change=lambda x: x[: AFTER + full])  # fmt: skip
    of.altered("cut-front", "the first byte after the header missing", verified=0, change=lambda x: x[:AFTER] + x[AFTER + 1 :])


def moved_chunks(m, of):
    three = 2 * SIZE + 1

    def moved(name, comment, order, verified, count=three):
        of.altered(name, comment, count, verified=verified, chunks=lambda chunks, seal: [chunks[n] for n in order])

    moved("swapped", "the first two chunks swapped", (1, 0, 2), 0)
    moved("swapped-last", "exactly two chunks, swapped", (1, 0), 0, 2 * SIZE)
    moved("swapped-last-two", "exactly three chunks, the last two swapped", (0, 2, 1), SIZE, 3 * SIZE)
    moved("dropped-first", "the first chunk missing", (1, 2), 0)
    moved("dropped-middle", "the second chunk of three missing", (0, 2), SIZE)
    moved("doubled-first", "the first chunk twice", (0, 0, 1, 2), SIZE)
    moved("doubled-middle", "the second chunk twice", (0, 1, 1, 2), 2 * SIZE)
    moved("doubled-last", "the last chunk twice", (0, 1, 2, 2), 2 * SIZE)
    moved("doubled-only", "the only chunk twice", (0, 0), 0, 100)
    moved("doubled-full", "the only chunk, which is complete, twice", (0, 0), 0, SIZE)
    moved("replaced", "the second chunk replaced by the first", (0, 0, 2), SIZE)
    moved("all-twice", "all chunks twice", (0, 1, 0, 1), SIZE, SIZE + 1)

    def other(name, comment, verified, join, count=three):
        own = of.sealed(of.name + name, count)
        other = of.sealed(of.name + name + " other", count)
        of.altered(name, comment, count, verified=verified, whole=lambda raw, chunks: (raw, join(chunks, other[1])))
        assert own[0][SALT:CHECK] != other[0][SALT:CHECK]

    other("other-first", "the first chunk of another file of the same context and key", 0, lambda a, b: [b[0], *a[1:]])
    other("other-middle", "the second chunk of another file of the same context and key", SIZE, lambda a, b: [a[0], b[1], a[2]])
    other("other-last", "the last chunk of another file of the same context and key", 2 * SIZE, lambda a, b: [*a[:2], b[2]])
    other("other-only", "the only chunk of another file of the same context and key", 0, lambda a, b: b, 100)
    other("other-empty", "the empty chunk of another file", 0, lambda a, b: b, 0)


def flags(of):
    text = plaintext(3 * SIZE)

    def sealed(name, comment, verified, chunks, count=100):
        of.altered(name, comment, count, verified=verified, chunks=lambda made, seal: chunks(seal))

    sealed("flag-0", "the only chunk is not marked as the last", 0, lambda seal: [seal(0, False, text[:100])])
    sealed("flag-0-empty", "the empty chunk is not marked as the last", 0, lambda seal: [seal(0, False, b"")])
    sealed("flag-0-full", "the only chunk, which is complete, is not marked as the last", 0,
           lambda seal: [seal(0, False, text[:SIZE])])  # fmt: skip
    sealed("flag-0-second", "the second of two chunks is not marked as the last", SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(1, False, text[SIZE : SIZE + 1])])  # fmt: skip
    sealed("flag-1-first", "both chunks are marked as the last", 0,
           lambda seal: [seal(0, True, text[:SIZE]), seal(1, True, text[SIZE : SIZE + 1])])  # fmt: skip
    sealed("flag-1-first-alone", "the first of two chunks is marked as the last", 0,
           lambda seal: [seal(0, True, text[:SIZE]), seal(1, False, text[SIZE : SIZE + 1])])  # fmt: skip
    sealed("number-1", "the only chunk has number 1", 0, lambda seal: [seal(1, True, text[:100])])
    sealed("number-0-twice", "both chunks have number 0", SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(0, True, text[SIZE : SIZE + 1])])  # fmt: skip
    sealed("number-2", "the second chunk has number 2", SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(2, True, text[SIZE : SIZE + 1])])  # fmt: skip
    sealed("number-256", "the only chunk has number 256", 0, lambda seal: [seal(256, True, text[:100])])
    sealed("number-2-32", "the only chunk has number 2^32", 0, lambda seal: [seal(1 << 32, True, text[:100])])
    sealed("number-last", "the only chunk has number 2^64 - 1", 0, lambda seal: [seal((1 << 64) - 1, True, text[:100])])

    def raw_chunk(name, comment, nonce, data=b""):
        encrypt = e.CHUNK_CIPHER[of.suite][0]
        of.altered(name, comment, verified=0, whole=lambda raw, chunks: (
            raw, [encrypt(text[:100], data, nonce, of.schedule(name, raw).payload_key)]))  # fmt: skip

    right = e.chunk_nonce(of.suite, 0, True)
    raw_chunk("flag-2", "the flag is 2", right[:-1] + b"\x02")
    raw_chunk("flag-255", "the flag is 255", right[:-1] + b"\xff")
    raw_chunk("nonce-first", "the first byte of the nonce is 1", b"\x01" + right[1:])
    raw_chunk("nonce-front", "number and flag are at the front of the nonce", right[-9:] + right[:-9])
    raw_chunk("data", "associated data of one zero byte", right, b"\x00")


def extensions(of):
    zeros, text = bytes(SIZE + of.tag), plaintext(3 * SIZE)
    for name, comment, count, more, verified in (
        ("longer", "one byte more", 100, 1, 0),
        ("longer-tag", "a tag's length of zeros more", 100, of.tag, 0),
        ("longer-empty", "no bytes, and one byte more", 0, 1, 0),
        ("longer-full", "a complete last chunk, and one byte more", SIZE, 1, 0),
        ("longer-full-tag", "a complete last chunk, and a tag's length of zeros more", SIZE, of.tag, 0),
        ("longer-full-tag-and-1", "a complete last chunk, and a byte more than a tag's length of zeros more", SIZE, of.tag + 1, 0),
        ("longer-second", "two chunks, and one byte more", SIZE + 1, 1, SIZE),
        ("longer-to-full", "a chunk of one byte, and zeros up to a complete one", 1, SIZE - 1, 0),
    ):
        of.altered(name, comment, count, verified=verified, change=lambda x: x + zeros[:more])
    of.altered("after-last", "a sealed chunk after the last one", SIZE, verified=0,
               chunks=lambda chunks, seal: [*chunks, seal(1, True, text[SIZE : SIZE + 1])])  # fmt: skip
    of.altered("between", "a zero byte between header and chunk", verified=0, change=lambda x: x[:AFTER] + b"\x00" + x[AFTER:])


def lengths_of_chunks(of):
    text = plaintext(3 * SIZE)

    def sealed(name, comment, expect, verified, chunks, **more):
        of.add(name, comment, expect, verified=verified, chunks=lambda made, seal: chunks(seal), **more)

    sealed("empty-last", "a complete chunk, and an empty last one", "malformed", SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(1, True, b"")])  # fmt: skip
    sealed("empty-last-two", "two complete chunks, and an empty last one", "malformed", 2 * SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(1, False, text[SIZE : 2 * SIZE]), seal(2, True, b"")])  # fmt: skip
    sealed("empty-first", "an empty chunk, and a last one", "payloadAltered", 0,
           lambda seal: [seal(0, False, b""), seal(1, True, text[:100])])  # fmt: skip
    sealed("short-first", "a first chunk of a byte less, and a last one", "payloadAltered", 0,
           lambda seal: [seal(0, False, text[: SIZE - 1]), seal(1, True, text[SIZE - 1 : SIZE + 99])])  # fmt: skip
    sealed("short-both", "two chunks of 100 bytes", "payloadAltered", 0,
           lambda seal: [seal(0, False, text[:100]), seal(1, True, text[100:200])])  # fmt: skip
    sealed("short-second", "a second chunk of a byte less, and a last one", "payloadAltered", SIZE, lambda seal: [
        seal(0, False, text[:SIZE]), seal(1, False, text[SIZE : 2 * SIZE - 1]), seal(2, True, text[2 * SIZE - 1 : 2 * SIZE])])  # fmt: skip
    sealed("long-only", "an only chunk of one byte too many", "payloadAltered", 0, lambda seal: [seal(0, True, text[: SIZE + 1])])
    sealed("long-last", "a last chunk of one byte too many", "payloadAltered", SIZE,
           lambda seal: [seal(0, False, text[:SIZE]), seal(1, True, text[SIZE : 2 * SIZE + 1])])  # fmt: skip
    sealed("chunk-12-in-13", "chunks of 4,096 bytes under a header that states 8,192", "payloadAltered", 0,
           lambda seal: [seal(0, False, text[:SIZE]), seal(1, True, text[SIZE : SIZE + 1])], log2=13)  # fmt: skip
    sealed("chunk-13-in-12", "a chunk of 8,192 bytes under a header that states 4,096", "payloadAltered", 0,
           lambda seal: [seal(0, True, text[: 2 * SIZE])])  # fmt: skip


def flips(m, of):
    flip, tag, full = m.flip, of.tag, SIZE + of.tag
    for name, at in (("first", AFTER), ("last", -tag - 1), ("tag-first", -tag), ("tag-last", -1)):
        of.altered("flipped-" + name, f"one bit of the {name.replace('-', ', ')} byte altered", verified=0,
                   change=lambda x: flip(x, at if at > 0 else len(x) + at, 0x80))  # fmt: skip
    of.altered("flipped-empty", "one bit of an empty file's tag altered", 0, verified=0, change=lambda x: flip(x, AFTER + 7))
    three = 2 * SIZE + 1
    of.altered("flipped-0", "one bit of the first of three chunks altered", three, verified=0, change=lambda x: flip(x, AFTER + 1000))
    of.altered("flipped-1", "one bit of the second of three chunks altered", three, verified=SIZE, change=lambda x: flip(x, AFTER + full))
    of.altered("flipped-1-tag", "one bit of the second tag of three altered", three, verified=SIZE,
               change=lambda x: flip(x, AFTER + 2 * full - 1))  # fmt: skip
    of.altered("flipped-2", "one bit of the last of three chunks altered", three, verified=2 * SIZE, change=lambda x: flip(x, len(x) - 1))


def order(m, of):
    flip, other = m.flip, m.NO_CONTEXT
    of.malformed("first-parameters", "another context, and parameters 11: the header's form is checked first", open_pairs=other,
                 change=lambda x: x[:PARAMETERS] + b"\x0b" + x[SALT:])  # fmt: skip
    of.add("first-context", "another context, and nothing after the header: the header is checked first", "contextDiffers",
           open_pairs=other, change=lambda x: x[:AFTER])  # fmt: skip
    of.add("first-header", "headerTag and the last byte altered: the header is checked first", "headerAltered",
           change=lambda x: flip(flip(x, TAG), len(x) - 1))  # fmt: skip
    of.add("first-header-form", "headerTag altered, and nothing after the header: the header is checked first", "headerAltered",
           change=lambda x: flip(x, TAG)[:AFTER])  # fmt: skip
    of.altered("first-chunk", "a byte of the first chunk altered, and an empty last one: the first fault counts", SIZE, verified=0,
               chunks=lambda chunks, seal: [flip(seal(0, False, plaintext(SIZE)), 0), seal(1, True, b"")])  # fmt: skip


# Suites


def aegis_tags(m, of):
    folded = lambda tag: bytes(a ^ b for a, b in zip(tag[:16], tag[16:]))
    altered = lambda name, comment, change: of.altered(name, comment, verified=0, change=change)
    altered("tag-halves", "both halves of the tag altered alike: the tag of 128 bits would not change",
            lambda x: m.flip(m.flip(x, len(x) - 32), len(x) - 16))  # fmt: skip
    altered("tag-128", "a tag of 128 bits", lambda x: x[:-32] + folded(x[-32:]))
    altered("tag-128-padded", "a tag of 128 bits and sixteen zero bytes", lambda x: x[:-32] + folded(x[-32:]) + bytes(16))


def mixed_suites(m):
    first, second = Files(m, e.XCHACHA20), Files(m, e.AEGIS_256)
    to = lambda suite: lambda x: x[: m.SUITE] + bytes([suite]) + x[PARAMETERS:]
    first.add("suite-2", "suite 1 altered to suite 2: the commitment differs", "headerAltered", change=to(2))
    second.add("suite-1", "altered to suite 1: the commitment differs", "headerAltered", change=to(1))

    def with_chunks_of(name, of, suite):
        of.altered(name, f"the header of suite {of.suite}, and a chunk as in suite {suite}", verified=0, whole=lambda raw, chunks: (
            raw, e.seal_chunks(of.schedule(name, raw), suite, SIZE, plaintext(100))))  # fmt: skip

    with_chunks_of("aegis-chunks", first, e.AEGIS_256)
    with_chunks_of("suite-1-chunks", second, e.XCHACHA20)
    extended = e.PAYLOAD_CIPHER[e.XCHACHA20][0]
    first.altered("xchacha", "a chunk sealed with XChaCha20-Poly1305, its nonce filled with zeros", verified=0, whole=lambda raw, chunks: (
        raw, [extended(plaintext(100), b"", bytes(15) + b"\x00" * 8 + b"\x01",
                       first.schedule("xchacha", raw).payload_key)]))  # fmt: skip

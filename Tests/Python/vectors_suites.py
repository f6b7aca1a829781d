# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of suites: AEGIS-256, and suites that are unknown or do not belong to a kind. Written by make_vectors.py."""

import envelope as e

LONG = b"a secret of more than sixteen bytes"


def add_all(m):
    """`m` is make_vectors."""
    unknown_suites(m)
    opened(m)
    refused_for_the_header(m)
    refused_for_the_payload(m)
    refused_for_the_form(m)
    mixed_suites(m)


def unknown_suites(m):
    def to(version=1, kind=None, suite=3):
        return lambda x: x[: m.VERSION] + bytes([version, kind or x[m.KIND], suite]) + x[m.SALT :]

    for make, changed in ((m.value, "change"), (m.environment, "change_header"), (m.packed, "change")):
        def fails(name, comment, expect, change):
            make("suite-" + name, comment, expect, **{changed: change})

        for suite in (0, 3, 255):
            fails(str(suite), f"suite {suite}, unknown", "unsupportedSuite", to(suite=suite))
        fails("3-version-2", "version 2 and suite 3: the version is checked first", "unsupportedVersion", to(version=2))
        fails("3-kind-6", "kind 6 and suite 3: the range of the kind is checked first", "unsupportedVersion", to(kind=6))
        fails("3-kind-4", "reserved kind 4 and suite 3: the suite is checked first", "unsupportedSuite", to(kind=4))
        other = e.ENVIRONMENT if make is m.value else e.VALUE
        fails(f"3-kind-{other}", f"kind {other}, which does not belong here, and suite 3: the suite is checked first",
              "unsupportedSuite", to(kind=other))  # fmt: skip
        fails("2-version-2", "version 2 and suite 2", "unsupportedVersion", to(version=2, suite=2))
        fails("2-kind-6", "kind 6 and suite 2", "unsupportedVersion", to(kind=6, suite=2))
        fails("2-kind-4", "reserved kind 4 and suite 2", "malformed", to(kind=4, suite=2))
        fails(f"2-kind-{other}", f"kind {other}, which does not belong here, and suite 2", "malformed", to(kind=other, suite=2))
        fails("3-cut", "ends after suite 3", "unsupportedSuite", lambda x: to()(x)[: m.SALT])
        fails("cut", "ends before the suite", "malformed", lambda x: x[: m.SUITE])

    for make, changed, kind in ((m.environment, "change_header", e.ENVIRONMENT), (m.packed, "change", e.PACKED)):
        make("suite-2", "suite 2, which is for values alone", "malformed", **{changed: to(suite=2)})
        make("suite-2-sealed", "sealed under suite 2, which is for values alone", "malformed",
             prefix=e.prefix_of(kind, e.AEGIS_256))  # fmt: skip
        make("suite-2-context", "suite 2, and another context: the form is checked first", "malformed",
             open_pairs=m.NO_CONTEXT, **{changed: to(suite=2)})  # fmt: skip


def opened(m):
    def opens(name, comment, **more):
        m.value("aegis-" + name, comment, "success", suite=e.AEGIS_256, **more)

    plain = m.PLAIN_CONTEXT
    opens("plain", "suite 2, one keyset, a context without function")
    opens("function", "suite 2, a context with function", pairs=m.FUNCTION_CONTEXT)
    opens("no-context", "suite 2, no context", pairs=m.NO_CONTEXT)
    opens("empty", "suite 2, no bytes", plaintext=b"")
    opens("associated-data", "suite 2, with associated data", data=b"users/17/\x00\xff", plaintext=bytes(range(256)))
    opens("empty-associated-data", "suite 2, no bytes, with associated data", plaintext=b"", data=b"users/17")
    for length in (1, 15, 16, 17, 32, 1000):
        opens(str(length), f"suite 2, {length} bytes, as much associated data", plaintext=bytes(range(250)) * 4 if length == 1000
              else LONG[:length], data=b"d" * length)  # fmt: skip
    opens("two-keys", "suite 2, two wrapped keys, the reader holds the second", entries=m.two(plain))
    opens("several-keys", "suite 2, a recipient, AWS KMS, an unknown scheme and a keyset", entries=lambda key: [
        m.for_recipient(m.KEY_ID_OF, plain, key), m.of_any(e.AWS_KMS, "arn:aws:kms", 184), m.of_any(0x55, "other", 300),
        m.entry(m.KEY_ONE, plain, key)])  # fmt: skip
    opens("other-data-key", "suite 2, an entry that unwraps to another data key is passed over", store=m.STORE_BOTH,
          entries=lambda key: [m.entry(m.KEY_TWO, plain, bytes(32)), m.entry(m.KEY_ONE, plain, key)])  # fmt: skip
    opens("recipient", "suite 2, under a recipient", store=m.STORE_IDENTITY, accepted=True,
          entries=lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)])  # fmt: skip
    opens("narrowed", "suite 2, a key narrowed to the envelope's function", pairs=m.FUNCTION_CONTEXT,
          store=m.second(m.narrowed(m.ONE, ["orders"], 1)))  # fmt: skip


def refused_for_the_header(m):
    def fails(name, comment, expect, change=None, **more):
        m.value("aegis-" + name, "suite 2, " + comment, expect, change=change, suite=e.AEGIS_256, **more)

    flip, plain = m.flip, m.PLAIN_CONTEXT
    fails("wrong-context", "another context", "contextDiffers", open_pairs=m.NO_CONTEXT)
    fails("context-check", "contextCheck altered", "contextDiffers", lambda x: flip(x, m.CHECK + 3))
    fails("salt", "salt altered", "contextDiffers", lambda x: flip(x, m.SALT))
    fails("commitment", "commitment altered", "headerAltered", lambda x: flip(x, m.COMMITMENT))
    fails("tag", "headerTag altered", "headerAltered", lambda x: flip(x, m.TAG + 15, 0x80))
    fails("wrapped", "the wrapped key altered", "unwrapFailed", lambda x: flip(x, m.WRAPPED + 30))
    fails("key-not-held", "another keyset", "keyNotFound", store=m.STORE_TWO)
    fails("other-entry-altered", "a wrapped key of another reader altered", "headerAltered",
          lambda x: flip(x, m.WRAPPED + 5), entries=m.two(plain))  # fmt: skip
    fails("all-other-data-keys", "every entry unwraps to another data key", "headerAltered",
          entries=lambda key: [m.entry(m.KEY_ONE, plain, bytes(32))])  # fmt: skip
    fails("anonymous", "an anonymous sender that is not accepted", "anonymousSender", store=m.STORE_IDENTITY,
          entries=lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)])  # fmt: skip
    fails("wrapped-for-environment", "an entry that was wrapped for an environment", "unwrapFailed",
          entries=m.for_kind("environment", lambda key: [m.entry(m.KEY_ONE, plain, key)]))  # fmt: skip
    fails("locked-store", "a locked key store, opened as a value", "unwrapFailed", pairs=[("purpose", "envelope-keys")],
          data=b"envelope-keys", plaintext="".join(line + "\n" for line in m.STORE).encode(),
          entries=m.for_kind("key-store", lambda key: [m.entry(m.KEY_ONE, [("purpose", "envelope-keys")], key)]))  # fmt: skip


def refused_for_the_payload(m):
    def fails(name, comment, change=None, expect="payloadAltered", **more):
        m.value("aegis-" + name, "suite 2, " + comment, expect, change=change, suite=e.AEGIS_256, plaintext=LONG, **more)

    flip, after = m.flip, m.AFTER
    fails("wrong-data", "other associated data", data=b"a", open_data=b"b")
    fails("no-data", "no associated data", data=b"a", open_data=b"")
    fails("data-longer", "associated data with a zero byte more", data=b"a", open_data=b"a\x00")
    fails("nonce", "the nonce altered", lambda x: flip(x, after))
    fails("nonce-last", "the last byte of the nonce altered", lambda x: flip(x, after + 31, 0x80))
    fails("ciphertext", "the ciphertext altered", lambda x: flip(x, after + 32))
    fails("ciphertext-last", "the last byte of the ciphertext altered", lambda x: flip(x, len(x) - 33))
    fails("payload-tag", "the tag altered", lambda x: flip(x, len(x) - 1, 0x80))
    fails("payload-tag-first", "the first byte of the tag altered", lambda x: flip(x, len(x) - 32))
    fails("payload-tag-halves", "both halves of the tag altered alike: the tag of 128 bits would not change",
          lambda x: flip(flip(x, len(x) - 32), len(x) - 16))  # fmt: skip
    fails("payload-tag-swapped", "the halves of the tag swapped", lambda x: x[:-32] + x[-16:] + x[-32:-16])
    folded = lambda tag: bytes(a ^ b for a, b in zip(tag[:16], tag[16:]))
    fails("payload-tag-128", "a tag of 128 bits", lambda x: x[:-32] + folded(x[-32:]))
    fails("payload-tag-128-padded", "a tag of 128 bits and sixteen zero bytes", lambda x: x[:-32] + folded(x[-32:]) + bytes(16))
    fails("longer", "one byte more", lambda x: x + b"\x00")
    fails("shorter", "one byte less", lambda x: x[:-1])
    fails("truncated", "64 bytes after the header, of more", lambda x: x[: after + 64])
    fails("first-header", "headerTag and the last byte altered: the header is checked first",
          lambda x: flip(flip(x, m.TAG), -1), "headerAltered")  # fmt: skip


def refused_for_the_form(m):
    def fails(name, comment, change=None, **more):
        m.value("aegis-" + name, "suite 2, " + comment, "malformed", change=change, suite=e.AEGIS_256, plaintext=LONG, **more)

    fails("short-payload", "63 bytes after the header", lambda x: x[: m.AFTER + 63])
    fails("short-payload-40", "40 bytes after the header, enough for suite 1", lambda x: x[: m.AFTER + 40])
    fails("no-payload", "nothing after the header", lambda x: x[: m.AFTER])
    fails("truncated-header", "ends within the commitment", lambda x: x[: m.COMMITMENT + 31])
    fails("first-form", "another context, and 63 bytes after the header: the form is checked first",
          lambda x: x[: m.AFTER + 63], open_pairs=m.NO_CONTEXT)  # fmt: skip
    fails("kind-02", "the kind of an environment", lambda x: m.flip(x, m.KIND, 3))
    fails("count-0", "keyCount 0", entries=lambda key: [])
    fails("passphrase-beside", "a passphrase beside a keyset", entries=lambda key: [
        m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key), m.of_any(e.PASSPHRASE, "p", 90)])  # fmt: skip


def mixed_suites(m):
    to = lambda suite: lambda x: x[: m.SUITE] + bytes([suite]) + x[m.SALT :]
    m.value("suite-2", "suite 1 altered to suite 2: the commitment differs", "headerAltered", change=to(2), plaintext=LONG)
    m.value("suite-2-short", "suite 1 altered to suite 2, and fewer than 64 bytes after the header", "malformed", change=to(2))
    m.value("aegis-suite-1", "suite 2 altered to suite 1: the commitment differs", "headerAltered", change=to(1),
            suite=e.AEGIS_256)  # fmt: skip
    m.value("aegis-suite-3", "suite 2 altered to suite 3, unknown", "unsupportedSuite", change=to(3), suite=e.AEGIS_256)
    m.value("suite-1-aegis-payload", "the header of suite 1, and a payload as in suite 2", "payloadAltered", plaintext=LONG,
            payload_suite=e.AEGIS_256)  # fmt: skip
    m.value("aegis-suite-1-payload", "the header of suite 2, and a payload as in suite 1", "payloadAltered", plaintext=LONG,
            suite=e.AEGIS_256, payload_suite=e.XCHACHA20)  # fmt: skip

    def retagged(x):
        """An attacker with the data key alters the suite and recomputes headerTag."""
        key = m.Seeded("value suite-2-retagged")(32)
        schedule = e.Schedule(key, e.prefix_of(e.VALUE, e.AEGIS_256), x[m.SALT : m.CHECK], e.canonical_context(m.PLAIN_CONTEXT))
        altered = to(2)(x[: m.TAG])
        return altered + schedule.header_tag(altered) + x[m.AFTER :]

    m.value("suite-2-retagged", "suite 1 altered to suite 2, headerTag made for it: the commitment differs", "headerAltered",
            change=retagged, plaintext=LONG)  # fmt: skip

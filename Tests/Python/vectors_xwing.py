# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of recipients under X-Wing. Written by make_vectors.py.

A reader without X-Wing must refuse each vector that needs X-Wing with `unsupportedSuite`. So there is no vector that such
a reader refuses for an entry of a keyset, or opens through an entry of scheme 02, if X-Wing opens it through scheme 05.
"""

import envelope as e
import mlkem768
import xwing

ID = "xwing-id-111"
KEY_ID = f"{ID}.1"
# Offsets into a header with one entry of the scheme, whose key id is as long as that of a keyset. The wrapped key is the
# ciphertext of ML-KEM, that of X25519, and the wrapped data key.
WRAPPED = 44
X25519, SEALED, COMMITMENT = WRAPPED + 1088, WRAPPED + 1120, WRAPPED + 1168
TAG = COMMITMENT + 32


def add_all(m):
    """`m` is make_vectors."""
    of_every_kind(m)
    of_keys(m)
    of_low_order(m)
    of_schemes(m)
    of_lengths(m)
    of_several_entries(m)
    of_uses(m)
    of_stores(m)
    of_texts(m)


def identity(m, identifier, *versions, primary=None):
    return [line.replace("keyset", "xwing-identity", 1) for line in m.keyset(identifier, *versions, primary=primary)]


def store(m):
    return m.second(identity(m, ID, 1), default=ID)


def store_all(m, default=ID):
    """A keyset and an identity of either kind."""
    return m.second(m.keyset(m.ONE, 1), m.identity(m.ID, 1), identity(m, ID, 1, 2), default=default)


def public_key(m, key_id=KEY_ID):
    return xwing.public_key(m.secret(key_id))


def entry(m, data_key, key_id=KEY_ID, pairs=None, public=None, name=None):
    """An entry; `name` is another key id to write than the one that is bound."""
    pairs = m.wrapping(m.PLAIN_CONTEXT if pairs is None else pairs)
    return e.XWING, name or key_id, e.wrap_to_public_key(public or public_key(m, key_id), key_id, pairs, data_key)


def of_shared_secret(m, data_key, enc, shared, scheme=e.XWING, kem=e.MLKEM768_X25519):
    """An entry that is sealed from a shared secret on, with `scheme` in the associated data."""
    key, nonce = e.message_keys(kem, shared)
    data = e.wrap_associated_data(KEY_ID, m.wrapping(m.PLAIN_CONTEXT), scheme)
    return e.XWING, KEY_ID, enc + e.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(data_key, data, nonce, key)


def of_every_kind(m):
    flip = m.flip
    mine = lambda key: [entry(m, key)]
    for make in (m.value, m.environment, m.packed):
        changed = "change_header" if make is m.environment else "change"
        two = lambda key: [m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key), entry(m, key)]

        def one(name, comment, expect, change=None, entries=mine, store=store(m), **more):
            more |= {changed: change} if change else {}
            make("xwing-" + name, comment, expect, store=store, entries=entries, **more)

        one("plain", "under a recipient of X-Wing, a context without function", "success", accepted=True)
        one("function", "under a recipient of X-Wing, a context with function", "success", pairs=m.FUNCTION_CONTEXT,
            entries=lambda key: [entry(m, key, pairs=m.FUNCTION_CONTEXT)], accepted=True)  # fmt: skip
        one("of-two", "under a keyset that is not held and a recipient of X-Wing", "success", entries=two, accepted=True)
        one("anonymous", "an anonymous sender that is not accepted", "anonymousSender")
        one("anonymous-of-two", "an anonymous sender that is not accepted, and a keyset that is not held", "anonymousSender",
            entries=two)  # fmt: skip
        one("anonymous-commitment", "the commitment altered: the header is checked before the sender", "headerAltered",
            lambda x: flip(x, TAG - 1))  # fmt: skip
        one("anonymous-tag", "headerTag altered: the header is checked before the sender", "headerAltered",
            lambda x: flip(x, TAG))  # fmt: skip
        one("anonymous-payload", "the last byte altered: the sender is checked before the payload", "anonymousSender",
            lambda x: flip(x, -1))  # fmt: skip
        one("accepted-altered", "the last byte altered, the sender accepted",
            "variablePutBack" if make is m.environment else "payloadAltered", lambda x: flip(x, -1), accepted=True)  # fmt: skip
        one("both-held", "a keyset and a recipient of X-Wing, both held: the keyset opens it", "success", entries=two,
            store=store_all(m))  # fmt: skip
        one("accepted-both-held", "a keyset and a recipient of X-Wing, both held, an anonymous sender accepted", "success",
            entries=two, store=store_all(m), accepted=True)  # fmt: skip
        one("tried-last", "a recipient of X-Wing before a keyset, both held: the keyset is tried first", "success",
            store=store_all(m), entries=lambda key: [entry(m, key), m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key)])  # fmt: skip
        one("anonymous-keyset-stray", "an anonymous sender, and a keyset's entry of another data key", "anonymousSender",
            store=store_all(m), entries=lambda key: [m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, bytes(32)), entry(m, key)])  # fmt: skip
        for kind in ("environment" if make is m.value else "value", "key-store", None):
            one(f"wrapped-for-{kind or 'no-kind'}", f"an entry that was wrapped for {kind or 'no kind'}", "unwrapFailed",
                entries=m.for_kind(kind, mine), accepted=True)  # fmt: skip
        one("altered", "the wrapped data key altered", "unwrapFailed", lambda x: flip(x, SEALED + 8))
        one("encapsulated", "the ciphertext of ML-KEM altered", "unwrapFailed", lambda x: flip(x, WRAPPED))
        one("encapsulated-x25519", "the ciphertext of X25519 altered", "unwrapFailed", lambda x: flip(x, X25519))
        one("encapsulated-high-bit", "a bit of the ciphertext of X25519 that the exchange ignores", "unwrapFailed",
            lambda x: flip(x, SEALED - 1, 0x80))  # fmt: skip
        one("not-held", "another identity of X-Wing", "keyNotFound", store=m.second(identity(m, m.TWO, 1), default=m.TWO))
        one("version-not-held", "another version of the identity", "keyNotFound",
            entries=lambda key: [entry(m, key, f"{ID}.2")])  # fmt: skip
        one("wrong-context", "another context", "contextDiffers", open_pairs=m.NO_CONTEXT)


def of_value(m):
    def one(name, comment, expect, entries=None, store=store(m), **more):
        m.value("xwing-" + name, comment, expect, entries=entries or (lambda key: [entry(m, key)]), store=store, **more)

    return one


def of_keys(m):
    one, flip = of_value(m), m.flip
    one("version-2", "version 2 of an identity", "success", lambda key: [entry(m, key, f"{ID}.2")], store_all(m), accepted=True)
    one("associated-data", "with associated data", "success", data=b"users/17", accepted=True)
    one("aegis", "suite 2, under a recipient of X-Wing", "success", suite=e.AEGIS_256, accepted=True)
    one("other-public-key", "the key id of an identity, wrapped to another's public key", "unwrapFailed",
        lambda key: [entry(m, key, public=public_key(m, "another"))])  # fmt: skip
    one("other-ml-kem-key", "wrapped to another's key of ML-KEM, and the identity's of X25519", "unwrapFailed",
        lambda key: [entry(m, key, public=public_key(m, "another")[:-32] + public_key(m)[-32:])])  # fmt: skip
    one("other-x25519-key", "wrapped to the identity's key of ML-KEM, and another's of X25519", "unwrapFailed",
        lambda key: [entry(m, key, public=public_key(m)[:-32] + public_key(m, "another")[-32:])])  # fmt: skip
    one("high-bit", "the last bit of the public key set: the exchange ignores it, X-Wing does not", "unwrapFailed",
        lambda key: [entry(m, key, public=flip(public_key(m), -1, 0x80))])  # fmt: skip
    one("bound-context", "an entry that is bound to another context", "unwrapFailed",
        lambda key: [entry(m, key, pairs=m.FUNCTION_CONTEXT)])  # fmt: skip
    one("bound-key-id", "an entry that is bound to another key id", "unwrapFailed",
        lambda key: [entry(m, key, f"{ID}.2", public=public_key(m), name=KEY_ID)])  # fmt: skip
    narrowed = lambda: xwing.public_key(e.narrow(m.secret(KEY_ID), m.PLAIN_CONTEXT))
    one("narrowed", "a seed narrowed as a keyset's secret is", "unwrapFailed", lambda key: [entry(m, key, public=narrowed())])
    one("leading-zero", "a key id with a leading zero", "keyNotFound",
        lambda key: [entry(m, key, f"{ID}.01", public=public_key(m))])  # fmt: skip
    one("other-data-key", "an entry that unwraps to another data key", "headerAltered", lambda key: [entry(m, bytes(32))])

    def rejected(key):
        """The sender has the seed, and seals under the secret of implicit rejection."""
        enc = e.random_bytes(64) * 17 + e.bindings.crypto_scalarmult_base(e.random_bytes(32))
        return [of_shared_secret(m, key, enc, xwing.decapsulate(m.secret(KEY_ID), enc))]

    one("implicit-rejection", "any bytes in place of the ciphertext of ML-KEM, and the secret that rejects them", "success",
        rejected, accepted=True)  # fmt: skip

    def rejected_without_z(key):
        """The secret of implicit rejection if z, from the seed, were zero."""
        enc = e.random_bytes(64) * 17 + e.bindings.crypto_scalarmult_base(e.random_bytes(32))
        private, private_x, public = xwing.expand(m.secret(KEY_ID))
        secret = mlkem768.decapsulate(private[:-32] + bytes(32), enc[:1088])
        secret_x = xwing.diffie_hellman(private_x, enc[1088:])
        return [of_shared_secret(m, key, enc, xwing.combine(secret, secret_x, enc[1088:], public[1184:]))]

    one("implicit-rejection-zero", "a secret that rejects, made without the identity's z", "unwrapFailed", rejected_without_z)


def of_low_order(m):
    """Encapsulations whose X25519 part is of low order, so its secret is all zero. Everything else is right."""
    for name, point in m.LOW_ORDER.items():
        def of_no_secret(key, ciphertext_x=point.to_bytes(32, "little")):
            public = public_key(m)
            secret, ciphertext = mlkem768.encapsulate(public[:1184], e.random_bytes(32))
            shared = xwing.combine(secret, bytes(32), ciphertext_x, public[1184:])
            return [of_shared_secret(m, key, ciphertext + ciphertext_x, shared)]

        of_value(m)("low-order-" + name, "an encapsulated key of X25519 of low order, and what its secret of zeros sealed",
                    "unwrapFailed", of_no_secret)  # fmt: skip


def of_schemes(m):
    one, plain = of_value(m), m.PLAIN_CONTEXT

    def encapsulated(key, **more):
        shared, enc = xwing.encapsulate(public_key(m), e.random_bytes(64))
        return [of_shared_secret(m, key, enc, shared, **more)]

    one("bound-scheme", "an entry that is bound to scheme 02", "unwrapFailed", lambda key: encapsulated(key, scheme=e.RECIPIENT))
    one("hpke-suite", "an entry with the suite of HPKE of DHKEM(X25519)", "unwrapFailed",
        lambda key: encapsulated(key, kem=e.DHKEM_X25519))  # fmt: skip
    one("in-scheme-01", "the key id in an entry of a keyset", "keyNotFound", lambda key: [m.entry(KEY_ID, plain, key)])
    one("in-scheme-02", "the key id in an entry of scheme 02, wrapped to the identity's key of X25519", "keyNotFound",
        lambda key: [m.for_recipient(KEY_ID, plain, key, public=public_key(m)[-32:])])  # fmt: skip
    one("in-scheme-02-seed", "the key id in an entry of scheme 02, wrapped to the key whose private key is the seed", "keyNotFound",
        lambda key: [m.for_recipient(KEY_ID, plain, key)])  # fmt: skip
    one("of-keyset", "a keyset's key id in an entry of scheme 05", "keyNotFound",
        lambda key: [entry(m, key, m.KEY_ONE)], store=m.STORE)  # fmt: skip
    one("of-identity", "the key id of an identity of X25519 in an entry of scheme 05", "keyNotFound",
        lambda key: [entry(m, key, m.KEY_ID_OF)], store=m.STORE_IDENTITY)  # fmt: skip
    one("relabeled-identity", "an identity of X-Wing that the store calls one of X25519", "keyNotFound",
        store=m.second(m.identity(ID, 1), default=ID))  # fmt: skip
    one("relabeled-keyset", "an identity of X-Wing that the store calls a keyset", "keyNotFound",
        store=m.second(m.keyset(ID, 1), default=ID))  # fmt: skip
    one("relabeled-x25519", "an identity of X25519 that the store calls one of X-Wing", "keyNotFound",
        lambda key: [m.for_recipient(KEY_ID, plain, key)])  # fmt: skip
    scheme = lambda number: lambda x: x[: m.SCHEME] + bytes([number]) + x[m.KEY_ID - 1 :]
    for number in (1, 2, 4):
        one(f"scheme-{number:02}", f"scheme 05 altered to {number:02}, whose wrapped keys have another length", "malformed",
            change=scheme(number))  # fmt: skip
    one("scheme-03", "scheme 05 altered to 03", "keyNotFound", change=scheme(3))
    one("scheme-06", "scheme 05 altered to 06, unknown", "keyNotFound", change=scheme(6))
    for name, entries in (
        ("01", lambda key: [m.entry(m.KEY_ONE, plain, key)]),
        ("02", lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)]),
    ):
        one(f"from-scheme-{name}", f"scheme {name} altered to 05, whose wrapped keys have another length", "malformed", entries,
            store_all(m), change=scheme(5))  # fmt: skip


def of_lengths(m):
    mine = lambda key: m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key)
    for length in (0, 80, 1120, 1167, 1169):
        m.value(f"rule-xwing-{length}", f"{length:,} wrapped bytes of a recipient of X-Wing", "malformed",
                entries=lambda key: [mine(key), m.of_any(e.XWING, "x", length)])  # fmt: skip
    m.value("rule-recipient-1168", "1,168 wrapped bytes of a recipient of X25519", "malformed",
            entries=lambda key: [mine(key), m.of_any(e.RECIPIENT, "r", 1168)])  # fmt: skip
    m.value("rule-xwing-key-id-twice", "a key id twice, in schemes 02 and 05", "malformed", entries=lambda key: [
        mine(key), m.of_any(e.RECIPIENT, "r", 80), m.of_any(e.XWING, "r", 1168)])  # fmt: skip
    m.value("rule-xwing-passphrase-beside", "a passphrase beside a recipient of X-Wing", "malformed", entries=lambda key: [
        m.of_any(e.XWING, "x", 1168), m.of_any(e.PASSPHRASE, "p", 90)])  # fmt: skip
    m.value("xwing-only-scheme", "the held key id of a keyset, in an entry of scheme 05 only", "keyNotFound",
            entries=lambda key: [m.of_any(e.XWING, m.KEY_ONE, 1168)])  # fmt: skip
    m.value("xwing-cut", "ends within the wrapped key", "malformed", entries=lambda key: [entry(m, key)],
            change=lambda x: x[: SEALED + 47])  # fmt: skip


def of_several_entries(m):
    one, plain, flip = of_value(m), m.PLAIN_CONTEXT, m.flip
    keyset = lambda key, **more: m.entry(m.KEY_ONE, plain, key, **more)
    x25519 = lambda key, **more: m.for_recipient(m.KEY_ID_OF, plain, key, **more)
    other = public_key(m, "another")
    failed = lambda key: entry(m, key, public=other)
    failed_x25519 = lambda key: x25519(key, public=m.public_key("another"))

    def of(name, comment, expect, *entries, store=store_all(m), **more):
        one("with-" + name, comment, expect, lambda key: [make(key) for make in entries], store, **more)

    mine, stray = lambda key: entry(m, key), lambda key: entry(m, bytes(32))
    of("all", "schemes 02, 05 and 01 in this order, all held: the keyset opens it", "success", x25519, mine, keyset)
    of("all-other-order", "schemes 05, 02 and 01 in this order, all held: the keyset opens it", "success", mine, x25519, keyset)
    of("x25519-first", "schemes 02 and 05 in this order, both held: the first opens it", "success", x25519, mine, accepted=True)
    of("x25519-first-anonymous", "schemes 02 and 05, the sender not accepted", "anonymousSender", x25519, mine)
    of("x25519-after-failed", "scheme 05 that does not verify, and 02 that opens it", "success", failed, x25519, accepted=True)
    of("x25519-after-stray", "scheme 05 of another data key, and 02 that opens it", "success", stray, x25519, accepted=True)
    of("x25519-failed", "scheme 02 that does not verify, and 05 that opens it", "success", failed_x25519, mine, accepted=True)
    of("x25519-not-held", "scheme 02 that is not held, and 05 that opens it", "success", x25519, mine, store=store(m),
       accepted=True)  # fmt: skip
    of("x25519-held", "scheme 05 that is not held, and 02 that opens it", "success", mine, x25519, store=m.STORE_IDENTITY,
       accepted=True)  # fmt: skip
    of("keyset-stray", "a keyset's entry of another data key, and 05 that opens it", "success", lambda key: keyset(bytes(32)), mine,
       accepted=True)  # fmt: skip
    of("keyset-narrowed", "a keyset narrowed to another function, and 05 that opens it", "success", keyset, mine, accepted=True,
       store=m.second(m.narrowed(m.ONE, ["orders"], 1), identity(m, ID, 1), default=ID))  # fmt: skip
    of("other-entry-altered", "the entry of scheme 05 altered beside a keyset's that opens", "headerAltered", keyset, mine,
       change=lambda x: flip(x, m.WRAPPED + 72 + 18 + 8))  # fmt: skip
    of("other-entry-unheld", "an entry of scheme 05 beside a keyset's, its identity not held", "success", keyset, mine,
       store=m.STORE)  # fmt: skip
    of("all-failed", "schemes 01, 02 and 05 that do not verify", "unwrapFailed", lambda key: keyset(key, secret_of="another"),
       failed_x25519, failed)  # fmt: skip
    of("failed-and-stray", "scheme 05 that does not verify, and a keyset's entry of another data key", "headerAltered",
       lambda key: keyset(bytes(32)), failed)  # fmt: skip
    of("two-identities", "two recipients of X-Wing, the second held", "success", lambda key: entry(m, key, f"{m.TWO}.1"), mine,
       lambda key: m.of_any(e.AWS_KMS, "arn:aws:kms", 184), accepted=True)  # fmt: skip
    one("sixteen", "sixteen recipients of X-Wing, the last held", "success", lambda key: [
        m.of_any(e.XWING, f"{m.TWO}.{n}", 1168) for n in range(1, 16)] + [entry(m, key)], accepted=True)  # fmt: skip


def of_uses(m):
    """States and policies: they refuse before X-Wing is used."""
    last = 2**64 - 1

    def use(name, comment, expect, *lines, versions=(1,), store=None, entries=None, **more):
        key = identity(m, ID, *versions)
        of_value(m)("use-" + name, comment, expect, entries, store or m.second(key[:1] + list(lines) + key[1:], default=ID), **more)

    use("disabled", "a disabled identity", "keyDisabled", "state disabled")
    use("pending", "an identity whose deletion is pending", "keyInvalidState", f"state pending {last}")
    use("overdue", "an identity whose deletion was due", "keyNotFound", "state pending 1")
    use("wrap-only", "an identity that only wraps", "keyAccessDenied", "operations wrap")
    use("unwrap-only", "an identity that only unwraps", "success", "operations unwrap", accepted=True)
    use("policy-other", "a function that the policy does not have", "keyAccessDenied", f"function {m.scope('orders')}")
    use("minimum", "a version below the minimum", "keyVersionTooOld", "minimum 2", versions=(1, 2))
    for version in ("1", "7"):
        use("destroyed-" + version, f"a destroyed identity, version {version}", "keyNotFound",
            store=m.second([f"destroyed {ID} xwing-identity 1"], default=ID),
            entries=lambda key: [entry(m, key, f"{ID}.{version}", public=public_key(m))])  # fmt: skip
    use("destroyed-as-x25519", "a destroyed identity of X25519, in an entry of scheme 05", "keyNotFound",
        store=m.second([f"destroyed {ID} identity 1"], default=ID))  # fmt: skip
    pending = m.keyset(m.ONE, 1)[:1] + [f"state pending {last}"] + m.keyset(m.ONE, 1)[1:]
    disabled = identity(m, ID, 1)[:1] + ["state disabled"] + identity(m, ID, 1)[1:]
    use("reason-last", "an identity that is disabled before a keyset that is pending: recipients come last", "keyInvalidState",
        store=m.second(pending, disabled, default=ID),
        entries=lambda key: [entry(m, key), m.entry(m.KEY_ONE, m.PLAIN_CONTEXT, key)])  # fmt: skip


def of_stores(m):
    """Stores, tried on a value under a keyset."""
    whole, audit = m.keyset(m.ONE, 1), e.to_text(m.secret("audit"))
    e.random_bytes = m.Seeded("store xwing")
    raw, schedule = m.header(e.VALUE, m.PLAIN_CONTEXT)
    sealed = (raw + e.seal_payload(schedule, b"", b"a secret")).hex()

    def store(name, comment, expect, lines):
        fields = m.store_lines(lines) + m.context_lines(m.PLAIN_CONTEXT) + [("associated-data", ""), ("envelope", sealed)]
        m.add("store2-xwing-" + name, comment, "value", expect, fields)

    def damaged(name, comment, lines, header="envelope-keys 2"):
        store(name, comment, "keyStoreDamaged", [header] + m.second(whole, lines)[1:])

    good = identity(m, ID, 1, 3)
    version = good[1].rsplit(" ", 1)
    store("good", "an identity of X-Wing beside a keyset", "success", m.second(whole, good))
    store("everything", "an identity of X-Wing with every line that it can have, and all other kinds of keys", "success", m.second(
        good[:1] + ["state disabled", "minimum 2", "rotation 90", "operations unwrap", "function -", f"function {m.scope('b')}"]
        + good[1:], m.identity(m.ID, 1), [f"destroyed {m.THREE} xwing-identity 0"], [f"destroyed {m.TWO} identity 0"], whole,
        audit=audit, aliases=[("backup", ID), ("gone", m.THREE)], default=ID))  # fmt: skip
    store("primary-1", "an identity of X-Wing whose primary is not the last", "success",
          m.second(whole, identity(m, ID, 1, 3, primary=1)))  # fmt: skip
    store("alone", "an identity of X-Wing alone", "keyNotFound", m.second(good, default=ID))
    damaged("in-version-1", "an identity of X-Wing in a text of version 1", good, "envelope-keys 1")
    damaged("destroyed-in-version-1", "a destroyed identity of X-Wing in a text of version 1",
            [f"destroyed {ID} xwing-identity 1"], "envelope-keys 1")  # fmt: skip
    damaged("narrowed", "a narrowed identity of X-Wing", good[:1] + [f"narrowed {m.scope('b')}"] + good[1:])
    damaged("narrowed-none", "an identity of X-Wing narrowed to no function", good[:1] + ["narrowed -"] + good[1:])
    damaged("marks", "marks of an identity of X-Wing", good[:1] + [good[1] + " 1"] + good[2:])
    damaged("no-versions", "an identity of X-Wing of no versions", good[:1])
    damaged("primary-unknown", "a primary that is not there", [f"xwing-identity {ID} 2"] + good[1:])
    damaged("and-keyset", "an id of a keyset and an identity of X-Wing", identity(m, m.ONE, 1))
    damaged("and-identity", "an id of identities of both kinds", good + m.identity(ID, 1))
    damaged("and-destroyed", "an identity of X-Wing that is destroyed and there", good + [f"destroyed {ID} xwing-identity 7"])
    damaged("twice", "an identity of X-Wing twice", good + good)
    for length in (0, 31, 33, 64, 96):
        text = e.to_text(bytes(range(length)))
        damaged(f"secret-{length}", f"a seed of {length} bytes", good[:1] + [f"{version[0]} {text}"] + good[2:])
    secret = f"{version[0]} " + m.spare_bits("    " + version[1])[4:]
    damaged("secret-spare-bits", "a seed with spare bits set", good[:1] + [secret] + good[2:])
    for name, word in (
        ("upper", "Xwing-identity"), ("hyphen", "x-wing-identity"), ("short", "xwing"), ("joined", "xwingidentity"),
        ("longer", "xwing-identity2"), ("number", "identity2"), ("other", "mlkem-identity"),
    ):  # fmt: skip
        damaged("word-" + name, "a kind of key that does not exist", [f"{word} {ID} 3"] + good[1:])
        if name != "hyphen":
            damaged("destroyed-" + name, "a destroyed key of a kind that does not exist", [f"destroyed {ID} {word} 7"])
    damaged("primary-missing", "no primary", [f"xwing-identity {ID}"] + good[1:])
    damaged("field-more", "a field more", [f"xwing-identity {ID} 3 x"] + good[1:])
    damaged("destroyed-versions", "a destroyed identity of X-Wing with a version", [f"destroyed {ID} xwing-identity 7"] + good[1:])
    damaged("destroyed-no-time", "a destroyed identity of X-Wing without a time", [f"destroyed {ID} xwing-identity"])


def of_texts(m):
    flip = m.flip

    def text(name, comment, expect, text):
        m.add("recipient-text-xwing-" + name, comment, "recipient", expect, [("recipient", text)])

    def of(version, public, identifier=ID):
        data = e.from_text(identifier) + e.u32(version) + public
        return data + e.blake2b(256, data, personal=b"EK recipient")[:4]

    public = public_key(m)
    good = of(1, public)
    whole = "er2:" + e.to_text(good)
    assert len(whole) == 1648
    refused = lambda name, comment, given: text(name, comment, "invalidArgument", given)
    checked = lambda name, comment, public: refused(name, comment, "er2:" + e.to_text(of(1, public)))
    text("1", "version 1", "success", whole)
    text("last", "the last version", "success", "er2:" + e.to_text(of(2**32 - 1, public)))
    refused("version-0", "version 0", "er2:" + e.to_text(of(0, public)))
    for at in (0, 8, 9, 12, 13, 1196, 1197, 1228, 1229, 1232):
        refused(f"byte-{at}", f"byte {at} altered", "er2:" + e.to_text(flip(good, at)))
    checked("short", "a byte less, its check right", public[:-1])
    checked("long", "a byte more, its check right", public + b"\x00")
    checked("ml-kem-alone", "the key of ML-KEM alone, its check right", public[:-32])
    checked("seed", "a seed, its check right", m.secret(KEY_ID))
    refused("no-check", "no check", "er2:" + e.to_text(good[:-4]))
    refused("empty", "no bytes", "er2:")
    refused("upper", "ER2:", "ER2:" + whole[4:])
    refused("er3", "er3:", "er3:" + whole[4:])
    refused("ek1", "ek1:", "ek1:" + whole[4:])
    refused("no-prefix", "no prefix", whole[4:])
    refused("as-er1", "the prefix of a recipient of X25519", "er1:" + whole[4:])
    short = "er1:" + e.to_text(of(1, m.public_key(m.KEY_ID_OF), m.ID))
    refused("of-er1", "the text of a recipient of X25519, with the prefix of one of X-Wing", "er2:" + short[4:])
    refused("padded", "with padding", whole + "==")
    refused("padded-one", "with one sign of padding", whole + "=")
    assert "-" in whole and "_" in whole
    refused("alphabet", "in the alphabet of base64", whole.replace("-", "+").replace("_", "/"))
    refused("space", "a space within", whole[:30] + " " + whole[30:])
    refused("character-more", "a character more", whole + "A")
    refused("character-less", "a character less", whole[:-1])
    refused("combining", "a combining character after the prefix", "er2:\u0301" + whole[4:])

    def with_coefficient(at, coefficient, public=public):
        coefficients = mlkem768.decode_vector(12, public[:1184])
        coefficients[at // 256][at % 256] = coefficient
        return b"".join(mlkem768.encode(12, f) for f in coefficients) + public[1152:]

    for at in (0, 1, 255, 256, 766, 767):
        checked(f"coefficient-{at}", f"coefficient {at} of the key of ML-KEM is 3,329", with_coefficient(at, 3329))
    checked("coefficient-4095", "a coefficient of the key of ML-KEM is 4,095", with_coefficient(400, 4095))
    text("coefficient-3328", "the first and the last coefficient of the key of ML-KEM are 3,328", "success",
         "er2:" + e.to_text(of(1, with_coefficient(767, 3328, with_coefficient(0, 3328)))))  # fmt: skip
    text("rho", "a key of ML-KEM whose last 32 bytes, which are no coefficients, are all ff", "success",
         "er2:" + e.to_text(of(1, public[:1152] + b"\xff" * 32 + public[1184:])))  # fmt: skip

    of_x25519 = lambda key: public[:-32] + key
    for name, point in m.LOW_ORDER.items():
        checked("low-order-" + name, "a key of X25519 of low order", of_x25519(point.to_bytes(32, "little")))
    checked("low-order-high-bit", "a key of X25519 of low order, its last bit set", of_x25519(b"\x01" + bytes(30) + b"\x80"))
    checked("high-bit", "the last bit of the key of X25519 set", flip(public, -1, 0x80))
    for more in (2, 18):
        checked(f"p+{more}", f"a key of X25519 that is {more} more than p", of_x25519((m.P + more).to_bytes(32, "little")))

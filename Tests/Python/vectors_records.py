# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of records. Written by make_vectors.py.

Unless a vector says otherwise, its lines are the header (line 1), begin (2), two log records (3 and 4) and end (5).
"""

import copy
import json
import struct

import envelope as e
import records as r
import vectors_xwing

CLEAR = {
    "time": "2026-11-27T03:12:05.123Z", "level": "info", "n": 1.5, "ok": True, "metadata": {"user": "a/b", "é": "λ"},
}  # fmt: skip
SECOND = b'{"message":"second"}'
PAYLOAD = b'{"message":"first"}'
# What is found if line 3 does not open.
THIRD = ["altered 3", "missing S 1 1"]


def add_all(m):
    """`m` is make_vectors."""
    for suite in (e.XCHACHA20, e.AEGIS_256):
        of = Records(m, suite)
        opening(m, of)
        headers(m, of)
        header_repeats(m, of)
        own_members(m, of)
        sealed_text(m, of)
        clear_members(of)
        clear_forms(of)
        clear_rules(of)
        numbers(of)
        documents(of)
        sequences(of)
        types(of)
        parts(of)
        other_segments(of)
        key_schedule(of)
        other_lines(of)


class Records:
    """Seals segments of one suite, changes them, and adds the vectors."""

    def __init__(self, m, suite):
        self.m, self.suite = m, suite
        self.name, self.comment = ("records-aegis-", "suite 2, ") if suite == e.AEGIS_256 else ("records-", "")

    def writer(self, pairs=None, entries=None, prefix=None, canonical=None, data_key=None):
        m = self.m
        prefix = prefix or e.prefix_of(e.RECORDS, self.suite)
        pairs = m.PLAIN_CONTEXT if pairs is None else pairs
        return r.Writer(*m.header(e.RECORDS, pairs, entries, prefix, canonical, data_key), self.suite)

    def add(
        self, name, comment, findings=(), make=None, change=None, store=None, open_pairs=None, accepted=False,
        opened=None, **header,
    ):  # fmt: skip
        """`make` gets the writer, and gives the lines; `change` changes them in place. `opened` is checked, too."""
        m, name = self.m, self.name + name
        e.random_bytes = m.Seeded(name)
        writer = self.writer(**header)
        lines = make(writer) if make else plain_lines(writer)
        if change:
            lines = change(lines) or lines
        pairs = open_pairs if open_pairs is not None else header.get("pairs", m.PLAIN_CONTEXT)
        fields = m.store_lines(m.STORE if store is None else store) + m.context_lines(pairs) + m.reader_lines(accepted)
        fits = all(line.isascii() and line.decode().isprintable() and line == line.strip() and line for line in lines)
        texts = [("line", line.decode()) if fits else ("line-hex", line.hex()) for line in lines]
        expect = "damaged" if findings else "success"
        m.add(name, self.comment + comment, "records", expect, fields + texts)
        events = [line[7:].split(" ") for line in m.vectors[name].splitlines() if line.startswith("event: ")]
        found = [" ".join(event).replace(writer.segment, "S") for event in events if event[0] not in ("record", "other")]
        assert found == list(findings), (name, found)
        sequences = [int(event[2]) for event in events if event[0] == "record"]
        if opened is None:
            opened = [n for n in range(writer.sequence) if not any(self.covers(finding, n) for finding in findings)]
            opened = [] if "noHeader S" in findings or "unopened S" in str(findings) else opened
        assert sequences == list(opened), (name, sequences)

    @staticmethod
    def covers(finding, sequence):
        word, *numbers = finding.split(" ")
        return word == "missing" and int(numbers[1]) <= sequence <= int(numbers[2])

    def third(self, name, comment, change, findings=THIRD, **more):
        """Changes the text of line 3."""

        def changed(lines):
            lines[2] = change(lines[2])

        self.add(name, comment, findings, change=changed, **more)

    def sealed(self, name, comment, text, canonical=None, findings=THIRD, **more):
        """Line 3 has clear members of this text, and is sealed with this canonical form."""

        def make(writer):
            lines = plain_lines(writer)
            if canonical is None:
                form = r.canonical_clear(r.clear_pairs(r.Parser(b"{" + encoded(text) + b"}").whole()))
            else:
                form = canonical
            lines[2] = raw_line(writer, 1, r.LOG, form, PAYLOAD, encoded(text))
            return lines

        self.add(name, comment, findings, make=make, **more)


def encoded(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def plain_lines(writer):
    return [
        r.header_line(writer.header), writer.seal(b"", r.BEGIN), writer.seal(PAYLOAD, clear=CLEAR),
        writer.seal(SECOND, clear={"level": "debug"}), writer.seal(b"", r.END),
    ]  # fmt: skip


def chain_at(writer, sequence):
    """The chain and the key of a record: `writer` must not have been changed by hand."""
    chain = r.first_chain(writer.schedule)
    for _ in range(sequence):
        chain, _ = r.ratchet(chain)
    return r.ratchet(chain)


def raw_line(writer, sequence, kind, canonical, payload, text=b"", own_type=None, seal=None, sequence_text=None):
    """A line whose members and whose sealed bytes need not belong together. `seal` replaces these: it gets the key."""
    _, key = chain_at(writer, sequence)
    sealed = seal(key) if seal else r.seal_record(writer.suite, key, sequence, kind, canonical, payload)
    own = json.loads(r.record_line(writer.segment, sequence, kind if own_type is None else own_type, {}, sealed))
    own = r.text_line(own)[1:-1]
    if sequence_text:
        own = own.replace(b'"sequence":%d' % sequence, b'"sequence":' + sequence_text)
    return b"{" + text + (b"," if text else b"") + own + b"}"


def opening(m, of):
    plain = m.PLAIN_CONTEXT
    of.add("plain", "one keyset, a context without function")
    of.add("function", "a context with function", pairs=m.FUNCTION_CONTEXT)
    of.add("no-context", "no context", pairs=m.NO_CONTEXT)
    of.add("unicode-context", "keys that are equal by Unicode and differ as bytes", pairs=m.UNICODE_CONTEXT)
    of.add("two-keys", "two wrapped keys, the reader holds the second", entries=m.two(plain))
    of.add("unknown-scheme", "entries of scheme 7f and of an unknown scheme are skipped", entries=lambda key: [
        m.of_any(0x7F, "x!~", 1), m.of_any(0x55, "other", 300), m.entry(m.KEY_ONE, plain, key)])  # fmt: skip
    of.add("rotated-1", "version 1 of a keyset whose primary is 2", store=m.STORE_ROTATED)
    of.add("narrowed", "a key narrowed to the envelope's function", pairs=m.FUNCTION_CONTEXT,
           store=m.second(m.narrowed(m.ONE, ["orders"], 1)))  # fmt: skip
    to_identity = lambda key: [m.for_recipient(m.KEY_ID_OF, plain, key)]
    of.add("recipient", "under a recipient, an anonymous sender is accepted", store=m.STORE_IDENTITY, accepted=True,
           entries=to_identity)  # fmt: skip
    of.add("anonymous", "an anonymous sender that is not accepted", ["unopened S anonymousSender"],
           store=m.STORE_IDENTITY, entries=to_identity)  # fmt: skip
    xwing = lambda key: [vectors_xwing.entry(m, key)]
    of.add("xwing", "under a post-quantum recipient", store=vectors_xwing.store(m), accepted=True, entries=xwing)
    of.add("xwing-anonymous", "under a post-quantum recipient, an anonymous sender is not accepted",
           ["unopened S anonymousSender"], store=vectors_xwing.store(m), entries=xwing)  # fmt: skip
    of.add("passphrase", "under a passphrase", ["unopened S malformed"], store=b"correct horse", entries=lambda key: [
        e.Passphrase(b"correct horse", (3, 1)).wrap(m.wrapping(plain), key)])  # fmt: skip
    of.add("empty-payloads", "records without clear members or payload", make=lambda w: [
        r.header_line(w.header), w.seal(b"", r.BEGIN), w.seal(b""), w.seal(b"", clear={"level": "info"}), w.seal(b"", r.END)])  # fmt: skip
    of.add("no-records", "begin and end alone", make=lambda w: [
        r.header_line(w.header), w.seal(b"", r.BEGIN), w.seal(b"", r.END)])  # fmt: skip


def headers(m, of):
    flip = m.flip

    def fails(name, comment, change=None, why="malformed", **more):
        """Changes the header, but not the member segment."""

        def changed(lines):
            if change:
                data = change(e.from_envelope_text(json.loads(lines[0])["header"]))
                lines[0] = r.text_line({"segment": json.loads(lines[0])["segment"], "header": "ek1:" + e.to_text(data)})

        of.add(f"header-{name}", comment, [f"unopened S {why}"], change=changed, **more)

    plain = m.PLAIN_CONTEXT
    fails("wrong-context", "another context", why="contextDiffers", open_pairs=m.NO_CONTEXT)
    fails("less-context", "a pair missing", why="contextDiffers", open_pairs=plain[:1])
    fails("context-check", "contextCheck altered", lambda x: flip(x, m.CHECK + 3), "contextDiffers")
    fails("salt-last", "the last byte of the salt altered", lambda x: flip(x, m.SALT + 15), "contextDiffers")
    fails("salt-first", "the first byte of the salt altered: not the segment's", lambda x: flip(x, m.SALT), "headerAltered")
    fails("wrapped", "the wrapped key altered", lambda x: flip(x, m.WRAPPED + 30), "unwrapFailed")
    fails("commitment", "commitment altered", lambda x: flip(x, m.COMMITMENT), "headerAltered")
    fails("tag", "headerTag altered", lambda x: flip(x, m.TAG + 15, 0x80), "headerAltered")
    fails("other-entry-altered", "a wrapped key of another reader altered", lambda x: flip(x, m.WRAPPED + 5),
          "headerAltered", entries=m.two(plain))  # fmt: skip
    fails("key-not-held", "another keyset", why="keyNotFound", store=m.STORE_TWO)
    for kind in ("value", "environment", "key-store", "file", "Records"):
        fails(f"wrapped-for-{kind}", f"wrapped for the envelope kind {kind}", why="unwrapFailed",
              entries=m.for_kind(kind, lambda key: [m.entry(m.KEY_ONE, plain, key)]))  # fmt: skip
    fails("wrapped-for-no-kind", "wrapped without an envelope kind", why="unwrapFailed",
          entries=m.for_kind(None, lambda key: [m.entry(m.KEY_ONE, plain, key)]))  # fmt: skip
    for kind in (1, 2, 3, 4):
        fails(f"kind-{kind}", f"kind {kind}", lambda x: x[: m.KIND] + bytes([kind]) + x[m.SUITE :])
    for kind in (0, 6, 255):
        fails(f"kind-{kind}", f"kind {kind}, unknown", lambda x: x[: m.KIND] + bytes([kind]) + x[m.SUITE :], "unsupportedVersion")
    fails("kind-value-sealed", "sealed under the header of a value", prefix=e.prefix_of(e.VALUE, of.suite))
    fails("version-2", "version 2", lambda x: x[: m.VERSION] + b"\x02" + x[m.KIND :], "unsupportedVersion")
    fails("suite-3", "suite 3, unknown", lambda x: x[: m.SUITE] + b"\x03" + x[m.SALT :], "unsupportedSuite")
    other = e.XCHACHA20 + e.AEGIS_256 - of.suite
    fails("suite-other", "the other suite: the commitment differs",
          lambda x: x[: m.SUITE] + bytes([other]) + x[m.SALT :], "headerAltered")  # fmt: skip
    fails("parameters", "a byte of parameters after the suite", lambda x: x[: m.SALT] + b"\x10" + x[m.SALT :])
    fails("magic", "the magic altered", lambda x: flip(x, 0))
    fails("count-0", "keyCount 0", entries=lambda key: [])
    fails("cut", "a byte less", lambda x: x[:-1])
    fails("longer", "a byte more", lambda x: x + b"\x00")
    fails("empty", "no bytes", lambda x: b"")

    def text(name, comment, change, findings=("altered 1", "noHeader S"), **more):
        def changed(lines):
            lines[0] = change(lines[0])

        of.add(f"header-line-{name}", comment, findings, change=changed, **more)

    text("space-first", "the header's text with a space before it", lambda x: x.replace(b'"ek1:', b'" ek1:'), ["noHeader S"])
    text("space", "the header's text with a space in it", lambda x: x.replace(b'"ek1:', b'"ek1: '))
    text("space-last", "the header's text with a space after it", lambda x: x[:-2] + b' "}')
    text("line-feed", "the header's text with a line feed after it", lambda x: x[:-2] + b'\\n"}')
    text("no-prefix", "the header's text without ek1:", lambda x: x.replace(b'"ek1:', b'"'), ["noHeader S"])
    text("upper-prefix", "the header's text with EK1:", lambda x: x.replace(b'"ek1:', b'"EK1:'), ["noHeader S"])
    text("variable-prefix", "the header's text with ev1:", lambda x: x.replace(b'"ek1:', b'"ev1:'), ["noHeader S"])
    text("padded", "the header's text with padding", lambda x: x[:-2] + b'="}')
    text("spare-bits", "the header's text with spare bits set", lambda x: (
        x.replace(x[x.index(b"ek1:") : -2], m.spare_bits(x[x.index(b"ek1:") : -2].decode()).encode())))  # fmt: skip
    text("number", "the header a number", lambda x: x.split(b',"header"')[0] + b',"header":1}', ["noHeader S"])
    text("null", "the header null", lambda x: x.split(b',"header"')[0] + b',"header":null}', ["noHeader S"])
    text("twice", "the header twice", lambda x: x[:-1] + x[x.index(b',"header"') :])
    text("twice-by-escape", "the header twice, once with an escape in its name",
         lambda x: x[:-1] + x[x.index(b',"header"') :].replace(b"header", b"h\\u0065ader"))  # fmt: skip
    text("clear-member", "the header's line with a clear member", lambda x: x[:-1] + b',"time":"x"}')
    text("empty-object", "the header's line with an empty object", lambda x: x[:-1] + b',"time":{}}')
    text("sequence", "the header's line with a sequence", lambda x: x[:-1] + b',"sequence":0}')
    text("record", "the header's line with a record", lambda x: x[:-1] + b',"record":"begin"}')
    text("other-segment", "the header's line with another segment", lambda x: b'{"segment":"AAAAAAAAAAAA"' + x[x.index(b",") :],
         ["unopened AAAAAAAAAAAA headerAltered", "noHeader S"])  # fmt: skip
    text("segment-longer", "the header's line with a longer segment", lambda x: x.replace(b'","header', b'AAAA","header'))
    text("no-header", "the header's line without the header", lambda x: x.split(b',"header"')[0] + b"}",
         ["noHeader S"])  # fmt: skip
    text("no-segment", "the header's line without the segment", lambda x: b"{" + x[x.index(b'"header"') :])
    text("order", "the header's line in the other order", lambda x: (
        b"{" + x[x.index(b'"header"') : -1] + b"," + x[1 : x.index(b',"header"')] + b"}"), [])  # fmt: skip
    text("blanks", "the header's line with blanks", lambda x: x.replace(b":", b" : ", 1).replace(b",", b" ,\t"), [])
    text("escapes", "the header's line with escapes", lambda x: (
        x.replace(b"ek1:", b"\\u0065k1\\u003a").replace(b'"segment"', b'"\\u0073egment"')), [])  # fmt: skip
    of.add("header-missing", "no header", ["noHeader S"], change=lambda lines: lines[1:])
    of.add("header-last", "the header after the records", ["noHeader S", "unfinished S"],
           change=lambda lines: lines[1:] + lines[:1])  # fmt: skip
    of.add("header-late", "the header after the first log record", ["noHeader S", "missing S 0 1"],
           change=lambda lines: lines[1:3] + lines[:1] + lines[3:], opened=[2, 3])  # fmt: skip
    of.add("header-alone", "a header without records", ["unfinished S"], change=lambda lines: lines[:1], opened=[])


def header_repeats(m, of):
    def repeat(name, comment, change, findings=(), data=None, **more):
        """`change` gets the header, `data` the writer; the line comes before line 4."""

        def make(writer):
            lines = plain_lines(writer)
            raw = data(writer) if data else change(writer.header)
            line = r.text_line({"segment": writer.segment, "header": "ek1:" + e.to_text(raw)})
            return lines[:3] + [line] + lines[3:]

        of.add(f"repeat-{name}", comment, findings, make=make, **more)

    flip, plain = m.flip, m.PLAIN_CONTEXT
    repeat("same", "the header's line twice", lambda x: x)
    of.add("repeat-other-text", "the header's line twice, once with blanks", change=lambda x: (
        x[:3] + [x[0].replace(b",", b" , ")] + x[3:]))  # fmt: skip
    for name, at in (("salt", m.SALT + 15), ("context-check", m.CHECK), ("wrapped", m.WRAPPED), ("commitment", m.COMMITMENT),
                     ("tag", m.TAG), ("suite", m.SUITE), ("kind", m.KIND)):  # fmt: skip
        repeat(name, f"the header's line twice, {name} altered in the second", lambda x: flip(x, at, 3), ["altered 4"])
    repeat("salt-first", "another salt in the second header's line", lambda x: flip(x, m.SALT), ["altered 4"])

    def rewrapped(writer, entries, data_key=None):
        head, schedule = writer.header, writer.schedule
        before = head[: m.COUNT] + bytes([len(entries)])
        before += b"".join(bytes([s, len(k)]) + k.encode() + e.lp16(wrapped) for s, k, wrapped in entries)
        before += schedule.commitment
        return before + schedule.header_tag(before)

    key_of = lambda of, name: m.Seeded(of.name + "repeat-" + name)(32)
    repeat("rewrapped", "the second header's line is rewrapped, the reader holds that key too", None, store=m.STORE_BOTH,
           data=lambda w: rewrapped(w, [m.entry(m.KEY_TWO, plain, key_of(of, "rewrapped"))]))  # fmt: skip
    repeat("rewrapped-not-held", "the second header's line is rewrapped, the reader does not hold that key", None,
           data=lambda w: rewrapped(w, [m.entry(m.KEY_TWO, plain, key_of(of, "rewrapped-not-held"))]))  # fmt: skip
    repeat("rewrapped-tag", "the second header's line is rewrapped, its tag made over the first", None, ["altered 4"],
           data=lambda w: rewrapped(w, [m.entry(m.KEY_TWO, plain, key_of(of, "rewrapped-tag"))])[:-16] + w.header[-16:])  # fmt: skip

    def collision(writer):
        """Another segment whose salt begins in the same way."""
        key, salt = e.random_bytes(32), writer.header[m.SALT : m.SALT + 9] + e.random_bytes(7)
        real, e.random_bytes = e.random_bytes, lambda n: salt if n == 16 else real(n)
        try:
            return of.writer(data_key=key).header
        finally:
            e.random_bytes = real

    repeat("collision", "a header of another data key whose salt begins in the same way", None, ["altered 4"], data=collision)
    of.add("repeat-first-fails", "the first header's line is altered, the second is not",
           ["unopened S headerAltered", "missing S 0 1"], opened=[2, 3], make=lambda w: (lambda lines: [
               r.header_line(flip(w.header, m.TAG))] + lines[1:3] + lines[:1] + lines[3:])(plain_lines(w)))  # fmt: skip


def own_members(m, of):
    after = lambda text: lambda line: line[:-1] + b"," + text + b"}"

    def member_of(line, name):
        text = json.dumps(json.loads(line)[name]).encode()
        return b'"' + name.encode() + b'":' + text

    def without(name):
        def change(line):
            text = member_of(line, name)
            return line.replace(b"," + text, b"")

        return change

    def replaced(name, text):
        return lambda line: line.replace(member_of(line, name), b'"' + name.encode() + b'":' + text)

    for name in ("segment", "sequence", "sealed"):
        third = lambda what, comment, change, *more: of.third(f"{name}-{what}", f"{name} {comment}", change, *more)
        third("missing", "is missing", without(name))
        third("upper", "written with a capital letter",
              lambda x: x.replace(b'"' + name.encode(), b'"' + name.capitalize().encode()))  # fmt: skip
        third("twice", "twice, the same", lambda x: after(member_of(x, name))(x))
        third("twice-by-escape", "twice, once with an escape in its name",
              lambda x: after(member_of(x, name).replace(b'"se', b'"s\\u0065'))(x))  # fmt: skip
        for what, text in (("null", b"null"), ("true", b"true"), ("array", b"[]"), ("object", b"{}"), ("empty", b'""'),
                           ("negative", b"-1"), ("nested", b'["AAAAAAAAAAAA"]')):  # fmt: skip
            third(what, f"is {text.decode()}", replaced(name, text))
    of.third("segment-number", "segment is a number", replaced("segment", b"123456789012"))
    of.third("sealed-number", "sealed is a number", replaced("sealed", b"1"))
    for what, text in (
        ("string", b'"1"'), ("minus-zero", b"-0"), ("fraction", b"1.0"), ("exponent", b"1e0"), ("exponent-3", b"1e3"),
        ("exponent-fraction", b"0.1e1"), ("65535", b"65535"), ("65536", b"65536"), ("65537", b"65537"), ("0", b"0"), ("2", b"2"),
        ("32-bits", b"4294967297"), ("64-bits", b"18446744073709551617"), ("zeros", b"1.000"), ("many-digits", b"1" * 400),
    ):  # fmt: skip
        of.third(f"sequence-{what}", f"sequence is {text.decode()[:20]}", replaced("sequence", text))
    for what, text in (("leading-zero", b"01"), ("plus", b"+1"), ("hexadecimal", b"0x1"), ("point", b"1."), ("nan", b"NaN")):
        of.third(f"sequence-{what}", f"sequence is {text.decode()}, which is not JSON", replaced("sequence", text))
    for what, text in (("zero", b"65536"), ("negative", b"-1"), ("fraction", b"1.0")):
        sequence = {"zero": 65536, "negative": 1, "fraction": 1}[what]
        of.add(f"sequence-{what}-sealed", f"sequence {text.decode()}, sealed so", THIRD, make=lambda w: (
            lambda lines: lines[:2] + [raw_line(w, sequence, r.LOG, b"", PAYLOAD, sequence_text=text)] + lines[3:]
        )(plain_lines(w)))  # fmt: skip
    for what, text in (
        ("end", b'"end"'), ("dropped", b'"dropped"'), ("begin", b'"begin"'), ("trace", b'"trace"'), ("log", b'"log"'),
        ("empty", b'""'), ("unknown", b'"other"'), ("upper", b'"End"'), ("null", b"null"), ("number", b"0"), ("array", b'["end"]'),
    ):  # fmt: skip
        of.third(f"record-{what}", f"record {text.decode()} added", after(b'"record":' + text))
    for what, text in (
        ("first", b'"first"'), ("middle", b'"middle"'), ("last", b'"last"'), ("whole", b'"whole"'), ("empty", b'""'),
        ("upper", b'"First"'), ("true", b"true"), ("null", b"null"), ("number", b"128"), ("array", b'["first"]'),
    ):  # fmt: skip
        of.third(f"part-{what}", f"part {text.decode()} added", after(b'"part":' + text))
    of.third("header-in-record", "the header added to a record", lambda x: x, make=lambda w: (lambda lines: lines[:2] + [
        after(member_of(lines[0], "header"))(lines[2])] + lines[3:])(plain_lines(w)))  # fmt: skip

    def last(name, comment, change, findings=("altered 5", "missing S 3 3", "unfinished S")):
        def changed(lines):
            lines[4] = change(lines[4])

        # The end is not known, so neither is that it is missing.
        of.add(name, comment, [f for f in findings if f != "missing S 3 3"], change=changed, opened=[0, 1, 2])

    def without_first(name):
        return lambda line: line.replace(member_of(line, name) + b",", b"")

    last("end-no-record", "record removed from the end", without_first("record"))
    for word in ("dropped", "begin", "trace", "log", "ends"):
        last(f"end-as-{word}", f"record changed from end to {word}", replaced("record", f'"{word}"'.encode()))
    last("end-twice-member", "record of the end twice", lambda x: x.replace(b'"record":"end"', b'"record":"end","record":"end"'))


def sealed_text(m, of):
    def fails(name, comment, change, text=False):
        def changed(line):
            start = line.index(b'"sealed":"') + 10
            sealed = line[start:-2]
            data = change(sealed) if text else e.to_text(change(e.from_text(sealed.decode()))).encode()
            return line[:start] + data + line[-2:]

        of.third(f"sealed-{name}", f"sealed {comment}", changed)

    nonce, tag = e.PAYLOAD_CIPHER[of.suite][2:]
    flip = m.flip
    fails("nonce", "with the nonce altered", lambda x: flip(x, 0))
    fails("nonce-last", "with the last byte of the nonce altered", lambda x: flip(x, nonce - 1, 0x80))
    fails("ciphertext", "with the ciphertext altered", lambda x: flip(x, nonce))
    fails("ciphertext-last", "with the last byte of the ciphertext altered", lambda x: flip(x, -tag - 1))
    fails("tag", "with the tag altered", lambda x: flip(x, -tag))
    fails("tag-last", "with the last byte of the tag altered", lambda x: flip(x, -1, 0x80))
    fails("shorter", "a byte shorter", lambda x: x[:-1])
    fails("longer", "a byte longer", lambda x: x + b"\x00")
    fails("only-nonce-and-tag", "of a nonce and a tag", lambda x: x[: nonce + tag])
    fails("too-short", "of a byte less than a nonce and a tag", lambda x: x[: nonce + tag - 1])
    fails("padded", "with padding", lambda x: x + b"=", text=True)
    fails("space", "with a space", lambda x: x[:8] + b" " + x[8:], text=True)
    fails("line-feed", "with a line feed at its end", lambda x: x + b"\\n", text=True)
    fails("alphabet", "in the alphabet of base64", lambda x: b"+/" + x[2:], text=True)
    fails("not-ascii", "with a letter that is not ASCII", lambda x: "é".encode() + x[2:], text=True)
    fails("prefix", "with ek1: before it", lambda x: b"ek1:" + x, text=True)
    spare = lambda x: m.spare_bits("    " + x.decode())[4:].encode()

    def make(writer):
        lines = plain_lines(writer)
        for count in range(3):
            line = raw_line(writer, 1, r.LOG, b"", b"x" * count)
            text = line[line.index(b'"sealed":"') + 10 : -2]
            if len(text) % 4 in (2, 3):
                lines[2] = line.replace(text, spare(text))
                return lines

    of.add("sealed-spare-bits", "sealed with spare bits set", THIRD, make=make)


def clear_members(of):
    text = r.text_line(CLEAR).decode()[1:-1]
    members = {name: r.text_line({name: value}).decode()[1:-1] for name, value in CLEAR.items()}

    def fails(name, comment, *replacements, **more):
        def change(line):
            for old, new in replacements:
                assert encoded(old) in line, (name, old)
                line = line.replace(encoded(old), encoded(new))
            return line

        of.third(f"clear-{name}", comment, change, **more)

    for name, member in members.items():
        fails(f"{name}-removed", f"the clear member {name} removed", (member + ",", ""))
        fails(f"{name}-renamed", f"the clear member {name} renamed", (f'"{name}":', f'"{name}_":'))
        fails(f"{name}-twice", f"the clear member {name} twice", (member, member + "," + member))
        fails(f"{name}-in-object", f"the clear member {name} moved into an object", (member, f'"o":{{{member}}}'))
        fails(f"{name}-null", f"the clear member {name} is null", (member, f'"{name}":null'))
        fails(f"{name}-array", f"the clear member {name} in an array", (member, f'"{name}":[{member.split(":", 1)[1]}]'))
    fails("time-altered", "a string altered", ("05.123Z", "05.124Z"))
    fails("time-emptied", "a string emptied", ('"2026-11-27T03:12:05.123Z"', '""'))
    fails("level-longer", "a string with a space more", ('"info"', '"info "'))
    fails("level-case", "a string in another case", ('"info"', '"Info"'))
    fails("level-nul", "a string with a zero more", ('"info"', '"info\\u0000"'))
    fails("number-altered", "a number altered", ("1.5", "1.6"))
    fails("number-least", "a number altered by the least there is", ("1.5", "1.5000000000000002"))
    fails("number-negative", "a number negated", ("1.5", "-1.5"))
    fails("number-string", "a number as a string", ("1.5", '"1.5"'))
    fails("boolean-altered", "true altered to false", ("true", "false"))
    fails("boolean-string", "true as a string", ("true", '"true"'))
    fails("boolean-number", "true as a number", ("true", "1"))
    fails("string-null", "a string altered to null", ('"info"', "null"))
    fails("string-boolean", "a string altered to true", ('"info"', "true"))
    fails("member-altered", "a member of an object altered", ('"a/b"', '"a/c"'))
    fails("member-removed", "a member of an object removed", ('"user":"a/b",', ""))
    fails("member-added", "a member of an object added", ('"user":"a/b"', '"user":"a/b","x":"y"'))
    fails("member-renamed", "a member of an object renamed", ('"user"', '"User"'))
    fails("member-moved", "a member moved out of an object", ('"user":"a/b",', ""), ('"ok":', '"user":"a/b","ok":'))
    fails("member-twice", "a member of an object twice", ('"user":"a/b"', '"user":"a/b","user":"a/b"'))
    fails("members-flat", "an object as members with a zero in their names",
          (members["metadata"], '"metadata\\u0000user":"a/b","metadata\\u0000é":"λ"'))  # fmt: skip
    fails("objects-two", "an object as two of the same name",
          (members["metadata"], '"metadata":{"user":"a/b"},"metadata":{"é":"λ"}'))  # fmt: skip
    fails("object-moved", "members of an object in another object", ('"metadata"', '"meta"'))
    fails("object-deeper", "an object in an object", ('{"user":"a/b"', '{"user":{"user":"a/b"}'))
    fails("added", "a clear member added", (text, text + ',"x":"y"'))
    fails("added-null", "a member null added", (text, text + ',"x":null'))
    fails("added-empty-object", "an empty object added", (text, text + ',"x":{}'))
    fails("added-empty-object-in-object", "an empty object added in an object", ('"user":', '"x":{},"user":'))
    fails("added-empty-array", "an empty array added", (text, text + ',"x":[]'))
    fails("added-envelope", "an empty object envelope added to metadata", ('"user":', '"envelope":{},"user":'))
    fails("swapped", "the values of two members exchanged", ('"info"', '"a/b"'), ('{"user":"a/b"', '{"user":"info"'))
    fails("composed", "a name in another form of Unicode", ('"é"', '"e\u0301"'))
    fails("of-other-record", "the clear members of another record", (text, '"level":"debug"'))
    fails("none", "all clear members removed", (text + ",", ""))


def clear_forms(of):
    text = r.text_line(CLEAR).decode()[1:-1]

    def opens(name, comment, *replacements):
        def change(line):
            for old, new in replacements:
                assert encoded(old) in line, (name, old)
                line = line.replace(encoded(old), encoded(new))
            return line

        of.third(f"form-{name}", comment, change, findings=[])

    def reversed_members(line):
        members = json.loads(line)
        members["metadata"] = dict(reversed(members["metadata"].items()))
        return r.text_line(dict(reversed(members.items())))

    of.third("form-order", "the members in the opposite order", reversed_members, findings=[])
    of.third("form-blanks", "blanks wherever they may be", findings=[], change=lambda x: (
        b" \t" + json.dumps(json.loads(x), indent=2, ensure_ascii=False).encode().replace(b"\n", b"\r\t") + b"\r"))  # fmt: skip
    of.third("form-ascii", "escapes for all that is not ASCII", lambda x: json.dumps(json.loads(x)).encode(), findings=[])
    of.third("form-sorted", "the members in the order of their names", findings=[], change=lambda x: (
        json.dumps(json.loads(x), sort_keys=True).encode()))  # fmt: skip
    opens("escapes", "escapes in names and strings", ('"level"', '"\\u006cevel"'), ('"info"', '"\\u0069nfo"'), ("a/b", "a\\/b"))
    opens("escapes-upper", "escapes in capital letters", ("λ", "\\u03BB"), ("é", "\\u00E9"))
    opens("own-escapes", "escapes in own members", ('"sequence"', '"sequenc\\u0065"'), ('"sealed"', '"\\u0073ealed"'))
    for what, number in (
        ("zeros", "1.50"), ("exponent", "15e-1"), ("exponent-upper", "15E-1"), ("exponent-plus", "0.15e+1"),
        ("exponent-zeros", "1500e-0003"), ("many-zeros", "1.5" + "0" * 400), ("many-nines", "1.4" + "9" * 60),
    ):  # fmt: skip
        opens(f"number-{what}", f"a number as {number[:12]}", ("1.5", number))
    opens("in-between", "own members before and between the others", (text, '"metadata"'.join(text.split('"metadata"'))))


def clear_rules(of):
    """What a line must not have. All of these are sealed so."""
    string = lambda name, value=b"x": e.lp16(encoded(name)) + e.lp16(b"\x00" + value)

    def fails(name, comment, text, canonical):
        of.sealed(f"rule-{name}", comment + ", sealed so", text, canonical)

    def opens(name, comment, text, canonical=None):
        of.sealed(f"rule-{name}", comment, text, canonical, findings=[])

    fails("name-empty", "an empty name", '"":"x"', string(""))
    fails("member-empty", "an empty name in an object", '"a":{"":"x"}', string("a\x00"))
    fails("name-zero", "a name with a zero byte", '"a\\u0000b":"x"', string("a\x00b"))
    opens("member-zero", "a name with a zero byte in an object", '"a":{"b\\u0000c":"x"}', string("a\x00b\x00c"))
    fails("name-zero-alone", "a name that is a zero byte", '"\\u0000":"x"', string("\x00"))
    fails("null", "null", '"a":null', b"")
    fails("null-tag", "null, sealed as a value of its own tag", '"a":null', e.lp16(b"a") + e.lp16(b"\x04"))
    fails("array", "an array", '"a":["x"]', b"")
    fails("array-strings", "an array, sealed as a string", '"a":["x"]', string("a"))
    fails("array-empty", "an empty array", '"a":[]', b"")
    fails("object-empty", "an empty object", '"a":{}', b"")
    fails("object-empty-in-object", "an empty object in an object", '"a":{"b":{}}', b"")
    fails("object-deeper", "an object in an object", '"a":{"b":{"c":"x"}}', string("a\x00b\x00c"))
    fails("object-deeper-flat", "an object in an object, sealed as if it were not", '"a":{"b":{"c":"x"}}', string("a\x00b"))
    fails("array-in-object", "an array in an object", '"a":{"b":["x"]}', string("a\x00b"))
    fails("null-in-object", "null in an object", '"a":{"b":null,"c":"x"}', string("a\x00c"))
    fails("twice", "a name twice", '"a":"x","a":"y"', string("a") + string("a", b"y"))
    fails("twice-last", "a name twice, sealed with the last", '"a":"x","a":"y"', string("a", b"y"))
    fails("twice-first", "a name twice, sealed with the first", '"a":"x","a":"y"', string("a"))
    fails("twice-by-escape", "a name twice, once with an escape", '"a":"x","\\u0061":"x"', string("a"))
    fails("twice-in-object", "a name twice in an object", '"a":{"b":"x","b":"x"}', string("a\x00b"))
    fails("object-twice", "an object twice with different members", '"a":{"b":"x"},"a":{"c":"x"}', string("a\x00b") + string("a\x00c"))
    fails("object-and-string", "a string and an object of one name", '"a":"x","a":{"b":"x"}', string("a") + string("a\x00b"))
    opens("composed", "two names that are equal by Unicode", '"é":"x","e\u0301":"x"', string("e\u0301") + string("é"))
    opens("order", "names in the order of their bytes",
          '"b":"x","B":"x","aa":"x","a":{"b":"x"},"\uff5e":"x","\U0001f511":"x","a!":"x"',
          b"".join(string(name) for name in ("B", "a\x00b", "a!", "aa", "b", "\uff5e", "\U0001f511")))  # fmt: skip
    fails("order-utf-16", "names in the order of UTF-16", '"\uff5e":"x","\U0001f511":"x"', string("\U0001f511") + string("\uff5e"))
    fails("order-line", "names in the order of the line", '"b":"x","a":"x"', string("b") + string("a"))
    fails("surrogate", "a surrogate alone", b'"a":"\\ud800"', string("a", b"\xed\xa0\x80"))
    fails("surrogate-replaced", "a surrogate alone, sealed as a replacement character", b'"a":"\\ud800"', string("a", b"\xef\xbf\xbd"))
    fails("surrogate-low", "a low surrogate alone", b'"a":"\\udc00"', string("a", b"\xed\xb0\x80"))
    fails("surrogates-swapped", "surrogates in the wrong order", b'"a":"\\udd11\\ud83d"', string("a", b"\xef\xbf\xbd" * 2))
    opens("surrogates", "a character of two escapes", b'"a":"\\ud83d\\udd11"', string("a", "\U0001f511".encode()))
    for name, data in (("bytes", b"\xff"), ("overlong", b"\xc0\xaf"), ("cut", b"\xe2\x82"), ("surrogate", b"\xed\xa0\x80"), ("high", b"\xf4\x90\x80\x80")):
        fails(f"utf-8-{name}", "a string that is not UTF-8", b'"a":"' + data + b'"', string("a", data))
        fails(f"utf-8-{name}-name", "a name that is not UTF-8", b'"' + data + b'":"x"', e.lp16(data) + e.lp16(b"\x00x"))
    fails("utf-8-replaced", "a string that is not UTF-8, sealed as a replacement character", b'"a":"\xff"', string("a", b"\xef\xbf\xbd"))
    fails("control", "a control character in a string", b'"a":"\x01"', string("a", b"\x01"))
    fails("tab", "a tab in a string", b'"a":"\t"', string("a", b"\t"))
    opens("control-escape", "control characters as escapes", b'"a":"\\u0001\\u0000\\t\\n\\b\\f\\r\\"\\\\"', string("a", b"\x01\x00\t\n\b\f\r\"\\"))
    opens("delete", "the character 7f, and line separators", '"a":"\x7f\u2028\u0085"', string("a", "\x7f\u2028\u0085".encode()))
    fails("escape-unknown", "an escape that there is not", b'"a":"\\x"', string("a"))
    fails("escape-short", "an escape of three digits", b'"a":"\\u006"', string("a"))
    fails("comment", "a comment", b'/**/"a":"x"', string("a"))
    fails("single-quotes", "single quotes", b"'a':\"x\"", string("a"))
    fails("comma", "a comma too many", b'"a":"x",', string("a"))
    fails("tags-exchanged", "a string, sealed as a number of eight bytes", '"a":"12345678"', e.lp16(b"a") + e.lp16(b"\x0112345678"))
    fails("false-as-true", "false, sealed as true", '"a":false', e.lp16(b"a") + e.lp16(b"\x03"))
    opens("booleans", "true and false", '"a":false,"b":true', e.lp16(b"a") + e.lp16(b"\x02") + e.lp16(b"b") + e.lp16(b"\x03"))
    opens("strings", "empty and like other values", '"a":"","b":"true","c":"1"', string("a", b"") + string("b", b"true") + string("c", b"1"))
    opens("metadata-string", "metadata is a string", '"metadata":"x"')
    opens("metadata-envelope-string", "a member envelope of metadata that is a string", '"metadata":{"envelope":"x"}')
    for name, value in (("65536", 65536), ("65537", 65537)):
        # Two pairs: four bytes of lengths and two of name and tag each.
        text = '"a":"%s","b":"%s"' % ("v" * 40000, "w" * (value - 40000 - 12))
        canonical = string("a", b"v" * 40000) + string("b", b"w" * (value - 40000 - 12))
        assert len(canonical) == value
        (opens if value == 65536 else fails)(f"clear-{name}", f"clear members of {value} bytes", text, canonical)


def numbers(of):
    def number(name, comment, text, value, findings=()):
        canonical = e.lp16(b"a") + e.lp16(b"\x01" + struct.pack(">d", value))
        of.sealed(f"number-{name}", f"a number, {comment}", f'"a":{text}', canonical, findings=findings)

    infinity, nan = float("inf"), float("nan")
    for name, comment, text, value in (
        ("zero", "0", "0", 0.0), ("zero-exponent", "0e9999", "0e9999", 0.0), ("minus-zero", "-0", "-0", -0.0),
        ("minus-zero-fraction", "-0.0", "-0.0", -0.0), ("integer", "2^53", "9007199254740992", 2.0**53),
        ("rounded", "2^53 + 1: the double is 2^53", "9007199254740993", 2.0**53),
        ("rounded-up", "2^53 + 1 and a little: the double is 2^53 + 2", "9007199254740993.0000000000000000001", 2.0**53 + 2),
        ("64-bits", "2^64", "18446744073709551616", 2.0**64), ("most", "the largest", "1.7976931348623157e308", 1.7976931348623157e308),
        ("most-rounded", "rounded to the largest", "1.7976931348623158e308", 1.7976931348623157e308),
        ("least", "the least above 0", "5e-324", 5e-324), ("least-rounded", "rounded to the least above 0", "3e-324", 5e-324),
        ("underflow", "rounded to 0", "1e-400", 0.0), ("underflow-negative", "rounded to -0", "-1e-400", -0.0),
        ("half-even", "between two, and the even one is lower", "1.00000000000000011102230246251565404236316680908203125", 1.0),
        ("half-above", "above the middle of two by the 800th digit",
         "1.00000000000000011102230246251565404236316680908203125" + "0" * 740 + "1", 1.0000000000000002),
        ("long-integer", "an integer of 300 digits", "1" + "0" * 299, 1e299), ("epoch", "seconds with microseconds", "1478293361.271449", 1478293361.271449),
        ("epoch-exponent", "as X-Ray writes it", "1.478293361271E9", 1478293361.271),
    ):  # fmt: skip
        number(name, comment, text, value)
    for name, comment, text, value in (
        ("overflow", "1e309, sealed as infinity", "1e309", infinity), ("overflow-most", "1e309, sealed as the largest", "1e309", 1.7976931348623157e308),
        ("overflow-least", "the least that is rounded to infinity", "1.797693134862315808e308", infinity),
        ("infinity", "Infinity", "Infinity", infinity), ("nan", "NaN", "NaN", nan), ("infinity-negative", "-Infinity", "-Infinity", -infinity),
        ("minus-zero-as-zero", "-0, sealed as 0", "-0", 0.0), ("zero-as-minus-zero", "0, sealed as -0", "0", -0.0),
        ("leading-zero", "01", "01", 1.0), ("plus", "+1", "+1", 1.0), ("no-integer", ".5", ".5", 0.5), ("no-fraction", "1.", "1.", 1.0),
        ("no-exponent", "1e", "1e", 1.0), ("hexadecimal", "0x1", "0x1", 1.0), ("underscore", "1_0", "1_0", 10.0),
    ):  # fmt: skip
        number(name, comment, text, value, THIRD)


def documents(of):
    """Records of traces."""
    document = {
        "name": "checkout", "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979",
        "start_time": 1478293361.271, "end_time": 1478293361.449, "annotations": {"tenant": "a", "n": 2, "b": False},
    }  # fmt: skip

    def make(writer, clear=document):
        return [
            r.header_line(writer.header), writer.seal(b"", r.BEGIN), writer.seal(b'{"name":"x"}', r.TRACE, clear),
            writer.seal(SECOND, r.TRACE, clear), writer.seal(b"", r.END),
        ]  # fmt: skip

    of.add("document", "segment documents of X-Ray", make=make)
    of.add("document-headers", "segment documents, the header only in these", findings=["missing S 0 0", "unfinished S"],
           make=lambda w: make(w)[2:4], opened=[1, 2])  # fmt: skip
    of.add("document-xray", "documents as X-Ray writes them", make=lambda w: [
        line.replace(b"1478293361.271", b"1.478293361271E9") for line in make(w)])  # fmt: skip

    def third(name, comment, change, findings=THIRD):
        def changed(lines):
            lines[2] = r.text_line(change(json.loads(lines[2])))

        of.add(f"document-{name}", comment, findings, make=make, change=changed)

    def with_own(change):
        def changed(members):
            return members | {"metadata": {"envelope": change(dict(members["metadata"]["envelope"]))}}

        return changed

    third("order", "a document in the opposite order", lambda x: (
        dict(reversed(x.items())) | {"metadata": {"envelope": dict(reversed(x["metadata"]["envelope"].items()))}}), [])  # fmt: skip
    third("name-altered", "a document's name altered", lambda x: x | {"name": "checkouts"})
    third("id-altered", "a document's id altered", lambda x: x | {"id": "70de5b6f19ff9a0b"})
    third("start-altered", "a document's start altered", lambda x: x | {"start_time": 1478293361.272})
    third("end-altered", "a document's end altered", lambda x: x | {"end_time": 1478293361.45})
    third("end-missing", "a document's end removed", lambda x: {k: v for k, v in x.items() if k != "end_time"})
    third("annotation-altered", "an annotation altered", lambda x: x | {"annotations": x["annotations"] | {"n": 3}})
    third("annotation-added", "an annotation added", lambda x: x | {"annotations": x["annotations"] | {"x": 1}})
    third("annotation-array", "an annotation added that is an array", lambda x: x | {"annotations": x["annotations"] | {"x": [1]}})
    third("annotation-object", "an annotation added that is an object", lambda x: x | {"annotations": x["annotations"] | {"x": {}}})
    third("annotation-null", "an annotation added that is null", lambda x: x | {"annotations": x["annotations"] | {"x": None}})
    third("annotation-empty-name", "an annotation added without name", lambda x: x | {"annotations": x["annotations"] | {"": "x"}})
    third("annotation-moved", "an annotation moved to the top", lambda x: (
        x | {"annotations": {"tenant": "a", "b": False}} | {"annotations\0n": 2}))  # fmt: skip
    third("annotations-emptied", "the annotations emptied", lambda x: x | {"annotations": {}})
    third("annotations-removed", "the annotations removed", lambda x: {k: v for k, v in x.items() if k != "annotations"})
    third("annotations-string", "the annotations altered to a string", lambda x: x | {"annotations": "x"})
    third("trace-id-altered", "a document's trace_id, which is not bound, altered", lambda x: x | {"trace_id": "x"}, [])
    third("added", "members added, which are not bound", lambda x: x | {
        "origin": "AWS::ECS::Container", "aws": {"xray": {"sdk": [None, {"a": {"b": []}}]}}, "x": None, "": 1, "a\0b": 1e300}, [])  # fmt: skip
    third("metadata-more", "other members in metadata", lambda x: x | {"metadata": x["metadata"] | {"x": "y", "default": {"a": {}}}}, [])

    def text(name, comment, change, findings=THIRD):
        def changed(lines):
            lines[2] = change(lines[2])

        of.add(f"document-{name}", comment, findings, make=make, change=changed)

    text("name-twice", "a document's name twice", lambda x: x.replace(b'{"name"', b'{"name":"checkout","name"', 1))
    text("annotations-twice", "the annotations twice", lambda x: x.replace(b'{"name"', b'{"annotations":{},"name"', 1))
    text("annotation-twice", "an annotation twice", lambda x: x.replace(b'"n":2', b'"n":2,"n":2'))
    text("unbound-twice", "a member twice that is not bound", lambda x: x.replace(b'{"name"', b'{"x":1,"x":2,"name"', 1), [])
    text("own-member-twice", "a sequence twice", lambda x: x.replace(b'"sequence":1', b'"sequence":1,"sequence":1'))
    text("metadata-twice", "metadata twice", lambda x: x[:-1] + x[x.index(b',"metadata"') :])
    text("unbound-overflow", "a number that is not finite, which is not bound", lambda x: x.replace(b'{"name"', b'{"x":1e999,"name"', 1), [])
    third("envelope-more", "another member in envelope", with_own(lambda own: own | {"x": "y"}))
    third("own-at-top", "own members at the top", lambda x: (
        {k: v for k, v in x.items() if k != "metadata"} | x["metadata"]["envelope"]))  # fmt: skip
    third("own-at-top-bare", "own members at the top, without the header", lambda x: (
        {k: v for k, v in x.items() if k != "metadata"} | {k: v for k, v in x["metadata"]["envelope"].items() if k != "header"}))  # fmt: skip
    third("own-twice", "own members at the top and in metadata", lambda x: x | x["metadata"]["envelope"])
    third("own-split", "one own member at the top", lambda x: (
        with_own(lambda own: {k: v for k, v in own.items() if k != "sequence"})(x) | {"sequence": 1}))  # fmt: skip
    third("own-also-segment", "an own member at the top as well", lambda x: x | {"segment": x["metadata"]["envelope"]["segment"]})
    third("record-end", "record changed to end", with_own(lambda own: own | {"record": "end"}))
    third("record-missing", "record removed", with_own(lambda own: {k: v for k, v in own.items() if k != "record"}))
    third("header-missing", "the header removed", with_own(lambda own: {k: v for k, v in own.items() if k != "header"}))
    third("sequence-missing", "the sequence removed", with_own(lambda own: {k: v for k, v in own.items() if k != "sequence"}))
    third("header-altered", "the header's tag altered", with_own(lambda own: own | {
        "header": own["header"][:-1] + ("A" if own["header"][-1] != "A" else "B")}))  # fmt: skip
    third("segment-other", "another segment", with_own(lambda own: own | {"segment": "AAAAAAAAAAAA"}),
          ["unopened AAAAAAAAAAAA headerAltered", "missing S 1 1"])  # fmt: skip
    third("part", "part added", with_own(lambda own: own | {"part": "first"}))
    third("envelope-string", "envelope is a string", lambda x: x | {"metadata": {"envelope": "x"}}, ["missing S 1 1"])
    third("envelope-array", "envelope in an array", lambda x: x | {"metadata": {"envelope": [x["metadata"]["envelope"]]}},
          ["missing S 1 1"])  # fmt: skip
    third("metadata-other", "metadata renamed", lambda x: (
        {k: v for k, v in x.items() if k != "metadata"} | {"Metadata": x["metadata"]}), ["missing S 1 1"])  # fmt: skip

    def log_in_document(writer):
        lines = make(writer)
        clear = r.canonical_clear(r.document_pairs(r.Parser(r.text_line(document)).whole()))
        _, key = chain_at(writer, 1)
        sealed = r.seal_record(writer.suite, key, 1, r.LOG, clear, PAYLOAD)
        lines[2] = r.record_line(writer.segment, 1, r.LOG, document, sealed, writer.header)
        return lines

    of.add("document-log-sealed", "a log record in metadata, sealed so", THIRD, make=log_in_document)

    def trace_at_top(writer):
        lines = make(writer)
        lines[2] = raw_line(writer, 1, r.TRACE, b"", PAYLOAD)
        return lines

    of.add("document-trace-sealed-at-top", "a record of a trace with own members at the top, sealed so", THIRD, make=trace_at_top)

    def all_bound(writer):
        lines = make(writer)
        clear = r.canonical_clear(r.clear_pairs(r.Parser(r.text_line(document)).whole()))
        _, key = chain_at(writer, 1)
        sealed = r.seal_record(writer.suite, key, 1, r.TRACE, clear, PAYLOAD)
        lines[2] = r.record_line(writer.segment, 1, r.TRACE, document, sealed, writer.header)
        return lines

    of.add("document-all-bound", "trace_id is bound", THIRD, make=all_bound)
    of.add("document-no-clear", "a document without clear members", make=lambda w: make(w, {"trace_id": "x"}))


def sequences(of):
    def lines(name, comment, findings, change, **more):
        of.add(f"lines-{name}", comment, findings, change=change, **more)

    without = lambda *numbers: lambda lines: [line for n, line in enumerate(lines, 1) if n not in numbers]
    lines("begin-missing", "the begin record is missing", ["missing S 0 0"], without(2))
    lines("first-missing", "the first log record is missing", ["missing S 1 1"], without(3))
    lines("two-missing", "both log records are missing", ["missing S 1 2"], without(3, 4))
    lines("all-but-end", "all but the end is missing", ["missing S 0 2"], without(2, 3, 4))
    lines("ranges", "two records are missing, one between them is not", ["missing S 0 0", "missing S 2 2"], without(2, 4))
    lines("end-missing", "the end record is missing", ["unfinished S"], without(5), opened=[0, 1, 2])
    lines("cut", "the last two records are missing", ["unfinished S"], without(4, 5), opened=[0, 1])
    lines("doubled", "a record twice", ["doubled S 1"], lambda x: x[:3] + x[2:])
    lines("doubled-later", "a record once more after the next", ["doubled S 1"], lambda x: x[:4] + x[2:3] + x[4:])
    lines("doubled-after-end", "a record once more after the end", ["doubled S 1"], lambda x: x + x[2:3])
    lines("doubled-end", "the end twice", ["doubled S 3"], lambda x: x + x[4:])
    lines("doubled-text", "a record twice, the second written differently", ["doubled S 1"], lambda x: (
        x[:3] + [json.dumps(json.loads(x[2]), indent=1).encode().replace(b"\n", b" ")] + x[3:]))  # fmt: skip
    lines("doubled-all", "the whole segment twice", [f"doubled S {n}" for n in range(4)], lambda x: x + x)
    lines("doubled-altered", "a record twice, the second altered", ["altered 4"], lambda x: (
        x[:3] + [x[2].replace(b'"info"', b'"infx"')] + x[3:]))  # fmt: skip
    lines("swapped", "two records exchanged", ["missing S 1 1", "reordered S 1"],
          lambda x: x[:2] + [x[3], x[2]] + x[4:], opened=[0, 2, 1, 3])  # fmt: skip
    lines("begin-late", "the begin record after the first log record", ["missing S 0 0", "reordered S 0"],
          lambda x: [x[0], x[2], x[1], *x[3:]], opened=[1, 0, 2, 3])  # fmt: skip
    lines("after-end", "a record after the end that belongs before it", ["missing S 2 2", "reordered S 2"],
          lambda x: x[:3] + [x[4], x[3]], opened=[0, 1, 3, 2])  # fmt: skip
    lines("moved", "the sequences of two records exchanged", ["altered 3", "altered 4", "missing S 1 2"], lambda x: (
        x[:2] + [x[2].replace(b'"sequence":1', b'"sequence":2'), x[3].replace(b'"sequence":2', b'"sequence":1')] + x[4:]))  # fmt: skip

    def made(name, comment, findings, make, **more):
        of.add(f"lines-{name}", comment, findings, make=make, **more)

    def of_copy(writer, name, findings):
        lines = plain_lines(writer)
        return lines[:3] + [raw_line(writer, 1, r.LOG, b"", SECOND)] + lines[3:]

    made("copied", "two records of one sequence", ["copied S 1"], lambda w: of_copy(w, None, None), opened=[0, 1, 1, 2, 3])
    made("copied-same-payload", "two records of one sequence and payload", ["copied S 2"], lambda w: (
        lambda lines: lines[:4] + [raw_line(w, 2, r.LOG, r.canonical_clear(r.clear_pairs(r.Parser(b'{"level":"debug"}').whole())), SECOND,
                                            b'"level":"debug"')] + lines[4:])(plain_lines(w)), opened=[0, 1, 2, 2, 3])  # fmt: skip
    made("copied-begin", "two begin records", ["copied S 0"], lambda w: (
        lambda lines: lines[:2] + [raw_line(w, 0, r.BEGIN, b"", b"")] + lines[2:])(plain_lines(w)), opened=[0, 0, 1, 2, 3])  # fmt: skip
    made("record-after-end-gap", "a record of a higher sequence after the end, and a gap", ["missing S 4 4", "copied S 5"], lambda w: (
        [*plain_lines(w), w.seal(PAYLOAD), w.seal(PAYLOAD)][:5] + [raw_line(w, 5, r.LOG, b"", PAYLOAD)]), opened=[0, 1, 2, 3, 5])  # fmt: skip
    made("record-after-end", "a record of a higher sequence after the end", ["copied S 4"], lambda w: (
        plain_lines(w) + [w.seal(PAYLOAD)]), opened=[0, 1, 2, 3, 4])  # fmt: skip
    made("end-before-latest", "an end of a lower sequence than another record's", ["missing S 2 2", "reordered S 2"], lambda w: (
        lambda lines: lines[:3] + [lines[4], raw_line(w, 2, r.END, b"", b"")])(plain_lines(w)),
        opened=[0, 1, 3, 2])  # fmt: skip
    made("last", "sequence 65,535", ["missing S 3 65534", "unfinished S"], lambda w: (
        plain_lines(w)[:4] + [raw_line(w, 65535, r.LOG, b"", PAYLOAD)]), opened=[0, 1, 2, 65535])  # fmt: skip
    made("last-end", "the end is sequence 65,535", ["missing S 3 65534"], lambda w: (
        plain_lines(w)[:4] + [raw_line(w, 65535, r.END, b"", b"")]), opened=[0, 1, 2, 65535])  # fmt: skip
    made("beyond-last", "sequence 65,536, sealed so", ["altered 5", "unfinished S"], lambda w: (
        plain_lines(w)[:4] + [raw_line(w, 65536, r.LOG, b"", PAYLOAD)]), opened=[0, 1, 2])  # fmt: skip


def types(of):
    def made(name, comment, findings, make, **more):
        of.add(f"type-{name}", comment, findings, make=make, **more)

    def begin(payload, *more):
        return lambda w: [r.header_line(w.header), w.seal(payload, r.BEGIN), w.seal(PAYLOAD), *[w.seal(*m) for m in more], w.seal(b"", r.END)]

    salt = bytes(range(16))
    named = e.to_text(salt[:9])
    made("begin-previous", "begin names a segment that is not there", [f"missing {named} 0 7"], begin(salt + e.u64(7)), opened=[0, 1, 2])
    made("begin-previous-0", "begin names a segment of one record that is not there", [f"missing {named} 0 0"],
         begin(salt + e.u64(0)), opened=[0, 1, 2])  # fmt: skip
    made("begin-previous-65535", "begin names a segment of 65,536 records", [f"missing {named} 0 65535"],
         begin(salt + e.u64(65535)), opened=[0, 1, 2])  # fmt: skip
    for name, payload in (
        ("1", b"\x00"), ("16", salt), ("23", salt + bytes(7)), ("25", salt + bytes(9)), ("8", bytes(8)),
        ("65536", salt + e.u64(65536)), ("64-bits", salt + e.u64(2**64 - 1)),
    ):  # fmt: skip
        what = f"begin of {len(payload)} bytes" if len(payload) != 24 else "begin names a last sequence too high"
        made(f"begin-{name}", what, ["altered 2", "missing S 0 0"], begin(payload), opened=[1, 2])
    made("begin-at-1", "begin at sequence 1", ["altered 3", "missing S 1 1"], lambda w: [
        r.header_line(w.header), w.seal(b"", r.BEGIN), w.seal(b"", r.BEGIN), w.seal(b"", r.END)], opened=[0, 2])  # fmt: skip
    made("log-at-0", "a log record at sequence 0", ["altered 2", "missing S 0 0"], lambda w: [
        r.header_line(w.header), w.seal(PAYLOAD), w.seal(PAYLOAD), w.seal(b"", r.END)], opened=[1, 2])  # fmt: skip
    made("end-at-0", "an end at sequence 0", ["altered 2", "unfinished S"], lambda w: [
        r.header_line(w.header), w.seal(b"", r.END)], opened=[])  # fmt: skip
    made("end-payload", "an end with a payload", ["altered 4", "unfinished S"], lambda w: [
        r.header_line(w.header), w.seal(b"", r.BEGIN), w.seal(PAYLOAD), w.seal(b"\x00", r.END)], opened=[0, 1])  # fmt: skip
    made("dropped", "a count of records dropped", [], begin(b"", (e.u64(3), r.DROPPED)))
    made("dropped-most", "the highest count of records dropped, twice", [], begin(b"", (b"\xff" * 8, r.DROPPED), (b"\xff" * 8, r.DROPPED)))
    for name, payload in (("0", bytes(8)), ("empty", b""), ("7", b"\x01" * 7), ("9", b"\x01" * 9)):
        what = "a count of 0 records dropped" if name == "0" else f"dropped of {len(payload)} bytes"
        made(f"dropped-{name}", what, ["altered 4", "missing S 2 2"], begin(b"", (payload, r.DROPPED)), opened=[0, 1, 3])
    clear = {"time": "2026-11-27T03:12:05.123Z"}
    made("clear", "begin, dropped and end with clear members", [], lambda w: [
        r.header_line(w.header), w.seal(b"", r.BEGIN, clear), w.seal(e.u64(1), r.DROPPED, clear), w.seal(b"", r.END, clear)])  # fmt: skip
    for kind in (5, 0x20, 0x3F):
        made(f"unknown-{kind}", f"type {kind:02x}, sealed as a log record's line", THIRD, lambda w: (
            lambda lines: lines[:2] + [raw_line(w, 1, kind, b"", PAYLOAD, own_type=r.LOG)] + lines[3:])(plain_lines(w)))  # fmt: skip
    for kind, name in r.TYPE_NAMES.items():
        if kind != r.TRACE:
            for bits, part in r.PART_NAMES.items():
                made(f"{name}-{part}", f"{name} with part {part}, sealed so", THIRD, lambda w: (
                    lambda lines: lines[:2] + [raw_line(w, 1, kind | bits, b"", b"")] + lines[3:])(plain_lines(w)))  # fmt: skip


def parts(of):
    """Payloads that go on in other records: line 3 and those that follow."""
    C, B = r.CONTINUES, r.CONTINUED

    def made(name, comment, findings, *records, opened, change=None):
        def make(writer):
            lines = [r.header_line(writer.header), writer.seal(b"", r.BEGIN)]
            lines += [writer.seal(payload, kind, *clear) for payload, kind, *clear in records]
            return lines + [writer.seal(b"", r.END)]

        of.add(f"parts-{name}", comment, findings, make=make, change=change, opened=opened)

    two = [(b'{"message":', r.LOG | C), (b'"x"}', r.LOG | B)]
    three = [two[0], (b'"abc', r.LOG | C | B), two[1]]
    after = (SECOND, r.LOG)
    trace = [(payload, kind | r.TRACE, {"name": "x"}) for payload, kind in three]
    lost = lambda *at: lambda lines: [line for n, line in enumerate(lines) if n not in at]
    made("two", "a payload in two records", [], *two, after, opened=[0, 1, 3, 4])
    made("three", "a payload in three records", [], *three, after, opened=[0, 1, 4, 5])
    made("trace", "the payload of a trace in three records", [], *trace, after, opened=[0, 1, 4, 5])
    made("two-payloads", "two payloads in two records each", [], *two, *two, opened=[0, 1, 3, 5])
    made("empty", "a payload in records of which one is empty", [], two[0], (b"", r.LOG | C | B), two[1], opened=[0, 1, 4])
    made("clear", "a payload in two records with the same clear members", [], *[(*part, {"level": "info"}) for part in two],
         opened=[0, 1, 3])  # fmt: skip
    made("clear-differ", "a payload in two records whose clear members differ", ["incomplete S 1 1"], (*two[0], {"level": "info"}), two[1],
         after, opened=[0, 3, 4])  # fmt: skip
    made("first-missing", "the first of three parts is missing", ["missing S 1 1", "incomplete S 3 3"], *three, after, change=lost(2), opened=[0, 4, 5])
    made("middle-missing", "the second of three parts is missing", ["missing S 2 2", "incomplete S 1 1"], *three, after, change=lost(3), opened=[0, 4, 5])
    made("last-missing", "the last of three parts is missing", ["missing S 3 3", "incomplete S 1 2"], *three, after, change=lost(4), opened=[0, 4, 5])
    made("first-of-two-missing", "the first of two parts is missing", ["missing S 1 1", "incomplete S 2 2"], *two, after, change=lost(2), opened=[0, 3, 4])
    made("two-missing", "two of three parts are missing", ["missing S 1 2", "incomplete S 3 3"], *three, after, change=lost(2, 3), opened=[0, 4, 5])
    made("last-altered", "the last of three parts is altered", ["altered 5", "missing S 3 3", "incomplete S 1 2"], *three, after, opened=[0, 4, 5],
         change=lambda x: x[:4] + [x[4].replace(b'"sequence":3', b'"x":"y","sequence":3')] + x[5:])  # fmt: skip
    made("cut", "the log ends within a payload", ["incomplete S 1 2", "unfinished S"], *three, change=lambda x: x[:4], opened=[0])
    made("doubled", "a part twice", ["doubled S 2"], *three, change=lambda x: x[:4] + x[3:], opened=[0, 1, 4])
    made("other-between", "a count of dropped records between two parts", ["incomplete S 1 1", "incomplete S 3 3"], two[0], (e.u64(1), r.DROPPED), two[1],
         after, opened=[0, 2, 4, 5])  # fmt: skip
    made("not-continued", "a payload that goes on, and a record that does not go on from it", ["incomplete S 1 1"], two[0], after, after,
         opened=[0, 2, 3, 4])  # fmt: skip
    made("continued-of-none", "a record that goes on from one that is whole", ["incomplete S 2 2"], after, two[1], after, opened=[0, 1, 3, 4])
    made("type-differs", "a payload that goes on in a record of another type", ["incomplete S 1 1"], two[0], (b"x", r.TRACE | B), after,
         opened=[0, 3, 4])  # fmt: skip
    for number, part, of_part in ((3, "first", "first"), (4, "last", "last")):
        for name, text in (("removed", b""), ("whole", b'"part":"whole",'), ("middle", b'"part":"middle",')):
            made(f"{of_part}-{name}", f"part of the {of_part} part: {name}", [f"altered {number}", f"missing S {number - 2} {number - 2}", "incomplete S %s" % {3: "2 2", 4: "1 1"}[number]],
                 *two, after, opened=[0, 3, 4],
                 change=lambda x: [line.replace(b'"part":"%s",' % part.encode(), text) for line in x])  # fmt: skip
    made("late-between", "a record that comes late, between two parts", ["missing S 1 1", "reordered S 1"], after, *two, opened=[0, 1, 2, 4],
         change=lambda x: x[:2] + [x[3], x[2]] + x[4:])  # fmt: skip
    made("end-within", "an end within a payload", ["incomplete S 1 1"], two[0], opened=[0, 2])
    made("exchanged", "two parts exchanged", ["missing S 1 1", "incomplete S 2 2", "reordered S 1", "incomplete S 1 1"], *two, after, opened=[0, 3, 4], change=lambda x: x[:2] + [x[3], x[2]] + x[4:])


    def copies(writer):
        lines = [r.header_line(writer.header), writer.seal(b"", r.BEGIN)]
        other = copy.deepcopy(writer)
        writer.seal(*two[0])
        return lines + [other.seal(b'{"other":', r.LOG | C), writer.seal(*two[1]), writer.seal(b"", r.END)]

    of.add("parts-of-two-copies", "the first part of one copy of the process, and the last of another", ["incomplete S 1 1"],
           make=copies, opened=[0, 3])  # fmt: skip


def other_segments(of):
    def two(writer):
        other = of.writer()
        return plain_lines(writer), plain_lines(other), other

    def made(name, comment, findings, mix, opened=(0, 1, 2, 3)):
        of.add(f"segments-{name}", comment, findings, make=lambda w: mix(*two(w)), opened=opened)

    both = (0, 1, 2, 3) * 2
    made("two", "two segments, one after the other", [], lambda a, b, o: a + b, both)
    made("interleaved", "two segments, line by line", [], lambda a, b, o: [line for pair in zip(a, b) for line in pair],
         [n for n in range(4) for _ in range(2)])  # fmt: skip
    name_of = lambda line: json.loads(line)["segment"].encode()
    made("record-of-other", "a record of another segment under this one's name", THIRD, lambda a, b, o: (
        a[:2] + [b[2].replace(name_of(b[2]), name_of(a[0]))] + a[3:]), [0, 2, 3])  # fmt: skip

    def previous(name, comment, findings, mix, last=3, opened=both):
        def make(writer):
            a = plain_lines(writer)
            other = of.writer()
            b = [r.header_line(other.header), other.seal(writer.header[5:21] + e.u64(last), r.BEGIN), other.seal(PAYLOAD),
                 other.seal(SECOND), other.seal(b"", r.END)]  # fmt: skip
            return mix(a, b)

        of.add(f"segments-{name}", comment, findings, make=make, opened=opened)

    previous("previous", "begin names the segment before", [], lambda a, b: a + b)
    previous("previous-cut", "begin names the segment before, which is cut", ["missing S 2 3"],
             lambda a, b: a[:3] + b, opened=[0, 1, 0, 1, 2, 3])  # fmt: skip
    previous("previous-missing", "begin names the segment before, which is missing", ["missing S 0 3"], lambda a, b: b, opened=[0, 1, 2, 3])
    previous("previous-longer", "begin names the segment before, which is longer than it says", [], lambda a, b: a + b, last=2)
    previous("previous-later", "the segment before comes later", [], lambda a, b: b + a)
    previous("previous-no-header", "begin names the segment before, whose header is missing", ["noHeader S"],
             lambda a, b: a[1:] + b, opened=[0, 1, 2, 3])  # fmt: skip


def key_schedule(of):
    """Line 3 is sealed as the format does not say."""
    clear = r.canonical_clear(r.clear_pairs(r.Parser(r.text_line(CLEAR)).whole()))
    text = r.text_line(CLEAR)[1:-1]

    def with_key(name, comment, key, findings=THIRD):
        def make(writer):
            lines = plain_lines(writer)
            sealed = lambda _: r.seal_record(writer.suite, key(writer.schedule), 1, r.LOG, clear, PAYLOAD)
            lines[2] = raw_line(writer, 1, r.LOG, clear, PAYLOAD, text, seal=sealed)
            return lines

        of.add(f"key-{name}", comment, findings, make=make)

    def walk(chain, steps=2, personal=b"EK ratchet", halves=1, bits=512):
        for _ in range(steps):
            output = e.blake2b(bits, key=chain, personal=personal)
            chain, key = (output[:32], output[32:]) if halves == 1 else (output[32:], output[:32])
        return key

    sub = lambda s, personal: e.blake2b(256, key=s.root_key, personal=personal)
    first = r.first_chain
    with_key("right", "the key of the record", lambda s: walk(first(s)), [])
    with_key("not-ratcheted", "the key of record 0", lambda s: walk(first(s), 1))
    with_key("next", "the key of the next record", lambda s: walk(first(s), 3))
    with_key("chain", "the chain itself", lambda s: r.ratchet(first(s))[0])
    with_key("first-chain", "the first chain", first)
    with_key("halves", "the halves of the hash exchanged", lambda s: walk(first(s), halves=2))
    with_key("ratchet-personal", "another personal string, longer by a letter", lambda s: walk(first(s), personal=b"EK ratchets"))
    with_key("ratchet-personal-short", "another personal string, shorter by a letter", lambda s: walk(first(s), personal=b"EK ratche"))
    with_key("ratchet-no-personal", "no personal string", lambda s: walk(first(s), personal=b""))
    with_key("root", "the chain begins with rootKey", lambda s: walk(s.root_key))
    with_key("okm", "the chain begins with the commitment", lambda s: walk(s.commitment))
    with_key("payload", "the chain begins with payloadKey", lambda s: walk(s.payload_key))
    with_key("payload-key", "payloadKey", lambda s: s.payload_key)
    with_key("records-personal", "the chain begins with another personal string", lambda s: walk(sub(s, b"EK record")))
    with_key("records-personal-longer", "the chain begins with a longer personal string", lambda s: walk(sub(s, b"EK records ")))
    with_key("long-hash", "the chain begins with half of a longer hash", lambda s: walk(
        e.blake2b(512, key=s.root_key, personal=b"EK records")[:32]))  # fmt: skip
    with_key("sequence-message", "the sequence is hashed too", lambda s: e.blake2b(
        512, e.u64(1), key=r.ratchet(first(s))[0], personal=b"EK ratchet")[32:])  # fmt: skip
    with_key("short-hash", "the key is a shorter hash of the chain", lambda s: e.blake2b(
        256, key=r.ratchet(first(s))[0], personal=b"EK ratchet"))  # fmt: skip

    def with_data(name, comment, data, sealed_clear=clear):
        def make(writer):
            lines = plain_lines(writer)
            nonce = e.random_bytes(e.PAYLOAD_CIPHER[writer.suite][2])
            sealed = lambda key: nonce + e.PAYLOAD_CIPHER[writer.suite][0](PAYLOAD, data, nonce, key)
            lines[2] = raw_line(writer, 1, r.LOG, clear, PAYLOAD, text, seal=sealed)
            return lines

        of.add(f"data-{name}", comment, [] if name == "right" else THIRD, make=make)

    with_data("right", "the associated data of the record", e.u64(1) + b"\x00" + clear)
    with_data("none", "no associated data", b"")
    with_data("no-sequence", "associated data without the sequence", b"\x00" + clear)
    with_data("no-type", "associated data without the type", e.u64(1) + clear)
    with_data("no-clear", "associated data without the clear pairs", e.u64(1) + b"\x00")
    with_data("32-bits", "the sequence in 32 bits", e.u32(1) + b"\x00" + clear)
    with_data("little-endian", "the sequence in the other order", e.u64(1)[::-1] + b"\x00" + clear)
    with_data("type-first", "the type before the sequence", b"\x00" + e.u64(1) + clear)
    with_data("lp32", "the clear pairs with their length", e.u64(1) + b"\x00" + e.lp32(clear))
    with_data("segment", "the segment before all else", bytes(9) + e.u64(1) + b"\x00" + clear)
    with_data("no-tags", "the values without their tags", e.u64(1) + b"\x00" + b"".join(
        e.lp16(name) + e.lp16(value[1:]) for name, value in sorted(r.clear_pairs(r.Parser(r.text_line(CLEAR)).whole()))))  # fmt: skip

    def other_cipher(writer):
        lines = plain_lines(writer)
        other = e.XCHACHA20 + e.AEGIS_256 - of.suite
        sealed = lambda key: r.seal_record(other, key, 1, r.LOG, clear, PAYLOAD)
        lines[2] = raw_line(writer, 1, r.LOG, clear, PAYLOAD, text, seal=sealed)
        return lines

    of.add("other-cipher", "a record sealed with the other suite's cipher", THIRD, make=other_cipher)


def other_lines(of):
    def between(name, comment, *lines, findings=()):
        of.add(f"other-{name}", comment, findings, change=lambda x: x[:3] + list(lines) + x[3:], opened=[0, 1, 2, 3])

    between("text", "lines of text", b"hello", b"", b"   ", b"2026-11-27 started", b"\xff\xfe bytes", "λ".encode())
    between("json", "lines of JSON without own members", b"{}", b"[]", b"1", b'"x"', b"null", b'{"level":"info","message":"x"}')
    between("broken", "lines that are not JSON", b"{", b'{"a":', b'{"a":"b"', b'{"a":"b"}}', b'{"a":1 "b":2}', b"{" * 1000, b'{"a":' + b"[" * 1000)
    for member in r.OWN:
        line = b'{"time":"x","%s":"x"}' % member.encode()
        between(f"one-{member}", f"a line with {member} alone of the own members", line, findings=["altered 4"] * (member == "sealed"))
    between("header-of-other", "a header that is none of EnvelopeKit", b'{"segment":"x","header":"x","record":1,"part":2}')
    between("sealed-in-text", "a line that is not JSON and has own members", b'{"sealed" "AAAA"}', findings=["altered 4"])
    between("header-in-text", "a line that is not JSON and has a header", b'{"a":"ek1:AAAA"', findings=["altered 4"])
    between("header-in-string", "a header's text in a string of another name", b'{"a":"ek1:AAAA"}')
    between("deep", "own members deeper in the line", b'{"a":{"segment":"AAAAAAAAAAAA","sequence":1,"sealed":"AAAA"}}',
            b'[{"segment":"AAAAAAAAAAAA","sequence":1,"sealed":"AAAA"}]')  # fmt: skip
    between("in-text", "own members in a string", b'{"message":"\\"segment\\":\\"AAAAAAAAAAAA\\",\\"sealed\\":\\"AAAA\\""}')
    between("upper", "own members in capital letters", b'{"Segment":"AAAAAAAAAAAA","SEQUENCE":1,"Sealed":"AAAA"}')
    between("unknown", "a record of a segment that is not known", b'{"segment":"AAAAAAAAAAAA","sequence":1,"sealed":"%s"}' % (b"AAAA" * 22),
            findings=["noHeader AAAAAAAAAAAA"])  # fmt: skip
    of.add("cut-line", "the last line is cut within its sealed text", ["altered 5", "unfinished S"], opened=[0, 1, 2],
           change=lambda x: x[:4] + [x[4][:-20]])  # fmt: skip
    of.add("cut-line-early", "the last line is cut before its own members", ["unfinished S"], opened=[0, 1],
           change=lambda x: x[:3] + [x[3][:12]])  # fmt: skip
    of.add("joined-lines", "two records on one line", ["altered 3", "missing S 1 2"], opened=[0, 3],
           change=lambda x: x[:2] + [x[2] + x[3]] + x[4:])  # fmt: skip
    of.third("text-after", "text after the record", lambda x: x + b" x")
    of.third("text-before", "text before the record", lambda x: b"x " + x, findings=["missing S 1 1"])
    of.third("byte-order-mark", "a byte order mark before the record", lambda x: b"\xef\xbb\xbf" + x, findings=["missing S 1 1"])
    of.third("in-array", "a record in an array", lambda x: b"[" + x + b"]", findings=["missing S 1 1"])
    of.third("zero-after", "a zero byte after the record", lambda x: x + b"\x00")

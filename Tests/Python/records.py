#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The records of logs and traces (kind 05), written from Docs/Format.md alone, as envelope.py is.

    records.py serve

reads one JSON object a line, {"command": ..., ...}, and answers each with a line. Byte strings in JSON are base64url.

  open-records    lines (byte strings without line feeds), anonymous: true accepts an anonymous sender;
                  answers events, each the text of an event
  seal-records    suite: 2 for AEGIS-256, header: the place of a second header line, previous: [salt, last sequence],
                  records: objects with payload, clear (an object), type (log without it), part;
                  answers lines

An event is one of these texts; LINE counts from 1, CLEAR is the canonical form.
  record SEGMENT SEQUENCE TYPE PAYLOAD CLEAR       a payload, joined from its records; both in hexadecimal, - if empty
  other LINE              a line of another origin
  altered LINE            has own members, and does not verify or is malformed
  doubled SEGMENT N       the same record once more
  copied SEGMENT N        another record of a sequence that was read, or one after the end
  reordered SEGMENT N     a record that came after a later one
  missing SEGMENT N M     the records N to M
  incomplete SEGMENT N M  a payload of several records of which not all are there
  unopened SEGMENT CODE   a header that does not open; reported once for a segment, as is the next
  noHeader SEGMENT        records before a header
  unfinished SEGMENT      no end record
"""

import json
import re
import struct
import sys

from nacl.exceptions import CryptoError

import envelope as e

LOG, END, DROPPED, BEGIN, TRACE = range(5)
TYPE_NAMES = {END: "end", DROPPED: "dropped", BEGIN: "begin", TRACE: "trace"}
# The payload goes on in the next record; the payload began in the record before.
CONTINUES, CONTINUED = 0x80, 0x40
# A part that goes on begins with so many bytes of the nonce of the one before it.
LINK = 8
PART_NAMES = {CONTINUES: "first", CONTINUES | CONTINUED: "middle", CONTINUED: "last"}
OWN = ("header", "segment", "sequence", "record", "part", "sealed")
# The clear members of an X-Ray document, and an object whose members are clear.
DOCUMENT_CLEAR, ANNOTATIONS = (b"name", b"id", b"start_time", b"end_time"), b"annotations"
MOST_RECORDS, MOST_CLEAR, MOST_LINE, MOST_JOINED = 65536, 65536, 1_048_550, 1 << 24


class Malformed(Exception):
    """A line of this format that breaks a rule."""


class NotJSON(Exception):
    pass


# JSON, strictly: duplicate members and numbers that are not finite are kept for the rules, as `Members` and `Number`.


class Number:
    def __init__(self, text):
        self.text = text


class Members(list):
    """Pairs of a name's bytes and a value, as they stand."""

    def named(self, name):
        return [value for own, value in self if own == name]

    def are_unique(self):
        return len({name for name, _ in self}) == len(self)


NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
ESCAPES = {b'"': b'"', b"\\": b"\\", b"/": b"/", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
WORDS = ((b"true", True), (b"false", False), (b"null", None))
DEEPEST = 64


class Parser:
    def __init__(self, data):
        self.data, self.at = data, 0

    def whole(self):
        members = self.value(0)
        self.blanks()
        if self.at != len(self.data) or not isinstance(members, Members):
            raise NotJSON
        return members

    def blanks(self):
        while self.data[self.at : self.at + 1] in (b" ", b"\t", b"\r", b"\n"):
            self.at += 1

    def next(self, text):
        if not self.data.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def take(self, text):
        if not self.next(text):
            raise NotJSON

    def value(self, depth):
        if depth > DEEPEST:
            raise NotJSON
        self.blanks()
        if self.next(b"{"):
            return self.members(depth)
        if self.next(b"["):
            return self.elements(depth)
        if self.data.startswith(b'"', self.at):
            return self.string()
        for text, value in WORDS:
            if self.next(text):
                return value
        match = NUMBER.match(self.data, self.at)
        if not match:
            raise NotJSON
        self.at = match.end()
        return Number(match[0])

    def members(self, depth):
        members = Members()
        self.blanks()
        if self.next(b"}"):
            return members
        while True:
            self.blanks()
            name = self.string()
            self.blanks()
            self.take(b":")
            members.append((name, self.value(depth + 1)))
            self.blanks()
            if self.next(b"}"):
                return members
            self.take(b",")

    def elements(self, depth):
        elements = []
        self.blanks()
        if self.next(b"]"):
            return elements
        while True:
            elements.append(self.value(depth + 1))
            self.blanks()
            if self.next(b"]"):
                return elements
            self.take(b",")

    def string(self):
        self.take(b'"')
        parts = []
        while True:
            match = PLAIN.match(self.data, self.at)
            parts.append(match[0])
            self.at = match.end()
            if self.next(b'"'):
                break
            self.take(b"\\")
            parts.append(self.escape())
        text = b"".join(parts)
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            raise NotJSON
        return text

    def escape(self):
        letter = self.data[self.at : self.at + 1]
        self.at += 1
        if letter in ESCAPES:
            return ESCAPES[letter]
        if letter != b"u":
            raise NotJSON
        code = self.four_digits()
        if 0xD800 <= code < 0xDC00:
            self.take(b"\\u")
            low = self.four_digits()
            if not 0xDC00 <= low < 0xE000:
                raise NotJSON
            code = 0x10000 + (code - 0xD800 << 10) + (low - 0xDC00)
        elif 0xDC00 <= code < 0xE000:
            raise NotJSON
        return chr(code).encode("utf-8")

    def four_digits(self):
        digits = self.data[self.at : self.at + 4]
        if not re.fullmatch(rb"[0-9a-fA-F]{4}", digits):
            raise NotJSON
        self.at += 4
        return int(digits, 16)


# Clear pairs


def clear_value(value):
    if isinstance(value, bytes):
        return b"\x00" + value
    if isinstance(value, Number):
        number = float(value.text)
        if number in (float("inf"), float("-inf")):
            raise Malformed("a number that is not finite")
        return b"\x01" + struct.pack(">d", number)
    if value is False:
        return b"\x02"
    if value is True:
        return b"\x03"
    raise Malformed("a value that is not clear")


def clear_pairs(members):
    """Pairs of names and values as bytes, of members without the own ones."""
    for name, value in members:
        if not name or b"\x00" in name:
            raise Malformed("a name")
        if not isinstance(value, Members):
            yield name, clear_value(value)
            continue
        # An empty object has no pair, so nothing would authenticate it.
        if not value or not value.are_unique() or any(not member for member, _ in value):
            raise Malformed("members of an object")
        for member, inner in value:
            yield name + b"\x00" + member, clear_value(inner)


def document_pairs(members):
    """The clear pairs of an X-Ray document: a service adds and moves other members, which nothing binds."""
    clear = Members((name, value) for name, value in members if name in DOCUMENT_CLEAR)
    annotations = members.named(ANNOTATIONS)
    if len(annotations) > 1 or annotations and not isinstance(annotations[0], Members):
        raise Malformed("annotations")
    if any(isinstance(value, Members) for _, value in clear):
        raise Malformed("a member that is an object")
    return clear_pairs(clear + [(ANNOTATIONS, value) for value in annotations if value])


def canonical_clear(pairs):
    pairs = sorted(pairs)
    if sum(4 + len(name) + len(value) for name, value in pairs) > MOST_CLEAR:
        raise Malformed("clear pairs too long")
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("a name twice")
    return b"".join(e.lp16(name) + e.lp16(value) for name, value in pairs)


def pairs_of(kind, members):
    return document_pairs(members) if kind & 0x3F == TRACE else clear_pairs(members)


# Keys


def first_chain(schedule):
    return e.blake2b(256, key=schedule.root_key, personal=b"EK records")


def ratchet(chain):
    """The next chain and the record's key."""
    output = e.blake2b(512, key=chain, personal=b"EK ratchet")
    return output[:32], output[32:]


def record_data(sequence, kind, clear):
    return e.u64(sequence) + bytes([kind]) + clear


def seal_record(suite, key, sequence, kind, clear, payload):
    encrypt, _, nonce_length, _ = e.PAYLOAD_CIPHER[suite]
    nonce = e.random_bytes(nonce_length)
    return nonce + encrypt(payload, record_data(sequence, kind, clear), nonce, key)


def open_record(suite, key, sequence, kind, clear, sealed):
    _, decrypt, nonce_length, tag_length = e.PAYLOAD_CIPHER[suite]
    if len(sealed) < nonce_length + tag_length:
        raise Malformed("sealed is too short")
    try:
        return decrypt(sealed[nonce_length:], record_data(sequence, kind, clear), sealed[:nonce_length], key)
    except CryptoError:
        raise Malformed("does not verify")


# Lines


def segment_name(salt):
    return e.to_text(salt[:9])


def text_line(members):
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def header_line(header):
    return text_line({"segment": segment_name(header[5:21]), "header": "ek1:" + e.to_text(header)})


def record_line(segment, sequence, kind, clear, sealed, header=None):
    """The line of a record; of a trace, with the header, `clear` is the document without metadata."""
    own = {} if header is None else {"header": "ek1:" + e.to_text(header)}
    own |= {"segment": segment, "sequence": sequence}
    if kind & 0x3F != LOG:
        own["record"] = TYPE_NAMES[kind & 0x3F]
    if kind & 0xC0:
        own["part"] = PART_NAMES[kind & 0xC0]
    own["sealed"] = e.to_text(sealed)
    return text_line(clear | own if header is None else clear | {"metadata": {"envelope": own}})


class Writer:
    """Seals the records of a segment."""

    def __init__(self, header, schedule, suite):
        self.header, self.suite, self.segment = header, suite, segment_name(header[5:21])
        self.schedule, self.chain, self.sequence = schedule, first_chain(schedule), 0
        self.link = bytes(LINK)

    def seal(self, payload=b"", kind=LOG, clear=None):
        clear = clear or {}
        canonical = canonical_clear(pairs_of(kind, Parser(text_line(clear)).whole()))
        self.chain, key = ratchet(self.chain)
        if kind & CONTINUED:
            payload = self.link + payload
        sealed = seal_record(self.suite, key, self.sequence, kind, canonical, payload)
        self.link = sealed[:LINK]
        header = self.header if kind & 0x3F == TRACE else None
        line = record_line(self.segment, self.sequence, kind, clear, sealed, header)
        self.sequence += 1
        return line


class Line:
    """What a line says, as far as can be read without a key. `kind` is None of a header line."""

    def __init__(self, members):
        top, inner = own_members(members)
        if len(inner) > 1 or inner and top:
            raise Malformed("own members in two places")
        self.is_document = bool(inner)
        self.read_own(inner[0] if inner else top)
        clear = Members((name, value) for name, value in members if name.decode() not in OWN)
        if not self.is_document and not members.are_unique():
            raise Malformed("members twice")
        if self.kind is None and clear:
            raise Malformed("a header line with other members")
        self.clear = canonical_clear(document_pairs(clear) if self.is_document else clear_pairs(clear))

    def read_own(self, members):
        names = {name.decode() for name, _ in members}
        own = {name.decode(): value for name, value in members}
        if not members.are_unique() or not names <= set(OWN):
            raise Malformed("own members")
        text = lambda name: own[name].decode() if isinstance(own.get(name), bytes) else self.wrong(name)
        data = lambda name: self.base64url(text(name))
        self.segment = text("segment")
        if len(self.base64url(self.segment)) != 9:
            self.wrong("segment")
        self.header = None
        if "header" in names:
            if not text("header").startswith("ek1:"):
                self.wrong("header")
            self.header = self.base64url(text("header")[4:])
        self.kind = None
        if names == {"segment", "header"} and not self.is_document:
            return
        if (self.header is not None) != self.is_document:
            self.wrong("header")
        number = own.get("sequence")
        if not isinstance(number, Number) or not re.fullmatch(rb"0|[1-9][0-9]{0,4}", number.text):
            self.wrong("sequence")
        self.sequence = int(number.text)
        if self.sequence >= MOST_RECORDS:
            self.wrong("sequence")
        self.kind = LOG
        if "record" in names:
            kinds = [kind for kind, name in TYPE_NAMES.items() if name == text("record")]
            self.kind = kinds[0] if kinds else self.wrong("record")
        if (self.kind == TRACE) != self.is_document:
            self.wrong("record")
        if "part" in names:
            parts = [bits for bits, name in PART_NAMES.items() if name == text("part")]
            if not parts or self.kind not in (LOG, TRACE):
                self.wrong("part")
            self.kind |= parts[0]
        self.sealed = data("sealed")

    @staticmethod
    def wrong(name):
        raise Malformed(name)

    @staticmethod
    def base64url(text):
        try:
            return e.from_text(text)
        except e.Refused:
            raise Malformed("base64url")


def own_members(members):
    """The own members at the top, and a list of the objects of own members in metadata: none, or one."""
    top = Members((name, value) for name, value in members if name.decode() in OWN)
    holders = [value for value in members.named(b"metadata") if isinstance(value, Members)]
    inner = [value for holder in holders for value in holder.named(b"envelope") if isinstance(value, Members)]
    return top, inner


def claims_to_be_sealed(members):
    top, inner = own_members(members)
    own = top + [member for object_of_own in inner for member in object_of_own]
    names = {name for name, _ in own}
    has_header = any(name == b"header" and isinstance(value, bytes) and value.startswith(b"ek1:") for name, value in own)
    return b"sealed" in names or names >= {b"segment", b"sequence"} or has_header


def read_line(data):
    """The line, or None for one of another origin."""
    if not data.lstrip(b" \t\r\n").startswith(b"{"):
        return None
    try:
        members = Parser(data).whole()
    except NotJSON:
        if b'"sealed"' in data or b'"ek1:' in data:
            raise Malformed("not JSON")
        return None
    if not claims_to_be_sealed(members):
        return None
    if len(data) + 1 > MOST_LINE:
        raise Malformed("too long")
    return Line(members)


# Reading


class Segment:
    """A segment whose header has opened."""

    def __init__(self, name, header, schedule):
        self.name, self.salt, self.suite, self.schedule = name, header.salt, header.suite, schedule
        self.chain, self.keys = first_chain(schedule), []
        # The sealed bytes and the type by the sequence; one more than the highest sequence.
        self.seen, self.expected = {}, 0
        # The sequence of the end; the name and the last sequence of the segment before.
        self.end = self.previous = None
        # The parts of a payload that goes on: the first sequence, the next one, the type, the clear pairs, the bytes.
        self.parts = None

    def key(self, sequence):
        while len(self.keys) <= sequence:
            self.chain, key = ratchet(self.chain)
            self.keys.append(key)
        return self.keys[sequence]


class RecordReader:
    """Takes lines, and yields events as tuples."""

    def __init__(self, holder, pairs, anonymous=False):
        e.canonical_context(pairs)
        self.holder, self.pairs, self.anonymous = holder, pairs, anonymous
        # `reported` are the segments whose header does not open, `codes` are why headers do not.
        self.segments, self.reported, self.codes, self.count = {}, set(), set(), 0
        self.without_header = set()

    def read(self, data):
        self.count += 1
        try:
            line = read_line(data)
            if line is None:
                yield "other", self.count
                return
            if line.header is not None:
                yield from self.take_header(line)
            if line.kind is not None:
                yield from self.take_record(line)
        except Malformed:
            yield "altered", self.count

    def finish(self):
        named, absent = {}, set(self.reported | self.without_header)
        for segment in self.segments.values():
            if segment.previous is not None:
                name, last = segment.previous
                if name in self.segments:
                    named[name] = max(last, named.get(name, 0))
                elif name not in absent:
                    absent.add(name)
                    yield "missing", name, 0, last
        for name, segment in self.segments.items():
            if segment.parts:
                yield "incomplete", name, segment.parts[0], segment.parts[1] - 1
            if named.get(name, -1) >= segment.expected:
                yield "missing", name, segment.expected, named[name]
            elif segment.end is None and segment.expected - 1 > named.get(name, -2):
                yield "unfinished", name

    def take_header(self, line):
        segment = self.segments.get(line.segment)
        if segment is not None:
            if not self.is_header_of(segment, line.header):
                raise Malformed("another header")
            return
        try:
            header = parse_header(line.header)
            if segment_name(header.salt) != line.segment:
                raise e.Refused("headerAltered", detail="of another segment")
            if header.suite == e.AEGIS_256 and not e.has_aegis_256:
                raise e.Refused("unsupportedSuite", detail="AEGIS-256")
            schedule, _ = e.unlock(header, self.holder, self.pairs, {}, self.anonymous)
        except e.Refused as refused:
            self.codes.add(refused.code)
            if line.segment not in self.reported:
                self.reported.add(line.segment)
                yield "unopened", line.segment, refused.code
            return
        self.segments[line.segment] = Segment(line.segment, header, schedule)

    def is_header_of(self, segment, data):
        """A header that was rewrapped differs in its wrapped keys; its tag verifies without unwrapping one."""
        try:
            header = parse_header(data)
        except e.Refused:
            return False
        return (
            (header.salt, header.suite) == (segment.salt, segment.suite)
            and header.context_check == e.context_check(header.salt, e.canonical_context(self.pairs))
            and e.same(header.commitment, segment.schedule.commitment)
            and e.same(segment.schedule.header_tag(header.before_tag), header.tag)
        )

    def take_record(self, line):
        segment, sequence = self.segments.get(line.segment), line.sequence
        if segment is None:
            if line.segment not in self.reported | self.without_header:
                self.without_header.add(line.segment)
                yield "noHeader", line.segment
            return
        payload = open_record(
            segment.suite, segment.key(sequence), sequence, line.kind, line.clear, line.sealed
        )
        check(line, payload)
        # From here on the record counts.
        kind = line.kind & 0x3F
        if sequence in segment.seen:
            if segment.seen[sequence][0] == line.sealed:
                yield "doubled", segment.name, sequence
                return
            yield "copied", segment.name, sequence
        else:
            if sequence > segment.expected:
                yield "missing", segment.name, segment.expected, sequence - 1
            if sequence < segment.expected:
                yield "reordered", segment.name, sequence
            elif segment.end is not None:
                yield "copied", segment.name, sequence
        segment.seen.setdefault(sequence, (line.sealed, line.kind))
        segment.expected = max(segment.expected, sequence + 1)
        if kind == END and segment.end is None:
            segment.end = sequence
        if kind == BEGIN and payload and segment.previous is None:
            segment.previous = segment_name(payload), int.from_bytes(payload[16:], "big")
        yield from self.join(segment, line, payload)

    @staticmethod
    def incomplete(segment, sequence):
        first, last = (segment.parts[0], segment.parts[1] - 1) if segment.parts else (sequence, sequence)
        segment.parts = None
        first, last = min(first, sequence), min(last, sequence)
        return "incomplete", segment.name, first, max(first, last)

    def join(self, segment, line, payload):
        """A payload of which a part is missing is lost, and reported. A part names the nonce of the one before it."""
        sequence, kind, parts = line.sequence, line.kind & 0x3F, segment.parts
        link, rest = payload[:LINK], payload[LINK:]
        if line.kind & CONTINUED:
            fits = parts and parts[1:4] == (sequence, kind, line.clear) and parts[5] == link
            if not fits or len(parts[4]) + len(payload) > MOST_JOINED:
                if not line.kind & CONTINUES:
                    yield self.incomplete(segment, sequence)
                return
            if line.kind & CONTINUES:
                segment.parts = parts[0], sequence + 1, kind, line.clear, parts[4] + rest, line.sealed[:LINK]
                return
            segment.parts = None
            yield "record", segment.name, parts[0], kind, parts[4] + rest, line.clear
            return
        if parts and parts[1] == sequence:
            yield self.incomplete(segment, sequence)
        if line.kind & CONTINUES:
            if segment.parts:
                yield self.incomplete(segment, sequence)
            segment.parts = sequence, sequence + 1, kind, line.clear, payload, line.sealed[:LINK]
        else:
            yield "record", segment.name, sequence, kind, payload, line.clear


def parse_header(data):
    reader = e.Reader(data)
    header = e.parse_header(reader, e.RECORDS)
    reader.end()
    return header


def check(line, payload):
    """What is wrong in a record though it verifies."""
    kind = line.kind & 0x3F
    if line.kind & CONTINUED and len(payload) < LINK:
        raise Malformed("no link")
    if (kind == BEGIN) != (line.sequence == 0):
        raise Malformed("begin is sequence 0, and only that")
    if kind == BEGIN and (len(payload) not in (0, 24) or int.from_bytes(payload[16:], "big") >= MOST_RECORDS):
        raise Malformed("begin")
    if kind == END and payload or kind == DROPPED and (len(payload) != 8 or not any(payload)):
        raise Malformed("end or dropped")


def text_of(event):
    return " ".join((part.hex() or "-") if isinstance(part, bytes) else str(part) for part in event)


def all_events(reader, lines):
    return [event for line in lines for event in reader.read(line)] + list(reader.finish())


# Command line


def perform(command, request):
    holder, pairs = e.holder_of(request), request["context"]
    if command == "open-records":
        lines = [e.from_text(line) for line in request["lines"]]
        reader = RecordReader(holder, pairs, request.get("anonymous", False))
        return {"events": [text_of(event) for event in all_events(reader, lines)]}
    if command == "seal-records":
        suite = request.get("suite", e.XCHACHA20)
        writer = Writer(*e.make_header(e.RECORDS, holder, pairs, request.get("key"), suite=suite), suite)
        previous = request.get("previous")
        begin = e.from_text(previous[0]) + e.u64(previous[1]) if previous else b""
        lines = [header_line(writer.header), writer.seal(begin, BEGIN)]
        kinds = {name: kind for kind, name in TYPE_NAMES.items()} | {"log": LOG}
        for index, record in enumerate(request["records"]):
            if index == request.get("header"):
                lines.append(header_line(writer.header))
            kind = kinds[record.get("type", "log")]
            kind |= {None: 0, "first": CONTINUES, "middle": CONTINUES | CONTINUED, "last": CONTINUED}[record.get("part")]
            lines.append(writer.seal(e.from_text(record["payload"]), kind, record.get("clear")))
        return {"lines": [e.to_text(line) for line in lines]}
    raise SystemExit(__doc__)


def main(arguments):
    if arguments != ["serve"]:
        raise SystemExit(__doc__)
    for line in sys.stdin:
        request = json.loads(line)
        lacks = request.get("lacks", [])
        e.has_aegis_256, e.has_xwing = "aegis-256" not in lacks, "x-wing" not in lacks
        try:
            answer = perform(request["command"], request)
        except e.Refused as refused:
            answer = {"error": refused.code, "names": refused.names, "detail": refused.detail}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

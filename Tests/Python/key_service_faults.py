# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""What key_service.py keeps by access key id, and the ways in which it misbehaves on command."""

import base64
import collections
import json
import socket
import struct
import threading
import time
import urllib.parse

import key_service_moto as kms
from key_service_http import Answer

OVERSIZED = 64 << 20
OTHER_KEY = "arn:aws:kms:us-east-1:999999999999:key/00000000-0000-4000-8000-000000000000"


class Account:
    """All requests signed with one access key id: counted, recorded, held, and given their faults."""

    def __init__(self):
        self.changed = threading.Condition()
        self.faults, self.records = collections.deque(), []
        self.now = self.most = self.hangups = self.followed = self.bytes_sent = self.releases = 0
        self.held = False
        self.quota = None

    def limit(self, quota):
        """Throttles from now on what comes beyond so many requests a second, which may come at once."""
        with self.changed:
            self.quota, self.room, self.filled = quota, quota, time.monotonic()

    def exceeds(self):
        if self.quota is None:
            return False
        now = time.monotonic()
        self.room, self.filled = min(self.quota, self.room + (now - self.filled) * self.quota), now
        if self.room < 1:
            return True
        self.room -= 1
        return False

    def arrive(self, request):
        """Counts a request -> its record, its fault, the releases there were when it came."""
        with self.changed:
            fault = self.faults.popleft() if self.faults else "throttle" if self.exceeds() else "none"
            record = describe(request) | {"fault": fault}
            self.records.append(record)
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            return record, fault, self.releases

    def leave(self, record, answer):
        with self.changed:
            self.now -= 1
            if answer is not None:
                record |= {"status": answer.status, "request_id": answer.header("x-amzn-RequestId")}
            self.changed.notify_all()

    def add(self, what, n=1):
        with self.changed:
            setattr(self, what, getattr(self, what) + n)
            self.changed.notify_all()

    def set(self, what, value):
        with self.changed:
            setattr(self, what, value)
            self.changed.notify_all()

    def wait(self, done, seconds):
        with self.changed:
            return self.changed.wait_for(done, seconds)

    def counts(self):
        with self.changed:
            targets = collections.Counter(record["target"] or "" for record in self.records)
            return dict(targets) | {
                "total": len(self.records),
                "paths": [record["path"] for record in self.records],
                "max_concurrent": self.most,
                "concurrent": self.now,
                "connections": len({record["connection"] for record in self.records}),
                "redirects_followed": self.followed,
                "hangups": self.hangups,
                "bytes_sent": self.bytes_sent,
                "faults_left": len(self.faults),
                "requests": [dict(record) for record in self.records],
            }


def describe(request):
    """What is kept of a request; no plaintext is."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    is_form = (request.header("Content-Type") or "").startswith("application/x-www-form-urlencoded")
    form = dict(urllib.parse.parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)) if is_form else {}
    return {
        "target": request.header("X-Amz-Target"),
        "method": request.method,
        "path": request.path + (f"?{request.query}" if request.query else ""),
        "listener": request.listener,
        "connection": request.connection_number,
        "tls": request.tls,
        "host": request.header("Host"),
        "content_type": request.header("Content-Type"),
        "user_agent": request.header("User-Agent"),
        "authorization": (request.header("Authorization") or "").partition(", Signature=")[0],
        "amz_date": request.header("X-Amz-Date"),
        "has_session_token": request.header("X-Amz-Security-Token") is not None,
        "session_token": request.header("X-Amz-Security-Token"),
        "headers": sorted(name.lower() for name in request.headers.keys()),
        "members": sorted(body),
        "body": {name: value for name, value in body.items() if name != "Plaintext"},
        "form": {name: value for name, value in form.items() if name != "WebIdentityToken"},
        "body_bytes": len(request.body),
        "status": None,
        "request_id": None,
    }


class Play:
    """One request, and what is to become of it."""

    def __init__(self, request, account, name, releases, true_answer, redirects):
        self.request, self.account, self.name, self.releases = request, account, name, releases
        self.true, self.redirects = true_answer, redirects

    def released(self):
        """Waits until the test releases the account's requests; False if the client hung up."""
        released = lambda: self.account.releases > self.releases
        return self.request.wait(self.account.changed, released) or self.gone()

    def gone(self):
        self.account.add("hangups")
        return False

    def send(self, data):
        """False if the client hung up."""
        try:
            self.request.send(data)
        except OSError:
            return self.gone()
        self.account.add("bytes_sent", len(data))
        return True

    def edited(self, change):
        """The true answer with a change to its members, or as it is if it is no JSON object."""
        answer = self.true()
        members = json.loads(answer.body)
        change(members)
        return Answer(answer.status, answer.headers, json.dumps(members).encode())


# Errors as KMS writes them: name -> status, code, message.

ERRORS = {
    "throttle": (400, "ThrottlingException", "Rate exceeded"),
    "limit-exceeded": (400, "LimitExceededException", "A quota was exceeded."),
    "internal": (500, "KMSInternalException", "An internal error occurred."),
    "dependency": (500, "DependencyTimeoutException", "The system timed out."),
    "key-unavailable": (500, "KeyUnavailableException", "The key is not available."),
    "disabled": (400, "DisabledException", f"{OTHER_KEY} is disabled."),
    "invalid-state": (400, "KMSInvalidStateException", f"{OTHER_KEY} is pending deletion."),
    "not-found": (400, "NotFoundException", f"Key '{OTHER_KEY}' does not exist"),
    "invalid-ciphertext": (400, "InvalidCiphertextException", None),
    "incorrect-key": (
        400,
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    ),
    "invalid-key-usage": (400, "InvalidKeyUsageException", f"{OTHER_KEY} key usage is SIGN_VERIFY."),
    "invalid-grant-token": (400, "InvalidGrantTokenException", "The grant token is not valid."),
    "validation": (400, "ValidationException", "1 validation error detected."),
    "access-denied": (
        400,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/test is not authorized to perform: kms:Decrypt",
    ),
    "expired-token": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "unrecognized-client": (
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "invalid-signature": (
        400,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    ),
}


def plain(body, content_type=kms.JSON, status=200):
    return lambda play: kms.with_request_id(Answer(status, {"Content-Type": content_type}, body))


def member(name, value):
    return lambda play: play.edited(lambda members: members.update({name: value}))


def without(name):
    return lambda play: play.edited(lambda members: members.pop(name, None))


def resized(name, count):
    """A member's bytes, cut or filled up to a number of bytes."""

    def change(members):
        data = base64.b64decode(members.get(name, ""))
        members[name] = base64.b64encode((data + bytes(count))[:count]).decode()

    return lambda play: play.edited(change)


def duplicate(play):
    answer = play.true()
    other = base64.b64encode(bytes(32)).decode()
    answer.body = b'{"Plaintext": "%s", ' % other.encode() + answer.body.lstrip()[1:]
    return answer


def redirect(status, where):
    def play_redirect(play):
        location = f"{play.redirects[where]}/redirected/{play.name}"
        return kms.with_request_id(Answer(status, {"Location": location}, b""))

    return play_redirect


def slow(play):
    return play.true() if play.released() else None


def slow_body(play):
    answer = play.true()
    half = len(answer.body) // 2
    if play.send(answer.head() + answer.body[:half]) and play.released():
        play.send(answer.body[half:])


def truncated(play):
    answer = play.true()
    play.send(answer.head() + answer.body[: len(answer.body) // 2])


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(end):
    """The true answer in two chunks. Without an end the second is whole, and the last is missing."""

    def play_chunked(play):
        answer = play.true()
        half = len(answer.body) // 2
        answer.headers["Transfer-Encoding"] = "chunked"
        chunks = chunk(answer.body[:half]) + chunk(answer.body[half:]) + end
        answer.headers["Connection"] = "close"
        play.send(answer.head(length=False) + chunks)

    return play_chunked


def oversized(with_length):
    def play_oversized(play):
        block = b"A" * (1 << 16)
        start = b'{"KeyId": "' + OTHER_KEY.encode() + b'", "Plaintext": "'
        answer = kms.with_request_id(Answer(200, {"Content-Type": kms.JSON}, b""))
        answer.headers["Transfer-Encoding"] = "chunked"
        head, frame = answer.head(length=False), chunk
        if with_length:
            head = head.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % OVERSIZED)
            frame = lambda data: data
        going = play.send(head + frame(start))
        sent = len(start)
        while going and sent < OVERSIZED:
            data = block[: OVERSIZED - sent]
            going = play.send(frame(data))
            sent += len(data)
        if going and not with_length:
            play.send(frame(b'"}') + b"0\r\n\r\n")

    return play_oversized


def close(play):
    return None


def reset(play):
    """Gives the connection up with a TCP reset, and nothing before it."""
    raw = socket.socket(fileno=play.request.socket.detach())
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def close_after(play):
    """A true answer, after which the connection is closed without having said so."""
    answer = play.true()
    play.send(answer.head() + answer.body)
    time.sleep(0.02)  # Until the client has put the connection away for its next request.


def garbage(play):
    play.send(b"\x00\x01 this is not HTTP\r\n\r\n")


def error(name):
    status, code, message = ERRORS[name]
    return lambda play: kms.error(code, message, status)


FAULTS = {name: error(name) for name in ERRORS} | {
    "none": lambda play: play.true(),
    "unavailable": plain(b"", status=503),
    "redirect": redirect(307, "other_host"),
    "redirect-302": redirect(302, "other_host"),
    "redirect-plain": redirect(307, "plain"),
    "slow": slow,
    "slow-body": slow_body,
    "truncated": truncated,
    "chunked": chunked(b"0\r\n\r\n"),
    "truncated-chunked": chunked(b""),
    "oversized": oversized(False),
    "oversized-length": oversized(True),
    "close": close,
    "reset": reset,
    "close-after": close_after,
    "not-http": garbage,
    "not-json": plain(b"<html><body>It works!</body></html>", "text/html"),
    # What stands between, and not AWS: its answers have no id.
    "page": lambda play: Answer(200, {"Content-Type": "text/html"}, b"<html><body>Log in</body></html>"),
    "page-denied": lambda play: Answer(403, {}, b"\n<!DOCTYPE html><title>Blocked</title>"),
    "page-gateway": lambda play: Answer(502, {"Content-Type": "text/html; charset=utf-8"}, b"<h1>Bad gateway</h1>"),
    "not-utf8": plain(b'{"Plaintext": "\xff\xfe"}'),
    "json-array": plain(b"[]"),
    "empty": plain(b""),
    "empty-object": plain(b"{}"),
    "deep-json": plain(b'{"Plaintext": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "duplicate-member": duplicate,
    "other-key": member("KeyId", OTHER_KEY),
    "no-key-id": without("KeyId"),
    "number-key-id": member("KeyId", 7),
    "short-plaintext": resized("Plaintext", 31),
    "long-plaintext": resized("Plaintext", 33),
    "empty-plaintext": member("Plaintext", ""),
    "null-plaintext": member("Plaintext", None),
    "no-plaintext": without("Plaintext"),
    "bad-base64": member("Plaintext", "this is *not* base64!"),
    "no-ciphertext": without("CiphertextBlob"),
    "empty-ciphertext": member("CiphertextBlob", ""),
    "long-ciphertext": resized("CiphertextBlob", 6145),
    "bad-base64-ciphertext": member("CiphertextBlob", "this is *not* base64!"),
}


def custom(fault):
    body = fault.get("body", "")
    body = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": kms.JSON} | fault.get("headers", {})
    return kms.with_request_id(Answer(fault.get("status", 200), headers, body.encode()))


def check(fault):
    if not isinstance(fault, dict) and fault not in FAULTS:
        raise ValueError(f"unknown fault {fault!r}; there are: {', '.join(sorted(FAULTS))}")


def play(fault, act):
    """The answer to a request, or None if its connection is to be closed."""
    return custom(fault) if isinstance(fault, dict) else FAULTS[fault](act)

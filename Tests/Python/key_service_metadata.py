# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Where AWS hands out credentials, for key_service.py: EC2 instance metadata v2 and containers.

Every test has its own under /t/NAME: /t/NAME/latest/… is the instance's, /t/NAME/creds a container's.
"""

import collections
import datetime
import re
import secrets
import threading
import time

from key_service_http import Answer

MODES = {
    "ok", "no_role", "no_token", "failed", "garbage", "redirect", "slow", "unavailable", "close",
    "unauthorized", "oversized", "no_expiration", "bad_expiration", "missing_secret",
    "forbidden", "not_found", "not_allowed", "internal", "empty", "denied", "denied_loudly",
}  # fmt: skip
STATUSES = {"forbidden": 403, "not_found": 404, "not_allowed": 405, "internal": 500, "empty": 200}
STEPS = {"token", "role", "credentials", "container", "region"}
SETTINGS = {"expires_in": 3600, "role": "test-role", "authorization": None, "at": None,
            "access_key": None, "secret_key": "secret", "session_token": None, "expiration": None}  # fmt: skip


def text(body, status=200, **headers):
    return Answer(status, {"Content-Type": "text/plain"} | headers, body.encode())


class Place:
    """One test's metadata: its settings, its tokens, what it was asked."""

    def __init__(self, name):
        self.name, self.changed = name, threading.Condition()
        self.settings, self.mode, self.queue = dict(SETTINGS), "ok", collections.deque()
        self.tokens, self.requests, self.counted = {}, [], collections.Counter()
        self.serial = self.releases = self.hangups = self.followed = 0

    def command(self, command):
        with self.changed:
            modes = command.get("mode", [])
            for mode in modes if isinstance(modes, list) else [modes]:
                if mode not in MODES:
                    raise ValueError(f"unknown mode {mode!r}; there are: {', '.join(sorted(MODES))}")
            if isinstance(modes, list):
                self.queue.extend(modes)
            else:
                self.mode = modes
            if command.get("at") not in STEPS | {None}:
                raise ValueError(f"unknown step {command['at']!r}; there are: {', '.join(sorted(STEPS))}")
            self.settings |= {name: command[name] for name in SETTINGS if name in command}
            if command.get("expire_tokens"):
                self.tokens.clear()
            self.releases += bool(command.get("release"))
            self.changed.notify_all()
            if "wait" in command:
                reached = lambda: len(self.requests) >= command["wait"]
                if not self.changed.wait_for(reached, command.get("timeout", 30)):
                    raise TimeoutError(f"{len(self.requests)} of {command['wait']} requests came")
            if command.get("counts"):
                return {step: self.counted[step] for step in sorted(STEPS)} | {
                    "refused": self.counted["refused"],
                    "other": self.counted["other"],
                    "redirects_followed": self.followed,
                    "hangups": self.hangups,
                    "issued": self.serial,
                    "requests": list(self.requests),
                }
            return {"ok": True}

    def credentials(self, step, mode):
        with self.changed:
            self.serial += 1
            letters = re.sub("[^A-Z0-9]", "", self.name.upper())
            ends = datetime.datetime.now(datetime.timezone.utc)
            ends += datetime.timedelta(seconds=self.settings["expires_in"])
            answer = {
                "AccessKeyId": self.settings["access_key"] or f"ASIA{letters}",
                "SecretAccessKey": self.settings["secret_key"],
                "Token": self.settings["session_token"] or f"token-{self.name}-{self.serial}",
                "Expiration": self.settings["expiration"] or ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        if step == "credentials":
            answer |= {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z"}
        else:
            answer |= {"RoleArn": "arn:aws:iam::123456789012:role/test-role"}
        if mode == "no_expiration":
            del answer["Expiration"]
        if mode == "bad_expiration":
            answer["Expiration"] = "tomorrow"
        if mode == "missing_secret":
            del answer["SecretAccessKey"]
        return Answer.json(answer)

    def refuse(self, status):
        with self.changed:
            self.counted["refused"] += 1
        return text("", status)

    def answer(self, request, path):
        step, ours = self.step_of(request.method, path)
        with self.changed:
            self.counted[step] += 1
            self.requests.append({
                "step": step,
                "method": request.method,
                "path": path,
                "authorization": request.header("Authorization"),
                "user_agent": request.header("User-Agent"),
                "ttl": request.header("X-aws-ec2-metadata-token-ttl-seconds"),
                "has_token": request.header("X-aws-ec2-metadata-token") is not None,
            })  # fmt: skip
            mode, releases = "ok", self.releases
            if ours and self.settings["at"] in (None, step):
                mode = self.queue.popleft() if self.queue else self.mode
            self.changed.notify_all()
        if path == "/elsewhere":
            with self.changed:
                self.followed += 1
            return text("{}")
        if not ours:
            return text("", 404)
        if mode == "slow":
            if not request.wait(self.changed, lambda: self.releases > releases):
                with self.changed:
                    self.hangups += 1
                return None
        return self.misbehave(step, mode) or self.behave(request, step, path, mode)

    def step_of(self, method, path):
        base = "/latest/meta-data/iam/security-credentials"
        if (method, path) == ("PUT", "/latest/api/token"):
            return "token", True
        if method == "GET" and path == "/latest/meta-data/placement/region":
            return "region", True
        if method == "GET" and path in (base, base + "/"):
            return "role", True
        if method == "GET" and path == f"{base}/{self.settings['role']}":
            return "credentials", True
        if method == "GET" and path == "/creds":
            return "container", True
        return "other", False

    def misbehave(self, step, mode):
        if mode == "garbage":
            return text("<html>\x00 no such thing")
        if mode == "redirect":
            return text("", 302, Location=f"/t/{self.name}/elsewhere")
        if mode == "unavailable":
            return text("", 503)
        if mode == "unauthorized":
            return self.refuse(401)
        if mode in STATUSES:
            return text("", STATUSES[mode])
        if mode == "denied":
            return Answer.json({"code": "AccessDenied", "message": "The pod may not have it."}, 403)
        if mode == "denied_loudly":
            return Answer.json({"Code": "Bad", "Message": "\x1b[31m" + "loud " * 1000}, 400)
        if mode == "oversized":
            return text("A" * (8 << 20))
        if mode == "close":
            raise ConnectionError
        if mode == "no_token" and step in ("token", "container"):
            return self.refuse(403)
        if mode == "no_role" and step in ("role", "credentials", "container"):
            return text("", 404)
        if mode == "failed" and step in ("credentials", "container"):
            return Answer.json({"Code": "Failed", "Message": "No credentials could be had."})
        return None

    def behave(self, request, step, path, mode):
        if step == "container":
            wanted = self.settings["authorization"]
            if wanted is not None and request.header("Authorization") != wanted:
                return self.refuse(401)
            return self.credentials(step, mode)
        if step == "token":
            seconds = request.header("X-aws-ec2-metadata-token-ttl-seconds") or ""
            if not re.fullmatch("[0-9]{1,5}", seconds) or not 1 <= int(seconds) <= 21600:
                return text("", 400)
            if request.header("X-Forwarded-For") is not None:
                return self.refuse(403)
            token = secrets.token_urlsafe(40)
            with self.changed:
                self.tokens[token] = time.monotonic() + int(seconds)
            return text(token, **{"X-aws-ec2-metadata-token-ttl-seconds": seconds})
        with self.changed:
            ends = self.tokens.get(request.header("X-aws-ec2-metadata-token"), 0)
        if ends < time.monotonic():
            return self.refuse(401)
        if step == "role":
            return text(self.settings["role"])
        return text("us-east-1") if step == "region" else self.credentials(step, mode)


class Metadata:
    def __init__(self):
        self.places, self.lock = {}, threading.Lock()

    def place(self, name):
        with self.lock:
            return self.places.setdefault(name, Place(name))

    def answer(self, request):
        match = re.fullmatch("/t/([^/]+)(/.*)", request.path)
        return self.place(match[1]).answer(request, match[2]) if match else text("", 404)

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""AWS KMS for tests: moto over TLS, which counts what it is asked and misbehaves on command.

    key_service.py FOLDER

makes a certificate authority in FOLDER, listens on ports of 127.0.0.1 that the system chooses,
prints one line of JSON that tells all of them, and serves until standard input is closed.
Tests that run side by side do not meet: each signs with an access key id of its own making,
and what is counted, held back or answered wrongly is kept by that id.
"""

import base64
import json
import os
import re
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True

import key_service_faults as faults
import key_service_moto as kms
import key_service_tls as tls
from key_service_http import Answer, Listener, leave_with_parent, silent_addresses
from key_service_metadata import Metadata
from key_service_proxy import Proxy

CONTROL_KEY = "AKIDCONTROL"


class Service:
    """The listeners of KMS, and what is kept by access key id."""

    def __init__(self):
        self.accounts, self.lock, self.redirects = {}, threading.Lock(), {}

    def account(self, name):
        with self.lock:
            return self.accounts.setdefault(name, faults.Account())

    def answer(self, request):
        if match := re.fullmatch("/redirected/([^/]*)", request.path):
            self.account(urllib.parse.unquote(match[1])).add("followed")
            return kms.with_request_id(Answer(200, {"Content-Type": kms.JSON}, b"{}"))
        credential = re.search("Credential=([^/, ]+)", request.header("Authorization") or "")
        name = credential[1] if credential else ""
        account, answer = self.account(name), None
        record, fault, releases = account.arrive(request)
        strict = request.listener.startswith("strict")
        true = lambda: kms.answer(request, strict, request.listener == "strict_json")
        act = faults.Play(request, account, urllib.parse.quote(name), releases, true, self.redirects)
        try:
            if request.wait(account.changed, lambda: not account.held) or act.gone():
                answer = faults.play(fault, act)
            return answer
        finally:
            account.leave(record, answer)


class Control:
    """Commands of tests, one JSON object in a POST request; answered with one."""

    def __init__(self, service, metadata, proxy, listeners):
        self.service, self.metadata, self.proxy, self.listeners = service, metadata, proxy, listeners
        self.kms = None

    def answer(self, request):
        try:
            return Answer.json(self.perform(json.loads(request.body)))
        except Exception as problem:
            response = getattr(problem, "response", {}).get("Error", {})
            code = response.get("Code", type(problem).__name__)
            return Answer.json({"error": code, "message": response.get("Message", str(problem))}, 400)

    def perform(self, command):
        if "account" in command:
            return self.on_account(self.service.account(command["account"]), command)
        if "metadata" in command:
            return self.metadata.place(command["metadata"]).command(command)
        if "proxy" in command:
            return self.proxy.command(command["proxy"])
        if "listeners" in command:
            return {listener.name: dict(listener.counts) for listener in self.listeners}
        if "create_user" in command:
            key, secret = kms.create_user(command["create_user"].get("actions", kms.ACTIONS))
            return {"access_key": key, "secret_key": secret}
        if "create_role" in command:
            return {"arn": kms.create_role(command["create_role"].get("actions", kms.ACTIONS))}
        if "create_session" in command:
            actions = command["create_session"].get("actions", kms.ACTIONS)
            key, secret, token = kms.create_session(actions)
            return {"access_key": key, "secret_key": secret, "session_token": token}
        (name, values), *others = command.items()
        if others or name not in self.OPERATIONS:
            raise ValueError(f"unknown command; there are: {', '.join(sorted(self.OPERATIONS))}")
        region = values.get("region", "us-east-1")
        return self.OPERATIONS[name](self, self.kms(region), region, values)

    def on_account(self, account, command):
        for fault in command.get("faults", []):
            faults.check(fault)
        seconds = command.get("timeout", 30)
        if command.get("reset"):
            with account.changed:
                account.records.clear()
                account.faults.clear()
                account.most, account.held = account.now, False
                account.hangups = account.followed = account.bytes_sent = 0
        if "faults" in command:
            with account.changed:
                account.faults.extend(command["faults"])
        if "quota" in command:
            account.limit(command["quota"])
        if "hold" in command:
            account.set("held", bool(command["hold"]))
        for name, value in (
            ("wait", lambda: len(account.records)),
            ("wait_hangups", lambda: account.hangups),
            ("wait_concurrent", lambda: account.now),
        ):
            if name in command and not account.wait(lambda: value() >= command[name], seconds):
                raise TimeoutError(f"{name}: {value()} of {command[name]} after {seconds} s")
        if "wait_idle" in command and not account.wait(lambda: account.now == 0, seconds):
            raise TimeoutError(f"wait_idle: {account.now} requests after {seconds} s")
        if command.get("release"):
            account.add("releases")
        return account.counts() if command.get("counts") else {"ok": True}

    # Operations of KMS, all by boto3 through TLS

    def create_key(self, client, region, values):
        named = {"KeySpec": values.get("key_spec", "SYMMETRIC_DEFAULT")}
        named |= {"KeyUsage": values.get("key_usage", "ENCRYPT_DECRYPT")}
        named |= {"MultiRegion": bool(values.get("multi_region"))}
        key = client.create_key(**named)["KeyMetadata"]
        answer = {"key_id": key["KeyId"], "arn": key["Arn"], "region": region}
        if "alias" in values:
            answer |= self.create_alias(client, region, {"alias": values["alias"], "key": key["KeyId"]})
        state = values.get("state", "enabled")
        if state == "disabled":
            client.disable_key(KeyId=key["KeyId"])
        elif state == "pending_deletion":
            client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        elif state != "enabled":
            raise ValueError(f"unknown state {state!r}; there are: enabled, disabled, pending_deletion")
        return answer

    def create_alias(self, client, region, values):
        client.create_alias(AliasName=values["alias"], TargetKeyId=values["key"])
        return alias(region, values)

    def update_alias(self, client, region, values):
        client.update_alias(AliasName=values["alias"], TargetKeyId=values["key"])
        return alias(region, values)

    def disable_key(self, client, region, values):
        client.disable_key(KeyId=values["key"])
        return {"ok": True}

    def enable_key(self, client, region, values):
        client.enable_key(KeyId=values["key"])
        return {"ok": True}

    def schedule_key_deletion(self, client, region, values):
        client.schedule_key_deletion(KeyId=values["key"], PendingWindowInDays=values.get("days", 7))
        return {"ok": True}

    def cancel_key_deletion(self, client, region, values):
        client.cancel_key_deletion(KeyId=values["key"])
        return {"ok": True}

    def replicate_key(self, client, region, values):
        identifier = values["key"].rpartition("/")[2]
        answer = client.replicate_key(KeyId=identifier, ReplicaRegion=values["to"])
        key = answer["ReplicaKeyMetadata"]
        return {"key_id": key["KeyId"], "arn": key["Arn"], "region": values["to"]}

    def encrypt(self, client, region, values):
        plaintext = base64.b64decode(values["plaintext"], validate=True)
        answer = client.encrypt(KeyId=values["key"], Plaintext=plaintext, **context(values))
        return {"ciphertext": text(answer["CiphertextBlob"]), "key": answer["KeyId"]}

    def decrypt(self, client, region, values):
        ciphertext = base64.b64decode(values["ciphertext"], validate=True)
        key = {"KeyId": values["key"]} if "key" in values else {}
        answer = client.decrypt(CiphertextBlob=ciphertext, **key, **context(values))
        return {"plaintext": text(answer["Plaintext"]), "key": answer["KeyId"]}

    def generate_data_key(self, client, region, values):
        named = {"KeySpec": "AES_256"} if "bytes" not in values else {"NumberOfBytes": values["bytes"]}
        answer = client.generate_data_key(KeyId=values["key"], **named, **context(values))
        ciphertext, plaintext = text(answer["CiphertextBlob"]), text(answer["Plaintext"])
        return {"ciphertext": ciphertext, "plaintext": plaintext, "key": answer["KeyId"]}

    OPERATIONS = {
        function.__name__: function
        for function in (
            create_key, create_alias, update_alias, disable_key, enable_key, schedule_key_deletion,
            cancel_key_deletion, replicate_key, encrypt, decrypt, generate_data_key,
        )
    }  # fmt: skip


def alias(region, values):
    arn = f"arn:aws:kms:{region}:{kms.ACCOUNT}:{values['alias']}"
    return {"alias": values["alias"], "alias_arn": arn}


def context(values):
    return {"EncryptionContext": values["context"]} if values.get("context") else {}


def text(data):
    return base64.b64encode(data).decode()


def main(folder):
    parent = os.getppid()
    service, metadata, proxy, listeners = Service(), Metadata(), Proxy(), []
    for name, secured in tls.contexts(folder).items():
        listeners.append(Listener(name, service.answer, secured))
    listeners.append(Listener("plain", service.answer))
    listeners.append(Listener("metadata", metadata.answer))
    listeners.append(Listener("proxy", proxy.answer))
    control = Control(service, metadata, proxy, listeners)
    listeners.append(Listener("control", control.answer))
    urls = {listener.name: listener.url for listener in listeners}
    ip = urls["url"].replace("localhost", "127.0.0.1")
    service.redirects = {"other_host": ip, "plain": urls["plain"]}
    authority = os.path.join(os.path.abspath(folder), "ca.pem")
    control.kms = kms.Boto(urls["url"], authority, CONTROL_KEY)
    key, secret = kms.create_user()
    limited_key, limited_secret = kms.create_user(kms.LIMITED_ACTIONS)
    session_key, session_secret, session_token = kms.create_session()
    for listener in listeners:
        listener.start()
    threading.Thread(target=leave_with_parent, args=(parent,), daemon=True).start()
    ready = urls | silent_addresses() | {
        "ip": ip,
        "ca": authority,
        "access_key": key,
        "secret_key": secret,
        "limited_access_key": limited_key,
        "limited_secret_key": limited_secret,
        "session_access_key": session_key,
        "session_secret_key": session_secret,
        "session_token": session_token,
    }
    print(json.dumps(ready), flush=True)
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Times `envelope exec` with one call of AWS KMS beside a process of boto3 that makes one, from start to end.

    kms_start.py RESULTS_DIR ENVELOPE PYTHON

ENVELOPE must have been built with AWS. PYTHON must have moto and boto3: the service is that of the tests, on this machine
and over TLS. Both processes decrypt one data key; `envelope` also opens ten variables and starts `true`. The server must
count one handshake and one Decrypt of each process. Writes RESULTS_DIR/kms-start.json, with the memory that each had
resident at most.
"""
import base64
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from cold_start import Failure, result, timed
from command_start import resident, run, tool

WARM_UPS = 3
ROUNDS = 40
SERVER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Python" / "key_service.py"
PEER = """
import base64, boto3, sys
boto3.client("kms").decrypt(CiphertextBlob=base64.b64decode(sys.argv[1]), EncryptionContext={"function": "checkout"})
"""


class Server:
    """The key service of the tests."""

    def __init__(self, python, folder):
        self.process = subprocess.Popen(
            [python, "-B", SERVER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{SERVER} does not start with {python}. Give the Python of Tests/prepare-python.")
        self.ready = json.loads(line)

    def perform(self, **command):
        request = urllib.request.Request(self.ready["control"], json.dumps(command).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def counts(self, account):
        """(handshakes, Decrypts) so far."""
        counts = self.perform(account=account, counts=True)
        decrypts = sum(one["target"] == "TrentService.Decrypt" for one in counts["requests"])
        return self.perform(listeners={})["url"]["handshakes"], decrypts

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def measure(envelope, python, directory, server):
    envelope, account = shutil.copy(envelope, directory), "AKIDBENCHMARK"
    key = server.perform(create_key={})["arn"]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": directory, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_KMS": server.ready["url"], "AWS_CA_BUNDLE": server.ready["ca"],
    }  # fmt: skip
    variables = "".join(f"VARIABLE_{number}=value-number-{number}\n" for number in range(10))
    (pathlib.Path(directory) / ".env").write_text(variables)
    run([envelope, "seal", ".env", "--key", key, "--function", "checkout", "-o", "sealed.env"], environment, directory)
    execute = [envelope, "exec", f"{directory}/sealed.env", "--function", "checkout", "--key", key, "--"]
    if not set(variables.split()) <= set(run([*execute, shutil.which("env")], environment, directory).splitlines()):
        raise Failure("envelope exec does not open the variables")
    plaintext = base64.b64encode(bytes(32)).decode()
    sealed = server.perform(encrypt={"key": key, "plaintext": plaintext, "context": {"function": "checkout"}})
    programs = {"exec": [*execute, shutil.which("true")], "boto3": [python, "-c", PEER, sealed["ciphertext"]]}

    times, counts = {name: [] for name in programs}, {}
    with tempfile.TemporaryFile() as output:
        for name, arguments in programs.items():
            before = server.counts(account)
            timed(arguments, environment, output)
            counts[name] = [after - one for after, one in zip(server.counts(account), before)]
            if counts[name] != [1, 1]:
                raise Failure(f"{name}: {counts[name][0]} handshakes and {counts[name][1]} Decrypts, must be one of each")
        for _ in range(WARM_UPS + ROUNDS):
            for name, arguments in programs.items():
                times[name].append(timed(arguments, environment, output))
    times = {name: taken[WARM_UPS:] for name, taken in times.items()}
    ratios = [ours / theirs for ours, theirs in zip(times["exec"], times["boto3"])]
    return {
        "rounds": ROUNDS,
        "measures": [
            result(name, taken) | {"resident": resident(programs[name], environment, directory)}
            for name, taken in times.items()
        ],
        "ratio": statistics.median(ratios),
    }


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: kms_start.py RESULTS_DIR ENVELOPE PYTHON")
    target = pathlib.Path(sys.argv[1]) / "kms-start.json"
    tool("time")
    try:
        with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as certificates:
            server = Server(sys.argv[3], certificates)
            try:
                measured = measure(os.path.abspath(sys.argv[2]), sys.argv[3], directory, server)
            finally:
                server.stop()
    except Failure as failure:
        sys.exit(f"kms_start.py: {failure}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"a call of AWS KMS: {ROUNDS} rounds, written to {target}")


if __name__ == "__main__":
    main()

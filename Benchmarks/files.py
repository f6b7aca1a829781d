#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Times `envelope file` beside `age` and `cp`, on files of a memory file system.

    files.py RESULTS_DIR ENVELOPE ENVELOPE_OF_SUITE_02 [AGE…]

ENVELOPE seals with suite 01, ENVELOPE_OF_SUITE_02 with suite 02 and may be - if there is none. Each AGE is a program
`age`; the installed one is among them in any case. What is timed is a whole process, from the call that starts it to its
end. Its output is removed before it starts. The runs of a round follow one another, so that what slows the machine
down slows all of them.

Writes RESULTS_DIR/files.json: seconds, bytes of resident memory, and the throughput of AES-256-GCM in OpenSSL.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cold_start import Failure
from command_start import tool

ROUNDS = 5
LONG_ROUNDS = 2
MIB, GIB = 1 << 20, 1 << 30
WHOLE = GIB
SIZES = (MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB, GIB, 4 * GIB, 10 * GIB)
# A longer file is a hole, and is sealed and verified by EnvelopeKit alone: there may be memory for one sealed file only.
LONG = GIB
SUITES = {"01": [], "02": ["--suite", "aegis-256"]}


class Files:
    """A folder of a memory file system, with programs that are copied there and the keys that they use."""

    def __init__(self, folder, envelopes, ages):
        self.folder = pathlib.Path(folder)
        self.envelopes = {suite: self.copy(path, f"envelope-{suite}") for suite, path in envelopes.items()}
        self.ages = {self.version(age): self.copy(age, f"age-{number}") for number, age in enumerate(ages)}
        self.environment = {"PATH": os.environ.get("PATH", os.defpath), "ENVELOPE_STORE": self.path("keys")}
        self.call([tool("age-keygen"), "-o", self.path("identity")])
        self.recipient = self.call([tool("age-keygen"), "-y", self.path("identity")]).strip()

    def path(self, name):
        return str(self.folder / name)

    def copy(self, program, name):
        return shutil.copy(program, self.path(name))

    @staticmethod
    def version(age):
        return re.sub(r"^v|[^0-9.].*", "", subprocess.check_output([age, "--version"], text=True).strip())

    def call(self, arguments):
        """Runs a program whose time does not matter, and returns what it prints."""
        process = subprocess.run(arguments, env=self.environment, capture_output=True, text=True)
        if process.returncode != 0:
            raise Failure(f"{' '.join(arguments)}: exit code {process.returncode}: {process.stderr.strip()}")
        return process.stdout

    def timed(self, arguments, output=None):
        """Seconds that a program takes; its standard output goes to /dev/null."""
        if output:
            pathlib.Path(output).unlink(missing_ok=True)
        with open(os.devnull, "wb") as null, tempfile.TemporaryFile() as errors:
            actions = [(os.POSIX_SPAWN_DUP2, null.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
            start = time.perf_counter()
            process = os.posix_spawn(arguments[0], arguments, self.environment, file_actions=actions)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            taken = time.perf_counter() - start
            if code != 0:
                errors.seek(0)
                raise Failure(f"{' '.join(arguments)}: exit code {code}: {errors.read().decode(errors='replace')}")
        return taken

    def resident(self, arguments, output=None):
        """The most memory that a program had resident: what GNU time prints, whose own is small."""
        self.timed([tool("time"), "-f", "%M", "-o", self.path("resident"), *arguments], output)
        return int((self.folder / "resident").read_text().split()[-1]) << 10

    def make(self, name, byte_count):
        """A file of random bytes, or of a hole where it is long: what is read of it is as long, and takes no memory."""
        with open(self.path(name), "wb") as file:
            if byte_count > LONG:
                file.truncate(byte_count)
            for _ in range(0, byte_count if byte_count <= LONG else 0, MIB):
                file.write(os.urandom(MIB))

    # Commands

    def seal(self, suite, source, target):
        return [self.envelopes[suite], "file", "seal", self.path(source), "-o", self.path(target), *SUITES[suite]]

    def open(self, suite, source, target=None):
        output = ["-o", self.path(target)] if target else []
        return [self.envelopes[suite], "file", "open", self.path(source), *output]

    def verify(self, suite, source):
        return [self.envelopes[suite], "file", "verify", self.path(source)]

    def age_seal(self, version, source, target):
        return [self.ages[version], "-r", self.recipient, "-o", self.path(target), self.path(source)]

    def age_open(self, version, source, target):
        return [self.ages[version], "-d", "-i", self.path("identity"), "-o", self.path(target), self.path(source)]

    def cp(self, source, target):
        return [shutil.which("cp"), self.path(source), self.path(target)]


def interleaved(files, runs, rounds):
    """Seconds of each run by name, in rounds; each begins with another. The first round is to warm up."""
    times = {name: [] for name in runs}
    names = list(runs)
    for number in range(rounds + 1):
        for name in names[number % len(names):] + names[:number % len(names)]:
            arguments, output = runs[name]
            taken = files.timed(arguments, files.path(output) if output else None)
            if output:
                os.unlink(files.path(output))
            if number > 0:
                times[name].append(taken)
    return times


def check(files, source, target):
    if subprocess.run(["cmp", files.path(source), files.path(target)], capture_output=True).returncode != 0:
        raise Failure(f"{target} is not what was sealed")
    os.unlink(files.path(target))


def measure_whole(files):
    """A file of 1 GiB to another."""
    files.make("in", WHOLE)
    runs = {"cp": (files.cp("in", "out"), "out")}
    for version in files.ages:
        sealed = f"sealed-age-{version}"
        files.timed(files.age_seal(version, "in", sealed))
        files.timed(files.age_open(version, sealed, "out"))
        check(files, "in", "out")
        runs[f"age {version} seal"] = (files.age_seal(version, "in", "out"), "out")
        runs[f"age {version} open"] = (files.age_open(version, sealed, "out"), "out")
    for suite in files.envelopes:
        sealed = f"sealed-{suite}"
        files.timed(files.seal(suite, "in", sealed))
        files.timed(files.open(suite, sealed, "out"))
        check(files, "in", "out")
        runs[f"{suite} seal"] = (files.seal(suite, "in", "out"), "out")
        runs[f"{suite} open"] = (files.open(suite, sealed, "out"), "out")
        runs[f"{suite} verify"] = (files.verify(suite, sealed), None)
    times = interleaved(files, runs, ROUNDS)
    times |= measure_rewrap(files)
    for path in files.folder.glob("sealed-*"):
        path.unlink()
    return times


def measure_rewrap(files):
    """Rewrapping the sealed file under a new key, in turn with copying it."""
    times = {"rewrap": [], "cp sealed": []}
    for _ in range(ROUNDS):
        files.call([files.envelopes["01"], "keys", "rotate", "default"])
        times["rewrap"].append(files.timed([files.envelopes["01"], "rewrap", files.path("sealed-01")]))
        times["cp sealed"].append(files.timed(files.cp("sealed-01", "out"), files.path("out")))
    files.timed(files.open("01", "sealed-01", "out"), files.path("out"))
    check(files, "in", "out")
    return times


def measure_growth(files):
    """Times by size, and the memory that the shortest and the longest take, and a process that does nothing."""
    growth, memory = [], {"idle": files.resident([files.envelopes["01"], "--version"])}
    for size in SIZES:
        if size > LONG and available() < size + GIB:
            print(f"files.py: not enough memory for {size >> 30} GiB, which is left out", file=sys.stderr)
            continue
        files.make("in", size)
        for times in (measure_long if size > LONG else measure_short)(files):
            growth += [{"size": size, "name": name, "seconds": taken} for name, taken in times.items()]
        if size in (SIZES[0], SIZES[-1]):
            memory[size] = measure_memory(files)
    return growth, memory


def measure_short(files):
    newest = list(files.ages)[-1]
    files.timed(files.age_seal(newest, "in", "sealed-age"))
    runs = {
        "cp": (files.cp("in", "out"), "out"),
        "age seal": (files.age_seal(newest, "in", "out"), "out"),
        "age open": (files.age_open(newest, "sealed-age", "out"), "out"),
    }
    for suite in files.envelopes:
        files.timed(files.seal(suite, "in", f"sealed-{suite}"))
        runs[f"{suite} seal"] = (files.seal(suite, "in", "out"), "out")
        runs[f"{suite} open"] = (files.open(suite, f"sealed-{suite}", "out"), "out")
        runs[f"{suite} verify"] = (files.verify(suite, f"sealed-{suite}"), None)
    yield interleaved(files, runs, ROUNDS)
    for path in files.folder.glob("sealed-*"):
        path.unlink()


def measure_long(files):
    """Only one sealed file is there at a time, and what is opened is not kept."""
    for suite in files.envelopes:
        yield interleaved(files, {f"{suite} seal": (files.seal(suite, "in", "out"), "out")}, LONG_ROUNDS)
        files.timed(files.seal(suite, "in", "sealed"))
        yield interleaved(files, {f"{suite} verify": (files.verify(suite, "sealed"), None)}, LONG_ROUNDS)
        os.unlink(files.path("sealed"))


def measure_memory(files):
    resident = {}
    for suite in files.envelopes:
        resident[f"{suite} seal"] = files.resident(files.seal(suite, "in", "sealed"))
        resident[f"{suite} verify"] = files.resident(files.verify(suite, "sealed"))
        resident[f"{suite} open"] = files.resident(files.open(suite, "sealed"))
        os.unlink(files.path("sealed"))
    return resident


def available():
    """The bytes of memory that files of a memory file system may take."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", pathlib.Path("/proc/meminfo").read_text(), re.M)
    return min(int(found[1]) << 10, shutil.disk_usage("/dev/shm").free)


def measure_openssl():
    """Bytes a second of AES-256-GCM on blocks of 64 KiB, one core: five times a second each."""
    rates = {}
    for operation, option in (("seal", []), ("open", ["-decrypt"])):
        speed = ["openssl", "speed", "-elapsed", "-evp", "aes-256-gcm", "-bytes", "65536", "-seconds", "1", "-mr", *option]
        rates[operation] = []
        for _ in range(ROUNDS):
            answer = subprocess.run(speed, capture_output=True, text=True)
            found = re.search(r"^\+F:\d+:[^:]+:([0-9.]+)", answer.stdout, re.M)
            if not found:
                raise Failure(f"{' '.join(speed)}: prints no rate, but: {answer.stdout}{answer.stderr}")
            rates[operation].append(float(found[1]))
    version = subprocess.check_output(["openssl", "version"], text=True).split()[1]
    return {"version": version, "rates": rates}


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: files.py RESULTS_DIR ENVELOPE ENVELOPE_OF_SUITE_02 [AGE…]")
    target = pathlib.Path(sys.argv[1]) / "files.json"
    envelopes = {"01": os.path.abspath(sys.argv[2])}
    if sys.argv[3] != "-":
        envelopes["02"] = os.path.abspath(sys.argv[3])
    try:
        ages = [tool("age"), *sys.argv[4:]]
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            files = Files(folder, envelopes, ages)
            whole = measure_whole(files)
            growth, memory = measure_growth(files)
        measured = {
            "rounds": ROUNDS, "ages": list(files.ages), "whole": whole, "growth": growth, "resident": memory,
            "openssl": measure_openssl(),
        }
    except Failure as failure:
        sys.exit(f"files.py: {failure}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"files: {len(whole)} ways, {ROUNDS} rounds, written to {target}")


if __name__ == "__main__":
    main()

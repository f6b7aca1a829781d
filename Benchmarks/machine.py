#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes down what the figures were measured on: machine, system and versions; no host name.

    machine.py RESULTS_DIR

Writes RESULTS_DIR/machine.json.
"""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

BENCHMARKS = pathlib.Path(__file__).resolve().parent


def output(*command):
    try:
        answer = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"machine.py: `{' '.join(command)}` does not answer ({error}). Install it, or put it on the PATH.")
    return answer.stdout.strip()


def field(path, name):
    """The value of the first line `name : value` of a file of the kernel; nothing where there is none."""
    found = re.search(rf"^{name}\s*:\s*(.+)$", pathlib.Path(path).read_text(), re.M)
    return found[1].strip() if found else ""


def swift_version():
    answer = output("swift", "--version")
    found = re.search(r"Swift version (\S+)", answer)
    return found[1] if found else answer


def resolved_version(package):
    resolved = BENCHMARKS / "Package.resolved"
    if not resolved.exists():
        sys.exit("machine.py: Benchmarks/Package.resolved is missing. Run `swift package resolve` in Benchmarks.")
    pins = json.loads(resolved.read_text())["pins"]
    versions = [pin["state"].get("version", pin["state"]["revision"]) for pin in pins if pin["identity"] == package]
    if not versions:
        sys.exit(f"machine.py: Benchmarks/Package.resolved does not name {package}. Run `swift package resolve` there.")
    return versions[0]


def gather():
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024**2
    return {
        "cpu": field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory": f"{memory:.1f} GiB",
        "kernel": f"{os.uname().sysname} {os.uname().release.partition('-')[0]} {os.uname().machine}",
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "swift": swift_version(),
        "swiftCrypto": resolved_version("swift-crypto"),
        "date": datetime.date.today().isoformat(),
        "commit": output("git", "describe", "--always", "--dirty", "--exclude=*"),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: machine.py RESULTS_DIR")
    target = pathlib.Path(sys.argv[1]) / "machine.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(gather(), indent=2) + "\n")


if __name__ == "__main__":
    main()

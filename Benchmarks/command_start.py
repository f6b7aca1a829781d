#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Times the command `envelope` beside `age`, from the call that starts a process to its end.

    command_start.py RESULTS_DIR ENVELOPE

Both programs open the same ten variables: `envelope exec` with `true` as the command, and `age -d` with an identity
file. Both programs are copied first, because the pages of a file that the linker wrote in small parts take longer to
map. Writes RESULTS_DIR/command-start.json, with the size of ENVELOPE and the memory that it had resident at most.
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from cold_start import ROUNDS, WARM_UPS, Failure, result, timed


def run(arguments, environment, directory):
    process = subprocess.run(arguments, env=environment, cwd=directory, capture_output=True, text=True)
    if process.returncode != 0:
        raise Failure(f"{' '.join(arguments)}: exit code {process.returncode}: {process.stderr.strip()}")
    return process.stdout


def resident(arguments, environment, directory):
    """The most memory that a process had resident, in bytes: what GNU time prints, whose own is small."""
    run([tool("time"), "-f", "%M", "-o", "resident", *arguments], environment, directory)
    return int((pathlib.Path(directory) / "resident").read_text()) << 10


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Failure(f"{name} is not installed. Install it: apt-get install age time")
    return path


def measure(envelope, directory):
    envelope, age = shutil.copy(envelope, directory), shutil.copy(tool("age"), directory)
    keygen = tool("age-keygen")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "ENVELOPE_STORE": f"{directory}/keys"}
    variables = {f"VARIABLE_{number}": f"value-number-{number}" for number in range(10)}
    (pathlib.Path(directory) / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    run([envelope, "seal", ".env", "--function", "checkout", "-o", "sealed.env"], environment, directory)
    run([keygen, "-o", "identity"], environment, directory)
    recipient = run([keygen, "-y", "identity"], environment, directory).strip()
    run([age, "-r", recipient, "-o", "sealed.age", ".env"], environment, directory)

    execute = [envelope, "exec", f"{directory}/sealed.env", "--function", "checkout", "--"]
    shown = run([*execute, shutil.which("env")], environment, directory).splitlines()
    decrypt = [age, "-d", "-i", f"{directory}/identity", f"{directory}/sealed.age"]
    for name, value in variables.items():
        if f"{name}={value}" not in shown or f"{name}={value}" not in run(decrypt, environment, directory).splitlines():
            raise Failure(f"{name} is not opened")

    programs = {"exec": [*execute, shutil.which("true")], "age": [*decrypt[:2], "-o", "/dev/null", *decrypt[2:]]}
    times = {name: [] for name in programs}
    with tempfile.TemporaryFile() as output:
        for _ in range(WARM_UPS + ROUNDS):
            for name, arguments in programs.items():
                times[name].append(timed(arguments, environment, output))
    times = {name: taken[WARM_UPS:] for name, taken in times.items()}
    ratios = [ours / theirs for ours, theirs in zip(times["exec"], times["age"])]
    return {
        "rounds": ROUNDS,
        "measures": [result(name, taken) for name, taken in times.items()],
        "ratio": statistics.median(ratios),
        "resident": resident(programs["exec"], environment, directory),
        "size": os.path.getsize(envelope),
    }


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: command_start.py RESULTS_DIR ENVELOPE")
    target = pathlib.Path(sys.argv[1]) / "command-start.json"
    try:
        with tempfile.TemporaryDirectory() as directory:
            measured = measure(os.path.abspath(sys.argv[2]), directory)
    except Failure as failure:
        sys.exit(f"command_start.py: {failure}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"command start: {ROUNDS} rounds, written to {target}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Times whole processes, from the call that starts them to the answer that they have ended.

    cold_start.py RESULTS_DIR PROBE

PROBE is a program of three commands:

    PROBE seal DIRECTORY   makes the key store DIRECTORY/keys, prints the sealed variables as lines NAME=VALUE
    PROBE start            only starts and ends
    PROBE open             opens the sealed variables in its process environment

ENVELOPE_STORE and AWS_LAMBDA_FUNCTION_NAME are set for all three, the sealed variables for the last two. The floor is
`true`, with the same process environment. Writes RESULTS_DIR/cold-start.json.
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WARM_UPS = 10
ROUNDS = 200
FUNCTION = "checkout"


class Failure(Exception):
    pass


def spawn(arguments, environment, output):
    """Runs a program to its end and returns its exit code; what it prints goes to the open file `output`."""
    to_output = [(os.POSIX_SPAWN_DUP2, output, descriptor) for descriptor in (1, 2)]
    process = os.posix_spawn(arguments[0], arguments, environment, file_actions=to_output)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def timed(arguments, environment, output):
    start = time.perf_counter_ns()
    code = spawn(arguments, environment, output.fileno())
    taken = time.perf_counter_ns() - start
    if code != 0 or output.seek(0, os.SEEK_END) != 0:
        output.seek(0)
        printed = output.read().decode(errors="replace").strip() or "nothing"
        call = " ".join(arguments)
        raise Failure(f"{call}: must exit with 0 and print nothing; exit code {code}, printed: {printed}")
    return taken


def sealed_variables(probe, environment, directory):
    answer = subprocess.run([probe, "seal", directory], env=environment, capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failure(f"{probe} seal: exit code {answer.returncode}, printed: {answer.stdout}{answer.stderr}")
    pairs = [line.partition("=") for line in answer.stdout.splitlines() if line]
    malformed = [name for name, equals, _ in pairs if not (name and equals)]
    if malformed or not pairs:
        raise Failure(f"{probe} seal: must print lines NAME=VALUE, and printed: {answer.stdout!r}")
    return {name: value for name, _, value in pairs}


def check_that_it_opens(probe, environment, variables, output):
    """A program that does not open anything would be quick: with one variable missing it must refuse."""
    last = list(variables)[-1]
    without = {name: value for name, value in environment.items() if name != last}
    if spawn([probe, "open"], without, output.fileno()) == 0:
        raise Failure(f"{probe} open: exits with 0 although {last} is missing, so it does not open the environment")
    output.truncate(0)
    output.seek(0)


def measure(probe, directory, output):
    environment = {"PATH": os.environ.get("PATH", os.defpath), "AWS_LAMBDA_FUNCTION_NAME": FUNCTION}
    # AWS Lambda sets these, too: without them the name does not count.
    environment |= {"AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}
    environment["ENVELOPE_STORE"] = os.path.join(directory, "keys")
    variables = sealed_variables(probe, environment, directory)
    environment.update(variables)
    check_that_it_opens(probe, environment, variables, output)
    programs = {"true": [shutil.which("true")], "start": [probe, "start"], "open": [probe, "open"]}
    times = {name: [] for name in programs}
    for _ in range(WARM_UPS + ROUNDS):
        for name, arguments in programs.items():
            times[name].append(timed(arguments, environment, output))
    return {name: taken[WARM_UPS:] for name, taken in times.items()}


def result(name, times):
    return {
        "name": name,
        "median_ns": int(statistics.median(times)),
        "minimum_ns": min(times),
        "p90_ns": int(statistics.quantiles(times, n=10)[-1]),
    }


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: cold_start.py RESULTS_DIR PROBE")
    target, probe = pathlib.Path(sys.argv[1]) / "cold-start.json", os.path.abspath(sys.argv[2])
    if not os.access(probe, os.X_OK):
        sys.exit(f"cold_start.py: {probe} is not a program. Build the probe first.")
    try:
        with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as output:
            times = measure(probe, directory, output)
    except Failure as failure:
        sys.exit(f"cold_start.py: {failure}")
    measures = [result(name, taken) for name, taken in times.items()]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"rounds": ROUNDS, "measures": measures}, indent=2) + "\n")
    print(f"cold start: {len(measures)} programs, {ROUNDS} rounds, written to {target}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""AWS environments as people have them, and what botocore finds in each.

    aws_environments.py FOLDER COUNT SEED

writes the files of COUNT environments below FOLDER, prints one JSON object a line for each, and serves the metadata and
AWS STS that they name until standard input is closed. An environment has the number of its line and is always the same.
"""

import json
import os
import sys
import threading

sys.dont_write_bytecode = True
os.environ["HOME"] = "/nonexistent"

from aws_environments_cases import Maker
from aws_environments_sts import answer as answer_of_sts
from key_service_http import Listener, leave_with_parent, silent_addresses
from key_service_metadata import Metadata
from key_service_tls import Authority

WORKERS = min(4, os.cpu_count() or 1)


def work(number, cases, output):
    from aws_oracle import ask

    for case in cases:
        found = {"number": case.number, "botocore": ask(case.variables, case.profile), "otherwise": {}}
        for name, variables in alternatives(case.variables):
            found["otherwise"][name] = ask(variables, case.profile)
        output.write(json.dumps(found) + "\n")
    output.close()


def alternatives(variables):
    """The variables as they count for tools that differ from botocore in one thing, and then in the next as well."""
    known = {name: value for name, value in variables.items() if value}
    if len(known) < len(variables):
        yield "Empty variables", known
    if "AWS_REGION" in known:
        yield "AWS_REGION", known | {"AWS_DEFAULT_REGION": known["AWS_REGION"]}


def main(folder, count, seed):
    metadata = Metadata()
    listeners = [Listener("metadata", metadata.answer), Listener("sts", answer_of_sts)]
    urls = {listener.name: listener.url for listener in listeners} | silent_addresses()
    maker = Maker(os.path.abspath(folder), seed, urls)
    with open(maker.bundle, "wb") as file:
        file.write(Authority("Test authority").pem())
    cases = [maker.case(number) for number in range(count)]
    for case in cases:
        case.write()
        if case.mode:
            metadata.place(case.place).command(case.mode)
    pipes = []
    for worker in range(WORKERS):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            try:
                work(worker, cases[worker::WORKERS], open(writing, "w"))
            except BaseException as problem:
                print(repr(problem), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        os.close(writing)
        pipes.append(open(reading))
    for listener in listeners:
        listener.start()
    threading.Thread(target=leave_with_parent, args=(os.getppid(),), daemon=True).start()
    found = {}
    readers = [threading.Thread(target=lambda pipe=pipe: found.update(read(pipe))) for pipe in pipes]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if len(found) != count:
        sys.exit(f"botocore was asked {count} times, and answered {len(found)} times")
    for case in cases:
        print(json.dumps(case.description() | found[case.number]))
    print("{}", flush=True)
    while os.read(0, 4096):
        pass
    os._exit(0)


def read(pipe):
    answers = (json.loads(line) for line in pipe)
    return {answer.pop("number"): answer for answer in answers}


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

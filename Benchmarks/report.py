#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Shows what the benchmarks measured.

    report.py RESULTS_DIR                    prints the tables
    report.py RESULTS_DIR --check [BUILD]    compares with thresholds.json; exit code 1 when one is broken
    report.py RESULTS_DIR --write DOCS_DIR   writes Benchmarks.md and the plots
    report.py RESULTS_DIR --logs DOCS_DIR    writes the section Logs of Benchmarks.md, and its plot

thresholds.json has, by test and metric, ratios as multiples, allocations of one operation and kB that it reads. The ratios of what
EnvelopeKit is compared with (AES.GCM, and suite 01 beside suite 02) must be reached, the others must not be exceeded.
Times have no thresholds: they differ from machine to machine. Those of suite 02 are left out for a libsodium that lacks
AEGIS-256.
"""
import argparse
import json
import pathlib
import sys

import file_plots
import file_tables
import log_tables
import plots
import tables
from results import SUITE_02, Failure, Results

BENCHMARKS = pathlib.Path(__file__).resolve().parent
NOT_MEASURED = "– (not measured)"


# The check


def read_thresholds(path):
    """(test, metric, threshold) of every threshold."""
    if not path.exists():
        raise Failure(f"{path} is missing, so there is nothing to check. Bring it back from the repository.")
    try:
        written = json.loads(path.read_text())
        thresholds = [(test, metric, limit) for test, limits in written.items() for metric, limit in limits.items()]
    except (ValueError, AttributeError):
        raise Failure(f'{path} must be JSON, as {{"seal-64B": {{"into-ratio": 1.1}}}}. Write it so.') from None
    if not thresholds:
        raise Failure(f"{path} names no threshold, so nothing would be checked. Bring it back from the repository.")
    for test, metric, limit in thresholds:
        if not isinstance(limit, (int, float)):
            raise Failure(f"{path}: the threshold of {test} {metric} is not a number. Write one.")
        if not metric.endswith(("-ratio", "-allocations", "-kilobytes")):
            raise Failure(f"{path}: {test} {metric} is no ratio, no allocations and no bytes. Take it out: times differ.")
    return thresholds


def check_one(results, build, test, metric, limit):
    """Whether a threshold is kept, and the line that says so."""
    measured = results.multiple(test, metric, build)
    at_least = metric in ("ChaChaPoly-ratio", "AES.GCM-ratio", "suite01-ratio")
    bound = f"{'at least' if at_least else 'at most'} {limit:g}"
    if measured is None:
        advice = "Run Benchmarks/run and look whether this test still runs; where it is gone, take out its threshold."
        return False, f"BROKEN  {test} {metric}: not measured, must be {bound}. {advice}"
    if measured >= limit if at_least else measured <= limit:
        return True, f"kept    {test} {metric}: {measured:g}, {bound}"
    advice = "Run Benchmarks/run and look at this test; where it stays so, find the change that did it."
    return False, f"BROKEN  {test} {metric}: measured {measured:g}, must be {bound}. {advice}"


def check(results, build, thresholds):
    """Prints every threshold of a build, the broken ones first, and says whether all are kept."""
    thresholds = [one for one in thresholds if SUITE_02 not in one[0] or results.has_suite_02(build)]
    checked = sorted((check_one(results, build, *threshold) for threshold in thresholds), key=lambda pair: pair[0])
    for _, line in checked:
        print(line)
    broken = sum(not kept for kept, _ in checked)
    kept = len(checked) - broken
    counts = f"{kept} kept, {broken} broken" if broken else f"{kept} thresholds kept"
    print(f"{counts}, with libsodium {results.sodiums[build]}")
    return broken == 0


# The page

PAGE = """# Benchmarks

Written by `Benchmarks/run`; do not edit. The figures are of one machine; the ratios carry over to others better than
the times do.

{machine}

## How it was measured

- **Interleaved rounds in one process.** A round runs every contender of a comparison one after the other, so what slows
  the machine down slows all of them. A ratio is taken within each round. Every figure is the median of the rounds.
- **Plain** is the calls to libsodium that the same work cannot do without (random bytes, the cipher, the hashes of the
  key schedule; for environments also guarded memory), on buffers that are there beforehand.
- **Suite 02** (AEGIS-256) was measured with libsodium {suite_02}, everything else with libsodium {system}, unless a table
  says otherwise. The libsodium of suite 02 is linked statically if it is not the system's.
- **Heap allocations** are counted by a `malloc` of our own in the benchmark program, which counts and passes on; the
  Swift runtime and libsodium call it too. `sodium_malloc` maps pages and is not a heap allocation.
- **The other libraries** run in Python, as their users call them, with local keys and no key service. For
  aws-encryption-sdk that is a {keys}.
  For Tink it is the envelope AEAD over a local AES-256-GCM keyset.
  What they open is compared with what was sealed; that is not timed. Their times include Python's own. {rounds} rounds,
  interleaved.
- **A cold start** is a whole process from `posix_spawn` to `waitpid`, in turn with the others.

Versions of the other libraries: {versions}.

{reaches}
## Figures

![Throughput by size of a value](Plots/throughput.svg)

![Secrets in the 4,096 bytes of AWS Lambda's environment](Plots/capacity.svg)

In the second plot EnvelopeKit's lines are what it sealed. The others are computed from the sizes that the tools'
formats give: SOPS 135 characters a secret and 900 once, dotenvx 166 and 89 once, the console helper 232,
aws-encryption-sdk 568 (0x0478) and 836 (0x0578, the default), each with its name and `"":"",`.

{figures}
## Files

- **In memory** a stream takes its input in one call, or in pieces, and plain calls take it chunk by chunk. One round
  of all runs after the other in one process. Two cores are two threads, in the plain calls too: what these gain is what
  the machine has to give.
- **On files** whole processes run on a memory file system, from `posix_spawn` to `waitpid`, one after the other; what an
  earlier one wrote is removed before. Whether age and EnvelopeKit give back what was sealed is compared beforehand.
- **age** is the system's and Debian's newest, of its suite sid: {ages}. Both encrypt to one X25519 recipient.

{file_reaches}
![Time for files of 1 GiB](Plots/files.svg)

![Throughput by size of a file](Plots/file-growth.svg)

{file_figures}
{logs}## Run it

    Benchmarks/run           # everything
    Benchmarks/run --logs    # the section Logs alone
    Benchmarks/run --files   # what the section Files shows, and this page with the other figures of the last run

It needs Swift, libsodium and Python 3 with `venv`, and installs the other libraries in a folder of its own. If the
system's libsodium has no AEGIS-256, it downloads one that has into `.build/`.

`Benchmarks/report.py RESULTS_DIR --check` compares ratios and allocations with `Benchmarks/thresholds.json`.

## Not measured

- Calls to a key service, which depend on the network.
- Memory in use, and work on several threads at once, but for files.
- Files on disks and network file systems, whose time is their own.
- Other processors and systems than the one above.
- A cold start in AWS Lambda itself; the one here starts with the program in the page cache. Nor one with the console
  helper's values, which need a key service.
"""


def machine_table(results):
    suite_02 = results.sodium_of_suite_02() or NOT_MEASURED
    sodiums = {"libsodium": results.sodiums["system"], "libsodiumOfSuite02": suite_02}
    machine = {**results.machine, **sodiums}
    names = {"cpu": "processor", "cores": "cores", "memory": "memory", "kernel": "kernel", "system": "system",
             "swift": "Swift", "libsodium": "libsodium",
             "libsodiumOfSuite02": "libsodium of suite 02", "swiftCrypto": "swift-crypto", "commit": "commit",
             "date": "date"}
    rows = [f"| {name} | {machine[field]} |" for field, name in names.items()]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def page(results):
    return PAGE.format(
        machine=machine_table(results),
        system=results.sodiums["system"],
        suite_02=results.sodium_of_suite_02() or NOT_MEASURED,
        keys=results.peers["keys"],
        rounds=results.peers["rounds"],
        versions=", ".join(f"{name} {version}" for name, version in results.peers["versions"].items()),
        reaches=tables.reaches(results).markdown().replace("###", "##", 1),
        figures="\n".join(table.markdown() for table in tables.figures(results)),
        ages=" and ".join(results.files["ages"]),
        file_reaches=file_tables.reaches(results).markdown(),
        logs=log_tables.section(results),
        file_figures="\n".join(table.markdown() for table in file_tables.figures(results)),
    )


def write(results, docs):
    results.require_all()
    files = {
        docs / "Benchmarks.md": page(results),
        docs / "Plots/throughput.svg": plots.throughput(results),
        docs / "Plots/capacity.svg": plots.capacity(results),
        docs / "Plots/files.svg": file_plots.whole(results),
        docs / "Plots/file-growth.svg": file_plots.growth(results),
        docs / "Plots/logs.svg": log_tables.plot(results),
    }
    write_all(files, docs)


def write_logs(results, docs):
    page = (docs / "Benchmarks.md").read_text(encoding="utf-8")
    end = page.index("## Run it")
    start = page.find("## Logs")
    written = page[: start if start >= 0 else end] + log_tables.section(results) + page[end:]
    write_all({docs / "Benchmarks.md": written, docs / "Plots/logs.svg": log_tables.plot(results)}, docs)


def write_all(files, docs):
    (docs / "Plots").mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
        print(f"written: {path}")


def arguments():
    parser = argparse.ArgumentParser(description="Shows what the benchmarks measured.")
    parser.add_argument("results", metavar="RESULTS_DIR")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", nargs="?", const="all", choices=("all", "system", "second"), metavar="BUILD",
                      help="compare with the thresholds: the build `system` or `second`, or all that were measured")
    what.add_argument("--write", type=pathlib.Path, metavar="DOCS_DIR", help="write Benchmarks.md and the plots")
    what.add_argument("--logs", type=pathlib.Path, metavar="DOCS_DIR", help="write the section about logs and its plot")
    parser.add_argument("--thresholds", type=pathlib.Path, default=BENCHMARKS / "thresholds.json", metavar="FILE")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        results = Results(options.results)
        if options.check:
            thresholds = read_thresholds(options.thresholds)
            builds = list(results.sodiums) if options.check == "all" else [options.check]
            sys.exit(0 if all([check(results, build, thresholds) for build in builds]) else 1)
        if options.logs:
            for table in (log_tables.reaches(results), *log_tables.figures(results)):
                print(table.plain())
            return write_logs(results, options.logs)
        of_files = (file_tables.reaches(results), *file_tables.figures(results))
        for table in (tables.reaches(results), *tables.figures(results), *of_files):
            print(table.plain())
        if options.write:
            write(results, options.write)
    except Failure as failure:
        sys.exit(f"report.py: {failure}")


if __name__ == "__main__":
    main()

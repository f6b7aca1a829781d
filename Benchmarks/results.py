# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what the benchmarks wrote."""
import csv
import json
import pathlib
import re
import statistics

LIMIT = 4096
SIZES = {
    "16B": 16, "64B": 64, "256B": 256, "1KiB": 1 << 10, "4KiB": 4 << 10, "16KiB": 16 << 10, "64KiB": 64 << 10,
    "1MiB": 1 << 20, "16MiB": 16 << 20,
}
COUNTS = (1, 10, 50, 200, 1000)
SUITE_01, SUITE_02 = "", "aegis256-"


def value_test(operation, way, size, suite=SUITE_01):
    """The test that measures a way to seal or open one value; batches have their own."""
    return f"{operation}-{'batch-' if way in ('batch', 'kept') else ''}{suite}{size}"


class Failure(Exception):
    """Something that whoever runs this can put right."""


class Results:
    """The figures of one run. Any of them may be missing; then it is None.

    The hot path is measured in up to two builds: `system`, with the system's libsodium, and `second`, with one that has
    AEGIS-256 if the system's has not.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        # The versions of libsodium by build.
        self.sodiums = self.read_json("libsodium.json") or {}
        self.medians = {build: read_medians(self.folder, build) for build in self.sodiums}
        if not any(self.medians.values()):
            raise Failure(f"{self.folder} has no hot-system-1.csv. Run Benchmarks/run, which makes it.")
        self.peers = self.read_json("peers.json")
        self.cold_start = self.read_json("cold-start.json")
        self.command_start = self.read_json("command-start.json")
        self.kms_start = self.read_json("kms-start.json")
        self.files = self.read_json("files.json")
        self.machine = self.read_json("machine.json")
        self.capacity = read_capacity(self.folder / "capacity.csv")

    def read_json(self, name):
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else None

    def median(self, test, metric, build=None):
        """Nanoseconds an operation for a time, thousandths for a ratio, of 1,000 operations for allocations.

        Without a build, the system's figure, or the second's if the system's has no such test.
        """
        for name in (build,) if build else self.medians:
            if (test, metric) in self.medians.get(name, {}):
                return self.medians[name][test, metric]
        return None

    def multiple(self, test, metric, build=None):
        """A ratio as a multiple, or allocations of one operation."""
        value = self.median(test, metric, build)
        return None if value is None else value / 1000

    def has_suite_02(self, build):
        """Whether this build's libsodium has AEGIS-256."""
        numbers = re.findall(r"\d+", self.sodiums[build])
        return tuple(map(int, numbers)) >= (1, 0, 19)

    def sodium_of_suite_02(self):
        """The version of libsodium that suite 02 was measured with; None if it was not measured."""
        return next((version for build, version in self.sodiums.items() if self.has_suite_02(build)), None)

    def peer(self, peer, variant, operation, count):
        wanted = (peer, variant, operation, count)
        for measure in self.peers["measures"] if self.peers else ():
            if (measure["peer"], measure["variant"], measure["operation"], measure["count"]) == wanted:
                return measure
        return None

    def require_all(self):
        """Figures that are published are whole."""
        parts = {"peers.json": self.peers, "cold-start.json": self.cold_start,
                 "command-start.json": self.command_start, "kms-start.json": self.kms_start,
                 "files.json": self.files, "machine.json": self.machine, "capacity.csv": self.capacity}
        missing = [name for name, part in parts.items() if not part]
        if missing:
            raise Failure(f"{self.folder} has no {', '.join(missing)}. Run Benchmarks/run, which makes them all.")


def read_medians(folder, build):
    """The median over the processes of the median of the rounds, by test and metric."""
    found = {}
    for path in sorted(folder.glob(f"hot-{build}-*.csv")):
        for key, median in read_medians_of_process(path).items():
            found.setdefault(key, []).append(median)
    return {key: statistics.median(medians) for key, medians in found.items()}


def read_medians_of_process(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    rows = csv.DictReader(lines)
    if not {"test", "metric", "percentile", "value"} <= set(rows.fieldnames or ()):
        raise Failure(f"{path} is not what `swift package benchmark --format influx` writes: it has no such header.")
    medians = {(row["test"], row["metric"]): float(row["value"]) for row in rows if float(row["percentile"]) == 50}
    if not medians:
        raise Failure(f"{path} holds no median of any test. Run Benchmarks/run and look at what it prints.")
    return medians


def read_capacity(path):
    """Bytes used, by number of secrets, by form and key."""
    if not path.exists():
        return None
    curves = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        curves.setdefault((row["form"], row["key"]), {})[int(row["count"])] = int(row["bytes"])
    return curves


def fits(curve):
    """The largest number of secrets that the limit has room for."""
    return max((count for count, used in curve.items() if used <= LIMIT), default=0)

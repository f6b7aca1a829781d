# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The tables and the plot about logs."""
import math

from plots import PANEL_BOTTOM, PANEL_TOP, Line, drawing, rule, text
from results import SUITE_01, SUITE_02
from tables import Table, exact, multiple, number, time

SIZES = (50, 200, 1024, 8192)
OPENED = (200, 1024)
LINES = {
    "none": Line("no handler", "grey", "dots", "none", 6.0),
    "stream": Line("swift-log's stream handler", "pink", "mixed", "diamond"),
    "01": Line("sealed, suite 01", "blue", "solid", "circle"),
    "02": Line("sealed, suite 02", "orange", "long", "square"),
}


def rate(results, suite, size):
    """Megabytes of plaintext a second, of opened lines."""
    nanoseconds = results.median(f"log-open-{suite}{size}B", "lines")
    return size / nanoseconds * 1e3 if nanoseconds else None


def megabytes(value):
    return "–" if value is None else f"{value:,.0f} MB/s"


def beyond_formatting(results, suite):
    test = f"log-{suite}200B"
    sealed, none = (results.multiple(test, f"{name}-allocations") for name in ("sealed", "none"))
    return None if sealed is None or none is None else sealed - none


def reaches(results):
    rows = [
        ["a sealed record of 200 bytes over swift-log's stream handler, suite 01", "at most 2 ×",
         exact(results.multiple("log-200B", "sealed-ratio"))],
        ["the same, suite 02", "at most 1.4 ×", exact(results.multiple("log-aegis256-200B", "sealed-ratio"))],
        ["its heap allocations beyond those of the call, suite 01", "at most 2", number(beyond_formatting(results, SUITE_01))],
        ["redaction of 200 bytes with 200 secrets over that with one", "at most 1.5 ×",
         exact(results.multiple("redact-200B", "two-hundred-ratio"))],
        ["opening, suite 01, records of 1 KiB", "at least 300 MB/s", megabytes(rate(results, SUITE_01, 1024))],
        ["opening, suite 01, records of 200 bytes", "at least 100 MB/s", megabytes(rate(results, SUITE_01, 200))],
        ["opening, suite 02, records of 1 KiB", "at least 600 MB/s", megabytes(rate(results, SUITE_02, 1024))],
        ["opening, suite 02, records of 200 bytes", "at least 200 MB/s", megabytes(rate(results, SUITE_02, 200))],
    ]  # fmt: skip
    return Table("What was asked of logs", "", ["what", "asked", "measured"], rows)


def figures(results):
    note = (
        "A message of so many bytes with one pair of metadata, written to /dev/null in one call to the system. swift-log's"
        " handler writes to a stream that does the same."
    )
    rows = []
    for size in SIZES:
        tests = (f"log-{size}B", f"log-aegis256-{size}B")
        rows.append([
            f"{size} B", time(results.median(tests[0], "none")), time(results.median(tests[0], "stream")),
            *(time(results.median(test, "sealed")) for test in tests),
            *(multiple(results.multiple(test, "sealed-ratio")) for test in tests),
            *(number(results.multiple(tests[0], f"{name}-allocations")) for name in LINES if name in ("none", "stream")),
            number(results.multiple(tests[0], "sealed-allocations")),
        ])  # fmt: skip
    header = ["message", "no handler", "stream", "sealed 01", "sealed 02", "01 over stream", "02 over stream",
              "allocations, none", "stream", "sealed"]  # fmt: skip
    yield Table("A log record", note, header, rows)
    rows = [
        [f"{size} B", "02" if suite else "01", time(results.median(f"log-open-{suite}{size}B", "plain")),
         time(results.median(f"log-open-{suite}{size}B", "lines")),
         multiple(results.multiple(f"log-open-{suite}{size}B", "lines-ratio")), megabytes(rate(results, suite, size))]
        for size in OPENED for suite in (SUITE_01, SUITE_02)
    ]  # fmt: skip
    note = "Lines in memory, a thousand of a segment, beside the cipher alone on payloads of this length."
    yield Table("Opening a sealed log", note, ["message", "suite", "cipher", "line", "over it", "plaintext"], rows)
    rows = [[time(results.median("redact-200B", "one")), time(results.median("redact-200B", "two-hundred")),
             multiple(results.multiple("redact-200B", "two-hundred-ratio"))]]  # fmt: skip
    note = "A text of about 200 bytes without a secret; secrets of 16 to 39 bytes, each in all of its forms."
    yield Table("Redaction", note, ["one secret", "200 secrets", "ratio"], rows)


def section(results):
    tables = "\n".join(table.markdown() for table in (reaches(results), *figures(results)))
    return f"## Logs\n\n{tables}\n![Time of a log record by size](Plots/logs.svg)\n\n"


def plot(results):
    """The time of a record by the size of its message."""
    def of(name):
        suite, contender = (SUITE_02 if name == "02" else SUITE_01), name if name in ("none", "stream") else "sealed"
        found = [(size, results.median(f"log-{suite}{size}B", contender)) for size in SIZES]
        return [(size, taken) for size, taken in found if taken]

    curves = {name: of(name) for name in LINES}
    times = [taken for curve in curves.values() for _, taken in curve]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    left, width = 90, 620

    def x(size):
        return left + width * math.log(size / SIZES[0]) / math.log(SIZES[-1] / SIZES[0])

    def y(taken):
        return PANEL_BOTTOM - (PANEL_BOTTOM - PANEL_TOP) * (math.log10(taken) - low) / (high - low)

    parts = [text(16, 24, "Time of a log record by the size of its message", kind="title")]
    for exponent in range(low, high + 1):
        parts += [rule(left, y(10**exponent), left + width, y(10**exponent)),
                  text(left - 8, y(10**exponent) + 4, time(10**exponent), "end", "small")]  # fmt: skip
    for size in SIZES:
        parts += [rule(x(size), PANEL_TOP, x(size), PANEL_BOTTOM),
                  text(x(size), PANEL_BOTTOM + 18, f"{size} B", "middle", "small")]  # fmt: skip
    for index, (name, line) in enumerate(LINES.items()):
        points = [(x(size), y(taken)) for size, taken in curves[name]]
        if points:
            parts += [line.path(points), line.marks(points)]
        place = 90 + 310 * (index % 2), 398 + 24 * (index // 2)
        parts += [line.sample(*place), text(place[0] + 44, place[1] + 4, line.name)]
    return drawing(
        440,
        "Time of a log record by the size of its message",
        "Nanoseconds a record, both axes logarithmic. The figures stand in the tables of Docs/Benchmarks.md.",
        parts,
    )

# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the plots about files."""
import math
import statistics

from file_tables import growth_by_size, seconds, size_name
from plots import PANEL_BOTTOM, PANEL_LEFTS, PANEL_TOP, PANEL_WIDTH, Line, drawing, rate_name, rule, text

# By panel and name of what was timed.
GROWTH = {
    "seal": {
        "cp": Line("cp", "grey", "solid", "none", 6.0),
        "02 seal": Line("EnvelopeKit, suite 02", "orange", "long", "square"),
        "01 seal": Line("EnvelopeKit, suite 01", "blue", "solid", "circle"),
        "age seal": Line("age", "pink", "mixed", "diamond"),
    },
    "open": {
        "cp": Line("cp", "grey", "solid", "none", 6.0),
        "02 verify": Line("suite 02, verified", "orange", "dots", "up"),
        "02 open": Line("EnvelopeKit, suite 02", "orange", "long", "square"),
        "01 verify": Line("suite 01, verified", "blue", "dots", "down"),
        "01 open": Line("EnvelopeKit, suite 01", "blue", "solid", "circle"),
        "age open": Line("age", "pink", "mixed", "diamond"),
    },
}


def growth(results):
    by_size = growth_by_size(results)
    sizes = list(by_size)
    panels = {
        panel: {name: [(size, size / times[name] / 1e6) for size, times in by_size.items() if name in times]
                for name in lines}
        for panel, lines in GROWTH.items()
    }
    rates = [rate for curves in panels.values() for curve in curves.values() for _, rate in curve]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))

    def x(left, size):
        return left + PANEL_WIDTH * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(rate):
        return PANEL_BOTTOM - (PANEL_BOTTOM - PANEL_TOP) * (math.log10(rate) - low) / (high - low)

    parts = [text(16, 24, "Throughput by size of a file", kind="title")]
    for panel, left in PANEL_LEFTS.items():
        parts.append(text(left, 48, panel, kind="bold"))
        for exponent in range(low, high + 1):
            parts.append(rule(left, y(10**exponent), left + PANEL_WIDTH, y(10**exponent)))
        for number, size in enumerate(sizes):
            parts.append(rule(x(left, size), PANEL_TOP, x(left, size), PANEL_BOTTOM))
            if number % 2 == 0 or size == sizes[-1]:
                parts.append(text(x(left, size), PANEL_BOTTOM + 18, size_name(size), "middle", "small"))
        parts.append(rule(left, PANEL_BOTTOM, left + PANEL_WIDTH, PANEL_BOTTOM, "axis"))
        for name, curve in panels[panel].items():
            points = [(x(left, size), y(rate)) for size, rate in curve]
            if points:
                parts += [GROWTH[panel][name].path(points), GROWTH[panel][name].marks(points)]
    parts += [text(PANEL_LEFTS["seal"] - 8, y(10**e) + 4, rate_name(e), "end", "small") for e in range(low, high + 1)]
    for index, line in enumerate(GROWTH["open"].values()):
        left, bottom = 76 + 226 * (index % 3), 398 + 24 * (index // 3)
        parts += [line.sample(left, bottom), text(left + 44, bottom + 4, line.name)]
    return drawing(
        440,
        "Throughput by size of a file",
        "Megabytes a second of sealing and of opening files in memory with the whole command, both axes logarithmic. The"
        " figures stand in the tables of Docs/Benchmarks.md.",
        parts,
    )


BAR_LEFT, BAR_WIDTH, BAR_HEIGHT, BAR_STEP = 150, 520, 16, 24
BAR_COLOURS = {"cp": "grey", "age": "pink", "01": "blue", "02": "orange"}


def whole(results):
    """The time for 1 GiB, as bars."""
    measured = {name: statistics.median(times) for name, times in results.files["whole"].items()}
    groups = [
        [name for name in measured if name == "cp" or name.endswith(operation)] for operation in ("seal", "open")
    ]
    longest = max(measured.values())
    parts, top = [text(16, 24, "Files of 1 GiB, in memory, all cores", kind="title")], 44
    for names in groups:
        for name in names:
            width = BAR_WIDTH * measured[name] / longest
            words = f"suite {name}" if name[0] == "0" else name
            colour = BAR_COLOURS[name.split()[0]]
            parts += [
                text(BAR_LEFT - 10, top + 12, words, "end"),
                f'<rect class="mark {colour}" x="{BAR_LEFT}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}"/>',
                text(BAR_LEFT + width + 8, top + 12, seconds(measured[name]), kind="small"),
            ]
            top += BAR_STEP
        top += BAR_STEP // 2
    return drawing(
        top,
        "Files of 1 GiB, in memory, all cores",
        " ".join(f"{name}: {seconds(taken)}." for name, taken in measured.items() if name in sum(groups, [])),
        parts,
    )

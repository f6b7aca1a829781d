# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the two plots as SVG, for light and dark pages. Lines differ in colour, dashes and markers."""
import math
from html import escape

from results import LIMIT, SIZES, SUITE_01, SUITE_02, fits, value_test

WIDTH = 760
# Light and dark colour of each line: at least 3:1 against white and against GitHub's and Debian's dark grey.
COLOURS = {
    "ink": ("#1f2328", "#e6edf3"),
    "grey": ("#6e7781", "#9aa4af"),
    "blue": ("#0063b5", "#58b4f5"),
    "orange": ("#c34a00", "#ff9350"),
    "green": ("#007a5a", "#35c79b"),
    "pink": ("#a8467f", "#eb9fc9"),
    "ochre": ("#806600", "#dfc04a"),
    "limit": ("#c1121f", "#ff7b72"),
}
DASHES = {"solid": "", "long": "9 4", "short": "4 3", "dots": "1.5 3.5", "mixed": "9 3 2 3"}


class Line:
    """How one line looks and what it is called."""

    def __init__(self, name, colour, dash, mark, width=2.0):
        self.name, self.colour, self.dash, self.mark, self.width = name, colour, dash, mark, width

    def path(self, points):
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{DASHES[self.dash]}"' if DASHES[self.dash] else ""
        return f'<polyline class="line {self.colour}" stroke-width="{self.width}"{dashes} points="{steps}"/>'

    def marks(self, points):
        return "".join(marker(self.mark, self.colour, x, y) for x, y in points)

    def sample(self, x, y, length=34):
        """The line as the legend shows it."""
        return self.path([(x, y), (x + length, y)]) + self.marks([(x + length / 2, y)])


def marker(shape, colour, x, y):
    if shape == "none":
        return ""
    if shape == "circle":
        return f'<circle class="mark {colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.4"/>'
    corners = {
        "square": [(-3, -3), (3, -3), (3, 3), (-3, 3)],
        "diamond": [(0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0)],
        "up": [(0, -4.2), (4, 3.2), (-4, 3.2)],
        "down": [(0, 4.2), (4, -3.2), (-4, -3.2)],
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon class="mark {colour}" points="{points}"/>'


def text(x, y, words, anchor="start", kind="ink", extra=""):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def rule(x1, y1, x2, y2, kind="grid"):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def colours(mode):
    """The rules that give every line its colour, light (0) or dark (1), and everything else that of ink."""
    named = " ".join(f".{name}{{color:{shades[mode]}}}" for name, shades in COLOURS.items())
    return f"svg{{color:{COLOURS['ink'][mode]}}} {named}"


def style():
    light, dark = (colours(mode) for mode in (0, 1))
    return (
        "<style>text{font:12px system-ui,sans-serif;fill:currentColor} .title{font-size:15px;font-weight:600}"
        " .small{font-size:11px} .bold{font-weight:600} .line{fill:none;stroke:currentColor;stroke-linejoin:round}"
        " .mark{fill:currentColor} .grid,.axis,.edge{stroke:currentColor} .grid{stroke-opacity:.22}"
        " .edge{stroke-width:1.5}"
        f" {light} @media (prefers-color-scheme:dark){{{dark}}}"
        "</style>"
    )


def drawing(height, title, description, parts):
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        ' role="img" aria-labelledby="title desc">'
    )
    names = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    return "\n".join([head, names, style(), *parts, "</svg>"]) + "\n"


# Throughput

# By suite and contender.
THROUGHPUT = {
    (SUITE_01, "plain"): Line("plain XChaCha20-Poly1305", "grey", "solid", "none", 6.0),
    (SUITE_01, "into"): Line("EnvelopeKit, suite 01", "blue", "solid", "circle"),
    (SUITE_01, "ChaChaPoly"): Line("swift-crypto ChaChaPoly", "pink", "mixed", "diamond"),
    (SUITE_02, "plain"): Line("plain AEGIS-256", "grey", "dots", "none", 6.0),
    (SUITE_02, "into"): Line("EnvelopeKit, suite 02", "orange", "long", "square"),
    (SUITE_01, "AES.GCM"): Line("swift-crypto AES.GCM", "ochre", "short", "down"),
}
PANEL_TOP, PANEL_BOTTOM, PANEL_WIDTH = 62, 352, 296
PANEL_LEFTS = {"seal": 76, "open": 440}


def megabytes_a_second(results, operation):
    """Points (size, MB/s) of each line of one panel."""
    curves = {}
    for suite, metric in THROUGHPUT:
        times = [
            (byte_count, results.median(value_test(operation, metric, size, suite), metric))
            for size, byte_count in SIZES.items()
        ]
        curves[suite, metric] = [(size, size * 1000 / time) for size, time in times if time]
    return curves


def decades(panels):
    """The powers of ten between which all rates lie."""
    rates = [rate for curves in panels.values() for curve in curves.values() for _, rate in curve]
    return math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))


def rate_name(exponent):
    return f"{10**exponent:g} MB/s" if exponent < 3 else f"{10 ** (exponent - 3):g} GB/s"


def throughput(results):
    panels = {operation: megabytes_a_second(results, operation) for operation in PANEL_LEFTS}
    low, high = decades(panels)
    sizes = list(SIZES.values())

    def x(left, size):
        return left + PANEL_WIDTH * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(rate):
        return PANEL_BOTTOM - (PANEL_BOTTOM - PANEL_TOP) * (math.log10(rate) - low) / (high - low)

    parts = [text(16, 24, "Throughput by size of a value", kind="title")]
    for operation, left in PANEL_LEFTS.items():
        parts.append(text(left, 48, operation, kind="bold"))
        parts += throughput_grid(left, x, y, low, high)
        curves = panels[operation].items()
        points = {key: [(x(left, size), y(rate)) for size, rate in curve] for key, curve in curves}
        parts += [THROUGHPUT[key].path(curve) for key, curve in points.items() if curve]
        parts += [THROUGHPUT[key].marks(curve) for key, curve in points.items()]
    parts += [text(PANEL_LEFTS["seal"] - 8, y(10**e) + 4, rate_name(e), "end", "small") for e in range(low, high + 1)]
    parts += throughput_legend()
    return drawing(
        440,
        "Throughput by size of a value",
        "Megabytes a second of sealing and of opening values of 16 bytes to 16 MiB into a buffer, both axes logarithmic."
        " The figures stand in the tables of Docs/Benchmarks.md.",
        parts,
    )


def throughput_grid(left, x, y, low, high):
    parts = []
    for exponent in range(low, high + 1):
        parts.append(rule(left, y(10**exponent), left + PANEL_WIDTH, y(10**exponent)))
    for name, size in SIZES.items():
        parts.append(rule(x(left, size), PANEL_TOP, x(left, size), PANEL_BOTTOM))
        if math.log2(size) % 4 == 0:
            parts.append(text(x(left, size), PANEL_BOTTOM + 18, spaced(name), "middle", "small"))
    parts.append(rule(left, PANEL_BOTTOM, left + PANEL_WIDTH, PANEL_BOTTOM, "axis"))
    return parts


def spaced(size):
    """`16KiB` as `16 KiB`."""
    digits = size.rstrip("BKMi")
    return f"{digits} {size[len(digits):]}"


def throughput_legend():
    parts = []
    for index, line in enumerate(THROUGHPUT.values()):
        left, y = 76 + 226 * (index % 3), 398 + 24 * (index // 3)
        parts += [line.sample(left, y), text(left + 44, y + 4, line.name)]
    return parts


# Capacity

NAME_AND_PUNCTUATION = 12 + len('"":"",')
OURS = {
    ("packed", "keyset"): Line("EnvelopeKit, packed", "blue", "solid", "circle", 2.6),
    ("packed", "kms"): Line("packed, key service", "blue", "short", "none", 1.2),
    ("separate", "keyset"): Line("EnvelopeKit, separate", "orange", "solid", "square", 2.6),
    ("separate", "kms"): Line("separate, key service", "orange", "short", "none", 1.2),
}
# Bytes of a sealed value of 20 bytes, and bytes that come once: computed from what these tools write.
COMPUTED = [
    (Line("not sealed", "grey", "solid", "none", 2.0), 20, 0),
    (Line("dotenvx", "green", "long", "up"), 166, 89),
    (Line("SOPS", "pink", "mixed", "diamond"), 135, 900),
    (Line("console helper", "ochre", "short", "down"), 232, 0),
    (Line("aws-encryption-sdk 0x0478", "ink", "dots", "circle"), 568, 0),
    (Line("aws-encryption-sdk 0x0578", "ink", "mixed", "square"), 836, 0),
]
MOST, TOP_BYTES = 110, 4500
LEFT, RIGHT, TOP, BOTTOM = 62, 484, 54, 384


def computed_curve(value_bytes, once):
    """Bytes of `{"NAME":"VALUE",…}` by number of secrets."""
    return {count: 1 + once + count * (value_bytes + NAME_AND_PUNCTUATION) for count in range(1, MOST + 1)}


def capacity_curves(results):
    """(line, curve) of everything drawn; what has room for most comes first."""
    measured = [(line, results.capacity[key]) for key, line in OURS.items() if key in results.capacity]
    computed = [(line, computed_curve(value_bytes, once)) for line, value_bytes, once in COMPUTED]
    return sorted(measured + computed, key=lambda pair: -fits(pair[1]))


def capacity(results):
    curves = capacity_curves(results)
    parts = [text(16, 24, "Secrets in the 4,096 bytes of AWS Lambda's environment", kind="title")]
    parts += capacity_grid()
    for line, curve in curves:
        last = fits(curve)
        shown = [(count, used) for count, used in sorted(curve.items()) if used <= TOP_BYTES and count <= MOST]
        parts.append(line.path([(capacity_x(count), capacity_y(used)) for count, used in shown]))
        parts.append(line.marks([(capacity_x(last), capacity_y(curve[last]))] if last else []))
    parts += capacity_legend(curves)
    return drawing(
        440,
        "Secrets in the 4,096 bytes of AWS Lambda's environment",
        "Bytes used by number of secrets with names of 12 and values of 20 characters. "
        + " ".join(f"{line.name}: {fits(curve)} fit." for line, curve in curves),
        parts,
    )


def capacity_x(count):
    return LEFT + (RIGHT - LEFT) * count / MOST


def capacity_y(used):
    return BOTTOM - (BOTTOM - TOP) * used / TOP_BYTES


def capacity_grid():
    parts = []
    for used in range(0, LIMIT - 1000, 1000):
        kind = "grid" if used else "axis"
        parts += [rule(LEFT, capacity_y(used), RIGHT, capacity_y(used), kind)]
        parts += [text(LEFT - 8, capacity_y(used) + 4, f"{used:,}", "end", "small")]
    parts.append(rule(LEFT, capacity_y(LIMIT), RIGHT, capacity_y(LIMIT), "edge limit"))
    parts.append(text(LEFT - 8, capacity_y(LIMIT) + 4, f"{LIMIT:,}", "end", "bold"))
    for count in range(0, MOST + 1, 10):
        parts.append(text(capacity_x(count), BOTTOM + 18, str(count), "middle", "small"))
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 40, "secrets (names of 12, values of 20 characters)", "middle"))
    parts.append(text(LEFT - 46, TOP - 8, "bytes used", kind="small"))
    return parts


def capacity_legend(curves):
    left, y = RIGHT + 24, TOP + 12
    parts = [text(left + 62, y, "fit", "end", "bold")]
    for line, curve in curves:
        y += 25
        parts += [line.sample(left, y - 4, 30), text(left + 62, y, str(fits(curve)), "end", "bold")]
        parts.append(text(left + 72, y, line.name))
    notes = ["Key service: the data key is wrapped", "by AWS KMS. All but EnvelopeKit:", "computed, not measured."]
    return parts + [text(left, y + 36 + 17 * index, note, kind="small") for index, note in enumerate(notes)]

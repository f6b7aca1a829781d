# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the report, and what was asked of the figures."""
from results import COUNTS, SIZES, SUITE_01, SUITE_02, fits, value_test

UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
ENCRYPTION_SDK = "aws-encryption-sdk"
WAYS = {"plain": "plain", "into": "into a buffer", "bytes": "returning bytes", "batch": "in a batch"}
# Opening a batch gives one value after the other, and so does sealing one, unless all envelopes are to be kept.
KEPT = {"kept": "in a batch, all kept"}
# What each suite is measured beside, in the same rounds: the contender that has a ratio, and its name in a table.
BESIDE = {
    SUITE_01: {"ChaChaPoly": "ChaChaPoly", "AES.GCM": "AES.GCM"},
    SUITE_02: {"suite01": "suite 01", "AES.GCM": "AES.GCM"},
}
LONG = ("16KiB", "64KiB", "1MiB")
DEFAULT_VARIANT = "default suite (0x0578)"


class Table:
    def __init__(self, title, note, header, rows):
        self.title, self.note, self.header, self.rows = title, note, header, rows

    def plain(self):
        """Aligned columns, the first to the left."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        aligned = [
            "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
            for line in lines
        ]
        return "\n".join([f"{self.title}. {self.note}".strip(), "", *aligned, ""])

    def markdown(self):
        bar = ["---", *["---:"] * (len(self.header) - 1)]
        lines = ["| " + " | ".join(line) + " |" for line in (self.header, bar, *self.rows)]
        return "\n".join([f"### {self.title}", "", *([self.note, ""] if self.note else []), *lines, ""])


def three_digits(value):
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{decimals}f}"


def time(nanoseconds):
    if nanoseconds is None:
        return "–"
    scale, unit = next((pair for pair in UNITS if nanoseconds >= pair[0]), UNITS[-1])
    return f"{three_digits(nanoseconds / scale)} {unit}"


def multiple(value):
    return "–" if value is None else f"{three_digits(value)} ×"


def number(value):
    return "–" if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")


def exact(value):
    """A multiple with the digits that decide whether a limit is kept."""
    if value is None:
        return "–"
    return (f"{value:,.0f}" if value >= 100 else f"{value:.3f}".rstrip("0").rstrip(".")) + " ×"


def quotient(above, below):
    return above / below if above and below else None


# Figures


def values(results, operation, suite):
    rows, ratios = [], []
    own = {**WAYS, **(KEPT if operation == "seal" else {})}
    ways = {**own, **BESIDE[suite]}
    ratios_of = [*list(own)[1:], *BESIDE[suite]]
    batches = [way for way in own if way in ("batch", *KEPT)]
    for size in SIZES:
        tests = {way: value_test(operation, way, size, suite) for way in ways}
        rows.append([size, *(time(results.median(test, way)) for way, test in tests.items())])
        over = [multiple(results.multiple(tests[way], f"{way}-ratio")) for way in ratios_of]
        # A batch has its own comparison with one by one.
        over += [multiple(results.multiple(tests[way], f"{way}-over-into-ratio")) for way in batches]
        allocations = [number(results.multiple(tests[way], f"{way}-allocations")) for way in list(own)[1:]]
        ratios.append([size, *over, *allocations])
    name = f"{operation.capitalize()} one value" + (" with suite 02" if suite == SUITE_02 else "")
    sodium = results.sodium_of_suite_02() if suite == SUITE_02 else results.sodiums["system"]
    others = " and ".join(f"of {ways[way]}" for way in BESIDE[suite])
    return [
        Table(
            name,
            f"Time of one operation, with libsodium {sodium}; a batch is of 100 values.",
            ["size", *ways.values()],
            rows,
        ),
        Table(
            f"{name}: ratios and allocations",
            f"Times over those of the plain calls in the same round, of a batch also over one by one into a buffer, and"
            f" {others} over EnvelopeKit into a buffer. Heap allocations of one operation.",
            ["size", *(BESIDE[suite].get(way, way) for way in ratios_of), *(f"{way} / into" for way in batches),
             *(f"{way} allocates" for way in list(own)[1:])],
            ratios,
        ),
    ]


def both_sodiums(results):
    """Suite 01 and environments with each of two versions of libsodium."""
    tests = [(f"{operation}-{size}", "into") for operation in ("seal", "open") for size in ("64B", "4KiB", "1MiB")]
    tests += [("environment-open-50", "text"), ("environment-seal-50", "text"), ("data-key-unwrap", "envelope")]
    rows = []
    for test, metric in tests:
        row = [f"{test.replace('-', ' ')}, {metric}"]
        for build in results.sodiums:
            row += [time(results.median(test, metric, build)), multiple(results.multiple(test, f"{metric}-ratio", build))]
        rows.append(row)
    header = [cell for version in results.sodiums.values() for cell in (version, f"{version}, over plain")]
    note = "Each version was measured in processes of its own, so their times compare less well than the ratios."
    return Table("Suite 01 and environments by version of libsodium", note, ["work", *header], rows)


def environments(results, operation, parsed):
    rows = []
    plain = ["unguarded", "plain"] if operation == "open" else ["plain"]
    for count in COUNTS:
        test = f"environment-{operation}-{count}"
        times = [results.median(test, metric) for metric in (*plain, parsed, "text")]
        ratios = [multiple(results.multiple(test, f"{metric}-ratio")) for metric in (parsed, "text")]
        allocations = [number(results.multiple(test, f"{metric}-allocations")) for metric in (parsed, "text")]
        each = time(quotient(times[-2], count))
        rows.append([str(count), *map(time, times), *ratios, *allocations, each])
    return Table(
        f"{operation.capitalize()} an environment",
        "Variables of 32 bytes, one data key; the unwrap or the wrap of the data key is in it."
        + (" Unguarded is plain without guarded memory for what is opened." if operation == "open" else ""),
        ["variables", *plain, parsed, "with text", f"{parsed} / plain", "text / plain", f"{parsed} allocates",
         "text allocates", f"{parsed}, a variable"],
        rows,
    )


def keys(results):
    rows = []
    for test in ("data-key-generate", "data-key-wrap", "data-key-unwrap", "header-parse"):
        times = [time(results.median(test, metric)) for metric in ("plain", "envelope")]
        ratio, allocations = (results.multiple(test, f"envelope-{kind}") for kind in ("ratio", "allocations"))
        rows.append([test.replace("-", " "), *times, multiple(ratio), number(allocations)])
    return Table("Data keys and headers", "", ["work", "plain", "EnvelopeKit", "ratio", "allocates"], rows)


def peers(results, operation):
    own = peer_row(lambda count: results.median(f"environment-{operation}-{count}", "text"))
    rows = [["EnvelopeKit, one environment", "", *own, ""]]
    ours = results.median(f"environment-{operation}-50", "text")
    variants = dict.fromkeys((m["peer"], m["variant"], m["sealed_bytes"]) for m in results.peers["measures"])
    for peer, variant, sealed_bytes in variants:
        found = {n: results.peer(peer, variant, operation, n) for n in (1, 10, 50, 200)}
        times = peer_row(lambda count: found[count] and found[count]["median_ns"])
        slower = multiple(quotient(found[50] and found[50]["median_ns"], ours))
        rows.append([f"{peer}, {variant}", str(sealed_bytes), *times, slower])
    return Table(
        f"{operation.capitalize()} N values of 32 bytes: other libraries",
        "Each value is a message of its own there, with its own data key under a local key. The last column is the time"
        " for 50 values over EnvelopeKit's, from or to the text.",
        ["library", "bytes of a message", "1", "10", "50", "200", "50, over EnvelopeKit"],
        rows,
    )


def peer_row(nanoseconds):
    return [time(nanoseconds(count)) for count in (1, 10, 50, 200)]


def cold_start(results):
    names = {
        "true": "`true`, the floor",
        "start": "a program with EnvelopeKit that only starts",
        "open": "the same, opening ten sealed variables",
    }
    rows = [
        [names[m["name"]], time(m["median_ns"]), time(m["minimum_ns"]), time(m["p90_ns"])]
        for m in results.cold_start["measures"]
    ]
    note = f"Whole processes from start to end, {results.cold_start['rounds']} rounds, in turn."
    return Table("Cold start", note, ["process", "median", "minimum", "90 of 100 under"], rows)


def command_start(results):
    names = {"exec": "`envelope exec FILE -- true`, ten variables", "age": "`age -d -i IDENTITY` of the same ten"}
    measured = results.command_start
    rows = [
        [names[m["name"]], time(m["median_ns"]), time(m["minimum_ns"]), time(m["p90_ns"])]
        for m in measured["measures"]
    ]
    note = (
        f"Whole processes of copied programs from start to end, {measured['rounds']} rounds, in turn. `envelope` took "
        f"{measured['ratio']:.2f} times as long as `age`, in the median of the rounds. It is a static program of "
        f"{measured['size'] / 1e6:.1f} MB and had {measured['resident'] / 1e6:.1f} MB resident at most.")
    return Table("The command", note, ["process", "median", "minimum", "90 of 100 under"], rows)


def kms_start(results):
    names = {"exec": "`envelope exec FILE -- true` with a key in AWS KMS", "boto3": "`boto3` in Python, one Decrypt"}
    measured = results.kms_start
    rows = [
        [names[m["name"]], time(m["median_ns"]), time(m["minimum_ns"]), f"{m['resident'] / 1e6:.0f} MB"]
        for m in measured["measures"]
    ]
    note = (
        f"Whole processes from start to end, {measured['rounds']} rounds, in turn, with the key service of the tests on the "
        f"same machine over TLS. Each makes one handshake and one Decrypt by the server's count. `envelope` took "
        f"{measured['ratio']:.2f} times as long as `boto3`, in the median of the rounds.")
    return Table("A call of AWS KMS", note, ["process", "median", "minimum", "resident at most"], rows)


def growth(results):
    rows = []
    for operation in ("seal", "open"):
        for metric in ("into", "bytes"):
            small, large = (per_byte(results, operation, metric, size) for size in ("16KiB", "16MiB"))
            rows.append([f"{operation}, {metric}: a byte, 16 KiB and 16 MiB", *growth_row(small, large)])
    for test, metric in (("open", "opened"), ("open", "text"), ("seal", "sealed"), ("seal", "text")):
        small, large = (per_variable(results, test, metric, count) for count in (50, 1000))
        rows.append([f"environment {test}, {metric}: a variable of 50 and of 1,000", *growth_row(small, large)])
    return Table("Growth", "", ["time of", "of few", "of many", "many / few"], rows)


def growth_row(small, large):
    times = ["–" if one is None else f"{three_digits(one)} ns" for one in (small, large)]
    return [*times, multiple(quotient(large, small))]


def per_byte(results, operation, metric, size):
    return quotient(results.median(f"{operation}-{size}", metric), SIZES[size])


def per_variable(results, operation, metric, count):
    return quotient(results.median(f"environment-{operation}-{count}", metric), count)


def capacity(results):
    keys = {"keyset": "local keyset", "kms": "AWS KMS"}
    rows = [[f"{form}, {keys[key]}", str(fits(curve))] for (form, key), curve in results.capacity.items()]
    note = "Names of 12 and values of 20 characters."
    return Table("Secrets that fit in 4,096 bytes", note, ["form and key", "fit"], rows)


def figures(results):
    """Every table for which there are figures."""
    suites = [SUITE_01, SUITE_02] if results.sodium_of_suite_02() else [SUITE_01]
    tables = [table for suite in suites for operation in ("seal", "open") for table in values(results, operation, suite)]
    if len(results.sodiums) > 1:
        tables.append(both_sodiums(results))
    tables += [environments(results, "open", "opened"), environments(results, "seal", "sealed")]
    tables += [keys(results), growth(results)]
    if results.peers:
        tables += [peers(results, "open"), peers(results, "seal")]
    if results.cold_start:
        tables.append(cold_start(results))
    if results.command_start:
        tables.append(command_start(results))
    if results.kms_start:
        tables.append(kms_start(results))
    if results.capacity:
        tables.append(capacity(results))
    return tables


# What was asked


class Asked:
    """A figure that was asked for: the worst of the measured ones must keep it. Without a limit it is only shown."""

    def __init__(self, what, limit, measured, at_least=False, show=exact):
        self.what, self.limit, self.at_least, self.show = what, limit, at_least, show
        self.measured = {where: value for where, value in measured.items() if value is not None}
        worst = min if at_least else max
        self.where = worst(self.measured, key=self.measured.get, default=None)
        self.value = self.measured.get(self.where)

    def reached(self):
        if self.value is None:
            return "not measured"
        if self.limit is None:
            return "–"
        return "yes" if (self.value >= self.limit if self.at_least else self.value <= self.limit) else "no"

    def bound(self):
        if self.limit is None:
            return "–"
        return f"{'at least' if self.at_least else 'at most'} {self.show(self.limit)}"

    def row(self):
        differs = len(set(self.measured.values())) > 1
        where = f" ({self.where})" if differs else ""
        return [self.what, self.bound(), self.show(self.value) + where, self.reached()]


def by_size(results, operation, metric, smallest=0, suite=SUITE_01):
    return {
        size: results.multiple(value_test(operation, "into", size, suite), metric)
        for size, count in SIZES.items() if count >= smallest
    }


def asked_of_values(results, operation):
    faster = {"seal": 2.8, "open": 1.15}[operation]
    into, returning = f"{operation}, into a buffer", f"{operation}, returning bytes"
    return [
        Asked(f"{into}, 64 B and up, over plain", 1.05, by_size(results, operation, "into-ratio", 64)),
        Asked(f"{into}: allocations", 0, by_size(results, operation, "into-allocations"), show=number),
        Asked(f"{returning}, 64 B and up, over plain", 1.15, by_size(results, operation, "bytes-ratio", 64)),
        Asked(f"{returning}: allocations", 1, by_size(results, operation, "bytes-allocations"), show=number),
        Asked(f"{operation} 64 B: faster than ChaChaPoly.{operation}", faster,
              {"64B": results.multiple(f"{operation}-64B", "ChaChaPoly-ratio")}, at_least=True),
    ]


def asked_of_suite_02(results):
    def one(operation, metric, way="into"):
        return results.multiple(value_test(operation, way, "64B", SUITE_02), metric)

    aes_gcm = {
        f"{operation} {size}": value
        for operation in ("seal", "open")
        for size, value in by_size(results, operation, "AES.GCM-ratio", suite=SUITE_02).items()
    }
    batches = {operation: one(operation, "suite01-ratio", "batch") for operation in ("seal", "open")}
    kept = {"seal": one("seal", "suite01kept-ratio", "kept")}
    asked = []
    for operation, limit in (("seal", 1.08), ("open", 1.4)):
        what = f"suite 02, {operation} 64 B into a buffer"
        asked += [
            Asked(f"{what}, over plain AEGIS-256", limit, {"64B": one(operation, "into-ratio")}),
            Asked(f"{what}: allocations", 0, {"64B": one(operation, "into-allocations")}, show=number),
        ]
    return asked + [
        Asked("suite 02, open 64 B: faster than suite 01", 6, {"64B": one("open", "suite01-ratio")}, at_least=True),
        Asked("suite 02, 16 B to 16 MiB: faster than AES.GCM", 1.5, aes_gcm, at_least=True),
        Asked("suite 02, open 64 B: faster than AES.GCM.open", 15, {"64B": one("open", "AES.GCM-ratio")}, at_least=True),
        Asked("suite 02, a value of a batch of 100 of 64 B: faster than suite 01's", 5, batches, at_least=True),
        Asked("the same, all envelopes kept", 5, kept, at_least=True),
    ]


def asked_of_long_batches(results):
    def over(operation, way):
        return {
            f"{operation} {size}, suite {name}": results.multiple(
                value_test(operation, way, size, suite), f"{way}-over-into-ratio")
            for size in LONG for suite, name in ((SUITE_01, "01"), (SUITE_02, "02"))
        }

    what = "a value of a batch, 16 KiB to 1 MiB"
    return [
        Asked(f"{what}, over one by one into a buffer", 1.1, {**over("seal", "batch"), **over("open", "batch")}),
        Asked(f"{what}, all envelopes kept, over one by one into a buffer", 1.1, over("seal", "kept")),
    ]


def asked_of_environments(results):
    asked = [
        Asked(what, limit, {"50": results.multiple(test, metric)})
        for what, limit, test, metric in (
            ("environment of 50 opened, unwrap included, over plain", 1.3, "environment-open-50", "opened-ratio"),
            ("environment of 50 from text, unwrap included, over plain", 1.4, "environment-open-50", "text-ratio"),
            ("environment of 50 sealed, with text, over plain", 1.7, "environment-seal-50", "text-ratio"),
        )
    ]
    unwrapped = {"": results.multiple("data-key-unwrap", "envelope-ratio")}
    asked.append(Asked("data key unwrapped, over plain", 1.8, unwrapped))
    ours = results.median("environment-open-50", "text")
    for variant in encryption_sdk_variants(results):
        theirs = results.peer(ENCRYPTION_SDK, variant, "open", 50)
        what = f"environment of 50 from text: faster than {ENCRYPTION_SDK} opening 50 values, {variant}"
        faster = quotient(theirs and theirs["median_ns"], ours)
        asked.append(Asked(what, 500 if variant == DEFAULT_VARIANT else None, {"50": faster}, at_least=True))
    return asked


def encryption_sdk_variants(results):
    """The default one, about which something was asked, and the others that were measured."""
    measures = results.peers["measures"] if results.peers else []
    return dict.fromkeys([DEFAULT_VARIANT, *(m["variant"] for m in measures if m["peer"] == ENCRYPTION_SDK)])


def asked_of_growth(results):
    variable, byte = {}, {}
    for operation, metric in (("open", "opened"), ("open", "text"), ("seal", "sealed"), ("seal", "text")):
        small, large = (per_variable(results, operation, metric, count) for count in (50, 1000))
        variable[f"{operation}, {metric}"] = quotient(large, small)
    for operation in ("seal", "open"):
        for metric in ("into", "bytes"):
            small, large = (per_byte(results, operation, metric, size) for size in ("16KiB", "16MiB"))
            byte[f"{operation}, {metric}"] = quotient(large, small)
    return [
        Asked("time of a variable, of 1,000 over of 50", 1.2, variable),
        Asked("time of a byte, of 16 MiB over of 16 KiB", 1.2, byte),
    ]


def asked_of_command(results):
    measured = results.command_start or {}
    return [
        Asked("`envelope exec` of ten variables, over `age -d` of them", 0.8, {"10": measured.get("ratio")}),
        Asked("the command without AWS: size in MB", 20, {"": in_megabytes(measured.get("size"))}, show=number),
        Asked("`envelope exec`: resident memory in MB", 6, {"": in_megabytes(measured.get("resident"))}, show=number),
    ]


def in_megabytes(count):
    return None if count is None else round(count / 1e6, 1)


def reaches(results):
    asked = [*asked_of_values(results, "seal"), *asked_of_values(results, "open")]
    asked += [*asked_of_suite_02(results), *asked_of_long_batches(results)]
    asked += [*asked_of_environments(results), *asked_of_growth(results), *asked_of_command(results)]
    note = "The worst of the sizes or ways that a line is about, and which it is."
    return Table("What was asked", note, ["figure", "asked", "measured", "reached"], [one.row() for one in asked])

# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The tables about files, and what was asked of their figures."""
import statistics

from results import SUITE_01, SUITE_02
from tables import Asked, Table, exact, multiple, number, quotient, three_digits, time

OPERATIONS = ("seal", "open")
SUITE_NAMES = {SUITE_01: "01", SUITE_02: "02"}
STREAM_BYTES = 1 << 30
MIB, GIB = 1 << 20, 1 << 30
READ_SIZES = {1: "1 MiB", 32: "32 MiB", 1024: "1 GiB"}


def suites(results):
    return SUITE_NAMES if results.sodium_of_suite_02() else {SUITE_01: "01"}


def gigabytes_a_second(nanoseconds):
    return "–" if not nanoseconds else f"{three_digits(STREAM_BYTES / nanoseconds)} GB/s"


def inverse(value):
    return None if not value else 1 / value


def stream_test(operation, suite):
    return f"stream-{operation}-{suite}1GiB"


def faster(results, test, metric):
    """How many times the throughput of something else this has: the inverse of the ratio of their times."""
    return inverse(results.multiple(test, f"{metric}-ratio"))


# Figures


def streams(results):
    rows, ratios = [], []
    for suite, name in suites(results).items():
        for operation in OPERATIONS:
            test = stream_test(operation, suite)
            way = f"{operation}, suite {name}"
            contenders = ("plain", "one", "plain-buffer", "pieces", "plain-two", "two")
            rows.append([way, *(gigabytes_a_second(results.median(test, contender)) for contender in contenders)])
            metrics = ("one", "pieces", "plain-two", "two", "two-over-plain-two")
            ratios.append([
                way, *(multiple(faster(results, test, metric)) for metric in metrics),
                number(results.multiple(test, "pieces-allocations"))])
    note = (
        "Throughput of one stream, from memory to memory. Plain is one call for each chunk of 64 KiB. In pieces: 256 KiB"
        " in a call, into a buffer that stays in the processor's cache, as plain into a buffer of 64 KiB.")
    yield Table("Seal and open 1 GiB in memory", note, [
        "way", "plain, one core", "one core", "plain, into a buffer", "in pieces", "plain, two cores", "two cores"], rows)
    yield Table(
        "Seal and open 1 GiB in memory: ratios and allocations",
        "Throughput over that of another way in the same round; the heap allocations of one whole stream in pieces.",
        ["way", "one core / plain", "pieces / plain into a buffer", "plain: two cores / one", "two cores / one",
         "two cores / plain on two", "pieces allocate"], ratios)


def aes_gcm(results):
    openssl = results.files and results.files["openssl"]
    rows = []
    for operation in OPERATIONS:
        row = [operation]
        for suite in suites(results):
            test = stream_test(operation, suite)
            row += [gigabytes_a_second(results.median(test, "one"))]
            if suite == list(suites(results))[-1]:
                row += [gigabytes_a_second(results.median(test, "AES.GCM"))]
        rate = openssl and statistics.median(openssl["rates"][operation])
        rows.append([*row, f"{three_digits(rate / 1e9)} GB/s" if rate else "–"])
    header = ["", *(f"suite {name}" for name in suites(results).values()), "swift-crypto AES.GCM", "openssl speed"]
    version = f" OpenSSL {openssl['version']} is the program `openssl speed`, a process of its own." if openssl else ""
    note = f"Chunks of 64 KiB, one core, swift-crypto in the same rounds.{version}"
    return Table("AES-256-GCM beside streams", note, header, rows)


def reads(results):
    rows = []
    for suite, name in suites(results).items():
        test = f"file-read-{suite}1024"
        for size, words in READ_SIZES.items():
            ratios = [results.multiple(test, f"read-{size}-ratio"), results.multiple(test, f"read-{size}-over-read-1-ratio")]
            times = [time(results.median(test, f"{contender}-{size}")) for contender in ("plain", "read")]
            allocates = number(results.multiple(test, f"read-{size}-allocations"))
            rows.append([f"{words}, suite {name}", *times, *map(multiple, ratios), allocates])
    note = ("4 KiB at a random offset of a sealed file that is open. Plain reads one sealed chunk of 64 KiB and opens it."
            " The files lie in memory; those of 1 MiB also in the processor's cache.")
    return Table("Read at an offset", note, [
        "file", "plain", "read", "read / plain", "read / that of 1 MiB", "allocates"], rows)


def archives(results):
    rows = []
    for suite, name in suites(results).items():
        test = f"archive-{suite}10KiB"
        for contender, words in (("entry", "the archive is open"), ("opened", "opening included")):
            kilobytes = results.multiple(test, f"{contender}-kilobytes")
            rows.append([f"{words}, suite {name}", time(results.median(test, contender)), number(kilobytes)])
    note = "One entry of 10 KiB, compressed, of a sealed zip archive of 200 MiB and 1,001 entries."
    return Table("Read an entry of a sealed archive", note, ["way", "time", "kB read"], rows)


def whole(results):
    measured = results.files["whole"]
    rows = []
    for name, times in measured.items():
        words = f"suite {name}" if name[0] == "0" else name
        compared = ""
        for operation in OPERATIONS:
            if name.endswith(operation):
                compared = multiple(over_age(results, operation, name))
        row = [words, seconds(statistics.median(times)), seconds(min(times)), compared]
        rows.append(row)
    note = (
        f"Whole processes on files of 1 GiB in memory, all cores; {results.files['rounds']} rounds, in turn. age has one"
        " recipient, and so many times as long as it took the faster age, in the median of the rounds.")
    return Table("Files of 1 GiB", note, ["what", "median", "minimum", "the faster age takes"], rows)


def faster_age(results, operation):
    return min(
        (f"age {version} {operation}" for version in results.files["ages"]),
        key=lambda name: statistics.median(results.files["whole"][name]))


def over_age(results, operation, name):
    """How many times as long the faster age takes, in the median of the rounds."""
    measured = results.files["whole"] if results.files else {}
    if name not in measured:
        return None
    theirs = measured[faster_age(results, operation)]
    return statistics.median(other / own for other, own in zip(theirs, measured[name]))


def seconds(value):
    return time(value * 1e9)


def growth(results):
    names = growth_names(results)
    by_size = growth_by_size(results)
    rows = [
        [size_name(size), *(seconds(times[name]) if name in times else "–" for name in names)]
        for size, times in by_size.items()
    ]
    note = ("Whole processes on files in memory, all cores, medians. Beyond 1 GiB the input is a hole, and files are"
            " verified instead of opened, since there is not memory for all.")
    return Table("Growth of files", note, ["size", *(growth_words(name) for name in names)], rows)


def growth_words(name):
    return f"{name[3:]}, suite {name[:2]}" if name[0] == "0" else name


def growth_names(results):
    return list(dict.fromkeys(one["name"] for one in results.files["growth"]))


def growth_by_size(results):
    """Median seconds by size and name."""
    found = {}
    for one in results.files["growth"]:
        found.setdefault(one["size"], {})[one["name"]] = statistics.median(one["seconds"])
    return dict(sorted(found.items()))


def size_name(size):
    return f"{size // GIB} GiB" if size >= GIB else f"{size // MIB} MiB"


def memory(results):
    resident = results.files["resident"]
    sizes = [size for size in resident if size != "idle"]
    rows = []
    for way in resident[sizes[0]]:
        above = [resident[size].get(way) for size in sizes]
        rows.append([growth_words(way), *("–" if one is None else mebibytes(one - resident["idle"]) for one in above)])
    note = (
        f"The most memory of the command that was resident, above the {mebibytes(resident['idle'])} of one that only"
        " prints its version.")
    return Table("Memory", note, ["way", *(f"of {size_name(int(size))}" for size in sizes)], rows)


def mebibytes(count):
    return f"{count / MIB:.1f} MiB"


def figures(results):
    if results.median(stream_test("seal", SUITE_01), "one"):
        yield from streams(results)
        yield aes_gcm(results)
        yield reads(results)
        yield archives(results)
    if results.files:
        yield from (whole(results), growth(results), memory(results))


# What was asked


def asked(results):
    own = suites(results)
    tests = {f"{operation}, suite {name}": stream_test(operation, suite)
             for suite, name in own.items() for operation in OPERATIONS}

    def by_way(metric):
        return {way: faster(results, test, metric) for way, test in tests.items()}

    lines = [
        Asked("1 GiB in memory, one core, over plain: throughput", 0.95, by_way("one"), at_least=True),
        Asked("the same in pieces of 256 KiB, over plain into a buffer", 0.95, by_way("pieces"), at_least=True),
        Asked("the same, two cores over one", 1.8, by_way("two"), at_least=True),
        Asked("the plain calls, two cores over one", None, by_way("plain-two"), at_least=True),
    ]
    if SUITE_02 in own:
        lines += asked_of_aes_gcm(results)
    for suite, limits in (("01", (1.2, 2.5)), ("02", (1.5, 3.5))):
        for operation, limit in zip(OPERATIONS, limits):
            value = over_age(results, operation, f"{suite} {operation}")
            lines.append(Asked(f"1 GiB file, {operation}, suite {suite}: faster than the faster age", limit, {"": value},
                               at_least=True))
    return lines + asked_of_reads(results) + (asked_of_command(results) if results.files else [])


def asked_of_aes_gcm(results):
    tests = {operation: stream_test(operation, SUITE_02) for operation in OPERATIONS}
    crypto = {operation: results.multiple(test, "AES.GCM-ratio") for operation, test in tests.items()}
    lines = [Asked("suite 02 in memory: faster than swift-crypto's AES.GCM", 1, crypto, at_least=True)]
    if results.files:
        rates = {name: statistics.median(one) for name, one in results.files["openssl"]["rates"].items()}
        own = {operation: quotient(STREAM_BYTES * 1e9, results.median(test, "one")) for operation, test in tests.items()}
        over = {operation: quotient(own[operation], rates[operation]) for operation in OPERATIONS}
        lines.append(Asked("suite 02 in memory: faster than OpenSSL's AES-256-GCM", 1, over, at_least=True))
    return lines


def asked_of_reads(results):
    over_plain, over_small, times, read = {}, {}, {}, {}
    for suite, name in suites(results).items():
        test = f"file-read-{suite}1024"
        for size, words in READ_SIZES.items():
            over_plain[f"{words}, suite {name}"] = results.multiple(test, f"read-{size}-ratio")
        over_small[f"suite {name}"] = results.multiple(test, "read-1024-over-read-1-ratio")
        nanoseconds = results.median(f"archive-{suite}10KiB", "entry")
        times[f"suite {name}"] = nanoseconds and nanoseconds / 1e6
        read[f"suite {name}"] = results.multiple(f"archive-{suite}10KiB", "opened-kilobytes")
    return [
        Asked("4 KiB at an offset, over plain", 2, over_plain),
        Asked("4 KiB at an offset, of a file of 1 GiB over one of 1 MiB", None, over_small),
        Asked("an entry of an archive of 200 MiB: kB read, opening included", 524.287, read, show=number),
        Asked("an entry of an archive that is open: milliseconds", 5, times, show=lambda one: number(one and round(one, 3))),
    ]


def asked_of_command(results):
    resident = results.files["resident"]
    above = {
        f"{growth_words(way)}, {size_name(int(size))}": (most - resident["idle"]) / MIB
        for size, ways in resident.items() if size != "idle" for way, most in ways.items()
    }
    by_size = growth_by_size(results)
    longest = max(by_size)
    linear = {
        growth_words(way): by_size[longest][way] / longest * GIB / by_size[GIB][way]
        for way in by_size[longest] if way in by_size.get(GIB, {})
    }
    times = results.files["whole"]
    over_cp = statistics.median(own / copy for own, copy in zip(times["rewrap"], times["cp sealed"]))
    return [
        Asked("resident memory above an idle process, in MiB", 32, above, show=lambda one: number(one and round(one, 1))),
        Asked(f"time of a byte, of {size_name(longest)} over of 1 GiB", 1.2, linear),
        Asked("rewrapping 1 GiB, over `cp` of it", 1.1, {"": over_cp}),
    ]


def reaches(results):
    note = "The worst of the ways that a line is about, and which it is."
    rows = [one.row() for one in asked(results)]
    return Table("What was asked of files", note, ["figure", "asked", "measured", "reached"], rows)

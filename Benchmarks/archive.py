#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the zip archive that the benchmarks read one entry of: 200 MiB, like a layer of a thousand files.

    archive.py FILE
"""
import os
import sys
import zipfile

COUNT, TOTAL, ENTRY = 1000, 200 << 20, 10 << 10


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: archive.py FILE")
    with zipfile.ZipFile(sys.argv[1], "w") as archive:
        for number in range(COUNT):
            archive.writestr(f"python/lib/package/module_{number:04}.bin", os.urandom(TOTAL // COUNT))
            if number == COUNT // 2:
                # Half of it compresses to nothing.
                entry = os.urandom(ENTRY // 2) + bytes(ENTRY // 2)
                archive.writestr("python/entry", entry, compress_type=zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()

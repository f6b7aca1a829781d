# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a test command and stops it after a time limit.

usage: watchdog.py SECONDS COMMAND...

A run that ends keeps its exit status; the tests that it skipped are printed with their reasons. The command's output is passed on as it arrives. At the limit the command and all processes that it started are killed,
the tests that had started and not ended are printed by name, and the exit status is 124. The testing library's own
time limits cannot replace this: they need a thread, and a test that blocks or spins may keep them all.

The command must pass --event-stream-output-path "$ENVELOPE_TEST_EVENTS" to `swift test`. Its output would not do:
`swift test` holds back part of it in a buffer.
"""

import collections
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

IS_LINUX = sys.platform == "linux"
PR_SET_CHILD_SUBREAPER = 36


def events_of_tests(path):
    """The events of the testing library's event stream that name a test."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            payload = json.loads(line)["payload"]
            yield payload["kind"], payload["testID"], payload.get("messages", [])
        except (ValueError, KeyError, TypeError):
            pass  # No event of a test, or a line that was being written.


def running_tests(path):
    """The tests that have started and not ended."""
    running = []
    for kind, test, _ in events_of_tests(path):
        # The id of a suite ends with its name, that of a test goes on with the function and the place.
        if kind == "testStarted" and "/" in test:
            running.append(test)
        elif kind == "testEnded" and test in running:
            running.remove(test)
    return running


def skipped_tests(path):
    """The tests that were skipped, each with its reason."""
    return [message["text"] for kind, _, messages in events_of_tests(path) if kind == "testSkipped"
            for message in messages]


def parents():
    """All processes, each with its parent."""
    if not IS_LINUX:
        command = ["ps", "-A", "-o", "pid=,ppid="]
        listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        return [tuple(map(int, line.split())) for line in listing.splitlines()]
    pairs = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The parent comes after the state, which comes after the program's name in parentheses.
                pairs.append((int(name), int(file.read().rpartition(b")")[2].split()[1])))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return pairs


def descendants(ancestor):
    """The processes that a process started, and those that they started."""
    children = collections.defaultdict(list)
    for process, parent in parents():
        children[parent].append(process)
    found, pending = [], [ancestor]
    while pending:
        started = children[pending.pop()]
        found += started
        pending += started
    return found


def reap_orphans(command):
    """Reaps orphans that have ended, as the system does if this process is not their parent."""
    while (child := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and child.si_pid != command:
        os.waitpid(child.si_pid, 0)


def reap():
    """Reaps the children that have ended; false if there are no children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False


def kill_descendants():
    """Kills all descendants. Orphans are among them where the system makes this process their parent."""
    # One that is starting another may be seen before that other is: look again until there are none.
    for _ in range(100):
        if not reap():
            return
        for process in descendants(os.getpid()):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def status(returncode):
    return returncode if returncode >= 0 else 128 - returncode


def run(limit, command, events):
    if IS_LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    deadline = time.monotonic() + limit
    environment = {**os.environ, "ENVELOPE_TEST_EVENTS": events}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.fileno()

    def pass_on(seconds):
        """Passes on what arrives within this time; false at the end of the output."""
        if not select.select([output], [], [], max(seconds, 0))[0]:
            return True
        data = os.read(output, 65536)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return bool(data)

    is_open = True
    try:
        # The end of the output is not the end of the command: either may close it, or leave it to another process.
        while process.poll() is None and time.monotonic() < deadline:
            seconds = min(1, deadline - time.monotonic())
            if is_open:
                is_open = pass_on(seconds)
            else:
                time.sleep(max(min(seconds, 0.1), 0))
            if IS_LINUX:
                reap_orphans(process.pid)
        is_late = process.poll() is None
    finally:
        kill_descendants()
    while is_open and select.select([output], [], [], 0)[0]:
        is_open = pass_on(0)
    if not is_late:
        if tests := skipped_tests(events):
            print("\nTests that were skipped:", *tests, sep="\n  ", file=sys.stderr)
        return status(process.returncode)
    print(f"\nThe test run did not end within {limit:g} seconds and was stopped.", file=sys.stderr)
    if tests := running_tests(events):
        print("Tests that had started and not ended:", *tests, sep="\n  ", file=sys.stderr)
    else:
        print("No test had started and not ended.", file=sys.stderr)
    return 124


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: watchdog.py SECONDS COMMAND...")
    # Ends as at Ctrl-C, so that the command is stopped too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as folder:
            code = run(float(sys.argv[1]), sys.argv[2:], folder + "/events")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The watchdog of Tests/run, on runners that hang, end, fail and leave processes."""

import json
import os
import subprocess
import sys
import unittest

WATCHDOG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watchdog.py")

def event(kind, test):
    return json.dumps({"kind": "event", "payload": {"kind": kind, "testID": test}, "version": 0})


# As the testing library writes it, with lines that are no events of tests, and one that is not complete.
EVENTS = "\n".join([
    json.dumps({"kind": "test", "payload": {"kind": "function", "id": "M.S/ends()/S.swift:1:4"}, "version": 0}),
    json.dumps({"kind": "event", "payload": {"kind": "runStarted"}, "version": 0}),
    event("testStarted", "M.S"), event("testStarted", "M.S/ends()/S.swift:1:4"),
    event("testCaseStarted", "M.S/ends()/S.swift:1:4"), event("testCaseEnded", "M.S/ends()/S.swift:1:4"),
    event("testEnded", "M.S/ends()/S.swift:1:4"), event("testStarted", "M.S/hangs(_:)/S.swift:2:4"),
    event("testCaseStarted", "M.S/hangs(_:)/S.swift:2:4"), event("testCaseEnded", "M.S/hangs(_:)/S.swift:2:4"),
    "null", event("testStarted", "M.S/hangs()/S.swift:3:4"), event("testStarted", "M.S/lost()/S.swift:4:4")[:-9]])


def start(limit, script):
    return subprocess.Popen(
        [sys.executable, "-B", WATCHDOG, str(limit), "sh", "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")


def watch(limit, script):
    process = start(limit, script)
    output, messages = process.communicate(timeout=60)
    return process.returncode, output, messages


def is_gone(process):
    try:
        os.kill(int(process), 0)
        return False
    except ProcessLookupError:
        return True


class WatchdogTests(unittest.TestCase):
    def test_names_tests_of_run_that_hangs(self):
        script = f"echo working; cat > \"$ENVELOPE_TEST_EVENTS\" <<'END'\n{EVENTS}\nEND\nsleep 600"
        code, output, messages = watch(3, script)
        self.assertEqual((code, output), (124, "working\n"))
        self.assertIn("did not end within 3 seconds", messages)
        names = messages.partition("not ended:\n")[2].split("\n")
        self.assertEqual(names, ["  M.S/hangs(_:)/S.swift:2:4", "  M.S/hangs()/S.swift:3:4", ""])

    def test_stops_run_that_hangs_before_first_test(self):
        code, _, messages = watch(0.2, "sleep 600")
        self.assertEqual(code, 124)
        self.assertIn("No test had started", messages)

    def test_stops_run_that_spins_and_ignores_signals(self):
        self.assertEqual(watch(0.5, "trap '' TERM INT HUP; while :; do :; done")[0], 124)

    def test_stops_run_that_closed_its_output(self):
        self.assertEqual(watch(0.5, "exec >&- 2>&-; sleep 600")[0], 124)

    def test_prints_skipped_tests(self):
        skipped = json.dumps({"kind": "event", "version": 0, "payload": {
            "kind": "testSkipped", "testID": "M.S/needs()/S.swift:5:4",
            "messages": [{"symbol": "skip", "text": "Test needs() skipped: \"No vectors\""}]}})
        script = f"cat > \"$ENVELOPE_TEST_EVENTS\" <<'END'\n{EVENTS}\n{skipped}\nEND\nexit 3"
        code, _, messages = watch(60, script)
        self.assertEqual(code, 3)
        self.assertEqual(messages, "\nTests that were skipped:\n  Test needs() skipped: \"No vectors\"\n")

    def test_keeps_exit_status(self):
        for status in [0, 1, 3]:
            self.assertEqual(watch(60, f"echo out; echo err >&2; exit {status}"), (status, "out\nerr\n", ""))
        self.assertEqual(watch(60, "kill -KILL $$")[0], 137)

    def test_passes_output_on_as_it_arrives(self):
        # The command ends only after its first line has come through.
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-B", WATCHDOG, "60", "sh", "-c", "echo first; read line; echo $line"],
            stdin=reader, stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "first\n")
        os.write(writer, b"last\n")
        self.assertEqual(process.communicate(timeout=60)[0], "last\n")
        self.assertEqual(process.returncode, 0)
        os.close(reader), os.close(writer)

    def test_kills_processes_in_sessions_of_their_own(self):
        child = f"{sys.executable} -c 'import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)'"
        code, output, _ = watch(5, f"{child} & wait")
        self.assertEqual(code, 124)
        self.assertTrue(is_gone(output))

    def test_process_left_behind_does_not_keep_run_open(self):
        code, output, _ = watch(600, "sleep 600 & echo $!; exit 5")
        self.assertEqual(code, 5)
        if sys.platform == "linux":
            self.assertTrue(is_gone(output))

    @unittest.skipUnless(sys.platform == "linux", "only Linux makes the watchdog the parent of orphans")
    def test_orphan_that_ends_is_reaped(self):
        script = "o=$(sh -c ': & echo $!'); while kill -0 $o 2>/dev/null; do sleep 0.1; done; echo gone"
        self.assertEqual(watch(60, script), (0, "gone\n", ""))

    def test_stops_run_when_it_is_stopped(self):
        process = start(600, "echo $$; exec sleep 600")
        child = process.stdout.readline()
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(is_gone(child))

    def test_refuses_missing_arguments(self):
        process = subprocess.run([sys.executable, "-B", WATCHDOG, "5"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("usage", process.stderr)


if __name__ == "__main__":
    unittest.main()

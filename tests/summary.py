#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the individual checks of a `meson test` run.

    summary.py [--status N] build/meson-logs/testlog.json

The last line printed is `N passed, N failed, N skipped`. Before it come the tests that failed and
what was skipped, with the reason. Exits 0 if something passed and nothing failed, 1 otherwise.

- A gst-check binary counts with the checks it reports. One that ended badly although no check of
  it failed (a crash, a time-out, a leak found at exit) counts as one more failed.
- Any other test counts as one.
- Below a failed one stand its failed checks, because a log may be kept in part only.
- Each line `skip: REASON` that a test prints counts as one skipped. In a gst-check binary the check
  that printed it is not counted as passed as well.
"""

import argparse
import json
import re
import sys

# Check puts a colour code before it on some terminals, hence no anchor at the start.
CHECKS = re.compile(r"\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)")
FAILED_CHECK = re.compile(r"^(?:failed: .*|\S+:\d+:[FE]:.*)$", re.MULTILINE)
SKIP = re.compile(r"^\s*skip: *(.*?)\s*$", re.MULTILINE)

MOST_LINES, LONGEST_LINE = 10, 400

GOOD = {"OK", "EXPECTEDFAIL"}


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.notes = []

    def fail(self, number, note, output=""):
        """`output`: what the test printed."""
        self.failed += number
        self.notes.append(f"failed: {note}")
        lines = FAILED_CHECK.findall(output) or output.strip().splitlines()[-MOST_LINES:]
        self.notes += [f"    {line[:LONGEST_LINE]}" for line in lines[:MOST_LINES]]

    def skip(self, note):
        self.skipped += 1
        self.notes.append(f"skipped: {note}")

    def add(self, test):
        """Adds one test, as Meson's JSON log describes it."""
        name = test.get("name") or "(no name)"
        result = test.get("result") or "ERROR"
        output = "\n".join(test.get(stream) or "" for stream in ("stdout", "stderr"))
        reasons = SKIP.findall(output)
        for reason in reasons:
            self.skip(f"{name}: {reason}")

        if result == "SKIP":
            if not reasons:
                self.skip(f"{name}: no reason given")
            return

        summaries = [tuple(map(int, found)) for found in CHECKS.findall(output)]
        if not summaries:
            if result in GOOD:
                self.passed += 1
            else:
                self.fail(1, f"{name}: {result}", output)
            return

        bad = sum(failures + errors for _, failures, errors in summaries)
        checks = sum(checks for checks, _, _ in summaries)
        self.passed += max(0, checks - bad - len(reasons))
        if bad and result == "EXPECTEDFAIL":
            self.passed += bad
        elif bad:
            self.fail(bad, f"{name}: {bad} of {checks} checks", output)
        elif result not in GOOD:
            self.fail(1, f"{name}: {result}, though none of its {checks} checks failed", output)


def read(path, count):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if not line.strip():
                    continue
                try:
                    test = json.loads(line)
                except ValueError:
                    test = None
                if isinstance(test, dict):
                    count.add(test)
                else:
                    count.fail(1, "a line of the test log is not an object of JSON")
    except OSError as error:
        count.fail(1, f"no test log: {error.strerror}: {path}")


def main():
    parser = argparse.ArgumentParser(description="Counts the checks of a meson test run.")
    parser.add_argument("--status", type=int, default=0, help="exit status of meson test")
    parser.add_argument("log", help="meson-logs/testlog.json")
    options = parser.parse_args()

    # A reason may hold what this terminal's encoding has no letter for.
    sys.stdout.reconfigure(errors="backslashreplace")

    count = Count()
    read(options.log, count)
    if options.status and not count.failed:
        count.fail(1, f"meson test ended with status {options.status}")
    if not count.passed and not count.failed:
        count.notes.append("failed: no test ran")

    print()
    for note in count.notes:
        print(note)
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped", flush=True)
    return 0 if count.passed and not count.failed else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in Python share: checks that are counted, and the `sphere` command of this build."""

import os
import pathlib
import subprocess
import sys

# A limit for each step in seconds, generous for a slow machine; nothing sleeps.
DEADLINE = 120
BUILD = pathlib.Path(os.environ["SPHERE_BUILD"])
SPHERE = str(BUILD / "gst" / "tools" / "sphere")

_checks = _failures = 0


def check(what, passed, detail=""):
    """Counts, and says so if it failed."""
    global _checks, _failures
    _checks += 1
    if not passed:
        _failures += 1
        print(f"failed: {what} {detail}")
    return passed


def run(*words, **options):
    """A command to its end, its words as text."""
    return subprocess.run([*map(str, words)], timeout=DEADLINE, text=True, check=False,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                             "stderr": subprocess.PIPE, **options})


def attempt(test, *arguments):
    """A test whose every way to fail counts as one more check."""
    try:
        test(*arguments)
    except (OSError, ValueError, KeyError, IndexError, RuntimeError,
            subprocess.SubprocessError) as reason:
        check(test.__name__, False, repr(reason))


def finish():
    """Prints the summary line as gst-check does, and ends the process."""
    passed = 100 * (_checks - _failures) // max(_checks, 1)
    print(f"{passed}%: Checks: {_checks}, Failures: {_failures}, Errors: 0")
    sys.exit(_failures > 0 or not _checks)

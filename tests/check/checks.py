# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in Python share: checks that are counted, and the `sphere` command of this build."""

import os
import pathlib
import pty
import signal
import subprocess
import sys
import threading

# A limit for each step in seconds, generous for a slow machine; nothing sleeps.
DEADLINE = 120
BUILD = pathlib.Path(os.environ["SPHERE_BUILD"])
SPHERE = str(BUILD / "gst" / "tools" / "sphere")

# A shell that starts the tests in the background has SIGINT ignored, and so would each command here.
signal.signal(signal.SIGINT, signal.default_int_handler)

_checks = _failures = 0
# Tests may run in several threads.
_counting = threading.Lock()


def check(what, passed, detail=""):
    """Counts a check, and prints it if it failed."""
    global _checks, _failures
    with _counting:
        _checks += 1
        _failures += not passed
    if not passed:
        print(f"failed: {what} {detail}")
    return passed


def run(*words, **options):
    """Runs a command to its end; what it prints is text."""
    return subprocess.run([*map(str, words)], timeout=DEADLINE, text=True, check=False,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                             "stderr": subprocess.PIPE, **options})


def launch_ours(line, env=None):
    """Runs a launch line with our own elements in another process, because they may be sanitized."""
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE, env=env)


def read_terminal(terminal):
    """The text that comes to this end of a terminal until the other end is closed."""
    said = b""
    with open(terminal, "rb", buffering=0) as messages:
        try:
            while part := messages.read(4096):
                said += part
        except OSError:
            pass  # On Linux this error means that the other end is closed.
    return said.decode(errors="replace")


def on_terminal(*words, **options):
    """Runs a command to its end, its messages on a terminal: (exit status, messages)."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=end, **options)
    os.close(end)
    said = read_terminal(terminal)
    return process.wait(timeout=DEADLINE), said


def attempt(test, *arguments):
    """Runs a test; an exception counts as a failed check."""
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

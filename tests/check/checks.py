# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in Python share: checks that are counted, and the `sphere` command of this build."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time

# A limit for each step in seconds, generous for a slow machine; nothing sleeps.
# Built with the sanitizers it is several times slower.
SANITIZED = "ASAN_OPTIONS" in os.environ
DEADLINE = 900 if SANITIZED else 120
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


def wait_for(what, found):
    """Asks again and again until it is there."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    check(what, False, "not within the deadline")
    return None


class Stopwatch:
    """How long something takes, and how much of that the machine was busy with something else: a
    thread sleeps and computes, each for a known time, and whatever more this takes is not the fault
    of what is measured."""

    ASLEEP, COMPUTING, USUAL = 0.02, 0.003, 0.025

    def __init__(self):
        self.begin = self.turn = time.monotonic()
        self.late, self.stopped = 0, False
        self.thread = threading.Thread(target=self.measure, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()

    def measure(self):
        while not self.stopped:
            time.sleep(self.ASLEEP)
            until = time.thread_time() + self.COMPUTING
            while time.thread_time() < until:
                pass
            now = time.monotonic()
            self.late += max(now - self.turn - self.USUAL, 0)
            self.turn = now

    def seconds(self):
        return time.monotonic() - self.begin

    def limit(self, usual):
        """How long may take up to now what takes so many seconds on a machine that does nothing
        else."""
        return usual * (10 if SANITIZED else 1) + 3 * self.late


def run(*words, **options):
    """Runs a command to its end; what it prints is text."""
    return subprocess.run([*map(str, words)], timeout=DEADLINE, text=True, check=False,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                             "stderr": subprocess.PIPE, **options})


@contextlib.contextmanager
def emulator(*words, **options):
    """A camera in software: its process, and what it says of itself."""
    with subprocess.Popen([SPHERE, "emulator", "--size", "320x160", *map(str, words)],
                          stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


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


class Terminal:
    """A command of ours with a terminal of its own, on which a person types. `before`: what is
    typed before the command begins."""

    def __init__(self, *words, stdout=None, before="", **options):
        self.end, self.slave = pty.openpty()
        self.type(before)
        self.process = subprocess.Popen(
            [SPHERE, *map(str, words)], stdin=self.slave, stdout=stdout or self.slave,
            stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **options)
        self.text = ""

    def shows_what_is_typed(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait_for(self, words):
        while words not in self.text:
            ready, _, _ = select.select([self.end], [], [], DEADLINE)
            if not ready:
                raise RuntimeError(f"'{words}' does not come: {self.text}")
            self.text += os.read(self.end, 4096).decode(errors="replace")

    def type(self, text):
        os.write(self.end, text.encode())

    def answer(self, question, text):
        """Answers it once it is asked. Its own text is taken away, so that it can come again."""
        self.wait_for(question)
        self.text = self.text.replace(question, "", 1)
        self.type(text)

    def finish(self):
        """Its exit status; what it still says is kept."""
        status = self.process.wait(timeout=DEADLINE)
        os.set_blocking(self.end, False)
        with contextlib.suppress(OSError):
            while more := os.read(self.end, 4096):
                self.text += more.decode(errors="replace")
        return status


def attempt(test, *arguments):
    """Runs a test; an exception counts as a failed check."""
    try:
        test(*arguments)
    except (OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError,
            subprocess.SubprocessError) as reason:
        check(test.__name__, False, repr(reason))


def finish():
    """Prints the summary line as gst-check does, and ends the process."""
    passed = 100 * (_checks - _failures) // max(_checks, 1)
    print(f"{passed}%: Checks: {_checks}, Failures: {_failures}, Errors: 0")
    sys.exit(_failures > 0 or not _checks)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of commands that talk to a camera share: an emulated one, and a home without a
ledger."""

import contextlib
import json
import os
import pathlib
import tempfile

from checks import SPHERE, attempt, check, emulator, run


@contextlib.contextmanager
def camera(*words, stdin=None):
    """An emulated camera with a card of its own: its URI, and the folder of the card; with stdin, a
    function, too, that gives it an order."""
    with tempfile.TemporaryDirectory() as card, \
            emulator("--card", card, *words, stdin=stdin) as (process, facts):
        def order(line):
            print(line, file=process.stdin, flush=True)

        uri = facts["uri"]
        yield (uri, pathlib.Path(card), order) if stdin else (uri, pathlib.Path(card))


@contextlib.contextmanager
def own_home():
    """A home without a ledger: its environment."""
    with tempfile.TemporaryDirectory() as home:
        yield {**os.environ, "XDG_DATA_HOME": home + "/data", "XDG_CACHE_HOME": home + "/cache"}


def sphere(env, *words, **options):
    return run(SPHERE, *words, env=env, **options)


def as_json(result):
    check("it prints JSON and ends with 0", result.returncode == 0, result.stderr)
    return json.loads(result.stdout)


def put(card, name, content):
    """A file on the card, and its path there."""
    path = card / "DCIM" / "20171216" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"DCIM/20171216/{name}"


def at_home(test):
    with own_home() as env:
        attempt(test, env)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What this machine holds, as `sphere consent` shows, hands out and removes it. Prints a summary line
as gst-check does."""

import base64
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from checks import DEADLINE, SPHERE, Terminal, attempt, check, finish, run

SERIAL = "MJXJ00000000EMUL"
TABLE = "0123456789abcdef0123456789abcdef"
DAY = 86400


def environment(home):
    return {**os.environ, "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}


def sphere(home, *arguments, **options):
    return run(SPHERE, *arguments, env=environment(home), **options)


def done(home, *arguments):
    result = sphere(home, "consent", *arguments)
    check(" ".join(map(str, arguments)), result.returncode == 0,
          f"exit {result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def files(home):
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def fill(home):
    """Writes one file of each kind that the suite stores."""
    data, tables = home / "data/gst-sphere", home / "cache/gst-sphere/madv-lens-tables"
    for folder in (data / "cameras", data / "statistics", data / "crashes", tables):
        folder.mkdir(parents=True)
    name = hashlib.sha256(SERIAL.encode()).hexdigest()[:32]
    (data / f"cameras/{name}.json").write_text(json.dumps(
        {"model": "sv1", "serial": SERIAL, "firmware": "1.3.97", "wifi": "MJXJ-home",
         "table": TABLE}))
    (data / "statistics/2026-10.json").write_text('{"stitch runs": 5}')
    (data / "crashes/2026-10.json").write_text('{"did-not-end": 5}')
    (tables / f"{TABLE}.bin").write_bytes(b"\0table")
    (tables / f"{'f' * 32}.bin").write_bytes(b"\0another")
    for category in ("device", "network", "statistics"):
        done(home, "give", category)
    return name


def test_held_and_export(home):
    check("nothing", "nothing" in done(home, "held") and files(home) == [])
    fill(home)
    text = done(home, "held")
    check("held", all(word in text for word in (SERIAL, "MJXJ-home", TABLE, "365 days",
                                                "device for bind, network for bind")), text)
    held = json.loads(done(home, "held", "--json"))["stores"]
    check("seven stores", [store["store"] for store in held]
          == ["ledger", "cameras", "tables", "lenses", "pins", "statistics", "crashes"], held)
    listed = sorted(str(pathlib.Path(item["file"]).relative_to(home)) for store in held
                    for item in store["items"])
    check("everything that is on the disk is listed", listed == files(home), (listed, files(home)))
    export = json.loads(done(home, "export"))
    check("the ledger", export["schema_version"].startswith("ISO/IEC TS 27560")
          and len(export["records"]) == 3)
    by_name = {store["store"]: store["items"] for store in export["stores"]}
    check("a camera", by_name["cameras"][0]["content"]["serial"] == SERIAL)
    check("statistics", by_name["statistics"][0]["content"] == {"stitch runs": 5})
    check("crashes", by_name["crashes"][0]["content"] == {"did-not-end": 5})
    check("tables", sorted(base64.b64decode(item["content_base64"]) for item in by_name["tables"])
          == [b"\0another", b"\0table"])
    other = home / "other"
    done(home, "give", "audio", "--ledger", other)
    check("another ledger alone", "stores" not in json.loads(
        done(home, "export", "--ledger", other)))


def test_erase(home):
    fill(home)
    before = files(home)
    for arguments, says in ((("erase", "--store", "camera"), "'cameras'"),
                            (("erase", "--store", "tables", "--camera", SERIAL), "--store"),
                            (("erase", "--camera", ""), "--camera"), (("held", "--yes"), "--yes"),
                            (("erase",), "--yes"), (("reset",), "--yes"),
                            (("sweep", "--ledger", "x"), "--ledger"),
                            (("erase", "--store", "tables", "--ledger", "x"), "--ledger")):
        result = sphere(home, "consent", *arguments)
        check(arguments, result.returncode == 2 and says in result.stderr, result.stderr)
    result = sphere(home, "consent", "erase", "--camera", "another", "--yes")
    check("another camera", result.returncode == 1 and "held" in result.stderr, result.stderr)
    check("nothing went", files(home) == before)
    said = done(home, "erase", "--camera", SERIAL, "--yes")
    left = files(home)
    check("one camera and its table", len(left) == len(before) - 2 and "Removed: 2" in said
          and not any("cameras" in one or TABLE in one for one in left), left)
    done(home, "erase", "--store", "crashes", "--store", "tables", "--yes")
    left = files(home)
    check("two stores", len(left) == 2 and any("statistics" in one for one in left), left)
    # What can't be removed is reported, and the rest is removed.
    (home / "data/gst-sphere/crashes/folder").mkdir()
    result = sphere(home, "consent", "erase", "--yes")
    check("what can't be removed", result.returncode == 1
          and "crashes/folder can't be removed" in result.stderr and files(home) == [],
          result.stderr)


def test_asks_on_a_terminal(home):
    for answer, gone in (("n\n", False), ("y\n", True)):
        if not files(home):
            fill(home)
        person = Terminal("consent", "erase", env=environment(home))
        person.answer("[y/N]", answer)
        status = person.finish()
        check("it says what goes", SERIAL in person.text, person.text)
        check(f"answered {answer}", (files(home) == []) == gone and (status == 0) == gone, status)


def test_withdrawal_removes_files(home):
    fill(home)
    said = done(home, "withdraw", "network")
    left = files(home)
    check("the camera went, tables stay", "Removed: " in said and len(left) == 5
          and not any("cameras" in one for one in left), left)
    done(home, "give", "device", "--purpose", "share")
    check("given for less", not any("tables" in one for one in files(home)), files(home))
    done(home, "withdraw", "--all")
    check("the ledger alone", files(home) == ["data/gst-sphere/consent.jsonl"], files(home))
    log = done(home, "log")
    check("it remembers", "withdraw-all" in log, log)


def test_sweep(home):
    name = fill(home)
    long_ago = time.time() - 366 * DAY
    os.utime(home / f"data/gst-sphere/cameras/{name}.json", (long_ago, long_ago))
    before = files(home)
    said = done(home, "sweep", "--dry-run")
    check("dry", files(home) == before and "Would be removed: 1 file" in said and name in said
          and "365 days" in said, said)
    check("dry, for programs", len(json.loads(
        done(home, "sweep", "--dry-run", "--json"))["would-remove"]) == 1)
    said = done(home, "sweep")
    check("swept", len(files(home)) == len(before) - 1 and "Removed: 1 file" in said, said)
    check("once", "Removed: 0" in done(home, "sweep"))
    # A grant with an end: what it allows to store is removed after that.
    # On a slow machine it may be over before the next command runs; then a later end is used.
    tables = home / "cache/gst-sphere/madv-lens-tables"
    for seconds in (2, 8, 32):
        for table in (TABLE, "f" * 32):
            (tables / f"{table}.bin").write_bytes(b"\0table")
        given = sphere(home, "consent", "give", "device", "--expires",
                       time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)))
        not_yet = (given.returncode == 0
                   and "Removed: 0" in sphere(home, "consent", "sweep").stdout)
        if not_yet:
            break
    check("not yet", not_yet, given.stderr)
    end = time.monotonic() + DEADLINE
    # Repeated until it works. Not a check each time, because their number would vary.
    while "Removed: 2" not in sphere(home, "consent", "sweep").stdout and time.monotonic() < end:
        pass
    check("expired", not any("tables" in one for one in files(home)), files(home))
    # With a ledger that is not valid, only the age counts, and a message tells it.
    (home / "data/gst-sphere/consent.jsonl").write_text("nonsense\n")
    result = sphere(home, "consent", "sweep")
    check("in doubt", result.returncode == 1 and "only the age counts" in result.stderr
          and any("statistics" in one for one in files(home)), result.stderr)


def test_reset(home):
    fill(home)
    done(home, "reset", "--yes")
    check("all gone", files(home) == ["data/gst-sphere/consent.jsonl"], files(home))
    log = done(home, "log")
    check("a new ledger", len(log.splitlines()) == 1 and "reset" in log, log)
    status = json.loads(done(home, "status", "--json"))["categories"]
    check("nothing is given", not any(one["allowed"] for one in status))
    (home / "data/gst-sphere/consent.jsonl").write_text("nonsense\n")
    done(home, "reset", "--yes")
    check("of a damaged one", "1 entries" in done(home, "verify"))


def test_statistics(home):
    """Off by default; while given, counts that are multiples of five, apart from each other."""
    def run_some():
        for _ in range(60):
            sphere(home, "stitch", "/nowhere", "/nowhere.mp4")
    sphere(home, "stitch", "/nowhere", "/nowhere.mp4")
    check("off by default", files(home) == [], files(home))
    done(home, "give", "statistics")
    run_some()
    counts = {}
    for path in (home / "data/gst-sphere/statistics").glob("*.json"):
        counts.update(json.loads(path.read_text()))
    # One time in five: that none of 60 is counted happens once in 650000 tests.
    check("counted", counts.get("stitch runs", 0) > 0
          and all(value % 5 == 0 for value in counts.values())
          and set(counts) <= {"stitch runs", "stitch failed", "stitch under-1-s",
                              "stitch under-10-s", "stitch under-1-min"}, counts)
    sphere(home, "stitch", "--help")
    check("a way out by --help is an end", not any("crashes" in one for one in files(home)),
          files(home))
    # A command that was killed is noticed at the next start, and counted once.
    with subprocess.Popen([SPHERE, "emulator", "--port", "0"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=environment(home)) as process:
        process.stdout.readline()
        check("a mark while it runs", any("running-" in one for one in files(home)), files(home))
        process.send_signal(signal.SIGKILL)
    check("it stays", any("running-" in one for one in files(home)), files(home))
    sphere(home, "stitch", "--help")
    check("counted or not, it goes", not any("running-" in one for one in files(home)), files(home))
    done(home, "withdraw", "statistics")
    check("gone with consent", files(home) == ["data/gst-sphere/consent.jsonl"], files(home))
    run_some()
    check("and stays so", files(home) == ["data/gst-sphere/consent.jsonl"], files(home))


def main():
    tests = [test_held_and_export, test_erase, test_asks_on_a_terminal,
             test_withdrawal_removes_files, test_sweep, test_reset]
    if "--no-emulator" not in sys.argv:
        tests.append(test_statistics)
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="sphere-held-") as name:
            attempt(test, pathlib.Path(name))
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `sphere consent`, from outside. Prints a summary line as gst-check does."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import time

from checks import DEADLINE, SPHERE, attempt, check, finish, run

LAUNCH = shutil.which("gst-launch-1.0")


def consent(home, *arguments, limit=None, **env):
    def before():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return run(SPHERE, "consent", *arguments, preexec_fn=before,
               env={**os.environ, "XDG_DATA_HOME": str(home / "data"),
                    "XDG_CACHE_HOME": str(home / "cache"), **env})


def done(home, *arguments, **options):
    result = consent(home, *arguments, **options)
    check(" ".join(map(str, arguments)), result.returncode == 0,
          f"exit {result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def states(home, *arguments):
    status = json.loads(done(home, "status", "--json", *arguments))
    return {one["category"]: one["state"] for one in status["categories"]}


def test_give_and_withdraw(home):
    check("nothing at first", set(states(home).values()) == {"never given"})
    check("no file for looking", not (home / "data").exists())
    given = done(home, "give", "audio", "--purpose", "live", "--expires", "2099-01-01")
    check("what is given is told", "microphone" in given and "withdraw audio" in given)
    done(home, "give", "location", "--precision", "city", "--purpose", "geotag,camera")
    status = json.loads(done(home, "status", "--json"))
    audio = next(one for one in status["categories"] if one["category"] == "audio")
    check("status", audio["allowed"] and audio["purposes"] == ["live"]
          and audio["expires"] == "2099-01-01", audio)
    check("its modes", os.stat(home / "data/gst-sphere").st_mode & 0o777 == 0o700
          and os.stat(home / "data/gst-sphere/consent.jsonl").st_mode & 0o777 == 0o600)
    caps = done(home, "caps").strip()
    said = done(home, "caps", "--check", caps)
    check("its caps give the same", "audio is given for live, until 2099" in said
          and "location is given for geotag, camera, city" in said, said)
    check("what is replaced is told", "No longer given: location for camera," in
          done(home, "give", "location", "--purpose", "geotag"))
    check("nothing is told where nothing goes", "No longer" not in
          done(home, "give", "location", "--purpose", "geotag,camera"))
    done(home, "withdraw", "audio")
    check("withdrawn", states(home)["audio"] == "withdrawn"
          and states(home)["location"] == "given")
    done(home, "withdraw", "--all")
    check("all withdrawn", set(states(home).values()) == {"withdrawn"})
    log = done(home, "log")
    check("the log", [line.split(maxsplit=2)[2].split(" for ")[0] for line in log.splitlines()]
          == ["give audio", *["give location"] * 3, "withdraw audio", "withdraw-all"], log)


def test_usage(home):
    for arguments, says in (
            ((), "status"), (("stauts",), "'status'"), (("give",), "audio"),
            (("give", "sound"), "'sound'"),
            (("give", "sound"), "location, audio, storage, device, network, environment, statistics"),
            (("give",), "location, audio, storage"), (("stauts",), "status, notice, give, withdraw"),
            (("give", "audoi"), "'audio'"),
            (("give", "audio", "--purpose", "geotag"), "live"),
            (("give", "audio", "--precision", "city"), "location"),
            (("give", "location", "--precision", "town"), "city"),
            (("give", "audio", "--expires", "tomorrow"), "2027-01-01"),
            (("give", "audio", "--expires", "2020-01-01"), "past"),
            (("give", "audio", "location"), "'location'"), (("withdraw",), "--all"),
            (("withdraw", "audio", "--all"), "--all"), (("log", "--all"), "--all"),
            (("erase", "--head", "x"), "--head"), (("status", "--ledger", ""), "--ledger"),
            # An empty word may come from a variable that is not set. It must not give more.
            (("give", "audio", "--expires", ""), "--expires"),
            (("give", "audio", "--purpose", ""), "--purpose"),
            (("give", "location", "--precision", ""), "--precision"),
            (("verify", "--head", ""), "--head"), (("verify", "--head", "2f6f"), "64"),
            (("notice", "--language", "fr"), "'fr'")):
        result = consent(home, *arguments)
        check(arguments, result.returncode == 2 and says in result.stderr
              and len(result.stderr.splitlines()) == 1, f"{result.returncode} {result.stderr}")
    check("nothing was written", not (home / "data").exists())
    result = consent(home, "--help")
    check("help", result.returncode == 0 and "withdraw" in result.stdout)
    result = consent(home, "caps", "--check", "consent/audio, state=yes")
    check("wrong caps", result.returncode == 1 and "boolean" in result.stderr
          and "denied" in result.stdout, result.stdout + result.stderr)


def test_verify(home):
    ledger = home / "data/gst-sphere/consent.jsonl"
    heads = [json.loads(done(home, *words, "--json"))["head"] for words in
             (("give", "audio"), ("give", "storage"), ("withdraw", "audio"))]
    check("the head is shown", heads[2] in done(home, "verify"))
    check("an earlier head", "entry 1" in done(home, "verify", "--head", heads[0]))
    check("the beginning", "3 entries" in done(home, "verify", "--head", 64 * "0"))
    whole = ledger.read_bytes()
    lines = whole.splitlines(keepends=True)

    def refused(what, content, says, *arguments, denied):
        ledger.write_bytes(content)
        result = consent(home, "verify", *arguments)
        check(what, result.returncode == 1 and says in result.stderr,
              f"{result.returncode} {result.stderr}")
        result = consent(home, "caps")
        check(f"{what}: denied", ("given" not in result.stdout) == denied, result.stdout)

    refused("a byte flipped", whole.replace(b'"storage"', b'"storagf"'), "line 2", denied=True)
    refused("a line removed", lines[0] + lines[2], "line 2", denied=True)
    refused("the tail cut", lines[0], "cut off", "--head", heads[2], denied=False)
    refused("a torn withdrawal", whole[:-20], "line 3 was cut off", denied=True)
    refused("a torn grant", lines[0] + lines[1][:-20], "line 2 was cut off", denied=False)
    check("and it goes on", "taken back first" not in consent(home, "give", "device").stderr)
    check("in order", "2 entries" in done(home, "verify"))
    ledger.write_bytes(b"nonsense\n")
    for words in (("status",), ("caps",), ("log",), ("export",), ("give", "audio"),
                  ("withdraw", "audio")):
        result = consent(home, *words)
        check(f"{words} of a damaged ledger", result.returncode == 1
              and "damaged at line 1" in result.stderr and not "state" in result.stdout,
              result.stdout + result.stderr)
    done(home, "erase", "--yes")
    check("erased", set(states(home).values()) == {"never given"} and not ledger.exists())
    done(home, "give", "audio")
    check("and anew", states(home)["audio"] == "given")


def test_full_disk(home):
    done(home, "give", "audio")
    size = (home / "data/gst-sphere/consent.jsonl").stat().st_size
    result = consent(home, "give", "storage", limit=size + 50)
    check("no room to give", result.returncode == 1 and states(home)["audio"] == "given",
          result.stderr)
    result = consent(home, "withdraw", "audio", limit=size)
    check("no room to withdraw", result.returncode == 1
          and "everything is denied" in result.stderr, result.stderr)
    check("denied", "given" not in consent(home, "caps").stdout)
    result = consent(home, "give", "storage")
    check("room again", "taken back first" in result.stderr and states(home)["audio"] ==
          "withdrawn" and states(home)["storage"] == "given", result.stderr)


def test_notice_and_export(home):
    english, chinese = (done(home, "notice", "--language", tag) for tag in ("en", "zh_CN.UTF-8"))
    for word in ("location", "audio", "storage", "device", "network", "environment", "statistics",
                 "sphere consent withdraw"):
        check(f"{word} in the notice", word in english and word in chinese)
    check("Chinese", "撤回" in chinese and "撤回" not in english)
    done(home, "give", "audio", "--purpose", "record")
    done(home, "withdraw", "audio")
    record = json.loads(done(home, "export"))["records"][0]
    fields = set(record["pii_processing"])
    missing = {"privacy_notice", "language", "purposes", "lawful_basis", "pii_information",
               "pii_controllers", "collection_method", "processing_method", "storage_locations",
               "retention_period", "processing_locations", "geographic_restrictions", "services",
               "jurisdiction", "recipient_third_parties", "withdrawal_method", "privacy_rights",
               "codes_of_conduct", "impact_assessment", "authority_party"} - fields
    check("the fields of ISO/IEC TS 27560", not missing and all(
        {"event_time", "event_type", "event_state", "entity_id"} <= set(event)
        for event in record["events"]), missing)
    check("export", record["pii_processing"]["pii_information"]["pii_type"] == "audio"
          and [event["event_state"] for event in record["events"]]
          == ["consent given", "consent withdrawn"], record)
    text = (home / "data/gst-sphere/consent.jsonl").read_text()
    check("nobody's name in it", not re.search(re.escape(os.environ.get("USER", "") or "\0"), text)
          and os.uname().nodename not in text)


def test_erase(home):
    tables = home / "cache/gst-sphere/madv-lens-tables"
    tables.mkdir(parents=True)
    (tables / "d41d8cd98f00b204e9800998ecf8427e.bin").write_bytes(b"")
    done(home, "give", "audio")
    result = consent(home, "erase")
    check("not unasked", result.returncode == 2 and "--yes" in result.stderr and any(
        tables.iterdir()), result.stderr)
    done(home, "erase", "--yes")
    check("all gone", not any(tables.iterdir())
          and not os.listdir(home / "data/gst-sphere"))


def test_another_ledger(home):
    path = home / "mine"
    done(home, "give", "audio", "--ledger", path)
    check("one's own is another", states(home, "--ledger", path)["audio"] == "given"
          and states(home)["audio"] == "never given")
    os.symlink(path, home / "link")
    check("a link", consent(home, "status", "--ledger", home / "link").returncode == 1)


def test_running_pipeline(home):
    """Sound stops in a gst-launch when a withdrawal is typed elsewhere."""
    if not LAUNCH:
        print("not tried: a gst-launch that runs")
        return
    done(home, "give", "audio")
    buffer = 960
    play = subprocess.Popen(
        [LAUNCH, "-q", *("audiotestsrc is-live=true wave=square samplesperbuffer=480 ! "
         "audio/x-raw,format=S16LE,rate=48000,channels=1 ! sphereaudiogate ledger=default ! "
         "fdsink fd=1 sync=false").split()],
        stdout=subprocess.PIPE, env={**os.environ, "XDG_DATA_HOME": str(home / "data")})
    try:
        def sounds():
            return any(play.stdout.read(buffer))
        for wanted, words in ((True, None), (False, ("withdraw", "audio")),
                              (True, ("give", "audio")), (False, ("withdraw", "--all"))):
            if words:
                before = time.monotonic()
                done(home, *words)
                returned = time.monotonic()
                # The pipe contains sound that passed before the withdrawal and during it. After
                # it returned, 100 ms of sound at most.
                most = int((returned - before) / 0.01) + 10
                # Sound that was captured before a grant stays silent. On a busy machine, where the
                # source falls behind while the pipe is full, that may be some seconds of it.
                if wanted:
                    most += 1000
                count = 0
                while sounds() != wanted and count < most:
                    count += 1
                took = time.monotonic() - returned
                print(f"{' '.join(words)}: obeyed {took * 1000:.1f} ms after it returned")
                check(f"{words} is obeyed", count < most, count)
            check(f"{words} lasts", all(sounds() == wanted for _ in range(10)))
    finally:
        play.terminate()
        play.wait(DEADLINE)


def main():
    for test in (test_give_and_withdraw, test_usage, test_verify, test_full_disk,
                 test_notice_and_export, test_erase, test_another_ledger, test_running_pipeline):
        with tempfile.TemporaryDirectory(prefix="sphere-consent-") as name:
            attempt(test, pathlib.Path(name))
    finish()


main()

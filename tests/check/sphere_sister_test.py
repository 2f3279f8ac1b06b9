# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands for cameras against a camera that speaks Ambarella's generic protocol. Prints a
summary line as gst-check does."""

import contextlib
import hashlib
import json
import pathlib
import tempfile

from checks import SPHERE, attempt, check, emulator, finish, launch_ours, run


@contextlib.contextmanager
def sister():
    """An emulated one: its URI."""
    with emulator("--model", "sj8-pro") as (_, facts):
        yield facts["uri"]


def told(*words):
    """What a command prints as JSON."""
    result = run(SPHERE, *words, "--json")
    check(" ".join(map(str, words)), result.returncode == 0, result.stderr)
    return json.loads(result.stdout)


def test_info(uri):
    info = told("info", uri)
    check("its model", info["model"] == "SJ8PRO_TAIWAN", info)
    check("its firmware", info["firmware"] == "V1.3.2", info)
    check("its battery", info["battery"] == 75, info)
    check("its mode", info["mode"] == "video" and info["working-mode"] == "idle", info)
    check("its card", info["card"] == "ready" and info["card-size"] > info["card-free"], info)
    check("its settings", info["settings"]["White Balance"] == "Auto" and
          len(info["settings"]) == 47, info)
    check("it is found", [one["model"] for one in told("cameras", uri)["cameras"]] ==
          ["SJ8PRO_TAIWAN"])


def test_preview(uri):
    launch_ours(f"spherecamsrc location={uri} timeout=60 ! identity eos-after=10 ! fakesink")
    check("the preview plays", True)


def test_set(uri):
    check("a value", run(SPHERE, "set", uri, "White Balance", "cloudy").returncode == 0)
    check("it is kept", told("set", uri, "White Balance")["words"] == "Cloudy")
    wrong = run(SPHERE, "set", uri, "White Balance", "purple")
    check("a wrong value", wrong.returncode == 2 and "Fluorescent" in wrong.stderr, wrong.stderr)
    wrong = run(SPHERE, "set", uri, "White Balanc", "Auto")
    check("a wrong name", wrong.returncode == 2 and "White Balance" in wrong.stderr, wrong.stderr)


def test_list(uri):
    table = told("set", uri, "--list")["settings"]
    check("the list is the camera's own", len(table) == 47, len(table))
    balance = next(one for one in table if one["name"] == "White Balance")
    check("with its values", "Cloudy" in [choice["words"] for choice in balance["choices"]], balance)
    rows = run(SPHERE, "set", uri, "--list").stdout
    check("for people", "White Balance" in rows and "Cloudy" in rows)


def test_photo(uri, folder):
    photo = folder / "photo.jpg"
    path = told("photo", uri, "-o", photo)["photos"][0]
    check("where it is", "100MEDIA/" in path and path.endswith(".JPG"), path)
    check("a JPEG", photo.read_bytes().startswith(b"\xff\xd8"))
    check("photo mode", told("info", uri)["mode"] == "photo")
    series = run(SPHERE, "photo", uri, "--kind", "burst")
    check("no series", series.returncode == 1 and "single" in series.stderr, series.stderr)


def test_record(uri, folder):
    video = folder / "video.mp4"
    path = told("record", uri, "--duration", "1", "-o", video)["video"]
    check("where it is", "100MEDIA/" in path and path.endswith(".MP4"), path)
    check("an MP4", video.read_bytes()[4:8] == b"ftyp")
    check("without consent, no sound", told("set", uri, "Audio")["words"] == "Off")
    check("start", run(SPHERE, "record", uri, "--start").returncode == 0)
    check("it records", told("info", uri)["recording"])
    check("stop", run(SPHERE, "record", uri, "--stop").returncode == 0)
    again = run(SPHERE, "record", uri, "--stop")
    check("nothing to stop", again.returncode == 1, again.stderr)


def test_firmware(uri, folder):
    firmware = folder / "MadvSysFW.bin"
    firmware.write_bytes(bytes(range(256)) * 8000)
    wrong = run(SPHERE, "firmware", uri, firmware, "--yes")
    check("the Mi Sphere's firmware is not sent", wrong.returncode == 1 and "not known" in wrong.stderr,
          wrong.stderr)


def test_files(uri, folder):
    files = {file["path"]: file["size"] for file in told("files", uri, "ls")["files"]}
    # One photo, and two recordings.
    check("all of them", len(files) == 3, files)
    for path, size in files.items():
        told("files", uri, "get", path, "-o", folder)
        got = (folder / pathlib.Path(path).name).read_bytes()
        check(path, len(got) == size, f"{len(got)}, not {size}")
    photo = next(path for path in files if path.endswith(".JPG"))
    check("the same photo", hashlib.md5((folder / "photo.jpg").read_bytes()).digest() ==
          hashlib.md5((folder / pathlib.Path(photo).name).read_bytes()).digest())
    check("rm", run(SPHERE, "files", uri, "rm", photo).returncode == 0)
    check("it is gone", len(told("files", uri, "ls")["files"]) == 2)


def main():
    with tempfile.TemporaryDirectory(prefix="sphere-sister-") as name, sister() as uri:
        folder = pathlib.Path(name)
        attempt(test_info, uri)
        attempt(test_preview, uri)
        attempt(test_set, uri)
        attempt(test_list, uri)
        attempt(test_photo, uri, folder)
        attempt(test_record, uri, folder)
        attempt(test_firmware, uri, folder)
        attempt(test_files, uri, folder)
    finish()


main()

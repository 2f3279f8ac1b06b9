# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands of `sphere` that talk to a camera, and the example applications, against an emulated
camera. Prints a summary line as gst-check does."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import pty
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from camera_checks import as_json, at_home, camera, put, sphere
from checks import BUILD, SPHERE, Terminal, check, finish, run

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"


def test_state_and_settings(env):
    with camera() as (uri, _card):
        info = as_json(sphere(env, "info", uri, "--json"))
        check("the battery", info["battery"] == 100, info)
        check("all settings are told", len(info["settings"]) >= 25, len(info["settings"]))
        check("no serial number without being asked", "serial" not in info)
        check("the serial number", as_json(sphere(env, "info", uri, "--json", "--identity"))["serial"])

        check("a setting is changed",
              sphere(env, "set", uri, "video-resolution", "2304x1152@30").returncode == 0)
        told = as_json(sphere(env, "set", uri, "video-resolution", "--json"))
        check("and read back", told["words"] == "2304x1152@30" and told["value"] == 1, told)
        check("a negative number", sphere(env, "set", uri, "photo-exposure", "-2").returncode == 0)
        check("and it is told",
              as_json(sphere(env, "set", uri, "photo-exposure", "--json"))["words"] == "-2 EV")
        check("half an EV", sphere(env, "set", uri, "photo-exposure", "-0.5").returncode == 0)
        check("is read in EV, too", sphere(env, "set", uri, "photo-exposure").stdout == "-0.5 EV\n")
        for wrong in ("-6", "0.7", "4"):
            check(f"{wrong} EV is refused", sphere(env, "set", uri, "photo-exposure", wrong).returncode == 2)
        wrong = sphere(env, "set", uri, "video-resolution", "99")
        check("a wrong value names the right ones",
              wrong.returncode == 2 and "2304x1152@60" in wrong.stderr, wrong.stderr)
        wrong = sphere(env, "set", uri, "photo-exposur", "1")
        check("a wrong name", wrong.returncode == 2 and "photo-exposure" in wrong.stderr, wrong.stderr)
        reset = sphere(env, "reset", uri)
        check("what destroys needs --yes", reset.returncode == 1 and "--yes" in reset.stderr)
        check("reset", sphere(env, "reset", uri, "--yes").returncode == 0)
        check("the factory value is back",
              as_json(sphere(env, "set", uri, "video-resolution", "--json"))["value"] == 0)
        for words in (["clock"], ["power", "wake"]):
            done = sphere(env, words[0], uri, *words[1:])
            check(" ".join(words), done.returncode == 0, done.stderr)
    listed = as_json(sphere(env, "set", "--list", "--json"))
    check("the list needs no camera", len(listed["settings"]) > 25)


def test_what_destroys_asks(env):
    """Without a terminal to ask on, and without --yes, nothing is done."""
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        photo = put(card, "IMG_20171216_030505.JPG", b"\xff\xd8photo")
        words = pathlib.Path(folder, "file")
        words.write_text("87654321\n")
        firmware = pathlib.Path(folder, "MadvSysFW.bin")
        firmware.write_bytes(bytes(range(256)) * 8000)
        sphere(env, "set", uri, "beep", "25 %")
        before = as_json(sphere(env, "wifi", uri, "--show-password", "--json"))
        for command in (("files", "format"), ("files", "rm", "--all"), ("files", "rm", photo),
                        ("reset",), ("reset", "--everything"), ("firmware", firmware),
                        ("wifi", "--name", "garden"), ("wifi", "--password-file", words)):
            refused = sphere(env, command[0], uri, *command[1:])
            if command[1:] == ("rm", photo):  # named by a person
                check("one file is deleted", refused.returncode == 0, refused.stderr)
                put(card, "IMG_20171216_030505.JPG", b"\xff\xd8photo")
                continue
            check(f"{command} needs --yes", refused.returncode == 1 and "--yes" in refused.stderr,
                  refused.stderr)
        check("the file is there", (card / photo).exists())
        check("the setting, too", sphere(env, "set", uri, "beep").stdout == "25 %\n")
        after = as_json(sphere(env, "wifi", uri, "--show-password", "--json"))
        check("and the Wi-Fi", after == before, after)


def test_firmware(env):
    """What is plainly no firmware is not sent, whatever the person says."""
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        def send(name, content, *words):
            path = pathlib.Path(folder, name)
            path.write_bytes(content)
            return sphere(env, "firmware", uri, path, "--yes", *words)

        good = bytes(range(256)) * 8000
        for what, name, content, words, says in (
                ("an empty file", "MadvSysFW.bin", b"", (), "is empty"),
                ("a photo", "IMG_20171216_030505.JPG", b"\xff\xd8\xff\xe1" + good, (), "JPEG"),
                ("a photo with that name", "MadvSysFW.bin", b"\xff\xd8\xff\xe1" + good, (), "JPEG"),
                ("a small file", "MadvSysFW.bin", good[:5000], (), "5000 bytes"),
                ("text", "MadvSysFW.bin", b"not found\n" * 200000, (), "text"),
                ("firmware of another device", "router.bin", good, (), "MadvSysFW.bin"),
                ("the remote control's", "rc_firmware.bin", good, (), "remote control"),
                ("the camera's", "MadvSysFW.bin", good, ("--remote-control",), "remote control")):
            wrong = send(name, content, *words)
            check(f"{what} is refused", wrong.returncode == 2 and says in wrong.stderr and
                  len(wrong.stderr.splitlines()) == 1, (wrong.returncode, wrong.stderr))
        check("no update has come",
              "no update" in sphere(env, "set", uri, "--service", "flash-firmware").stderr)
        for name, words in (("rc_firmware.bin", ("--remote-control",)), ("MadvSysFW.bin", ())):
            sent = send(name, good, *words)
            check(f"{name} is sent", sent.returncode == 0 and "restarts" in sent.stdout, sent.stderr)


def test_no_camera(env):
    for command in (["info"], ["photo"], ["files", "ls"], ["clock"]):
        gone = sphere(env, command[0], "madv://127.0.0.1:9", *command[1:], "--timeout", "1")
        check(f"{command[0]} without a camera", gone.returncode == 1 and gone.stderr.strip(),
              gone.stderr)
    check("a wrong URI", sphere(env, "info", "http://127.0.0.1").returncode == 2)


def test_find(env):
    with camera() as (uri, _card):
        found = as_json(sphere(env, "cameras", uri, "--json"))["cameras"]
        check("the camera is found", any(one["uri"] == uri for one in found), found)
    # Its lens table would take minutes, and no command needs it.
    with camera("--fault", "slow-data:1") as (uri, _card):
        found = as_json(sphere(env, "cameras", uri, "--json"))["cameras"]
        check("one with a slow data port is found", any(one["uri"] == uri for one in found), found)
        check("and tells its state", sphere(env, "info", uri).returncode == 0)


def test_photo_and_recording(env):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        photo = sphere(env, "photo", uri, "-o", folder + "/photo.jpg", "--json")
        told = as_json(photo)
        check("the photo is fetched, byte for byte",
              (card / told["photos"][0]).read_bytes()
              == pathlib.Path(folder, "photo.jpg").read_bytes())
        check("no part of it is left", os.listdir(folder) == ["photo.jpg"], os.listdir(folder))
        video = sphere(env, "record", uri, "--duration", "1", "-o", folder, "--json")
        told = as_json(video)
        check("sound needs consent, and that is told", "without sound" in video.stderr, video.stderr)
        check("the video is fetched",
              pathlib.Path(told["files"][0]).read_bytes() == (card / told["video"]).read_bytes())
        named = sphere(env, "record", uri, "--duration", "1", "-o", folder + "/ride.mp4")
        check("its name is printed", named.stdout == folder + "/ride.mp4\n", named)


def test_refusals(env):
    """Each says why."""
    def refused(uri, *words):
        done = sphere(env, words[0], uri, *words[1:])
        check(f"{' '.join(words)} is refused", done.returncode == 1, done.stdout)
        return done.stderr

    with camera() as (uri, card):
        # The values are those of the camera's table, and are asked for before the mode is changed.
        for words, told in ((("photo", "--kind", "timed", "--seconds", "20"), "3 to 10 s"),
                            (("photo", "--kind", "bracketing", "--ev", "0.7"), "half an EV"),
                            (("record", "--kind", "short", "--seconds", "15"), "10 s, 20 s, 30 s"),
                            (("record", "--kind", "time-lapse", "--seconds", "0.7"), "0.5")):
            said = refused(uri, *words)
            check(f"{' '.join(words)} says what can be", told in said, said)
        check("the mode is as before", as_json(sphere(env, "info", uri, "--json"))["mode"] == "video")
        said = refused(uri, "record", "--stop")
        check("nothing to stop", "not recording" in said, said)
        check("a recording", sphere(env, "record", uri, "--start").returncode == 0)
        said = refused(uri, "photo")
        check("no photo while recording", "is recording" in said, said)
        said = refused(uri, "record", "--start")
        check("no second recording", "is recording" in said, said)
        check("it ends", sphere(env, "record", uri, "--stop").returncode == 0)
        check("no photo was taken", not list(card.glob("DCIM/*/*.JPG")))


def brightness(path):
    """The mean of a picture's pixels, 0 to 255."""
    grey = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", "scale=64:32", "-pix_fmt",
                           "gray", "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE).stdout
    return sum(grey) / len(grey)


def tags(path):
    """What exiftool reads."""
    return json.loads(run("exiftool", "-json", "-n", path).stdout)[0]


def test_kinds_of_photos(env):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        sphere(env, "set", uri, "photo-resolution", "3456x1728")
        one = as_json(sphere(env, "photo", uri, "--json", "--kind", "bracketing", "--ev", "2", "-o",
                             folder + "/room.jpg"))
        names = [f"{folder}/room-{i}.jpg" for i in (1, 2, 3)]
        check("a bracketing has three photos", len(one["photos"]) == 3 and one["files"] == names, one)
        light = [brightness(name) for name in names]
        check("darker, as measured, lighter", light[0] < 0.8 * light[1] and light[1] < light[2] - 5,
              light)
        if shutil.which("exiftool"):
            check("and they say so",
                  [round(tags(name)["ExposureCompensation"]) for name in names] == [-2, 0, 2])
        three = sphere(env, "photo", uri, "--kind", "burst", "-o", folder)
        check("a burst of the camera's own number", three.returncode == 0 and
              len(three.stdout.split()) == 3 and
              all(pathlib.Path(name).exists() for name in three.stdout.split()), three.stdout)
        six = as_json(sphere(env, "photo", uri, "--json", "--kind", "burst", "--count", "6"))
        check("a burst of six", len(set(six["photos"])) == 6, six)
        two = as_json(sphere(env, "photo", uri, "--json", "--kind", "interval", "--seconds", "2",
                             "--count", "2", "-o", folder))
        check("an interval", len(two["files"]) == 2, two)
        half = as_json(sphere(env, "photo", uri, "--json", "--kind", "one-lens", "--back", "-o",
                              folder + "/half.jpg"))
        check("one lens is one file", len(half["photos"]) == 1, half)
        if shutil.which("exiftool"):
            found = tags(folder + "/half.jpg")
            check("a square", found["ImageWidth"] == found["ImageHeight"] == 1728, found)
        # After one lens, the same command of the camera makes a bracketing again.
        again = as_json(sphere(env, "photo", uri, "--json", "--kind", "bracketing"))
        check("a bracketing after it", len(again["photos"]) == 3, again)
        before = len(list(card.glob("DCIM/*/*.JPG")))
        missing = sphere(env, "photo", uri, "-o", folder + "/none/")
        check("a folder that is not there", missing.returncode == 1, missing.stderr)
        os.mkfifo(folder + "/pipe.jpg")
        pipe = sphere(env, "photo", uri, "-o", folder + "/pipe.jpg")
        check("a pipe", pipe.returncode == 1 and "regular file" in pipe.stderr, pipe.stderr)
        for words, says in ((("photo", "--seconds", "5"), "timed or interval"), (("photo", "--count", "3"), "burst"),
                            (("photo", "--ev", "1"), "bracketing"), (("photo", "--back"), "one-lens"),
                            (("photo", "--kind", "burst", "--count", "0"), "--count is 0"),
                            (("record", "--seconds", "5"), "short or time-lapse"),
                            (("record", "--slowness", "2"), "slow-motion"),
                            (("record", "--start", "--duration", "5"), "--duration"),
                            (("record", "--start", "-o", folder), "-o"),
                            (("gps", "--every", "0", "1,2"), "--every is 0")):
            wrong = sphere(env, words[0], uri, *words[1:])
            check(f"without effect: {' '.join(words)}", wrong.returncode == 2 and says in wrong.stderr, wrong.stderr)
        pathlib.Path(folder, "kept.jpg").touch()
        kept = sphere(env, "photo", uri, "-o", folder + "/kept.jpg", "--no-clobber")
        check("a file that is there", kept.returncode == 1 and "exists" in kept.stderr, kept.stderr)
        check("nothing is taken in vain", len(list(card.glob("DCIM/*/*.JPG"))) == before)


def test_raw_photos(env):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        sphere(env, "set", uri, "photo-resolution", "6912x3456 raw")
        told = as_json(sphere(env, "photo", uri, "--json", "-o", folder + "/room.jpg"))
        check("the raw picture is fetched with it",
              told["files"] == [folder + "/room.jpg", folder + "/room.dng"], told)
        raw = card / (told["photos"][0].removesuffix(".JPG") + ".DNG")
        check("byte for byte", raw.read_bytes() == pathlib.Path(folder, "room.dng").read_bytes())
        if shutil.which("exiftool"):
            found = tags(raw)
            check("a DNG", found["FileType"] == "DNG" and found["ImageWidth"] == 6912 and
                  found["ImageHeight"] == 3456 and found["PhotometricInterpretation"] == 32803, found)
        seen = sphere(env, "inspect", folder + "/room.dng")
        check("it can be examined", seen.returncode == 0, seen.stderr)
        stitched = sphere(env, "stitch", folder + "/room.dng", folder + "/sphere.jpg")
        check("its picture for viewing is stitched", stitched.returncode == 0 and
              "CRITICAL" not in stitched.stderr, stitched.stderr)
        listed = as_json(sphere(env, "files", uri, "ls", "--json"))["files"]
        check("both are listed", len(listed) == 2, listed)
        sphere(env, "files", uri, "rm", told["photos"][0])
        check("a raw picture is deleted by its own name", raw.exists())


def test_files(env):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        large = os.urandom(5 << 20)
        video = put(card, "VID_20171216_030505AA.MP4", large)
        put(card, "VID_20171216_030505AB.MP4", b"small")
        photo = put(card, "IMG_20171216_030505.JPG", b"\xff\xd8photo")
        put(card, ".hidden.JPG", b"x")
        listed = as_json(sphere(env, "files", uri, "ls", "--json"))["files"]
        check("the list, without the small copy", {one["path"] for one in listed} == {video, photo},
              listed)
        info = as_json(sphere(env, "files", uri, "info", video, "--json"))["files"][0]
        check("the size", info["size"] == len(large), info)
        for transport in ("web", "data"):
            got = sphere(env, "files", uri, "get", video, "--transport", transport, "-o", folder)
            check(f"fetched by {transport}", got.returncode == 0, got.stderr)
            path = pathlib.Path(folder, "VID_20171216_030505AA.MP4")
            check("complete", path.read_bytes() == large)
            again = sphere(env, "files", uri, "get", video, "--no-clobber", "-o", folder)
            check("an older file is kept where that is wanted", again.returncode == 1, again.stderr)
            path.unlink()
        got = sphere(env, "files", uri, "get", "--all", "--companions", "-o", folder)
        check("all, with the small copy", got.returncode == 0 and set(os.listdir(folder)) == {
            "VID_20171216_030505AA.MP4", "VID_20171216_030505AB.MP4", "IMG_20171216_030505.JPG"},
              os.listdir(folder))
        # The names of two folders may be the same.
        (card / "DCIM" / "20171217").mkdir()
        (card / "DCIM" / "20171217" / "IMG_20171216_030505.JPG").write_bytes(b"\xff\xd8other")
        both = as_json(sphere(env, "files", uri, "get", "--all", "--json", "-o", folder))["files"]
        photos = {path: pathlib.Path(path).read_bytes() for path in both if path.endswith(".JPG")}
        check("none replaces another", sorted(photos.values()) == [b"\xff\xd8other", b"\xff\xd8photo"]
              and folder + "/IMG_20171216_030505-2.JPG" in photos, both)
        shutil.rmtree(card / "DCIM" / "20171217")
        twice = as_json(sphere(env, "files", uri, "get", photo, photo, "--json", "-o", folder))["files"]
        check("a file that is named twice is fetched once", len(twice) == 1, twice)
        missing = sphere(env, "files", uri, "get", "DCIM/20171216/NONE.JPG", "-o", folder)
        check("a file that is not there", missing.returncode == 1 and "NONE.JPG" in missing.stderr,
              missing.stderr)
        # Otherwise root could replace /dev/null by a photo.
        pipe = pathlib.Path(folder, "pipe")
        os.mkfifo(pipe)
        for verb, file in (("get", photo), ("thumb", photo)):
            refused = sphere(env, "files", uri, verb, file, "-o", pipe)
            check(f"{verb} replaces regular files only", refused.returncode == 1 and pipe.is_fifo()
                  and "not a regular file" in refused.stderr, refused.stderr)
            refused = sphere(env, "files", uri, verb, file, "-o", "-", cwd=folder)
            check(f"{verb} makes no file named -", refused.returncode == 1 and not pathlib.Path(folder, "-").exists()
                  and "standard output" in refused.stderr, refused.stderr)
        link = pathlib.Path(folder, "link.jpg")
        link.symlink_to("made.jpg")
        got = sphere(env, "files", uri, "get", photo, "-o", link)
        check("through a link to a file that does not exist", got.returncode == 0 and link.is_symlink()
              and pathlib.Path(folder, "made.jpg").read_bytes() == b"\xff\xd8photo", got.stderr)
        nowhere = sphere(env, "files", uri, "get", photo, "-o", folder + "/none/x.jpg")
        check("a missing folder is named", nowhere.returncode == 1 and "/none' does not exist" in nowhere.stderr
              and ".part" not in nowhere.stderr, nowhere.stderr)
        gone = sphere(env, "files", uri, "rm", video)
        check("deleted with its small copy", gone.returncode == 0 and sorted(
            path.name for path in (card / "DCIM" / "20171216").iterdir()) == [
                ".hidden.JPG", "IMG_20171216_030505.JPG"], gone.stderr)
        check("all needs --yes", sphere(env, "files", uri, "rm", "--all").returncode == 1)
        check("and it is still there", (card / photo).exists())


def test_progress(env):
    """On a terminal: the part, the rate and the time left."""
    with camera("--fault", "http-slow:1000") as (uri, card), tempfile.TemporaryDirectory() as folder:
        photo = put(card, "IMG_20171216_030505.JPG", b"\xff\xd8" + os.urandom(2 << 20))
        ours, theirs = pty.openpty()
        with subprocess.Popen([SPHERE, "files", uri, "get", photo, "-o", folder], env=env,
                              stdout=subprocess.DEVNULL, stderr=theirs) as get:
            os.close(theirs)
            said = b""
            with contextlib.suppress(OSError):  # the end of a terminal
                while chunk := os.read(ours, 4096):
                    said += chunk
        os.close(ours)
        check("the file is fetched", get.returncode == 0, said)
        check("the progress", re.search(rb"\d+%.*/s .*[0-9]:[0-9]{2} left", said) is not None, said)


def test_redacted_files(env):
    """What the camera wrote goes; the pictures stay, and only the cleaned file gets the name."""
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        taken = sphere(env, "photo", uri, "-o", os.path.join(folder, "photo.jpg"))
        check("a photo is taken", taken.returncode == 0, taken.stderr)
        path = "DCIM/" + str(next(card.rglob("*.JPG")).relative_to(card / "DCIM"))
        raw = (card / path).read_bytes()
        check("it tells the serial number of the camera", b"MJXJ" in raw or b"QJXJ" in raw)
        got = sphere(env, "files", uri, "get", path, "--redact", "-o", os.path.join(folder, "clean.jpg"))
        check("it is fetched and cleaned", got.returncode == 0, got.stderr)
        said = as_json(sphere(env, "inspect", "--json", os.path.join(folder, "clean.jpg")))["files"][0]
        told = {part["class"] for part in said["parts"]} & {"place", "identity", "time", "sound"}
        check("it tells nothing about people", not told, said)
        again = sphere(env, "files", uri, "get", path, "--redact", "--no-clobber", "-o",
                       os.path.join(folder, "clean.jpg"))
        check("an older file is kept where that is wanted", again.returncode == 1, again.stderr)
        broken = put(card, "IMG_20171216_030506.JPG", raw[:raw.index(b"\xff\xc0") + 30])
        failed = sphere(env, "files", uri, "get", broken, "--redact", "-o", os.path.join(folder, "no.jpg"))
        check("what can't be examined is not kept", failed.returncode == 1 and "not kept" in failed.stderr,
              failed.stderr)
        left = set(os.listdir(folder))
        check("nothing else is left", left == {"photo.jpg", "clean.jpg"}, left)


def test_resume(env):
    """What has arrived stays after an interruption, and is not fetched again."""
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        content = os.urandom(3 << 20)
        video = put(card, "VID_20171216_030505AA.MP4", content)
        # The beginning, as an interrupted transfer leaves it: found by an attempt that fails.
        os.mkdir(folder + "/out")
        sphere(env, "files", uri, "get", video, "-o", folder + "/out")
        os.rename(folder + "/out/VID_20171216_030505AA.MP4", folder + "/whole")
        with open(folder + "/limited.sh", "w", encoding="utf-8") as script:
            script.write('ulimit -f 2000\nexec "$@"\n')
        cut = run("bash", folder + "/limited.sh", SPHERE, "files", uri, "get", video, "-o",
                  folder + "/out", env=env)
        parts = os.listdir(folder + "/out")
        check("a full disk is told", cut.returncode == 1 and "can't be written" in cut.stderr,
              cut.stderr)
        check("the part stays", len(parts) == 1 and parts[0].endswith(".part"), parts)
        # The camera's copy begins with other bytes now: those that are there are not fetched again.
        size = os.path.getsize(folder + "/out/" + parts[0])
        path = card / video
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        with open(path, "r+b") as file:
            file.write(bytes(16))
        os.utime(path, ns=times)
        got = sphere(env, "files", uri, "get", video, "-o", folder + "/out")
        check("resumed", got.returncode == 0 and size > 0, got.stderr)
        check("from where it was",
              pathlib.Path(folder, "out", "VID_20171216_030505AA.MP4").read_bytes() == content)


class CuttingProxy:
    """Passes connections on to a port, and cuts some of them after a random number of bytes."""

    def __init__(self, port, cuts, longest):
        self.port = port
        self.cuts = cuts
        self.longest = longest
        self.passed = 0
        self.random = random.Random(7)
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        camera_side = socket.create_connection(("127.0.0.1", self.port))
        threading.Thread(target=self.copy, args=(client, camera_side, None), daemon=True).start()
        with self.lock:
            limit = self.random.randrange(1, self.longest) if self.cuts > 0 else None
        self.copy(camera_side, client, limit)

    def copy(self, source, target, limit):
        count = 0
        try:
            while part := source.recv(65536):
                if limit is not None and count + len(part) > limit:
                    with self.lock:
                        self.cuts -= 1
                    break
                target.sendall(part)
                if limit is not None or source.getpeername()[1] == self.port:
                    with self.lock:
                        self.passed += len(part)
                count += len(part)
        except OSError:
            pass
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def through(uri, name, proxy):
    """The URI with another port."""
    parts = urllib.parse.urlsplit(uri)
    query = dict(urllib.parse.parse_qsl(parts.query))
    query[name] = str(proxy.server.getsockname()[1])
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def test_cuts(env):
    """A link that is cut ten times. SPHERE_CUT_MB=2100 tries a file above 2 GiB."""
    megabytes = int(os.environ.get("SPHERE_CUT_MB", "24"))
    size = (megabytes << 20) + 12345
    for name, transport in (("http-port", "web"), ("data-port", "data")):
        with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
            video = put(card, "VID_20171216_030505AA.MP4", b"")
            with open(card / video, "r+b") as file:
                block = os.urandom(1 << 20)
                for at in range(0, size, 64 << 20):
                    file.seek(at)
                    file.write(block)
                file.truncate(size)
            port = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))[name]
            proxy = CuttingProxy(int(port), 10, size // 8)
            got = run(SPHERE, "files", through(uri, name, proxy), "get", video, "--transport",
                      transport, "-o", folder, env=env)
            check(f"{transport}: complete after ten cuts", got.returncode == 0, got.stderr)
            check(f"{transport}: it was cut ten times", proxy.cuts == 0, proxy.cuts)
            same = run("cmp", card / video, folder + "/VID_20171216_030505AA.MP4")
            check(f"{transport}: the same bytes", same.returncode == 0, same.stdout)
            # The web server's bytes have headers; the data port begins a chunk of 2 MiB again.
            twice = proxy.passed - size
            check(f"{transport}: little is fetched twice", twice <= 11 * (2 << 20), twice)


def test_https(env):
    """The first certificate is kept, and another one is refused: also in another process."""
    if not shutil.which("openssl"):
        print("SKIP: openssl is not here")
        return
    sphere(env, "consent", "give", "device", "--purpose", "bind")
    with tempfile.TemporaryDirectory() as folder:
        certificates = []
        for name in ("first", "second"):
            made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=camera",
                       "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt")
            check("a certificate", made.returncode == 0, made.stderr)
            path = pathlib.Path(folder, name + ".pem")
            path.write_text("".join(pathlib.Path(f"{folder}/{name}.{part}").read_text()
                                    for part in ("key", "crt")))
            certificates.append(path)
        proxy = None
        for certificate in certificates:
            with camera("--certificate", certificate) as (uri, card):
                photo = put(card, "IMG_20171216_030505.JPG", b"\xff\xd8photo")
                port = int(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))
                           ["https-port"])
                # Both are at the same address.
                proxy = proxy or CuttingProxy(port, 0, 1)
                proxy.port = port
                got = run(SPHERE, "files", through(uri, "https-port", proxy), "get", photo,
                          "--transport", "web", "-o", folder, env=env)
                if certificate == certificates[0]:
                    check("over HTTPS", got.returncode == 0 and proxy.passed > 0, got.stderr)
                    check("the photo", pathlib.Path(folder, "IMG_20171216_030505.JPG").read_bytes()
                          == b"\xff\xd8photo")
                else:
                    check("another certificate is refused", got.returncode == 1 and
                          "certificate" in got.stderr and "erase --store pins" in got.stderr,
                          got.stderr)
        check("on request it is forgotten",
              sphere(env, "consent", "erase", "--store", "pins", "--yes").returncode == 0)


def test_position_needs_consent(env):
    with camera() as (uri, _card):
        denied = sphere(env, "gps", uri, "48.2,16.4")
        check("denied at first", denied.returncode == 1 and "consent give location" in denied.stderr,
              denied.stderr)
        sphere(env, "consent", "give", "location", "--purpose", "camera")
        given = sphere(env, "gps", uri, "48.2,16.4")
        check("with consent", given.returncode == 0, given.stderr)
        check("the position is not printed", "48.2" not in given.stdout + given.stderr)
        sphere(env, "consent", "withdraw", "storage")
        refused = sphere(env, "photo", uri, "-o", "/dev/null")
        check("saving after a withdrawal", refused.returncode == 1 and "withdrawn" in refused.stderr,
              refused.stderr)


def test_wifi(env):
    with camera() as (uri, _card):
        shown = sphere(env, "wifi", uri)
        check("the factory's password is warned of", "factory" in shown.stderr, shown.stderr)
        check("and not shown", "12345678" not in shown.stdout + shown.stderr)
        check("shown on request", "12345678" in sphere(env, "wifi", uri, "--show-password").stdout)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("abc\n")
            file.flush()
            wrong = sphere(env, "wifi", uri, "--password-file", file.name, "--yes")
        check("a wrong password", wrong.returncode == 2 and "8 to 20 digits" in wrong.stderr
              and "abc" not in wrong.stderr, wrong.stderr)


def test_password_on_the_terminal(env):
    with camera() as (uri, _card):
        typed = Terminal("wifi", uri, "--password", "--yes", env=env)
        typed.wait_for("New password")
        check("what is typed is not shown", not typed.shows_what_is_typed())
        typed.type("9876543210\n")
        check("it is changed", typed.finish() == 0, typed.text)
        check("and never shown", "9876543210" not in typed.text, typed.text)
        check("afterwards the terminal is as before", typed.shows_what_is_typed())
        for signal, end in ((None, "\x03"), (15, None), (1, None)):
            stopped = Terminal("wifi", uri, "--password", env=env)
            stopped.wait_for("New password")
            if end:
                stopped.type(end)
            else:
                stopped.process.send_signal(signal)
            check(f"interrupted by {signal or 'Ctrl-C'}", stopped.finish() == 130, stopped.text)
            check("the terminal is as before", stopped.shows_what_is_typed())
        nowhere = run(SPHERE, "wifi", uri, "--password", env=env, start_new_session=True)
        check("without a terminal", nowhere.returncode == 2 and "--password-file" in nowhere.stderr,
              nowhere.stderr)


def check_example(env, words):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        done = run(*words, uri, folder, env=env)
        check("it ends with 0", done.returncode == 0, done.stdout + done.stderr)
        photos = [name for name in os.listdir(folder) if name.startswith("IMG_")]
        check("the photo and the live picture", len(photos) == 1 and "live.jpg" in os.listdir(folder),
              os.listdir(folder))
        check("the photo is deleted from the card",
              not any(path.suffix == ".JPG" for path in card.rglob("*")))


def test_example_python(env):
    check_example(env, [sys.executable, EXAMPLES / "camera.py"])


def test_example_c(env):
    if not shutil.which("cc"):
        return
    with tempfile.TemporaryDirectory() as folder:
        libraries = [BUILD / "hw", BUILD / "gst" / "sphere"]
        flags = run("pkg-config", "--cflags", "--libs", "gstreamer-1.0", "gio-2.0").stdout.split()
        built = run("cc", EXAMPLES / "camera.c", "-o", folder + "/camera",
                    f"-I{EXAMPLES.parents[1]}", *flags, f"-L{libraries[0]}", "-lgstspherehw-1.0",
                    f"-Wl,-rpath-link,{libraries[1]}")
        check("the example in C compiles without a warning",
              built.returncode == 0 and not built.stderr, built.stderr)
        check_example(env, [folder + "/camera"])


def main():
    # It starts processes in a way that threads do not allow.
    at_home(test_password_on_the_terminal)
    tests = [test_cuts, test_progress, test_state_and_settings, test_what_destroys_asks, test_firmware,
             test_no_camera, test_find, test_refusals, test_files, test_redacted_files, test_resume,
             test_position_needs_consent, test_wifi, test_https, test_photo_and_recording,
             test_kinds_of_photos, test_raw_photos]
    if "ASAN_OPTIONS" not in os.environ:  # Python itself is not sanitized, and can't load what is.
        tests.append(test_example_c)
        if "--introspection" in sys.argv:
            tests.append(test_example_python)
    # They mostly wait for the camera.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(at_home, tests))
    finish()


if __name__ == "__main__":
    main()

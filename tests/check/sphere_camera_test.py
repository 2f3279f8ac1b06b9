# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands of `sphere` that talk to a camera, and the example applications, against an emulated
camera. Prints a summary line as gst-check does."""

import contextlib
import json
import os
import random
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from checks import BUILD, SPHERE, attempt, check, finish, run

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"


@contextlib.contextmanager
def camera(*words):
    """An emulated camera with a card of its own: its URI, and the folder of the card."""
    with tempfile.TemporaryDirectory() as card:
        with subprocess.Popen([SPHERE, "emulator", "--size", "320x160", "--card", card, *words],
                              stdout=subprocess.PIPE, text=True) as process:
            try:
                yield json.loads(process.stdout.readline())["uri"], pathlib.Path(card)
            finally:
                process.kill()


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
              as_json(sphere(env, "set", uri, "photo-exposure", "--json"))["value"] == -2)
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
        check("nothing to stop", sphere(env, "record", uri, "--stop").returncode == 1)


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
        missing = sphere(env, "files", uri, "get", "DCIM/20171216/NONE.JPG", "-o", folder)
        check("a file that is not there", missing.returncode == 1 and "NONE.JPG" in missing.stderr,
              missing.stderr)
        gone = sphere(env, "files", uri, "rm", video)
        check("deleted with its small copy", gone.returncode == 0 and sorted(
            path.name for path in (card / "DCIM" / "20171216").iterdir()) == [
                ".hidden.JPG", "IMG_20171216_030505.JPG"], gone.stderr)
        check("all needs --yes", sphere(env, "files", uri, "rm", "--all").returncode == 1)
        check("and it is still there", (card / photo).exists())


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
    for test in (test_state_and_settings, test_no_camera, test_find, test_photo_and_recording,
                 test_files, test_resume, test_cuts, test_position_needs_consent, test_wifi):
        with own_home() as env:
            attempt(test, env)
    sanitized = "ASAN_OPTIONS" in os.environ
    if not sanitized:  # Python itself is not sanitized, and can't load what is.
        with own_home() as env:
            if "--introspection" in sys.argv:
                attempt(test_example_python, env)
            attempt(test_example_c, env)
    finish()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lenses that `sphere stitch` finds: saved only with OUT, and kept for a camera only with consent."""

import json
import os
import pathlib
import resource
import signal
import struct
import tempfile

from checks import SPHERE, attempt, check, finish, launch_ours, run

SERIAL = b"AB12345678"


def environment(home):
    return {**os.environ, "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}


def sphere(home, *arguments, **options):
    return run(SPHERE, *arguments, env=environment(home), **options)


def with_exif(content, texts):
    """A JPEG that names its camera: texts by tag."""
    entries, values, at = b"", b"", 8 + 2 + len(texts) * 12 + 4
    for tag, text in sorted(texts.items()):
        entries += struct.pack("<HHII", tag, 2, len(text) + 1, at + len(values))
        values += text + b"\0"
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(texts)) + entries + bytes(4) + values
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


def picture(folder):
    plain = folder / "plain.jpg"
    launch_ours(f"spheretestsrc num-buffers=1 supersample=2 lens=dual-190 ! "
                f"video/x-raw,width=1280,height=640 ! videoconvert ! jpegenc ! filesink location={plain}")
    camera = folder / "camera.jpg"
    camera.write_bytes(with_exif(plain.read_bytes(), {0x10f: b"Maker", 0x110: b"Twin 1", 0xa431: SERIAL}))
    return camera


def stitch(home, camera, *more, **options):
    return sphere(home, "stitch", camera, home / "out.jpg", "--json", "--stitcher", "cpu", *more, **options)


def kept(home):
    return sorted((home / "data/gst-sphere/lenses").glob("*"))


def test_kept_with_consent(camera, home):
    denied = stitch(home, camera)
    check("found", denied.returncode == 0 and "found in the pictures" in json.loads(denied.stdout)["lens"],
          denied.stdout + denied.stderr)
    check("nothing is kept without consent", not kept(home), kept(home))
    check("given", sphere(home, "consent", "give", "device").returncode == 0)
    first = stitch(home, camera)
    check("kept with consent", first.returncode == 0 and len(kept(home)) == 1, first.stderr)
    check("not by its serial number", not any(SERIAL in str(path).encode() or SERIAL in path.read_bytes()
                                              for path in kept(home)))
    check("the serial number is not told", SERIAL.decode() not in first.stdout + first.stderr)
    second = stitch(home, camera)
    check("used the next time", second.returncode == 0
          and "an earlier file of this camera" in json.loads(second.stdout)["lens"],
          second.stdout + second.stderr)
    check("listed", "lenses" in sphere(home, "consent", "held").stdout)
    export = json.loads(sphere(home, "consent", "export").stdout)
    items = next(store["items"] for store in export["stores"] if store["store"] == "lenses")
    check("exported", len(items) == 1 and items[0]["content"]["format"] == "gst-sphere-lens", items)
    erased = sphere(home, "consent", "erase", "--camera", SERIAL.decode(), "--yes")
    check("erased by its camera", erased.returncode == 0 and not kept(home), erased.stderr)
    stitch(home, camera)
    check("kept again", len(kept(home)) == 1)
    check("withdrawn", sphere(home, "consent", "withdraw", "device").returncode == 0)
    check("gone", not kept(home), kept(home))


def no_room():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))


def test_saved_with_out(camera, home):
    lens = home / "lens.json"
    failed = stitch(home, camera, "--save-lens", lens, preexec_fn=no_room, restore_signals=False)
    check("OUT has no room", failed.returncode == 1, failed.stdout + failed.stderr)
    check("then no lens is saved", not lens.exists() and not (home / "out.jpg").exists(),
          list(home.iterdir()))
    whole = stitch(home, camera, "--save-lens", lens)
    check("saved", whole.returncode == 0 and json.loads(lens.read_text())["format"] == "gst-sphere-lens",
          whole.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        camera = picture(pathlib.Path(folder))
        for test in (test_kept_with_consent, test_saved_with_out):
            with tempfile.TemporaryDirectory() as home:
                attempt(test, camera, pathlib.Path(home))
    finish()


if __name__ == "__main__":
    main()

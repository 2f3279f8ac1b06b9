# SPDX-License-Identifier: LGPL-2.1-or-later
"""How commands end that can't end by themselves: where an element hangs, and where the system has no
more threads. Prints a summary line as gst-check does."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

from checks import BUILD, DEADLINE, SPHERE, attempt, check, finish, launch_ours, run

TOOLS = BUILD / "tests" / "tools"


def hanging(folder, photo):
    """`sphere view` with a sink that never stops, after its first picture."""
    path = os.pathsep.join((os.environ["GST_PLUGIN_PATH"], str(TOOLS / "plugins")))
    process = subprocess.Popen(
        [SPHERE, "view", "--sink", "testhangingsink", "--quiet", photo], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "GST_PLUGIN_PATH": path, "GST_REGISTRY": str(folder / "registry.bin")})
    said = ""
    while "shown" not in said and process.poll() is None:
        said = process.stderr.readline()
    check("it shows the photo", "shown" in said, said)
    return process


def test_signals_end_what_hangs(folder, photo):
    once = hanging(folder, photo)
    once.send_signal(signal.SIGTERM)
    often = hanging(folder, photo)
    begin = time.monotonic()
    while often.poll() is None and time.monotonic() - begin < DEADLINE:
        often.send_signal(signal.SIGTERM)
        try:
            often.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            pass
    took = time.monotonic() - begin
    said = often.communicate(timeout=DEADLINE)[1]
    check("a second signal ends it, before the time is over", often.returncode == 130 and "by force" in said and took < 14,
          (often.returncode, said, took))
    check("but not at once", took > 1, took)
    said = once.communicate(timeout=DEADLINE)[1]
    check("one signal ends it, too", once.returncode == 130 and "by force" in said, (once.returncode, said))


def test_without_threads(folder, photo):
    """Whichever thread can't be made, it ends, says why, and leaves nothing behind. Not a film of
    which a part is done: that goes on later."""
    film = folder / "film.mp4"
    launch_ours("spheretestsrc num-buffers=10 ! video/x-raw,format=I420,width=640,height=320 ! "
                f"x264enc speed-preset=ultrafast ! mp4mux ! filesink location={film}")
    lenses = ("--lens", "dual-190")
    for what, words in (
            ("a photo", ("stitch", photo, "sphere.jpg", "--force", *lenses, "--stitcher", "cpu")),
            ("a film", ("reframe", film, "film.mp4", *lenses, "--drawer", "cpu", "--size", "320x180"))):
        out = folder / what
        out.mkdir()
        failures = 0
        for threads in range(60):
            ended = run(SPHERE, *words, cwd=out, env={
                **os.environ, "LD_PRELOAD": str(TOOLS / "few-threads.so"), "FEW_THREADS": str(threads)})
            if ended.returncode == 0:
                break
            failures += "no more memory or threads" in ended.stderr
            # A decoder or an encoder that gets none says so itself.
            check(f"{what} with {threads} threads fails, and says why", ended.returncode == 1 and
                  ended.stderr.startswith("sphere"), (ended.returncode, ended.stderr))
            left = [name for name in os.listdir(out) if name != "film.mp4.parts"]
            check(f"{what} with {threads} threads: nothing is left behind", not left, left)
        check(f"{what} needs threads", failures > 1, failures)
        check(f"{what} is made with enough of them", len(os.listdir(out)) == 1, os.listdir(out))


def main():
    if "ASAN_OPTIONS" in os.environ:  # Its library must be the first one.
        print("skip: how commands end: no library can be loaded before the sanitizer's")
        raise SystemExit(77)
    with tempfile.TemporaryDirectory(prefix="sphere-end-") as name:
        folder = pathlib.Path(name)
        photo = folder / "photo.jpg"
        launch_ours("spheretestsrc num-buffers=1 ! video/x-raw,format=I420,width=640,height=320 ! "
                    f"jpegenc ! filesink location={photo}")
        for test in (test_signals_end_what_hangs, test_without_threads):
            attempt(test, folder, photo)
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `sphere calibrate`, from outside. Prints a summary line as gst-check does."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile

from checks import DEADLINE, SPHERE, check, finish, launch_ours, on_terminal, run


def calibrate(folder, *arguments):
    return run(SPHERE, "calibrate", *arguments, cwd=folder)


def draw(path, lens, width, pattern="scene"):
    """The scene through a lens, drawn by our own source."""
    launch_ours(f"spheretestsrc num-buffers=1 lens={lens} pattern={pattern} ! "
                f"video/x-raw,width={width},height={width // 2} ! videoconvert ! pngenc ! "
                f"filesink location={path}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        draw(folder / "in.png", "dual-190", 1280)
        draw(folder / "small.png", "dual-190", 640)
        (folder / "lens.json").write_text("old")

        # After a failure, the older file is still there.
        for what, arguments, status, words in (
                ("no pictures", ["-o", "lens.json"], 2, "PICTURES"),
                ("no output", ["in.png"], 2, "-o LENS"),
                ("another name", ["in.png", "-o", "lens.txt"], 2, ".json"),
                ("no such picture", ["none.png", "-o", "lens.json"], 1, "none.png"),
                ("no picture", ["lens.json", "-o", "lens.json"], 1, "not a picture"),
                ("two sizes", ["in.png", "small.png", "-o", "lens.json"], 1, "one size"),
                ("no such lens", ["in.png", "--lens", "nothing", "-o", "lens.json"], 2, "nothing"),
                ("no such lens file", ["in.png", "--lens", "nothing.json", "-o", "lens.json"], 1, "nothing"),
                ("no folder", ["in.png", "-o", "none/lens.json"], 1, "folder"),
                ("not again", ["in.png", "-o", "lens.json", "--no-clobber"], 1, "exists")):
            done = calibrate(folder, *arguments)
            check(what, done.returncode == status and words in done.stderr,
                  f"{done.returncode} {done.stderr}")
            check(f"{what}: nothing is left behind",
                  sorted(p.name for p in folder.iterdir()) == ["in.png", "lens.json", "small.png"])
        # The folder for pictures, the folders above it and its pictures are removed, too.
        for what, pictures, arguments in (
                ("a folder", "seams", ["none.png", "-o", "lens.json"]),
                ("folders", "one/two/seams", ["none.png", "-o", "lens.json"]),
                ("a picture without a seam", "seams", ["dark.png", "-o", "lens.json"]),
                ("a profile that can't be written", "seams", ["in.png", "-o", "full/lens.json"])):
            full = folder / "full"
            full.mkdir()
            launch_ours("videotestsrc num-buffers=1 pattern=black ! "
                        "video/x-raw,format=GRAY8,width=1280,height=640 ! pngenc ! "
                        f"filesink location={folder / 'dark.png'}")
            before = sorted(p.name for p in folder.iterdir())
            limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))) \
                if "written" in what else None
            done = run(SPHERE, "calibrate", *arguments, "--pictures", pictures, cwd=folder,
                       preexec_fn=limit)
            check(f"--pictures: {what}", done.returncode == 1 and
                  sorted(p.name for p in folder.iterdir()) == before and not any(full.iterdir()),
                  f"{done.returncode} {done.stderr} {sorted(folder.rglob('*'))}")
            full.rmdir()
            (folder / "dark.png").unlink()
        # Interrupted in the middle.
        process = subprocess.Popen([SPHERE, "calibrate", "in.png", "-o", "lens.json", "--verbose",
                                    "--pictures", "seams"], cwd=folder, text=True,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=DEADLINE)
        check("interrupted: nothing is left behind", process.returncode == 130 and
              not (folder / "seams").exists(), f"{process.returncode} {words}")
        # A stitched picture has no lenses that could be found.
        launch_ours(f"filesrc location={folder / 'in.png'} ! pngdec ! videoconvert ! "
                    "cpuspherestitch lens=dual-190 ! videoconvert ! pngenc ! "
                    f"filesink location={folder / 'sphere.png'}")
        done = calibrate(folder, "sphere.png", "-o", "lens.json")
        check("a 360 picture", done.returncode == 1 and "360 picture already" in done.stderr,
              f"{done.returncode} {done.stderr}")
        (folder / "sphere.png").unlink()
        check("the old file is there", (folder / "lens.json").read_text() == "old")

        done = calibrate(folder, "in.png", "-o", "lens.json", "--pictures", "seams", "--json")
        if check("one picture", done.returncode == 0, done.stderr):
            said = json.loads(done.stdout)
            check("what is right stays right",
                  abs(said["front_fov"] - 190) < 0.5 and said["correlation"] > 0.95, done.stdout)
            profile = json.loads((folder / "lens.json").read_text())
            check("a profile is written", profile["format"] == "gst-sphere-lens" and
                  profile["name"] == "lens" and profile["frame"] == [1280, 640], profile)
            for when in ("before", "after"):
                seam = folder / "seams" / f"seam-1-{when}.png"
                check(f"the seam {when}", seam.is_file() and
                      seam.read_bytes().startswith(b"\x89PNG"))
            status, words = on_terminal(SPHERE, "calibrate", "in.png", "-o", "terminal.json",
                                        cwd=folder)
            check("on a terminal, what was written and how long it took", status == 0 and
                  "wrote terminal.json in " in words and " s" in words, f"{status} {words}")
            (folder / "terminal.json").unlink(missing_ok=True)
            # The same picture three times, and once more with a trace of other noise.
            launch_ours(f"filesrc location={folder / 'in.png'} ! pngdec ! videoconvert ! jpegenc quality=95 ! "
                        f"filesink location={folder / 'close.jpg'}")
            same = calibrate(folder, "in.png", "in.png", "in.png", "close.jpg", "--lens", "dual-190", "-o",
                             "same.json")
            check("the same picture is told, and what to do", same.returncode == 0 and
                  same.stderr.count("the same picture as in.png") == 1 and "turn the camera" in same.stderr,
                  same.stderr)
            check("it is not told that it shows something else", "1 picture shows the scene from the same "
                  "direction" in same.stdout and "not show the scene" not in same.stdout, same.stdout)
            for name in ("close.jpg", "same.json"):
                (folder / name).unlink(missing_ok=True)
            # The result can be the start of another calibration.
            again = calibrate(folder, "in.png", "--lens", "./lens.json", "-o", "again.json")
            check("from its own outcome", again.returncode == 0 and
                  (folder / "again.json").exists(), again.stderr)
        left = sorted(p.name for p in folder.iterdir())
        check("nothing else is left", left == ["again.json", "in.png", "lens.json", "seams",
                                               "small.png"], left)
    finish()


main()

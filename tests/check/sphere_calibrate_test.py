# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `sphere calibrate`, from outside. Prints a summary line as gst-check does."""

import json
import os
import pathlib
import subprocess
import tempfile

from checks import DEADLINE, SPHERE, check, finish, run


def calibrate(folder, *arguments):
    return run(SPHERE, "calibrate", *arguments, cwd=folder)


def draw(path, lens, width, pattern="scene"):
    """The scene through a lens, drawn by our own source."""
    environment = dict(os.environ)
    if "ASAN_OPTIONS" in environment:
        # A program that is not sanitized needs this to load what is; its own leaks are not ours.
        environment["LD_PRELOAD"] = subprocess.check_output(
            ["gcc", "-print-file-name=libasan.so"], text=True).strip()
        environment["ASAN_OPTIONS"] += ":detect_leaks=0"
    line = (f"spheretestsrc num-buffers=1 lens={lens} pattern={pattern} ! "
            f"video/x-raw,width={width},height={width // 2} ! videoconvert ! pngenc ! "
            f"filesink location={path}")
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE,
                   env=environment)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        draw(folder / "in.png", "dual-190", 1280)
        draw(folder / "small.png", "dual-190", 640)
        (folder / "lens.json").write_text("old")

        # What fails leaves what was there.
        for what, arguments, status, words in (
                ("no pictures", ["-o", "lens.json"], 2, "PICTURES"),
                ("no output", ["in.png"], 2, "-o LENS"),
                ("another name", ["in.png", "-o", "lens.txt"], 2, ".json"),
                ("no such picture", ["none.png", "-o", "lens.json"], 1, "none.png"),
                ("no picture", ["lens.json", "-o", "lens.json"], 1, "not a JPEG"),
                ("two sizes", ["in.png", "small.png", "-o", "lens.json"], 1, "one size"),
                ("no such lens", ["in.png", "--lens", "nothing", "-o", "lens.json"], 1, "nothing"),
                ("no folder", ["in.png", "-o", "none/lens.json"], 1, "folder"),
                ("not again", ["in.png", "-o", "lens.json", "--no-clobber"], 1, "exists")):
            done = calibrate(folder, *arguments)
            check(what, done.returncode == status and words in done.stderr,
                  f"{done.returncode} {done.stderr}")
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
            # It is a lens to start from, as any.
            again = calibrate(folder, "in.png", "--lens", "./lens.json", "-o", "again.json")
            check("from its own outcome", again.returncode == 0 and
                  (folder / "again.json").exists(), again.stderr)
        left = sorted(p.name for p in folder.iterdir())
        check("nothing else is left", left == ["again.json", "in.png", "lens.json", "seams",
                                               "small.png"], left)
    finish()


main()

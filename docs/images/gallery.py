#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stitches real photos in three ways, and puts their seams beside each other: with the profile of the camera's model
and the defaults of the elements, with ffmpeg's v360 at the field of view that suits the photo best, and as
`sphere stitch` does it by itself. Prints how well both lenses agree, as docs/gallery.md has it.

  ./dev run docs/images/gallery.py FOLDER     NAME-seams.jpg and NAME.jpg for each photo
  ./dev run docs/images/gallery.py            the pictures that docs/gallery.md shows, into docs/images

The photos are those of the tests (../shared/data, or SPHERE_SHARED); those that are absent are left out.
"""

import functools
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHARED = pathlib.Path(os.environ.get("SPHERE_SHARED", ROOT.parent / "shared")) / "data"
SPHERE = pathlib.Path(os.environ.get("BUILDDIR", ROOT / "build")) / "gst/tools/sphere"

# Of what is drawn, and of the pictures in which v360's field of view is looked for.
OUTPUT, TRIED = (2560, 1280), (640, 320)
# Degrees: within which of the seam, and of the equator, both lenses are compared.
AT_SEAM, HIGHEST = 2.5, 60
FIELDS_OF_VIEW = range(180, 219, 2)

# name, profile of the model, and the filter that makes of the photo what v360 calls dfisheye: both circles upright,
# each in its own half, touching its sides
PHOTOS = (
    ("gear360-street.png", "gear360", "null"),
    ("fisheye-208.jpg", "dual-190", "null"),
    # The circles have 960 of the 1080 rows, and lie on their sides.
    ("theta-s-raw.jpg", "theta-s",
     "crop=1920:960:0:0,split[l][r];[l]crop=960:960:0:0,transpose=clock[a];"
     "[r]crop=960:960:960:0,transpose=cclock[b];[a][b]hstack"),
)
# Whose licence allows to show them here. The others' names none.
SHOWN = {"gear360-street.png"}
QUALITY = 5  # of ffmpeg's JPEG encoder


def ffmpeg(*words):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, stdout=subprocess.PIPE).stdout


def views(grey, across, down, size):
    """What v360 draws of each lens, brightness alone: the right half looks at the middle."""
    chains = [f"crop=iw/2:ih:{x}:0,v360=fisheye:e:ih_fov={across}:iv_fov={down}:yaw={yaw}:w={size[0]}:h={size[1]}"
              for x, yaw in (("iw/2", 0), ("0", 180))]
    drawn = ffmpeg("-i", grey, "-filter_complex", f"split[a][b];[a]{chains[0]}[c];[b]{chains[1]}[d];[c][d]vstack",
                   "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return drawn[:len(drawn) // 2], drawn[len(drawn) // 2:]


@functools.lru_cache
def around_the_seams(size):
    """The places of the pixels that are compared."""
    width, height = size
    places = []
    for y in range(height):
        latitude = math.pi * (0.5 - (y + 0.5) / height)
        if abs(latitude) > math.radians(HIGHEST):
            continue
        for x in range(width):
            longitude = 2 * math.pi * ((x + 0.5) / width - 0.5)
            if abs(math.asin(math.cos(latitude) * math.cos(longitude))) <= math.radians(AT_SEAM):
                places.append(y * width + x)
    return places


def agreement(grey, across, down, size):
    """Zero-mean normalised cross-correlation of both views around the seams, as sphere calibrate has it."""
    front, back = ([view[place] for place in around_the_seams(size)] for view in views(grey, across, down, size))
    means = sum(front) / len(front), sum(back) / len(back)
    product = sum((a - means[0]) * (b - means[1]) for a, b in zip(front, back))
    squares = sum((a - means[0]) ** 2 for a in front) * sum((b - means[1]) ** 2 for b in back)
    return product / math.sqrt(squares) if squares else 0


def best_fields_of_view(grey):
    """The horizontal and the vertical one with which v360 brings both lenses together best."""
    @functools.lru_cache(None)
    def tried(across, down):
        return agreement(grey, across, down, TRIED), across, down

    best = max(tried(fov, fov) for fov in FIELDS_OF_VIEW)
    for step in (1, 0.5):
        while True:
            _, across, down = best
            around = [(across + i * step, down + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
            better = max(tried(*one) for one in around)
            if better <= best:
                break
            best = better
    return best[1:]


def seams(pictures, out):
    """The left seam of each picture above its right seam, one picture beside the other."""
    width, height = OUTPUT
    across, down = width // 10, height * 5 // 8
    chains, names = "", ""
    for n in range(len(pictures)):
        parts = [f"[{n}:v]scale={width}:{height},crop={across}:{down}:{x - across // 2}:{(height - down) // 2}"
                 for x in (width // 4, width * 3 // 4)]
        chains += f"{parts[0]}[l{n}];{parts[1]}[r{n}];[l{n}][r{n}]hstack,pad=iw+8:ih:4:0:white[s{n}];"
        names += f"[s{n}]"
    inputs = [word for picture in pictures for word in ("-i", picture)]
    ffmpeg(*inputs, "-filter_complex", f"{chains}{names}hstack=inputs={len(pictures)}", "-q:v", QUALITY, out)


def make(photo, profile, prepare, folder, work):
    name = photo.stem
    default, v360, ours = (work / f"{name}-{which}.png" for which in ("default", "v360", "ours"))
    size = f"video/x-raw,width={OUTPUT[0]},height={OUTPUT[1]}"
    lens = "" if profile == "dual-190" else f"lens={profile}"
    subprocess.run(["gst-launch-1.0", "-q", *f"filesrc location={photo} ! decodebin ! videoconvert ! cpuspherestitch {lens} "
                    f"! {size} ! videoconvert ! pngenc ! filesink location={default}".split()], check=True)
    grey = work / f"{name}.pgm"
    ffmpeg("-i", photo, "-filter_complex", f"{prepare},format=gray", "-frames:v", 1, grey)
    across, down = best_fields_of_view(grey)
    ffmpeg("-i", photo, "-filter_complex", f"{prepare},v360=dfisheye:e:ih_fov={across}:iv_fov={down}:w={OUTPUT[0]}"
           f":h={OUTPUT[1]}", "-frames:v", 1, v360)
    told = subprocess.run([SPHERE, "stitch", photo, ours, "--json", "--quiet", "--width", str(OUTPUT[0])], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    theirs = agreement(grey, across, down, OUTPUT)
    print(f"{photo.name}: v360 at {across} by {down} degrees {theirs:.3f}, ours {json.loads(told)['agreement']:.3f}")
    seams((default, v360, ours), folder / f"{name}-seams.jpg")
    ffmpeg("-i", ours, "-vf", "scale=1280:640", "-q:v", QUALITY, folder / f"{name}.jpg")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for file, profile, prepare in PHOTOS:
            photo = SHARED / file
            if not photo.exists():
                print(f"{photo} is absent")
            elif folder != HERE or file in SHOWN:
                make(photo, profile, prepare, folder, pathlib.Path(work))


if __name__ == "__main__":
    main()

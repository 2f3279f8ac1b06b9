# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere stitch` on files of a camera that says which lenses it has and how it was held. Prints a
summary line as gst-check does."""

import json
import math
import os
import pathlib
import struct
import subprocess
import tempfile

import gst_checks
from checks import BUILD, DEADLINE, SPHERE, check, finish, run
from gst_checks import ENVIRONMENT

Gst = gst_checks.load("sphere stitch, level")

CAMERA_FILE = BUILD / "tests" / "tools" / "camera-file"
SERIAL = "CANARY-SERIAL-0815"
PICTURES = 6
SIZE = "width=480,height=240"
REAL_SIZE = (960, 480)
# A camera held like this; the lens table tells of its lenses alone.
HELD = ("0", "25", "20")


def launch(line):
    result = run("gst-launch-1.0", "-q", *line.split(), env=ENVIRONMENT)
    if result.returncode:
        raise RuntimeError(f"{line}: {result.stderr}")


def camera_file(source, out, lens="mi-sphere", count=PICTURES, held=HELD):
    subprocess.run([CAMERA_FILE, source, out, lens, str(count), *held, SERIAL], check=True,
                   timeout=DEADLINE, env=ENVIRONMENT)
    return out


def sphere(*arguments):
    return run(SPHERE, "stitch", *arguments, env=ENVIRONMENT)


def stitched(what, *arguments, quiet=True):
    """Stitches, and returns the result that is printed as JSON."""
    result = sphere(*arguments, "--json")
    check(what, result.returncode == 0, result.stderr)
    if quiet:
        check(f"{what}: no warning", not result.stderr, result.stderr)
    return json.loads(result.stdout) if result.returncode == 0 else {}


def pictures(path):
    """The grey pictures of a file."""
    kind = path.suffix
    decoder = {".png": "pngdec", ".jpg": "jpegparse ! avdec_mjpeg",
               ".mp4": "qtdemux ! avdec_h264"}[kind]
    pipeline = Gst.parse_launch(f"filesrc location={path} blocksize=100000000 ! {decoder} ! "
                                "videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out "
                                "sync=false")
    sink = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    found = []
    while True:
        sample = sink.emit("try-pull-sample", DEADLINE * Gst.SECOND)
        if sample is None:
            break
        buffer = sample.get_buffer()
        found.append(buffer.extract_dup(0, buffer.get_size()))
    pipeline.set_state(Gst.State.NULL)
    return found


def difference(a, b):
    """The mean difference of two lists of pictures."""
    if len(a) != len(b) or not a:
        return 1000
    total = sum(abs(x - y) for p, q in zip(a, b) for x, y in zip(p, q))
    return total / sum(len(p) for p in a)


def make_fisheyes(folder):
    """A photo and a video of a camera that was tilted, and what is to come of them."""
    # Turning both lenses in the camera's frame is turning the camera: the same pictures.
    source = pathlib.Path(os.environ["SPHERE_SOURCE"]) / "gst" / "sphere" / "lens" / "profiles" / "mi-sphere.json"
    turned = json.loads(source.read_text())
    yaw, pitch, roll = map(float, HELD)
    turned["lenses"]["front"]["rotation"] = [yaw, pitch, roll]
    turned["lenses"]["back"]["rotation"] = [yaw, -pitch, -roll]
    lens = folder / "held.json"
    lens.write_text(json.dumps(turned))
    source = f"spheretestsrc num-buffers={{}} lens={lens} ! video/x-raw,format=I420,{SIZE},framerate=30/1"
    launch(source.format(1) + " ! videoconvert ! jpegenc quality=95 ! filesink "
           f"location={folder}/plain.jpg")
    launch(source.format(PICTURES) + " ! x264enc qp-min=0 quantizer=10 pass=qual ! mp4mux ! "
           f"filesink location={folder}/plain.mp4")
    # With the turned lens, the tilted picture is level without any option.
    for kind in ("jpg", "mp4"):
        ending = "png" if kind == "jpg" else kind
        stitched(f"the true sphere, {kind}", folder / f"plain.{kind}", folder / f"truth.{ending}",
                 "--lens", lens)


def grown_photo(folder, head):
    """A photo with the Exif of a real one, whose picture is grown from its own thumbnail. Both are
    cut short: a forgiving decoder makes the rest grey."""
    (folder / "thumbnail.jpg").write_bytes(head[head.index(b"\xff\xd8", 2):])
    width, height = REAL_SIZE
    launch(f"filesrc location={folder}/thumbnail.jpg ! jpegdec ! videoconvert ! videoscale ! "
           f"video/x-raw,width={width},height={height} ! videoconvert ! jpegenc quality=95 ! "
           f"filesink location={folder}/grown.jpg")
    exif = head[2:4 + int.from_bytes(head[4:6], "big")]
    exif += bytes(2 + int.from_bytes(head[4:6], "big") - len(exif))
    photo = folder / "real.jpg"
    photo.write_bytes(b"\xff\xd8" + exif + (folder / "grown.jpg").read_bytes()[2:])
    return photo


def seen_level(fisheyes, matrix, tilt=0.0):
    """What a level camera would have seen, at some directions of a sphere, by the plainest
    formulas: a list of latitude, longitude and brightness. `tilt`: degrees more about the axis
    that points to the front."""
    width, height = REAL_SIZE
    # Camera to world: the first two rows are negated.
    world = [[-v for v in matrix[0:3]], [-v for v in matrix[3:6]], list(matrix[6:9])]
    heading = math.atan2(world[0][2], world[2][2])
    found = []
    for row in range(20, 160, 4):
        for column in range(0, 360, 4):
            latitude, longitude = math.radians(90 - row), math.radians(column - 180)
            x = math.cos(latitude) * math.sin(longitude + heading)
            y = -math.sin(latitude)
            z = math.cos(latitude) * math.cos(longitude + heading)
            a = math.radians(tilt)
            x, y = x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)
            cx, cy, cz = (sum(world[i][k] * v for i, v in enumerate((x, y, z))) for k in range(3))
            front = cz > 0
            off = math.atan2(math.hypot(cx, cy), cz if front else -cz)
            # Near the seam both lenses are mixed; below, the thumbnail has ended.
            if off > math.radians(86):
                continue
            r = off / math.radians(197 / 2) * height / 2
            round_ = math.atan2(cy, cx if front else -cx)
            px = width * (0.75 if front else 0.25) + r * math.cos(round_)
            py = height / 2 + r * math.sin(round_)
            if py < 0.8 * height:
                found.append((row, column, fisheyes[int(py) * width + int(px)]))
    return found


def correlation(pairs):
    n = len(pairs)
    mean = [sum(p[i] for p in pairs) / n for i in range(2)]
    products = [(a - mean[0], b - mean[1]) for a, b in pairs]
    norm = math.sqrt(sum(a * a for a, _ in products) * sum(b * b for _, b in products))
    return sum(a * b for a, b in products) / norm


def check_real_photo(folder):
    """A photo of a real camera comes out upright, and as level as its matrix says."""
    shared = os.environ.get("SPHERE_SHARED")
    path = pathlib.Path(shared or "") / "data" / "misphere-photo-head.jpg"
    if not shared or not path.exists():
        print("skip: ../shared/data/misphere-photo-head.jpg is absent")
        return
    head = path.read_bytes()
    photo = grown_photo(folder, head)
    out = folder / "real.png"
    # The picture is a magnified thumbnail, so that its details may not fit well, which is a warning.
    said = stitched("a real photo without its table", photo, out, quiet=False)
    # Either that profile, or lenses that fit better than it, which is then said.
    check("takes the profile of its model, or better", "mi-sphere" in said.get("lens", ""), said)
    check("and its own level", said.get("level") == "horizon", said)
    # The comment of 36 bytes stands in the entry 0x9286 of the type UNDEFINED.
    entry = head.index(bytes.fromhex("8692 0700 24000000"))
    at = head.index(b"Exif\0\0") + 6 + int.from_bytes(head[entry + 8:entry + 12], "little")
    matrix = struct.unpack("<9f", head[at:at + 36])
    fisheyes, sphere_ = pictures(folder / "grown.jpg")[0], pictures(out)[0]
    width, height = REAL_SIZE

    def agreement(tilt=0.0, numbers=matrix):
        return correlation([
            (light, sphere_[height * row // 180 * width + width * column // 360])
            for row, column, light in seen_level(fisheyes, numbers, tilt)])
    level = agreement()
    check("is level", level > 0.95, level)
    # A pixel of the thumbnail is 2.25 degrees: more than that is worse, to either side.
    for tilt in (-4.5, 4.5):
        check(f"and not tilted by {tilt}", agreement(tilt) < level, (tilt, agreement(tilt), level))
    bright = [sum(sphere_[r * width:(r + 1) * width]) / width
              for r in (height // 6, height * 3 // 5)]
    check("is upright: the sky is above", bright[0] > bright[1] + 30, bright)


def main():
    with tempfile.TemporaryDirectory(prefix="sphere-level-") as name:
        folder = pathlib.Path(name)
        check_real_photo(folder)
        make_fisheyes(folder)
        truth = pictures(folder / "truth.png")
        shown = pictures(folder / "truth.mp4")

        photo = camera_file(folder / "plain.jpg", folder / "photo.jpg", count=1)
        out = folder / "out.png"
        said = stitched("a photo", photo, out)
        check("it says what it used", said.get("lens") == "the table in the file"
              and said.get("level") == "horizon", said)
        level = difference(pictures(out), truth)
        check("its horizon is level", level < 1, level)
        check("as stored", stitched("a photo, off", photo, out, "--level", "off")["level"] == "off")
        check("is not level", difference(pictures(out), truth) > 10)
        result = sphere(photo, out, "--verbose", "--level", "full")
        check("in words", "lenses: the table in the file; level: full" in result.stderr,
              result.stderr)
        for ending in ("jpg", "png"):
            stitched(f"to {ending}", photo, folder / f"out.{ending}")
            content = (folder / f"out.{ending}").read_bytes()
            check(f"{ending}: nothing of the camera's goes on",
                  b"MADV" not in content and b"Exif" not in content
                  and content.count(b"\x89PNG") == (ending == "png"))
        said = stitched("a lens by name", photo, out, "--lens", "mi-sphere")
        check("comes first", said["lens"] == "mi-sphere" and difference(pictures(out), truth) < 1)

        # The table may be in the DNG that the camera writes beside the photo.
        camera_file(folder / "plain.jpg", folder / "photo.dng", count=1)
        said = stitched("a DNG", folder / "plain.jpg", out, "--lens", folder / "photo.dng")
        check("gives table and level", said["lens"].endswith("photo.dng")
              and said["level"] == "horizon" and difference(pictures(out), truth) < 1, said)
        (folder / "none.dng").write_bytes(b"II*\0\x08\0\0\0\0\0\0\0\0\0")
        result = sphere(photo, out, "--lens", folder / "none.dng")
        check("a DNG without a table", result.returncode == 1 and "no lens table" in result.stderr,
              result.stderr)

        video = camera_file(folder / "plain.mp4", folder / "video.mp4")
        out = folder / "out.mp4"
        check("the serial number is in it", SERIAL.encode() in video.read_bytes())
        for stitcher in ("cpu", "auto"):
            said = stitched(f"a video, {stitcher}", video, out, "--stitcher", stitcher)
            check("it says what it used", said.get("lens") == "the table in the file"
                  and said.get("level") == "horizon", said)
            first = pictures(out)
            check("all pictures, level", difference(first, shown) < 1, difference(first, shown))
            content = out.read_bytes()
            check("nothing of the camera's goes on", SERIAL.encode() not in content
                  and b"madv" not in content and b"lutz" not in content)
        stitched("a video, off", video, out, "--level", "off")
        check("is as stored", difference(pictures(out), shown) > 10)
        # After a list of tags that a muxer wrote, a demuxer does not pass the box on.
        content = video.read_bytes()
        at = content.rfind(b"udta") - 4
        listed = bytes.fromhex("00000035 6d657461 00000000 00000021 68646c72 00000000 00000000"
                               "6d646972 00000000 00000000 00000000 00 00000008 696c7374")
        grown = bytearray(content[:at + 8] + listed + content[at + 8:])
        for box in (at, content.rfind(b"moov") - 4):
            grown[box:box + 4] = (int.from_bytes(grown[box:box + 4], "big")
                                  + len(listed)).to_bytes(4, "big")
        (folder / "listed.mp4").write_bytes(grown)
        said = stitched("a video with a muxer's tags", folder / "listed.mp4", out)
        check("is level too", said.get("level") == "horizon"
              and difference(pictures(out), shown) < 1)

        launch(f"spheretestsrc num-buffers=1 ! video/x-raw,format=RGBA,{SIZE} ! videocrop top=120 ! "
               f"videoconvert ! video/x-raw,format=RGB ! pngenc ! filesink location={folder}/strip.png")
        stitched("a strip", folder / "strip.png", folder / "out.png", "--lens", "dual-190",
                 "--strip", "bottom")
        strip = pictures(folder / "out.png")[0]
        check("is dark above, and not below", max(strip[:480 * 60]) < 20
              and sum(strip[-480 * 60:]) > 40 * 480 * 60)
        camera_file(folder / "plain.mp4", video, count=2)
        said = stitched("a short track", video, out, quiet=False)
        check("is warned of", any("ends before the video" in w for w in said["warnings"]), said)
        camera_file(folder / "plain.mp4", video, held=("nan", "0", "0"))
        said = stitched("a track of no numbers", video, out, quiet=False)
        check("is warned of", said["level"] == "off"
              and any("can't be used" in w for w in said["warnings"]), said)
        content = camera_file(folder / "plain.mp4", video).read_bytes()
        video.write_bytes(content.replace(b"tlyd", b"tlyX").replace(b"\x89PNG", b"\x89GNP"))
        said = stitched("a table of no pictures", video, out, quiet=False)
        check("is warned of once, and the model's profile is taken", said["lens"] == "mi-sphere"
              and sum("lens table can't be used" in w for w in said["warnings"]) == 1, said)
        for wrong in (("--level", "horizont"), ("--strip", "upper"), ("--smoothing", "11")):
            result = sphere(video, out, *wrong)
            check(f"{wrong}", result.returncode == 2 and wrong[0] in result.stderr, result.stderr)
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere reframe`: the film is what the elements draw, from 360 files and from fisheyes, and after a
failure there is no file.
"""

import json
import pathlib
import shutil
import subprocess
import tempfile

from checks import DEADLINE, attempt, check, finish
import gst_checks
from media_checks import Case, is_spherical, pictures, probe

Gst = gst_checks.load("sphere reframe")
KEYFRAMES = {"format": "gst-sphere-view", "version": 1, "keyframes": [
    {"time": 0, "yaw": -60, "fov": 100, "easing": "linear"}, {"time": 1, "yaw": 60, "fov": 60}]}
SIZE = "video/x-raw,format=I420,width=640,height=320,framerate=10/1"
VIEW = "video/x-raw,width=320,height=180,pixel-aspect-ratio=1/1"


def launch(line):
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE,
                   env=gst_checks.ENVIRONMENT)


def make_videos(case):
    """Ten pictures of the sphere and of the fisheyes, without a loss, and a file with sound."""
    lossless = "x264enc pass=quant quantizer=0 speed-preset=ultrafast ! matroskamux"
    for name, options in (("sphere.mkv", "output=equirect"), ("fish.mkv", "lens=dual-190")):
        launch(f"spheretestsrc num-buffers=10 {options} ! {SIZE} ! {lossless} ! "
               f"filesink location={case.path(name)}")
    case.path("moves.json").write_text(json.dumps(KEYFRAMES))


def test_films(case):
    make_videos(case)
    moves = case.path("moves.json")
    for name, words, element in (
            ("sphere.mkv", (), "cpusphereview interpolation=cubic"),
            ("fish.mkv", ("--lens", "dual-190"),
             "cpuspherestitch lens=dual-190 interpolation=cubic blend=multiband match=gain align=seam")):
        out, raw = case.path("out-" + name), case.path("raw.mkv")
        case.done(f"a film of {name}", "reframe", case.path(name), out, "--keyframes", moves, "--size",
                  "320x180", "--drawer", "cpu", "--quality", "0", "--preset", "ultrafast", *words)
        launch(f"filesrc location={case.path(name)} ! matroskademux ! h264parse ! avdec_h264 ! {element} "
               f"keyframes={moves} ! {VIEW} ! x264enc pass=quant quantizer=0 speed-preset=ultrafast ! "
               f"matroskamux ! filesink location={raw}")
        check(f"{name}: each picture is what the elements draw", pictures(out) == pictures(raw))
        stream = probe(out)["streams"][0]
        check(f"{name}: it has the size", (stream["width"], stream["height"]) == (320, 180), stream)
        check(f"{name}: a flat film is not marked as 360", not is_spherical(out))
    case.done("another view", "reframe", case.path("sphere.mkv"), case.path("other.mkv"), "--yaw", "20",
              "--size", "320x180", "--drawer", "cpu")
    check("is another film", pictures(case.path("other.mkv")) != pictures(case.path("out-sphere.mkv")))
    case.done("a turned sphere", "reframe", case.path("sphere.mkv"), case.path("turned.mp4"), "--yaw", "90",
              "--projection", "equirect")
    check("is marked as 360", is_spherical(case.path("turned.mp4")))


def test_photo(case):
    launch("spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width=640,height=320 ! "
           f"pngenc ! filesink location={case.path('in.png')}")
    said = json.loads(case.done("a photo", "reframe", case.path("in.png"), case.path("out.png"), "--yaw", "60",
                                "--json"))
    check("half as wide, 16:9", (said["width"], said["height"]) == (320, 180), said)
    launch(f"filesrc location={case.path('in.png')} ! pngdec ! videoconvert ! video/x-raw,format=RGBA ! "
           "sphereview yaw=60 interpolation=cubic ! pngenc ! "
           f"filesink location={case.path('raw.png')}")
    check("it is what the element draws", pictures(case.path("out.png")) == pictures(case.path("raw.png")))


def test_forms(case):
    """Cubemaps, as --input or the file says; pictures of another shape and stereo ones are refused."""
    view = ("--yaw", "60", "--size", "320x180", "--drawer", "cpu", "--quality", "0", "--preset", "ultrafast")
    lossless = "x264enc pass=quant quantizer=0 speed-preset=ultrafast"
    for form in ("cubemap", "eac"):
        source, out, raw = (case.path(f"{form}{end}") for end in (".mp4", "-film.mkv", "-raw.mkv"))
        launch(f"spheretestsrc num-buffers=3 output=equirect ! {SIZE} ! cpusphereview projection={form} ! "
               f"video/x-raw,width=480,height=320 ! {lossless} ! mp4mux ! filesink location={source}")
        launch(f"filesrc location={source} ! qtdemux ! h264parse ! avdec_h264 ! cpusphereview interpolation=cubic "
               f"input={form} yaw=60 ! {VIEW} ! {lossless} ! matroskamux ! filesink location={raw}")
        case.done(f"a film of {form}", "reframe", source, out, "--input", form, *view)
        check(f"{form}: each picture is what the element draws", pictures(out) == pictures(raw))
        case.refused(f"{form}, untold", 1, "--force", "reframe", source, case.path("x.mp4"), *view)
    case.refused("a place in pixels of a cubemap", 1, "30deg", "reframe", case.path("cubemap.mp4"), case.path("x.mp4"),
                 "--input", "cubemap", "--follow", "10,10@0")
    case.refused("a form and lenses", 2, "--lens", "reframe", case.path("cubemap.mp4"), case.path("x.mp4"), "--input",
                 "eac", "--lens", "dual-190")
    case.refused("an unknown form", 2, "equirect, cubemap, eac", "reframe", case.path("cubemap.mp4"),
                 case.path("x.mp4"), "--input", "cube")
    # A mark for a cubemap has the place of one for an equirectangular video.
    case.done("it is marked", "mark", case.path("cubemap.mp4"), case.path("marked.mp4"))
    data = case.path("marked.mp4").read_bytes()
    check("there is one mark", data.count(b"\x1cequi") == 1)
    case.path("marked.mp4").write_bytes(data.replace(b"\x1cequi", b"\x1ccbmp"))
    case.done("as the file says", "reframe", case.path("marked.mp4"), case.path("told.mkv"), *view)
    check("it is the same film", pictures(case.path("told.mkv")) == pictures(case.path("cubemap-raw.mkv")))

    launch("spheretestsrc num-buffers=3 output=equirect ! video/x-raw,format=I420,width=640,height=640,framerate=10/1 ! "
           f"{lossless} ! mp4mux ! filesink location={case.path('square.mp4')}")
    case.refused("a square", 1, "640x640", "reframe", case.path("square.mp4"), case.path("x.mp4"), *view)
    case.done("stereo", "mark", "--stereo", "top-bottom", case.path("square.mp4"), case.path("stereo.mp4"))
    case.refused("a sphere for each eye", 1, "stereo", "reframe", case.path("stereo.mp4"), case.path("x.mp4"), *view)
    check("there is no OUT", not case.path("x.mp4").exists() and not case.path("x.mp4.parts").exists())


def test_nothing_is_told(case):
    """Sound stays; place, title and 360 marks go."""
    launch("spheretestsrc num-buffers=10 output=equirect ! " + SIZE + " ! x264enc ! mp4mux name=m ! "
           f"filesink location={case.path('plain.mp4')} audiotestsrc num-buffers=40 ! "
           "avenc_aac ! m.")
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-Keys:GPSCoordinates=48.8584, 2.2945, 10",
                    "-Title=CANARY_TITLE", case.path("plain.mp4")], check=True, timeout=DEADLINE)
    case.done("it is marked", "mark", case.path("plain.mp4"), case.path("in.mp4"))
    case.done("a film", "reframe", case.path("in.mp4"), case.path("out.mp4"), "--size", "320x180")
    kinds = sorted(stream["codec_type"] for stream in probe(case.path("out.mp4"))["streams"])
    check("sound stays", kinds == ["audio", "video"], kinds)
    data = case.path("out.mp4").read_bytes()
    check("place and title go", b"CANARY" not in data and b"48.8584" not in data)
    case.done("without sound", "reframe", case.path("in.mp4"), case.path("mute.mp4"), "--size", "320x180",
              "--no-audio")
    check("there is none", len(probe(case.path("mute.mp4"))["streams"]) == 1)


def test_failures(case):
    make_videos(case)
    film, fish, out = case.path("sphere.mkv"), case.path("fish.mkv"), case.path("out.mp4")
    for name, text in (("late.json", {**KEYFRAMES, "keyframes": [{"time": 1}, {"time": 0}]}),
                       ("odd.json", {**KEYFRAMES, "keyframes": [{"time": 0, "easing": "bounce"}]}),
                       ("empty.json", {**KEYFRAMES, "keyframes": []})):
        case.path(name).write_text(json.dumps(text))
    for what, word, words in (
            ("no keyframes", "nothing.json", (film, out, "--keyframes", case.path("nothing.json"))),
            ("keyframes out of order", "keyframe 2", (film, out, "--keyframes", case.path("late.json"))),
            ("an unknown easing", "linear, smooth, hold", (film, out, "--keyframes", case.path("odd.json"))),
            ("an empty list", "no keyframe", (film, out, "--keyframes", case.path("empty.json"))),
            ("two views", "--keyframes", (film, out, "--keyframes", case.path("moves.json"), "--yaw", "1")),
            ("a wide view", "--fov", (film, out, "--fov", "171")),
            ("a view of all", "--fov", (film, out, "--fov", "90", "--projection", "cubemap")),
            ("an odd size", "even", (film, out, "--size", "321x180")),
            ("no size", "WIDTHxHEIGHT", (film, out, "--size", "320")),
            ("an unknown projection", "perspective", (film, out, "--projection", "perspectiv")),
            ("an unknown end", ".mp4", (film, case.path("out.avi"))),
            ("one name", "OUT is missing", (film,))):
        case.refused(what, 2, word, "reframe", *words)
    case.refused("fisheyes without lenses", 1, "--lens", "reframe", fish, out)
    case.refused("a video to a photo", 1, "name OUT .mp4", "reframe", film, case.path("out.jpg"))
    shutil.copy(film, case.path("cut.mkv"))
    case.path("cut.mkv").write_bytes(film.read_bytes()[:-2000])
    case.refused("a video that was cut off", 1, "cut.mkv", "reframe", case.path("cut.mkv"), out)
    launch(f"videotestsrc num-buffers=3 pattern=smpte ! video/x-raw,width=320,height=180 ! x264enc ! mp4mux ! "
           f"filesink location={case.path('flat.mp4')}")
    case.refused("an ordinary video", 1, "ordinary video", "reframe", case.path("flat.mp4"), out)
    case.done("with --force", "reframe", case.path("flat.mp4"), case.path("forced.mp4"), "--force", "--size",
              "320x180")
    check("there is no OUT", not out.exists())
    out.write_bytes(b"older")
    case.refused("OUT exists", 1, "exists", "reframe", film, out, "--no-clobber")
    check("it stays", out.read_bytes() == b"older")


for test in (test_films, test_photo, test_forms, test_nothing_is_told, test_failures):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
finish()

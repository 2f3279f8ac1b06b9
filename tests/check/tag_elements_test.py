# SPDX-License-Identifier: LGPL-2.1-or-later
"""spherejpegtag, spheremp4tag and spheremkvtag behind the muxers of GStreamer: other programs read
the marks, no place passes without consent, and nothing of it is written after a withdrawal.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from checks import DEADLINE, SANITIZED, attempt, check, finish, run
import gst_checks
from media_checks import ffmpeg, is_spherical, pictures, probe

if SANITIZED:
    print("skip: Python can't load elements that are sanitized")
    sys.exit(77)
PLUGINS = os.environ["GST_PLUGIN_PATH"]
Gst = gst_checks.load("tag elements")
for plugins in PLUGINS.split(":"):
    Gst.Registry.get().scan_path(plugins)

GIVEN = "consent/location, state=(string)given, purpose=(string)geotag"
DENIED = "consent/location, state=(string)withdrawn"
PLACE = "-33.8567844,151.2152967"
# Tags that somebody has set by hand.
TAGS = ("taginject tags=\"title=CANARY_TITLE,geo-location-latitude=(double)48.8584,"
        "geo-location-longitude=(double)2.2945,geo-location-name=CANARY_PLACE,"
        "serial-number=CANARY_SERIAL\"")
SOURCE = ("videotestsrc num-buffers=40 ! video/x-raw,width=64,height=32,framerate=20/1 ! "
          "x264enc key-int-max=10 ! h264parse ! ")
MP4 = {"plain": "mp4mux", "first": "mp4mux faststart=true", "fragments": "mp4mux fragment-duration=500",
       "live": "mp4mux fragment-duration=500 streamable=true", "mov": "qtmux"}
MKV = {"indexed": "matroskamux", "streamable": "matroskamux streamable=true"}


class Withdrawal:
    """Withdraws consent before the 20th buffer that the element `tag` receives."""

    def __init__(self):
        self.count = 0

    def before_buffer(self, element):
        self.count += 1
        if self.count == 20:
            element.set_property("consent", Gst.Caps.from_string(DENIED))
        return Gst.PadProbeReturn.OK


def play(line, withdrawal=None):
    """Plays a pipeline to its end; "", or what went wrong."""
    pipeline = Gst.parse_launch(line)
    if withdrawal:
        element = pipeline.get_by_name("tag")
        element.get_static_pad("sink").add_probe(
            Gst.PadProbeType.BUFFER, lambda *_: withdrawal.before_buffer(element))
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        DEADLINE * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if not message:
        return "no end"
    return "" if message.type == Gst.MessageType.EOS else message.parse_error().gerror.message


def location(path):
    found = probe(path)
    tags = {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}
    return next((tags[key] for key in ("location", "RECORDING_LOCATION") if key in tags), "")


def test_videos(folder):
    for element, muxers, end in (("spheremp4tag", MP4, ".mp4"), ("spheremkvtag", MKV, ".mkv")):
        for name, muxer in muxers.items():
            plain, out = folder / f"plain-{name}{end}", folder / f"{name}{end}"
            said = play(f"{SOURCE} {muxer} ! filesink location={plain}")
            check(f"{name}: the muxer works alone", not said, said)
            said = play(f"{SOURCE} {TAGS} ! {muxer} ! {element} name=tag position={PLACE} ! "
                        f"filesink location={out}")
            if not check(f"{name}: it plays to its end", not said, said):
                continue
            check(f"{name}: ffprobe sees the 360 marking", is_spherical(out))
            check(f"{name}: the pictures are the same", pictures(plain) == pictures(out))
            data = out.read_bytes()
            check(f"{name}: nothing that was set by hand is in it", b"CANARY" not in data)
            check(f"{name}: there is no position", not location(out), location(out))
            given = folder / f"given-{name}{end}"
            said = play(f"{SOURCE} {TAGS} ! {muxer} ! {element} name=tag position={PLACE} "
                        f"consent=\"{GIVEN}\" ! filesink location={given}")
            check(f"{name}: it plays with consent", not said, said)
            if name != "streamable":
                check(f"{name}: the position is in it",
                      location(given).startswith("-33.8567844+151.2152967"), location(given))
            check(f"{name}: the pictures are the same with a position",
                  pictures(plain) == pictures(given))
            unmarked = folder / f"unmarked-{name}{end}"
            play(f"{SOURCE} {muxer} ! {element} spherical=false ! filesink location={unmarked}")
            check(f"{name}: no marking without spherical", not is_spherical(unmarked))


def complaints(path):
    """What ffmpeg says while it reads and decodes everything."""
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", "-i", path, "-f", "null", "-"],
                          check=False, timeout=DEADLINE, stderr=subprocess.PIPE).stderr.decode()


def test_sound_and_pictures(folder):
    """Two tracks in turns, which many chunks and index entries tell apart."""
    tracks = (f"{SOURCE} {TAGS} ! m. audiotestsrc num-buffers=90 ! audio/x-raw,rate=44100,channels=2 ! "
              "avenc_aac ! aacparse ! m. ")
    given = f"position={PLACE} consent=\"{GIVEN}\""
    for element, muxers, end in (("spheremp4tag", MP4, ".mp4"), ("spheremkvtag", MKV, ".mkv")):
        for name, muxer in muxers.items():
            plain = folder / f"plain-{name}{end}"
            said = play(f"{tracks} {muxer} name=m ! filesink location={plain}")
            check(f"{name}: the muxer works alone", not said and not complaints(plain), said)
            wanted = [ffmpeg("-i", plain, "-map", f"0:{kind}", "-f", "framemd5", "-") for kind in "va"]
            for how, more in (("denied", ""), ("given", given)):
                out = folder / f"{how}-{name}{end}"
                said = play(f"{tracks} {muxer} name=m ! {element} {more} ! filesink location={out}")
                check(f"{name}, {how}: it plays to its end", not said, said)
                check(f"{name}, {how}: nothing is wrong with it", not complaints(out), complaints(out))
                found = [ffmpeg("-i", out, "-map", f"0:{kind}", "-f", "framemd5", "-") for kind in "va"]
                check(f"{name}, {how}: pictures and sound are the same", found == wanted)
                check(f"{name}, {how}: the seek entries lead to elements",
                      end != ".mkv" or not seek_errors(out), seek_errors(out) if end == ".mkv" else "")


def seek_errors(path):
    """Positions in the list at the beginning of a Matroska file at which no element begins."""
    data = path.read_bytes()
    segment = data.index(bytes.fromhex("18538067")) + 4
    content = segment + 9 - data[segment].bit_length()
    wrong, at = [], data.find(bytes.fromhex("53ab"))
    while at >= 0 and at < 1000:
        wanted = data[at + 2 + 9 - data[at + 2].bit_length():][:4]
        position = data.index(bytes.fromhex("53ac"), at)
        size_length = 9 - data[position + 2].bit_length()
        size = int.from_bytes(data[position + 2:][:size_length], "big") & ((1 << 7 * size_length) - 1)
        offset = content + int.from_bytes(data[position + 2 + size_length:][:size], "big")
        # What was taken out is empty space (0xec).
        if data[offset:offset + 4] != wanted and data[offset:offset + 1] != b"\xec":
            wrong.append(wanted.hex())
        at = data.find(bytes.fromhex("53ab"), at + 2)
    return wrong


def test_withdrawal(folder):
    """The position is written at the end of these files: a withdrawal before it is in time."""
    for element, muxer, end in (("spheremp4tag", "mp4mux", ".mp4"), ("spheremp4tag", "qtmux", ".mov"),
                                ("spheremkvtag", "matroskamux", ".mkv")):
        out = folder / ("withdrawn" + end)
        withdrawal = Withdrawal()
        said = play(f"{SOURCE} {muxer} ! {element} name=tag position={PLACE} consent=\"{GIVEN}\" ! "
                    f"filesink location={out}", withdrawal)
        check(f"{end}: it plays to its end", not said and withdrawal.count > 20,
              f"{said} {withdrawal.count}")
        check(f"{end}: no position is written after the withdrawal",
              b"33.85" not in out.read_bytes() and not location(out))


def test_fragments_after_withdrawal(folder):
    """The index of this file is written at its beginning, and once more at its end."""
    out = folder / "fragments.mp4"
    said = play(f"{SOURCE} mp4mux fragment-duration=500 ! spheremp4tag name=tag position={PLACE} "
                f"consent=\"{GIVEN}\" ! filesink location={out}", Withdrawal())
    check("it plays to its end", not said, said)
    check("the index that is written last has no position", not location(out), location(out))
    check("the file is still whole", pictures(out).count(b"\n") >= 40)


def test_pictures(folder):
    line = ("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=32,framerate=5/1 ! {tags} ! jpegenc ! "
            "jifmux ! spherejpegtag name=tag position={place} {more} ! multifilesink location={out}")
    out = folder / "p%d.jpg"
    said = play(line.format(tags=TAGS, place=PLACE, more="", out=out))
    check("a stream of pictures plays", not said, said)
    for index in range(3):
        path = folder / f"p{index}.jpg"
        tags = run("exiftool", "-json", "-n", "-G1", path).stdout
        check(f"picture {index} is marked", '"XMP-GPano:ProjectionType": "equirectangular"' in tags, tags)
        check(f"picture {index} tells nothing", "CANARY" not in path.read_bytes().decode("latin1") and
              "GPS" not in tags, tags)
    said = play(line.format(tags=TAGS, place=PLACE, more=f'consent="{GIVEN}"', out=out))
    tags = json.loads(run("exiftool", "-json", "-n", "-G1", folder / "p1.jpg").stdout)[0]
    check("the position is in it", not said and
          abs(tags["Composite:GPSLatitude"] + 33.8567844) < 1e-7 and
          abs(tags["Composite:GPSLongitude"] - 151.2152967) < 1e-7, f"{said} {tags}")
    # A file is pushed in small buffers.
    said = play(f"filesrc location={folder / 'p1.jpg'} blocksize=100 ! image/jpeg ! spherejpegtag ! "
                f"filesink location={folder / 'file.jpg'}")
    check("a file is redacted", not said and b"Exif" not in (folder / "file.jpg").read_bytes(), said)


def test_what_cannot_be_examined(folder):
    for element, caps in (("spherejpegtag", "image/jpeg"), ("spheremp4tag", "video/quicktime"),
                          ("spheremkvtag", "video/x-matroska")):
        bad = folder / "bad"
        bad.write_bytes(b"this is no medium at all, in no way, whatever the caps say" * 20)
        out = folder / f"{element}.out"
        said = play(f"filesrc location={bad} ! {caps} ! {element} ! filesink location={out}")
        check(f"{element} refuses it", "nothing of it passes" in said, said)
        check(f"{element}: nothing has passed", not out.exists() or not out.read_bytes())


def test_wrong_properties(folder):
    """A launch line sets them before the element is in a pipeline; the warning comes when it starts."""
    for element in ("spherejpegtag", "spheremp4tag", "spheremkvtag", "spheregeogate"):
        wrong = f"position=777.123,5 gpx={folder / 'none.gpx'}"
        pipeline = Gst.parse_launch(f"fakesrc num-buffers=1 ! {element} name=tag {wrong} ! fakesink")
        warnings = []
        for _ in range(2):
            pipeline.set_state(Gst.State.PAUSED)
            while message := pipeline.get_bus().pop_filtered(Gst.MessageType.WARNING):
                warnings.append(message.parse_warning().gerror.message)
            pipeline.set_state(Gst.State.NULL)
        check(f"{element} tells once what is wrong", len(warnings) == 2 and "'gpx'" in warnings[0]
              and "'position'" in warnings[1], warnings)
        check(f"{element} does not repeat a position", not any("777" in text for text in warnings), warnings)
        pipeline.set_state(Gst.State.READY)
        pipeline.get_by_name("tag").set_property("gpx", str(folder / "other.gpx"))
        message = pipeline.get_bus().pop_filtered(Gst.MessageType.WARNING)
        check(f"{element} in a pipeline tells at once", message is not None)
        pipeline.set_state(Gst.State.NULL)


TESTS = [test_wrong_properties, test_videos, test_sound_and_pictures, test_withdrawal, test_fragments_after_withdrawal, test_pictures,
         test_what_cannot_be_examined]
for test in TESTS:
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, pathlib.Path(temporary))
finish()

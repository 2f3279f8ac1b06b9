# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere inspect`, `redact`, `geotag` and `mark`: what is found is removed, the medium stays bit-exact,
and after a failure there is no file. Other programs read the results.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from checks import DEADLINE, SANITIZED, SPHERE, attempt, check, finish, on_terminal, run
from media_checks import Case, ffmpeg, is_spherical, pictures, probe, told_once

SOURCE = pathlib.Path(os.environ["SPHERE_SOURCE"])
SHARED = SOURCE.parent / "shared"
DATA, COUNT_LEAKS = SHARED / "data", SHARED / "tools" / "count-leaks"
GIVEN = "consent/location, state=(string)given, purpose=(string)geotag"
COUNT_OF_PHOTOS = 800
ACT = ("consent", "give", "location", "--purpose", "geotag")


@told_once
def packets(path, kind):
    """A hash of all packets of the first track of a kind."""
    return ffmpeg("-i", path, "-map", f"0:{kind}:0", "-c", "copy", "-f", "md5", "-")


@told_once
def exiftool(path, *words):
    """What exiftool reads, numbers as numbers, with the groups' names."""
    answer = subprocess.run(["exiftool", "-json", "-n", "-G1", "-a", *words, str(path)], check=True,
                            timeout=DEADLINE, stdout=subprocess.PIPE).stdout
    return json.loads(answer)[0]


def scan(path):
    """The compressed pixels of a JPEG."""
    data = path.read_bytes()
    at = 2
    while data[at + 1] != 0xDA:
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    end = at
    while not (data[end] == 0xFF and data[end + 1] == 0xD9):
        end += 1
    return data[at:end]


def classes(report):
    return {part["class"] for file in report["files"] for part in file["parts"]}


def make_jpeg(path, size="64x32"):
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s={size}:d=1", "-frames:v", "1", path)


made = {}  # the content of each video that was made, by its options and its container


def make_video(path, *options):
    kind = options, path.suffix
    if kind not in made:
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=10", "-f", "lavfi", "-i", "sine=d=1",
               "-c:v", "libx264", "-bf", "0", "-c:a", "aac", "-metadata",
               "location=+48.8584+002.2945/", "-metadata", "title=CANARY_TITLE", *options, path)
        made[kind] = path.read_bytes()
    path.write_bytes(made[kind])


def leaks(*paths):
    """What the independent counter finds in each file."""
    result = run(sys.executable, COUNT_LEAKS, *paths)
    return [line.split(": ")[1].split()[0] for line in result.stdout.splitlines()], result.stdout


def test_marked_files(case):
    """The files that carry marked texts and positions in all places that are known."""
    for name, useful in (("canary-photo.jpg", "GPano"), ("canary-video.mp4", "sv3d V1"),
                         ("canary-madv.mp4", "lutz tlyd")):
        source, out, again = DATA / name, case.path(name), case.path("again-" + name)
        report = json.loads(case.done(f"{name} is inspected", "inspect", "--json", source))
        check(f"{name}: places and identities are found",
              {"place", "identity"} <= classes(report), classes(report))
        before = hashlib.sha256(source.read_bytes()).hexdigest()
        case.done(f"{name} is redacted", "redact", source, out)
        check(f"{name}: IN is untouched", hashlib.sha256(source.read_bytes()).hexdigest() == before)
        counts, said = leaks(out)
        check(f"{name}: nothing is left", counts == ["0"], said)
        check(f"{name}: what is useful is kept", all(word in said for word in useful.split()), said)
        report = json.loads(case.done(f"{name} is inspected again", "inspect", "--json", out))
        check(f"{name}: nothing that tells about people is found in it",
              classes(report) <= {"stitching", "useful"}, classes(report))
        said = case.done(f"{name} is redacted twice", "redact", out, again)
        check(f"{name}: a second time there is nothing to take out", "nothing to take out" in said, said)
        check(f"{name}: a second time it is the same file", out.read_bytes() == again.read_bytes())
        if name.endswith(".jpg"):
            check(f"{name}: the pixels are the same bytes", scan(source) == scan(out))
            tags = exiftool(out)
            check(f"{name}: exiftool finds no place, and the 360 marking",
                  not [key for key in tags if "GPS" in key] and
                  tags.get("XMP-GPano:ProjectionType") == "equirectangular", sorted(tags))
        else:
            check(f"{name}: the pictures are the same", pictures(source) == pictures(out))
            tags = exiftool(out, "-ee3")
            check(f"{name}: exiftool finds no place",
                  not [key for key in tags if "GPS" in key or "Serial" in key], sorted(tags))
    check("the sound of the video is the same bytes",
          "audio" not in [s["codec_type"] for s in probe(DATA / "canary-video.mp4")["streams"]] or
          packets(DATA / "canary-video.mp4", "a") == packets(case.path("canary-video.mp4"), "a"))
    check("ffprobe sees the 360 marking", is_spherical(case.path("canary-video.mp4")))
    case.done("lens data goes where it is asked for", "redact", DATA / "canary-madv.mp4",
              case.path("bare.mp4"), "--also", "stitching")
    check("no lens data is left", "lutz" not in leaks(case.path("bare.mp4"))[1])


def test_choices(case):
    make_video(case.path("in.mp4"))
    out = case.path("out.mp4")
    case.done("only the place", "redact", case.path("in.mp4"), out, "--only", "place")
    tags = probe(out)["format"].get("tags", {})
    check("the place is gone and the title is not",
          "location" not in tags and tags.get("title") == "CANARY_TITLE", tags)
    case.done("all but the place", "redact", case.path("in.mp4"), out, "--keep", "place")
    tags = probe(out)["format"].get("tags", {})
    check("the place is there and the title is not",
          tags.get("location", "").startswith("+48.8584") and "title" not in tags, tags)
    check("the sound stays", packets(case.path("in.mp4"), "a") == packets(out, "a"))
    case.done("the sound track, too", "redact", case.path("in.mp4"), out, "--also", "soundtrack")
    check("there is no sound", [s["codec_type"] for s in probe(out)["streams"]] == ["video"])
    for words, wrong in ((("--keep", "plaec"), "did you mean 'place'"),
                         (("--keep", "place", "--only", "time"), "exclude each other"),
                         (("--threads", "-1"), "--threads")):
        case.refused(f"{words} is refused", 2, wrong, "redact", case.path("in.mp4"), out, *words)
    case.done("consent to sound is given", "consent", "give", "audio", "--purpose", "record")
    case.done("and taken back", "consent", "withdraw", "audio")
    case.done("then the sound track goes", "redact", case.path("in.mp4"), out)
    check("after a withdrawal there is no sound",
          [s["codec_type"] for s in probe(out)["streams"]] == ["video"])


def test_containers(case):
    """Files of other programs, with a place and a title in them."""
    for name, options in (("plain.mp4", ()), ("first.mp4", ("-movflags", "+faststart")),
                          ("fragments.mp4", ("-movflags", "+frag_keyframe+empty_moov")),
                          ("film.mov", ()), ("film.mkv", ())):
        source, out = case.path(name), case.path("out-" + name)
        make_video(source, *options)
        case.done(f"{name} is redacted", "redact", source, out)
        data = out.read_bytes()
        check(f"{name}: title and program are gone", b"CANARY" not in data and b"Lavf" not in data)
        check(f"{name}: the place is gone",
              not [key for key in probe(out)["format"].get("tags", {}) if "location" in key.lower()])
        check(f"{name}: the pictures are the same", pictures(source) == pictures(out))
        check(f"{name}: the sound is the same bytes", packets(source, "a") == packets(out, "a"))
        case.done(f"{name} is marked", "mark", out, case.path("marked-" + name))
        marked = case.path("marked-" + name)
        check(f"{name}: ffprobe sees the marking", is_spherical(marked), probe(marked)["streams"][0])
        check(f"{name}: the pictures are the same after the marking",
              pictures(source) == pictures(marked))
        case.done(f"{name} is marked again", "mark", marked, case.path("twice-" + name))
        check(f"{name}: a second marking changes nothing",
              marked.read_bytes() == case.path("twice-" + name).read_bytes())


def test_other_codecs(case):
    """Codecs that have texts of a program between their pictures."""
    for codec in ("mpeg4", "mpeg2video"):
        source, out = case.path(codec + ".mkv"), case.path("out-" + codec + ".mkv")
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=25", "-c:v", codec, "-metadata",
               "title=CANARY_TITLE", case.path(codec + ".plain.mkv"))
        data = case.path(codec + ".plain.mkv").read_bytes()
        check(f"{codec}: the encoder names itself", codec != "mpeg4" or b"Lavc" in data)
        # Behind the begin of a picture's user data.
        source.write_bytes(data.replace(b"Lavc", b"CNRY"))
        case.done(f"{codec} in Matroska is redacted", "redact", source, out)
        clean = out.read_bytes()
        check(f"{codec}: nothing is left", b"CANARY" not in clean and b"CNRY" not in clean)
        check(f"{codec}: the pictures are the same", pictures(source) == pictures(out))
    plain, film = case.path("animation.mov"), case.path("refused.mov")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=10", "-c:v", "qtrle", "-metadata",
           "location=+48.8584+002.2945/", plain)
    case.refused("a codec that is not known", 3, "rle", "redact", plain, film)
    result = case.sphere("inspect", plain)
    check("inspect lists what it knows of it, and says that there can be more",
          result.returncode == 3 and "place" in result.stdout and "rle" in result.stderr and
          "more than is listed" in result.stderr, result)
    result = case.sphere("inspect", "--json", plain)
    report = json.loads(result.stdout)["files"][0]
    check("in JSON, too", result.returncode == 3 and "error" in report and report["parts"], report)


def test_time_codes(case):
    """Cameras write the time of day into the groups of pictures."""
    source, out = case.path("in.mov"), case.path("out.mov")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=25", "-c:v", "mpeg2video", "-g", "5", "-timecode",
           "14:03:27:05", source)
    report = json.loads(case.done("a video with time codes", "redact", "--json", source, out))
    told = [part["value"] for file in report["files"] for part in file["parts"] if part["what"] == "time code"]
    check("they are told", "14:03:27:05" in told, told)
    frames = probe(source, "-show_frames")["frames"], probe(out, "-show_frames")["frames"]
    codes = [{data["timecodes"][0]["value"] for frame in each for data in frame.get("side_data_list", [])
              if "timecodes" in data} | {frame["tags"]["timecode"] for frame in each if "timecode" in
                                         frame.get("tags", {})} for each in frames]
    check("they go", "14:03:27:05" in codes[0] and codes[1] <= {"00:00:00:00"}, codes)
    check("the pictures are the same", pictures(source) == pictures(out))
    # Of MPEG-4, the pictures need it.
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=25", "-c:v", "mpeg4", "-g", "5", source)
    said = case.done("MPEG-4 from 0 on", "redact", source, out)
    check("tells nothing", "time of day" not in said, said)
    data = source.read_bytes()
    at = data.index(b"\0\0\1\xb3") + 4
    source.write_bytes(data[:at] + bytes([data[at] & 7 | 14 << 3]) + data[at + 1:])
    said = case.done("MPEG-4 from 14 o'clock on", "redact", source, out)
    check("it is told", "14:00:00" in said and "time of day" in said, said)
    check("the pictures are the same there, too", pictures(source) == pictures(out))


def test_heif(case):
    """A picture of a phone: its Exif and XMP, and where its items are."""
    source, out, again = case.path("in.avif"), case.path("out.avif"), case.path("again.avif")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1", "-frames:v", "1", "-c:v", "libaom-av1",
           "-cpu-used", "8", source)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-GPSLatitude=48.8584", "-GPSLatitudeRef=N",
                    "-GPSLongitude=2.2945", "-GPSLongitudeRef=E", "-SerialNumber=CANARY_SERIAL",
                    "-Orientation=Rotate 90 CW", "-XMP:City=CANARY_CITY",
                    "-XMP-GPano:ProjectionType=equirectangular", source], check=True, timeout=DEADLINE)
    report = json.loads(case.done("it is inspected", "inspect", "--json", source))
    check("places and identities are found", {"place", "identity"} <= classes(report), classes(report))
    case.done("it is redacted", "redact", source, out)
    tags = exiftool(out)
    check("exiftool reads it without a warning, and finds nothing", b"CANARY" not in out.read_bytes() and
          not [key for key in tags if "GPS" in key or "Serial" in key or "Warning" in key], tags)
    check("what is useful stays", tags.get("XMP-GPano:ProjectionType") == "equirectangular" and
          tags.get("IFD0:Orientation") == 6, tags)
    check("the pictures are the same", pictures(source) == pictures(out))
    case.done("a second time", "redact", out, again)
    check("it is the same file", out.read_bytes() == again.read_bytes())
    shutil.copy(source, again)
    case.done("in place", "redact", "--in-place", again)
    check("it is the same file, too", out.read_bytes() == again.read_bytes())
    case.refused("a position can't be put in", 3, "HEIC", "geotag", source, case.path("none.avif"),
                 "--position", "1,2", "--consent", GIVEN)


def test_in_place(case):
    make_video(case.path("in.mp4"))
    shutil.copy(case.path("in.mp4"), case.path("here.mp4"))
    case.done("it is redacted in place", "redact", "--in-place", case.path("here.mp4"))
    before, after = case.path("in.mp4").read_bytes(), case.path("here.mp4").read_bytes()
    check("the length is the same", len(before) == len(after))
    check("the title is gone", b"CANARY" in before and b"CANARY" not in after)
    check("the place is gone", "location" in probe(case.path("in.mp4"))["format"]["tags"] and
          "location" not in probe(case.path("here.mp4"))["format"].get("tags", {}))
    check("the pictures are the same", pictures(case.path("in.mp4")) == pictures(case.path("here.mp4")))
    case.done("a second time", "redact", "--in-place", case.path("here.mp4"))
    check("changes nothing", case.path("here.mp4").read_bytes() == after)


def test_hidden_place(case):
    """The samples of the sound spell the place: no reader looks there, but the search does."""
    case.path("sound.raw").write_bytes(bytes(2000) + b"+48.8584+002.2945/" + bytes(2000))
    film, copy = case.path("hidden.mov"), case.path("copy.mov")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1:r=10", "-f", "s16le", "-ar", "8000", "-ac", "1",
           "-i", case.path("sound.raw"), "-c:v", "libx264", "-c:a", "copy", "-metadata",
           "location=+48.8584+002.2945/", film)
    shutil.copy(film, copy)
    case.refused("a copy with a place in its samples", 3, "still has", "redact", film, case.path("out.mov"))
    check("it has no OUT", not case.path("out.mov").exists())
    before = film.read_bytes()
    case.refused("the same in place", 3, "still has", "redact", "--in-place", film)
    check("it is found before anything is written", film.read_bytes() == before)
    result = case.sphere("redact", "--in-place", "--skip-pictures", copy)
    check("samples that are not read are not searched", result.returncode == 4, result.stderr)


def test_failures(case):
    """What can't be examined has no OUT, and an older OUT stays."""
    make_video(case.path("in.mp4"))
    make_jpeg(case.path("in.jpg"))
    whole = {name: case.path(name).read_bytes() for name in ("in.mp4", "in.jpg")}
    for name, data in (("cut.mp4", whole["in.mp4"][:-100]), ("cut.jpg", whole["in.jpg"][:-100]),
                       ("text.jpg", b"no picture"), ("empty.mp4", b""),
                       ("film.avi", b"RIFF\x20\0\0\0AVI LIST" + bytes(20))):
        case.path(name).write_bytes(data)
        out = case.path("out-" + name)
        case.refused(f"{name} is refused", 3, name, "redact", case.path(name), out)
        check(f"{name} has no OUT", not out.exists())
        out.write_bytes(b"older")
        case.refused(f"{name} is refused again", 3, name, "redact", case.path(name), out)
        check(f"an older OUT stays with {name}", out.read_bytes() == b"older")
    case.refused("OUT is IN", 2, "same file", "redact", case.path("in.jpg"), case.path("in.jpg"))
    case.refused("OUT exists", 1, "exists", "redact", case.path("in.jpg"), case.path("out-cut.jpg"),
                 "--no-clobber")
    case.refused("a missing file", 1, "missing.jpg", "redact", case.path("missing.jpg"),
                 case.path("out.jpg"))
    case.refused("no folder for OUT", 1, "nowhere", "redact", case.path("in.jpg"),
                 case.path("nowhere/out.jpg"))
    case.refused("one file is too few", 2, "IN and OUT", "redact", case.path("in.jpg"))
    if os.path.exists("/dev/full"):
        case.refused("a device is no OUT", 1, "regular file", "redact", case.path("in.jpg"),
                     "/dev/full")
    check("IN is untouched", all(case.path(name).read_bytes() == data for name, data in whole.items()))


def test_output_that_is_lost(case):
    """Text that does not arrive is no success, and never goes into a file."""
    make_jpeg(case.path("in.jpg"))
    words = (("inspect", case.path("in.jpg")), ("inspect", case.path("in.jpg"), "--json"),
             ("redact", case.path("in.jpg"), case.path("out.jpg")), ("stitch", "--help"), ("--help",),
             ("consent", "notice"), ("completion", "bash"))
    for one in words:
        name = " ".join(map(str, one))
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = case.sphere(*one, stdout=full)
        check(f"a full disk: {name}", result.returncode == 1 and "No space left" in result.stderr,
              f"exit {result.returncode}: {result.stderr}")
        reader, writer = os.pipe()
        os.close(reader)
        result = case.sphere(*one, stdout=writer)
        os.close(writer)
        check(f"nobody reads: {name}", result.returncode == 1 and not result.stderr,
              f"exit {result.returncode}: {result.stderr}")
        case.path("out.jpg").unlink(missing_ok=True)
        closed = run("sh", "-c", 'exec "$0" "$@" >&-', SPHERE, *one, env=case.environment)
        check(f"closed: {name}", closed.returncode == 1 and "can't be written" in closed.stderr,
              f"exit {closed.returncode}: {closed.stderr}")
    both = run("sh", "-c", 'exec "$0" "$@" >&- 2>&-', SPHERE, "redact", case.path("in.jpg"), case.path("out.jpg"),
               env=case.environment)
    check("closed messages", both.returncode == 1 and scan(case.path("out.jpg")) == scan(case.path("in.jpg")))


def test_folders(case):
    for name in ("a.jpg", "b/c.jpg", "b/d.mp4", ".hidden.jpg"):
        path = case.path("photos") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make_jpeg(path) if name.endswith("jpg") else make_video(path)
    case.path("photos/notes.txt").write_text("not a medium")
    out = case.path("clean")
    result = case.sphere("redact", case.path("photos"), out, "--json")
    check("one file of four can't be examined", result.returncode == 3 and "notes.txt" in result.stderr,
          result.stderr)
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    check("the others are there, in their folders", found == ["a.jpg", "b/c.jpg", "b/d.mp4"], found)
    report = json.loads(result.stdout)["files"]
    check("each is in the report, by name", [pathlib.Path(f["input"]).name for f in report] ==
          ["a.jpg", "c.jpg", "d.mp4", "notes.txt"], report)
    case.refused("OUT in IN", 1, "outside", "redact", case.path("photos"), case.path("photos/clean"))
    case.refused("a folder into a file", 1, "is a file", "redact", case.path("photos"),
                 case.path("photos/a.jpg"))
    case.done("a file into a folder", "redact", case.path("photos/a.jpg"), out)
    case.path("nothing").mkdir()
    for words in (("inspect", case.path("nothing")), ("redact", case.path("nothing"), out)):
        result = case.sphere(*words)
        check(f"an empty folder is told: {words[0]}", result.returncode == 0 and "no files" in result.stderr,
              result.stderr)
    status, said = on_terminal(SPHERE, "redact", case.path("photos/b"), case.path("clean2"),
                               env=case.environment)
    check("a terminal shows progress", status == 0 and "MB" in said, said)


def test_geotag(case):
    make_jpeg(case.path("in.jpg"))
    make_video(case.path("in.mp4"))
    out = case.path("out.jpg")
    place = ("--position", "-33.8567844,151.2152967,12.5")
    case.refused("without consent", 1, "sphere consent give", "geotag", case.path("in.jpg"), out, *place)
    check("there is no OUT", not out.exists())
    case.done("with consent", "geotag", case.path("in.jpg"), out, *place, "--consent", GIVEN)
    tags = exiftool(out)
    check("exiftool reads the place", abs(tags["Composite:GPSLatitude"] + 33.8567844) < 1e-7 and
          abs(tags["Composite:GPSLongitude"] - 151.2152967) < 1e-7 and
          abs(tags["Composite:GPSAltitude"] - 12.5) < 0.01, tags)
    check("the pixels are the same bytes", scan(case.path("in.jpg")) == scan(out))
    case.done("at the city's precision", "geotag", case.path("in.jpg"), out, *place, "--consent",
              GIVEN + ", precision=(string)city")
    tags = exiftool(out)
    check("it is rounded, without altitude", abs(tags["Composite:GPSLatitude"] + 33.9) < 1e-7 and
          abs(tags["Composite:GPSLongitude"] - 151.2) < 1e-7 and
          "Composite:GPSAltitude" not in tags, tags)
    for name in ("out.mp4", "out.mov"):
        case.done(f"{name} with consent", "geotag", case.path("in.mp4"), case.path(name), *place,
                  "--consent", GIVEN)
        location = probe(case.path(name))["format"]["tags"].get("location", "")
        check(f"{name}: ffprobe reads the place", location.startswith("-33.8567844+151.2152967"),
              location)
        check(f"{name}: the older place is gone",
              struct.pack(">i", round(48.8584 * 65536)) not in case.path(name).read_bytes())
    # Of a date, the month and the day are no position.
    make_video(case.path("dated.mkv"), "-metadata", "DATE_RECORDED=2026-11-29 19:21:24 +0100")
    case.done("a dated Matroska file", "geotag", case.path("dated.mkv"), case.path("out.mkv"), *place,
              "--consent", GIVEN)
    result = case.sphere("geotag", case.path("in.jpg"), out, "--position", "151.2,-33.8")
    check("a wrong position is not repeated", result.returncode == 2 and "151" not in result.stderr,
          result.stderr)
    case.done("consent is given", *ACT)
    case.done("then the ledger is enough", "geotag", case.path("in.jpg"), out, *place)


TRACK = """<gpx version="1.1"><trk><trkseg>
<trkpt lat="48.85" lon="2.29"><ele>30</ele><time>2026-01-01T12:00:00Z</time></trkpt>
<trkpt lat="48.86" lon="2.31"><ele>40</ele><time>2026-01-01T12:00:02Z</time></trkpt>
<trkpt lat="48.87" lon="2.33"><ele>50</ele><time>2026-01-01T12:00:03Z</time></trkpt>
</trkseg></trk></gpx>"""


@told_once
def positions_of(path):
    """What exiftool reads of the track of a video: latitude, longitude, altitude."""
    lines = subprocess.run(["exiftool", "-ee", "-n", "-p", "$GPSLatitude $GPSLongitude $GPSAltitude",
                            str(path)], check=False, timeout=DEADLINE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL).stdout.decode().splitlines()
    return [tuple(map(float, line.split())) for line in lines]


def near(found, wanted):
    return len(found) == len(wanted) and all(
        abs(a - b) < 1e-7 for one, other in zip(found, wanted) for a, b in zip(one, other))


def test_geotag_by_time(case):
    """Positions of a GPX track by the time that a file tells."""
    track = case.path("walk.gpx")
    track.write_text(TRACK)
    words = ("--gpx", track, "--consent", GIVEN)
    begins = ("-metadata", "creation_time=2026-01-01T12:00:01Z", "-t", "2")
    wanted = [(48.855, 2.30, 35), (48.86, 2.31, 40)]
    for name, options in (("plain.mp4", ()), ("first.mp4", ("-movflags", "+faststart")),
                          ("film.mov", ())):
        source, out = case.path(name), case.path("out-" + name)
        make_video(source, *options, *begins)
        case.done(f"{name} with a track", "geotag", source, out, *words)
        # The second point is at the end of the pictures, and may be within the sound.
        found = positions_of(out)
        check(f"{name}: exiftool reads the positions", near(found[:1], wanted[:1]) and
              all(near([one], wanted[:1]) or near([one], wanted[1:]) for one in found), found)
        check(f"{name}: and the first one", probe(out)["format"]["tags"]["location"].startswith(
            "+48.8550000+002.3000000"))
        check(f"{name}: the pictures are the same", pictures(source) == pictures(out))
        check(f"{name}: the sound is the same bytes", packets(source, "a") == packets(out, "a"))
        case.done(f"{name} once more", "geotag", out, case.path("twice-" + name), *words)
        check(f"{name}: the track is not there twice",
              near(positions_of(case.path("twice-" + name)), positions_of(out)))
        case.done(f"{name} is redacted", "redact", out, case.path("clean-" + name))
        check(f"{name}: then it has none", not positions_of(case.path("clean-" + name)))
        case.refused(f"{name} at another time", 3, "2026-01-01 12:00:03 UTC", "geotag", source,
                     case.path("none"), *words, "--offset", "-1:00")
    long = case.path("long.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=4:r=10", *begins[:2], long)
    case.done("a track with pauses", "geotag", long, case.path("out.mp4"), *words, "--offset", "-2")
    check("exiftool reads all its points", near(
        positions_of(case.path("out.mp4"))[-2:], [(48.85, 2.29, 30), (48.86, 2.31, 40)]),
          positions_of(case.path("out.mp4")))
    case.done("rounded", "geotag", long, case.path("out.mp4"), *words[:3],
              GIVEN + ", precision=(string)city")
    check("equal positions are there once", near(set(positions_of(case.path("out.mp4"))),
                                                 {(48.9, 2.3, 0)}), positions_of(case.path("out.mp4")))
    make_video(case.path("pieces.mp4"), "-movflags", "+frag_keyframe+empty_moov", *begins)
    said = case.done("a fragmented file", "geotag", case.path("pieces.mp4"), case.path("out.mp4"),
                     *words)
    check("gets one position, and this is told", "has the first one" in said and
          near(positions_of(case.path("out.mp4")), wanted[:1]), said)
    make_video(case.path("film.mkv"), *begins)
    case.done("a Matroska file", "geotag", case.path("film.mkv"), case.path("out.mkv"), *words)
    check("gets the first one", probe(case.path("out.mkv"))["format"]["tags"]["RECORDING_LOCATION"].startswith(
        "+48.8550000+002.3000000"), probe(case.path("out.mkv"))["format"])
    photo = case.path("in.jpg")
    make_jpeg(photo)
    subprocess.run(["exiftool", "-q", "-overwrite_original",
                    "-DateTimeOriginal=2026:01:01 20:00:00", "-SubSecTimeOriginal=5",
                    "-OffsetTimeOriginal=+08:00", str(photo)], check=True, timeout=DEADLINE)
    for offset, latitude in (("0", 48.8525), ("0:00:01", 48.8575), ("2", 48.865)):
        case.done(f"a photo, offset {offset}", "geotag", photo, case.path("out.jpg"), *words,
                  "--offset", offset)
        tags = exiftool(case.path("out.jpg"))
        check(f"offset {offset}: its place", abs(tags["Composite:GPSLatitude"] - latitude) < 1e-7,
              tags["Composite:GPSLatitude"])
    make_jpeg(case.path("untimed.jpg"))
    case.refused("a photo without a time", 3, "when it was made", "geotag", case.path("untimed.jpg"),
                 case.path("none"), *words)
    case.path("cut.jpg").write_bytes(photo.read_bytes()[:-100])
    case.refused("a photo that can't be examined", 3, "cut.jpg", "geotag", case.path("cut.jpg"),
                 case.path("none"), *words)
    for words, wrong in ((("--gpx", track, "--position", "1,2"), "not both"), ((), "--position"),
                         (("--gpx", track, "--offset", "1:2:3:4"), "--offset"),
                         (("--position", "1,2", "--offset", "1"), "--gpx")):
        case.refused(f"{words} is refused", 2, wrong, "geotag", photo, case.path("none"), *words)
    check("there is no OUT", not case.path("none").exists())


def test_other_places_go(case):
    """OUT tells the place that was put in, and no other."""
    out = case.path("out")
    for name in ("canary-photo.jpg", "canary-video.mp4"):
        case.done(f"{name}: another place", "geotag", DATA / name, out, "--position",
                  "-33.8567844,151.2152967", "--consent", GIVEN)
        found = json.loads(case.done(f"{name} is inspected", "inspect", "--json", out))
        values = [part["value"] for part in found["files"][0]["parts"] if part["class"] == "place"]
        check(f"{name}: no place of IN is left", values and not [
            value for value in values if "CANARY" in value or value.startswith(
                ("39", "+39", "116", "12.", "34.", "13.", "14."))], values)


def test_what_is_given_for_sharing(case):
    make_video(case.path("in.mp4"))
    make_jpeg(case.path("in.jpg"))
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-GPSLatitude=48.8584",
                    "-GPSLatitudeRef=N", "-GPSLongitude=2.2945", "-GPSLongitudeRef=E",
                    "-Artist=CANARY_ARTIST", str(case.path("in.jpg"))], check=True, timeout=DEADLINE)
    out, film = case.path("out.jpg"), case.path("out.mp4")
    share = "consent/location, state=(string)given, purpose=(string)share"
    case.done("a place that is given", "redact", case.path("in.jpg"), out, "--consent", share)
    tags = exiftool(out)
    check("stays, and the artist goes", abs(tags["Composite:GPSLatitude"] - 48.8584) < 1e-6 and
          "IFD0:Artist" not in tags, tags)
    case.done("one that is given for geotag only", "redact", case.path("in.jpg"), out, "--consent",
              GIVEN)
    check("goes", "Composite:GPSLatitude" not in exiftool(out))
    city = share + ", precision=(string)city"
    for source, target in ((case.path("in.jpg"), out), (case.path("in.mp4"), film)):
        said = case.done("one that is given for a city", "redact", source, target, "--consent", city)
        check("is rounded, and this is told", "rounded to city" in said, said)
    tags = exiftool(out)
    check("the photo has the rounded place", abs(tags["Composite:GPSLatitude"] - 48.9) < 1e-6 and
          abs(tags["Composite:GPSLongitude"] - 2.3) < 1e-6 and "IFD0:Artist" not in tags, tags)
    location = probe(film)["format"]["tags"]["location"]
    check("the video has it", location.startswith("+48.9000000+002.3000000"), location)
    shutil.copy(case.path("in.mp4"), film)
    said = case.done("in place", "redact", "--in-place", film, "--consent", city)
    check("it can't be rounded, and goes", "could not be rounded" in said and
          "location" not in probe(film)["format"].get("tags", {}), said)
    case.done("--also takes it out", "redact", case.path("in.jpg"), out, "--consent", city, "--also",
              "place")
    check("then it is gone", "Composite:GPSLatitude" not in exiftool(out))
    case.done("consent is given", "consent", "give", "location", "--purpose", "share")
    case.done("then the ledger is enough", "redact", case.path("in.jpg"), out)
    check("the place stays", abs(exiftool(out)["Composite:GPSLatitude"] - 48.8584) < 1e-6)


def test_withdrawal_between_two_files(case):
    """What is taken back while a folder is worked on is not put into the files that follow."""
    photos = case.path("photos")
    photos.mkdir()
    make_jpeg(photos / "0000.jpg")
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-GPSLatitude=48.8584", "-GPSLatitudeRef=N",
                    "-GPSLongitude=2.2945", "-GPSLongitudeRef=E", str(photos / "0000.jpg")], check=True,
                   timeout=DEADLINE)
    photo = (photos / "0000.jpg").read_bytes()
    for number in range(1, COUNT_OF_PHOTOS):
        (photos / f"{number:04}.jpg").write_bytes(photo)
    for purpose, words, first in (("geotag", ("--position", "-33.8567844,151.2152967"), "-33.85"),
                                  ("share", (), "48.85")):
        command = "geotag" if purpose == "geotag" else "redact"
        out = case.path(command)
        case.done(f"{purpose} is given", "consent", "give", "location", "--purpose", purpose)
        working = subprocess.Popen([SPHERE, command, "--quiet", "--threads", "1", *words, photos, out],
                                   env=case.environment, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + DEADLINE
            while not any(out.glob("*.jpg")) and time.monotonic() < end:
                time.sleep(0.002)
            working.send_signal(signal.SIGSTOP)
            case.done(f"{purpose} is withdrawn", "consent", "withdraw", "location")
            check(f"{command} was still working", working.poll() is None)
            working.send_signal(signal.SIGCONT)
            status = working.wait(DEADLINE)
        finally:
            working.kill()
            working.wait()
        check(f"{command}: the files that follow fail, or have no place", status == (1 if words else 0), status)
        places = run("exiftool", "-q", "-n", "-p", "$GPSLatitude", out).stdout.split()
        check(f"{command}: the first ones have it", places and places[0].startswith(first), places[:1])
        check(f"{command}: the last ones don't", len(places) < COUNT_OF_PHOTOS, len(places))


def test_marking(case):
    make_jpeg(case.path("in.jpg"), "128x64")
    case.done("a photo is marked", "mark", case.path("in.jpg"), case.path("out.jpg"))
    tags = exiftool(case.path("out.jpg"))
    check("exiftool reads it", tags.get("XMP-GPano:ProjectionType") == "equirectangular" and
          tags.get("XMP-GPano:FullPanoWidthPixels") == 128 and
          tags.get("XMP-GPano:CroppedAreaImageHeightPixels") == 64, tags)
    case.refused("a wrong angle", 2, "--pitch", "mark", case.path("in.jpg"), case.path("out.jpg"),
                 "--pitch", "91")
    case.refused("a wrong mode", 2, "mono", "mark", case.path("in.jpg"), case.path("out.jpg"),
                 "--stereo", "triple")


def test_stitched(case):
    """What is stitched is marked, and has the place of IN only with consent."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x160:d=0.5:r=10", "-c:v", "libx264", "-bf", "0",
           "-metadata", "location=+48.8584+002.2945/", "-metadata", "title=CANARY_TITLE",
           case.path("in.mp4"))
    options = ("--lens", "dual-190", "--stitcher", "cpu", "--force", "--quiet")
    for end in ("mp4", "mov", "mkv"):
        out = case.path("out." + end)
        case.done(f"{end} is stitched", "stitch", case.path("in.mp4"), out, *options)
        check(f"{end}: ffprobe sees the 360 marking", is_spherical(out))
        check(f"{end}: nothing of IN is told", b"CANARY" not in out.read_bytes() and
              "location" not in probe(out)["format"].get("tags", {}))
    make_jpeg(case.path("in.jpg"), "320x160")
    case.done("a photo is stitched", "stitch", case.path("in.jpg"), case.path("out.jpg"), *options)
    check("exiftool sees the 360 marking",
          exiftool(case.path("out.jpg")).get("XMP-GPano:ProjectionType") == "equirectangular")
    case.done("another view is stitched", "stitch", case.path("in.jpg"), case.path("planet.jpg"),
              "--projection", "little-planet", *options)
    check("it is not marked", "XMP-GPano:ProjectionType" not in exiftool(case.path("planet.jpg")))
    case.done("consent is given", *ACT)
    case.done("a video is stitched with consent", "stitch", case.path("in.mp4"), case.path("out.mp4"),
              *options)
    location = probe(case.path("out.mp4"))["format"]["tags"].get("location", "")
    check("then the place of IN is in it", location.startswith("+48.858") and "+002.294" in location,
          location)


def peak(*words):
    """Bytes of memory that the command needed at most. What wait() tells begins with this test's own."""
    process = subprocess.Popen([*map(str, words)], stderr=subprocess.DEVNULL)
    most = 0
    while process.returncode is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
            break
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
        most = max([most, *(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))])
    check("it is done", process.returncode == 0 and most > 0, words)
    return most


def test_memory(case):
    """It does not grow with the file."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x320:r=25:d=2", "-c:v", "mjpeg", "-q:v", "1", case.path("a.mov"))
    for name, sizes in (("mov", (60_000_000, 240_000_000)), ("tif", ("6000x3350", "12000x6700"))):
        most = []
        for size in sizes:
            source, out = case.path(f"large.{name}"), case.path(f"out.{name}")
            if name == "mov":
                ffmpeg("-stream_loop", "-1", "-i", case.path("a.mov"), "-c", "copy", "-fs", size, source)
            else:
                ffmpeg("-f", "lavfi", "-i", f"color=s={size}", "-frames:v", "1", "-pix_fmt", "rgb24",
                       "-compression_algo", "raw", source)
            most.append(peak(SPHERE, "redact", "--quiet", source, out))
            length = source.stat().st_size
            source.unlink()
            out.unlink()
        check("the file is large", length > 200_000_000, length)
        # A sanitizer keeps books of its own, and what was freed.
        if not SANITIZED:
            check(f"{name}: four times the size takes no more memory", most[1] - most[0] < 2_000_000, most)
            check(f"{name}: less than 32 MB in all", most[1] < 32_000_000, most)


TESTS = [test_choices, test_containers, test_other_codecs, test_time_codes, test_heif, test_in_place, test_hidden_place,
         test_failures, test_output_that_is_lost, test_folders, test_geotag, test_geotag_by_time, test_what_is_given_for_sharing,
         test_withdrawal_between_two_files,
         test_marking, test_memory, test_stitched]
if DATA.is_dir():
    TESTS = [test_marked_files, test_other_places_go, *TESTS]
else:
    print("skipped: the marked files, which are not there")
for test in TESTS:
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(temporary))
finish()

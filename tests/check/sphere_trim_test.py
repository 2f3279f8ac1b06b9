# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere trim`: the pictures and the sound of the part are those of the whole, bit by bit; what belongs
to them goes along, what tells about people does not.
"""

import json
import math
import pathlib
import struct
import subprocess
import tempfile

from checks import BUILD, DEADLINE, attempt, check, finish, run
from data_tracks import add_data_track, camm, write_far
import gst_checks
from media_checks import Case, ffmpeg, is_spherical, pictures, probe

Gst = gst_checks.load("sphere trim")
CAMERA_FILE = BUILD / "tests" / "tools" / "camera-file"
SERIAL = "CANARY-SERIAL-0815"
RATE, KEYS, COUNT = 30, 10, 75
SOUND_RATE = 48000


def make_video(path, *words):
    """Pictures out of order, a key frame every third of a second, and sound that is never the same."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=320x160:rate={RATE}", "-f", "lavfi", "-i",
           f"aevalsrc='0.4*sin(2*PI*(200+300*t)*t)':s={SOUND_RATE}", "-t", COUNT / RATE, "-c:v", "libx264",
           "-g", KEYS, "-keyint_min", KEYS, "-sc_threshold", 0, "-bf", 2, "-c:a", "aac", "-shortest", *words,
           path)


def hashes(path):
    """Of each picture, in the order shown."""
    lines = pictures(path).decode().splitlines()
    return [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]


def sound(path):
    data = ffmpeg("-i", path, "-map", "0:a:0", "-f", "s16le", "-ac", 1, "-")
    return struct.unpack(f"<{len(data) // 2}h", data)


def test_cut(case):
    whole, part = case.path("whole.mp4"), case.path("part.mp4")
    make_video(whole)
    said = json.loads(case.done("a part", "trim", whole, part, "--from", "0.9", "--to", "1.6", "--json"))
    first = 20  # the key frame before 0.9 s
    check("it says where it was cut", abs(said["from"] - first / RATE) < 1e-3 and 1.6 - 1e-3 <= said["to"] < 1.75,
          said)
    all_of_it, kept = hashes(whole), hashes(part)
    check("its pictures are those of the whole", kept == all_of_it[first:first + len(kept)], len(kept))
    check("it says how many", said["pictures"] == len(kept) == round((said["to"] - said["from"]) * RATE),
          (said, len(kept)))
    before, after = sound(whole), sound(part)
    begin = round(said["from"] * SOUND_RATE)
    length = min(len(after), round((said["to"] - said["from"]) * SOUND_RATE))
    check("it has sound to its end", length > (said["to"] - said["from"] - 0.05) * SOUND_RATE, length)
    worst = max(abs(before[begin + i] - after[i]) for i in range(length))
    check("its sound is that of the whole, to the sample", worst <= 1, worst)
    coded = []
    for path in (whole, part):
        packets = ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "framemd5", "-").decode().splitlines()
        coded.append([line.rsplit(",", 1)[1].strip() for line in packets if not line.startswith("#")])
    check("no picture was encoded anew", coded[1] == coded[0][first:first + len(coded[1])])
    streams = probe(part)["streams"]
    check("players are told the same length", all(abs(float(each["duration"]) - (said["to"] - said["from"])) < 0.05
                                                  for each in streams), streams)
    again = case.path("again.mp4")
    case.done("a part of the part", "trim", part, again, "--from", "0.34", "--json")
    kept = hashes(again)
    check("its pictures, too", kept == hashes(part)[10:], len(kept))
    said = json.loads(case.done("the rest", "trim", whole, part, "--from", "0:02", "--json"))
    check("to the end", hashes(part) == all_of_it[60:] and abs(said["to"] - COUNT / RATE) < 0.05, said)
    case.done("the beginning", "trim", whole, part, "--to", "0.5")
    kept = hashes(part)
    check("from the beginning", 15 <= len(kept) <= 18 and kept == all_of_it[:len(kept)], len(kept))
    # An edit list that hides the beginning, and ticks of other programs.
    shifted = case.path("shifted.mp4")
    ffmpeg("-ss", "0.5", "-i", whole, "-c", "copy", "-video_track_timescale", "90000", shifted)
    said = json.loads(case.done("a file with an edit list", "trim", shifted, part, "--from", "0.6", "--json"))
    kept, expected = hashes(part), hashes(shifted)
    check("its pictures are there", kept == expected[len(expected) - len(kept):], said)
    first_at = len(expected) - len(kept)
    check("and it says where", abs(said["from"] - first_at / RATE) < 0.04, (said, first_at))


def test_marks(case):
    make_video(case.path("plain.mp4"))
    case.done("it is marked", "mark", case.path("plain.mp4"), case.path("marked.mp4"))
    case.done("a part of a 360 video", "trim", case.path("marked.mp4"), case.path("part.mp4"), "--from", "1")
    check("is marked: version 2", is_spherical(case.path("part.mp4")))
    check("and version 1", b"ProjectionType>equirectangular" in case.path("part.mp4").read_bytes())
    case.done("a part of a flat one", "trim", case.path("plain.mp4"), case.path("part.mp4"), "--from", "1")
    check("is not", not is_spherical(case.path("part.mp4")))


def orientation(index):
    """The nine numbers that a camera writes: it turns, and is tilted."""
    yaw, roll = math.radians(3 * index), math.radians(20 * math.sin(index / 5))
    cy, sy, cr, sr = math.cos(yaw), math.sin(yaw), math.cos(roll), math.sin(roll)
    rows = [[cy * cr, -cy * sr, sy], [sr, cr, 0], [-sy * cr, sy * sr, cy]]
    return [value * (-1 if row < 2 else 1) for row in range(3) for value in rows[row]]


def make_camera_file(case, copies=0):
    """What a camera writes: two fisheyes, the table of its lenses, how it was held, and who it is."""
    plain, held = case.path("plain.mp4"), case.path("camera.mp4")
    subprocess.run(["gst-launch-1.0", "-q", *(
        f"spheretestsrc lens=mi-sphere num-buffers={COUNT} ! video/x-raw,format=I420,width=480,height=240,"
        f"framerate={RATE}/1 ! x264enc key-int-max={KEYS} bframes=2 b-adapt=false option-string=scenecut=0 ! "
        f"mp4mux name=m ! filesink location={plain} audiotestsrc num-buffers=110 ! avenc_aac ! m.").split()],
        check=True, timeout=DEADLINE, env=gst_checks.ENVIRONMENT)
    subprocess.run([CAMERA_FILE, plain, held, "mi-sphere", str(COUNT + 20), "0", "0", "0", SERIAL], check=True,
                   timeout=DEADLINE, env=gst_checks.ENVIRONMENT)
    data = bytearray(held.read_bytes())
    at = data.rindex(b"tlyd") + 4
    for index in range(COUNT + 20):
        struct.pack_into("<9f", data, at + 36 * index, *orientation(index))
    struct.pack_into("<I", data, data.rindex(b"fltr") + 4, copies)
    held.write_bytes(data)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-Keys:GPSCoordinates=48.8584, 2.2945, 10",
                    "-Title=CANARY_TITLE", held], check=True, timeout=DEADLINE)
    return held


def grey(path):
    """The brightness of all pictures."""
    return ffmpeg("-i", path, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-")


def stitched(case, source, out, *more):
    case.done(f"{source.name} is stitched", "stitch", source, out, *more, "--level", "horizon", "--match", "off",
              "--align", "off", "--blend", "feather", "--stitcher", "cpu", "--quality", "0",
              "--preset", "ultrafast", "--width", "320")
    return hashes(out)


def test_camera(case):
    for copies in (0, 25):
        held, part = make_camera_file(case, copies), case.path("part.mp4")
        said = json.loads(case.done("a part of a recording", "trim", held, part, "--from", "0.8", "--to", "1.9",
                                    "--json"))
        data = part.read_bytes()
        check("the lens table goes along", b"lutz" in data and b"tlyd" in data)
        check("no more of the track than the pictures need",
              len(data) < held.stat().st_size and data.count(b"tlyd") == 1)
        records = struct.unpack(">I", data[data.index(b"tlyd") - 4:data.index(b"tlyd")])[0]
        check("it has a record for each picture", (records - 8) / 36 <= said["pictures"] + 1, records)
        whole, kept = stitched(case, held, case.path("w.mkv")), stitched(case, part, case.path("p.mkv"))
        first = round(said["from"] * RATE)
        # Times of the part are rounded otherwise, by less than a nanosecond.
        other = sum(a != b for a, b in zip(kept, whole[first:]))
        before, after = grey(case.path("w.mkv")), grey(case.path("p.mkv"))
        begin = len(before) // len(whole) * first
        check(f"stitching the part gives what stitching the whole gives ({copies})",
              len(kept) == said["pictures"] and other <= 2 and
              max(abs(a - b) for a, b in zip(before[begin:], after)) <= 1, (first, len(kept), other))
        level = stitched(case, case.path("plain.mp4"), case.path("l.mkv"), "--lens", "mi-sphere") if not copies else None
        check("the orientations make a difference", level is None or level != whole)


def test_motion(case):
    """A track of records of motion, ten in a second, keeps those of the part, without their places."""
    whole, part = case.path("whole.mp4"), case.path("part.mp4")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=64x64:rate={RATE}:duration=1", "-c:v", "libx264", "-g", KEYS, whole)
    add_data_track(whole, "camm", "camm", [camm(2, "3f", index, 0.5, 0.25) + camm(5, "3d", 48.8584, 2.2945, 44.0)
                                           for index in range(10)])
    case.done("a part with a track of motion", "trim", whole, part, "--from", "0.4", "--to", "0.8")
    told = run("exiftool", "-n", "-ee3", "-s3", "-a", "-AngularVelocity", part).stdout
    # From the record that is true at the key frame, 0.33 s, on.
    kept = [line.split()[0] for line in told.splitlines()]
    check("it has the records of that time", len(kept) >= 5 and kept == list("345678")[:len(kept)], told)
    check("no place is told", not run("exiftool", "-n", "-ee3", "-s3", "-GPSLatitude", part).stdout)


def test_large(case):
    """A file of more than 4 GiB is cut as a small one."""
    small, large, parts = case.path("small.mp4"), case.path("large.mp4"), [case.path("s.mp4"), case.path("l.mp4")]
    make_video(small)
    write_far(large, small.read_bytes(), 9 << 29)
    for source, part in zip((small, large), parts):
        case.done(f"a part of {source.name}", "trim", source, part, "--from", "0.9", "--to", "1.6")
    check("both parts are the same", parts[0].read_bytes() == parts[1].read_bytes())


def test_hevc(case):
    """H.265 is cut without a new encode, and it is what a view can be drawn from."""
    whole, part, view = case.path("whole.mp4"), case.path("part.mp4"), case.path("view.mp4")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=320x160:rate={RATE}:duration=1", "-c:v", "libx265", "-preset",
           "ultrafast", "-x265-params", f"log-level=none:keyint={KEYS}", "-tag:v", "hvc1", whole)
    case.done("a part of H.265", "trim", whole, part, "--from", "0.35", "--to", "0.6")
    kept = hashes(part)
    check("its pictures are those of the whole", kept and kept == hashes(whole)[10:10 + len(kept)], len(kept))
    case.done("a view of H.265", "reframe", whole, view, "--yaw", "30", "--size", "160x90", "--drawer", "cpu",
              "--force")
    check("it has all pictures", len(hashes(view)) == RATE)


def test_nothing_is_told(case):
    held, part = make_camera_file(case), case.path("part.mp4")
    case.done("a part", "trim", held, part, "--from", "1")
    data = part.read_bytes()
    for what, word in (("serial number", SERIAL.encode()), ("title", b"CANARY_TITLE"), ("position", b"48.8584")):
        check(f"the {what} stays out", word in held.read_bytes() and word not in data)
    kinds = sorted(stream["codec_type"] for stream in probe(part)["streams"])
    check("sound stays", kinds == ["audio", "video"], kinds)
    case.done("location is given", "consent", "give", "location", "--purpose", "geotag")
    case.done("a part with it", "trim", held, part, "--from", "1")
    place = run("exiftool", "-n", "-s3", "-GPSLatitude", part).stdout.strip()
    check("the position is there", place.startswith("48.85"), place)
    case.done("without sound", "trim", held, part, "--from", "1", "--no-audio")
    check("there is none", len(probe(part)["streams"]) == 1)
    case.done("audio is withdrawn", "consent", "withdraw", "audio")
    result = case.sphere("trim", held, part, "--from", "1")
    check("it says that there is no sound", result.returncode == 0 and "withdrawn" in result.stderr, result.stderr)
    check("and there is none", len(probe(part)["streams"]) == 1)
    silent = case.path("silent.mp4")
    ffmpeg("-i", held, "-an", "-c", "copy", silent)
    for words in ((silent, part, "--from", "1"), (held, part, "--from", "1", "--no-audio")):
        result = case.sphere("trim", *words)
        check("it says nothing of sound that nobody misses", result.returncode == 0 and not result.stderr,
              result.stderr)
    # A withdrawal that can't be written is noted beside the ledger, and counts until it can.
    case.done("the ledger is erased", "consent", "erase", "--yes")
    case.done("sound again", "trim", held, part, "--from", "1")
    check("it is there", len(probe(part)["streams"]) == 2)
    ledger = pathlib.Path(case.environment["XDG_DATA_HOME"]) / "gst-sphere" / "consent.jsonl"
    ledger.symlink_to("nothing")
    check("a link is no ledger", case.sphere("consent", "withdraw", "audio").returncode != 0)
    for what in ("a link to nothing", "only the denial"):
        case.done(what, "trim", held, part, "--from", "1")
        check(f"{what}: there is no sound", len(probe(part)["streams"]) == 1)
        ledger.unlink(missing_ok=True)


def test_failures(case):
    whole, part = case.path("whole.mp4"), case.path("part.mp4")
    make_video(whole)
    part.write_bytes(b"older")
    for what, status, word, words in (
            ("after the end", 1, "after the end", (whole, part, "--from", "3")),
            ("the end is after the end", 1, "after the end", (whole, part, "--to", "1:00")),
            ("backwards", 2, "later than --from", (whole, part, "--from", "2", "--to", "1")),
            ("no time", 2, "must be seconds", (whole, part, "--from", "soon")),
            ("NaN", 2, "must be seconds", (whole, part, "--from", "nan")),
            ("below 0", 2, "must be seconds", (whole, part, "--from=-1")),
            ("nothing to cut", 2, "--from or --to", (whole, part)),
            ("an unknown end", 2, ".mp4", (whole, case.path("part.avi"), "--from", "1")),
            ("no file", 1, "no such file", (case.path("none.mp4"), part, "--from", "1")),
            ("OUT exists", 1, "exists", (whole, part, "--from", "1", "--no-clobber"))):
        case.refused(what, status, word, "trim", *words)
    case.refused("itself", 1, "same file", "trim", whole, whole, "--from", "1")
    ffmpeg("-i", whole, "-c", "copy", case.path("whole.mkv"))
    case.refused("Matroska", 1, "MP4 or MOV", "trim", case.path("whole.mkv"), part, "--from", "1")
    ffmpeg("-i", whole, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", case.path("fragments.mp4"))
    case.refused("fragments", 1, "fragmented", "trim", case.path("fragments.mp4"), part, "--from", "1")
    data = whole.read_bytes()
    case.path("cut.mp4").write_bytes(data[:len(data) // 2])
    case.refused("a file that was cut off", 1, "cut.mp4", "trim", case.path("cut.mp4"), part, "--from", "1")
    for table in (b"stts", b"ctts", b"stss", b"stsc"):
        damaged = bytearray(data)
        at = damaged.index(table)
        damaged[at + 8:at + 12] = b"\x7f\xff\xff\xff"
        case.path("damaged.mp4").write_bytes(damaged)
        case.refused(f"a damaged {table.decode()}", 1, "damaged", "trim", case.path("damaged.mp4"), part, "--from",
                     "1")
    check("the older file stays", part.read_bytes() == b"older")
    left = sorted(path.name for path in case.folder.iterdir() if path.name.startswith("."))
    check("nothing is left", not left, left)


for test in (test_cut, test_marks, test_camera, test_motion, test_large, test_hevc, test_nothing_is_told,
             test_failures):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
finish()

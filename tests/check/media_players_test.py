# SPDX-License-Identifier: LGPL-2.1-or-later
"""What other programs say about the files of `sphere redact`, `mark` and `geotag`: exiftool's
validation, ffprobe, exiv2 and the demuxers of GStreamer.
"""

import json
import shutil
import struct
import tempfile

from checks import DEADLINE, attempt, check, finish, run
from data_tracks import add_data_track, camm
import gst_checks
from media_checks import Case, ffmpeg, is_spherical, pictures, probe

Gst = gst_checks.load("demuxers")
GIVEN = "consent/location, state=(string)given, purpose=(string)geotag"
PLACE = (-33.8567844, 151.2152967)
HIDDEN = (48.8584123, 2.2945456)


def make_video(path, *options, codec="libx264", sound=("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac")):
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:d=1:r=10", *sound, "-c:v", codec,
           "-metadata", "location=+48.8584123+002.2945456/", "-metadata", "title=CANARY_TITLE",
           *options, path)


def validations(*paths):
    """What exiftool's validation complains about, for each file."""
    found = {str(path): set() for path in paths}
    said = run("exiftool", "-validate", "-warning", "-error", "-a", "-s3", *paths).stdout.splitlines()
    lines = None
    for line in said[:-1]:  # the last one tells how many files were read
        if line.startswith("======== "):
            lines = found[line[9:]]
        # A number is a count of what follows.
        elif line.strip() not in ("OK", "") and not line[0].isdigit():
            lines.add(line)
    return list(found.values())


def problems(*words):
    """What a program complains about."""
    result = run(*words)
    return set(result.stderr.splitlines()) | ({f"exit {result.returncode}"} if result.returncode else set())


def decoding_problems(path):
    return problems("ffmpeg", "-v", "warning", "-i", path, "-map", "0:v", "-f", "null", "-")


def valid(what, before, after, decoded=None):
    """Other programs complain about nothing new. `decoded`: what ffmpeg said of both, where it decoded
    them before."""
    if not decoded:
        decoded = [decoding_problems(path) for path in (before, after)]
    was, now = (checked | problems("ffprobe", "-v", "warning", "-show_packets", path) | said
                for checked, path, said in zip(validations(before, after), (before, after), decoded))
    check(f"{what}: other programs complain about nothing new", not now - was, now - was)


def hashed(path, maps):
    """Hashes of what ffmpeg reads of a file, each by its options, and what it complains about."""
    outs = [path.with_name(f"hashes-{i}") for i in range(len(maps))]
    said = problems("ffmpeg", "-nostdin", "-v", "warning", "-y", "-i", path,
                    *(word for out, words in zip(outs, maps) for word in (*words, "-f", "framemd5", out)))
    # The description of Vorbis had comments.
    return [[line for line in out.read_bytes().splitlines() if not line.startswith(b"#extradata")]
            for out in outs], said


def tags(path):
    """What exiftool reads, in timed tracks, too."""
    return json.loads(run("exiftool", "-json", "-n", "-G1", "-a", "-ee3", path).stdout)[0]


def told(path):
    return [key for key in tags(path) if "GPS" in key or "Serial" in key]


def klv(key, kind, size, content):
    count = len(content) // size
    return key.encode() + struct.pack(">cBH", kind.encode(), size, count) + content + bytes(-len(content) % 4)


def gpmf(index):
    scale = klv("SCAL", "l", 4, struct.pack(">5l", 10**7, 10**7, 1000, 1000, 100))
    place = struct.pack(">5l", round(HIDDEN[0] * 1e7) + index, round(HIDDEN[1] * 1e7), 44000, 0, 0)
    turn = klv("SCAL", "s", 2, struct.pack(">h", 100)) + klv("GYRO", "s", 6, struct.pack(">3h", 11 + index, 22, 33))
    return klv("DEVC", "\0", 1, klv("DVNM", "c", 1, b"CANARY device") + klv("STRM", "\0", 1, turn) +
               klv("STRM", "\0", 1, scale + klv("GPS5", "l", 20, place)))


def test_codecs(case):
    for codec, options in (("libx265", ("-x265-params", "log-level=none", "-tag:v", "hvc1")),
                           ("libaom-av1", ("-cpu-used", "8"))):
        if codec not in run("ffmpeg", "-hide_banner", "-encoders").stdout:
            print(f"skipped: this ffmpeg has no {codec}")
            continue
        source, out, again = (case.path(name) for name in ("in.mp4", "out.mp4", "again.mp4"))
        for more in ((), ("-movflags", "+faststart"), ("-movflags", "+frag_keyframe+empty_moov")):
            what = f"{codec} {' '.join(more)}"
            make_video(source, *options, *more, codec=codec)
            case.done(f"{what} is redacted", "redact", source, out)
            data = out.read_bytes()
            check(f"{what}: nothing is told", b"CANARY" not in data and not told(out), told(out))
            check(f"{what}: the pictures are the same", pictures(source) == pictures(out))
            valid(what, source, out)
            case.done(f"{what} is redacted again", "redact", out, again)
            check(f"{what}: it is the same file", data == again.read_bytes())


def test_many_codecs_in_one_entry(case):
    """What 'mp4v' means is told by a number in its description."""
    photo, stream, source, out = (case.path(name) for name in ("in.jpg", "in.m4v", "in.mp4", "out.mp4"))
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32", "-frames:v", "1", photo)
    run("exiftool", "-q", "-overwrite_original", "-Make=CANARY_MAKER", "-GPSLatitude=48.8584123",
        "-GPSLatitudeRef=N", "-GPSLongitude=2.2945456", "-GPSLongitudeRef=E", photo)
    ffmpeg("-loop", "1", "-t", "1", "-i", photo, "-c", "copy", source)
    check("Motion JPEG: the maker is in IN", source.read_bytes().count(b"CANARY_MAKER") > 1)
    found = json.loads(case.done("Motion JPEG is inspected", "inspect", "--json", source))["files"][0]["parts"]
    check("Motion JPEG: the metadata of its pictures is found", any("JPEG" in part["what"] for part in found), found)
    case.done("Motion JPEG is redacted", "redact", source, out)
    check("Motion JPEG: nothing is told", b"CANARY" not in out.read_bytes() and not told(out), told(out))
    check("Motion JPEG: the pictures are the same", pictures(source) == pictures(out))
    valid("Motion JPEG", source, out)
    # User data before the first picture becomes a part of the description.
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1", "-c:v", "mpeg4", "-f", "m4v", stream)
    data, layer = stream.read_bytes(), b"\0\0\1\x20"
    stream.write_bytes(data.replace(layer, b"\0\0\1\xb2CANARY_HEAD" + layer, 1))
    ffmpeg("-f", "m4v", "-i", stream, "-c", "copy", source)
    check("MPEG-4: the text is in IN", b"CANARY_HEAD" in source.read_bytes())
    case.done("MPEG-4 is redacted", "redact", source, out)
    check("MPEG-4: nothing is told", b"CANARY" not in out.read_bytes() and not told(out), told(out))
    check("MPEG-4: the pictures are the same", pictures(source) == pictures(out))
    valid("MPEG-4", source, out)
    # A description that is longer than the part of it that decoders read.
    damaged = bytearray(source.read_bytes())
    head = damaged.index(b"\x05\x80\x80\x80", damaged.index(b"esds"))
    damaged[head + 4] = 0
    source.write_bytes(damaged)
    out.unlink()
    case.refused("MPEG-4 with a hidden description", 3, "mp4v", "redact", source, out)
    check("MPEG-4 with a hidden description has no OUT", not out.exists())


def test_other_codecs(case):
    """Pictures and sound of cameras, recorders and editors, which stay bit by bit."""
    known = set(run("ffmpeg", "-hide_banner", "-encoders").stdout.split())
    tape = ("-s", "720x576", "-r", "25")
    # Its file, its codecs, more options, and whether its packets stay, too: nothing is between its pictures.
    for name, codec, sound, options, as_coded in (
            ("png.mov", "png", "aac", (), True),
            ("prores.mov", "prores_ks", "pcm_s24le", (), True),
            ("dnxhd.mov", "dnxhd", "pcm_s16be", ("-s", "1280x720", "-r", "25", "-b:v", "60M", "-pix_fmt", "yuv422p"), True),
            ("dnxhr.mov", "dnxhd", "mp2", ("-s", "512x256", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p"), True),
            ("dv.mov", "dvvideo", "pcm_s16le", tape, False),
            ("dv.mkv", "dvvideo", "pcm_s16le", tape, False),
            ("mpeg2.mov", "mpeg2video", "ac3", ("-r", "25"), False),  # time codes
            ("mpeg1.mov", "mpeg1video", "alac", ("-r", "25"), False),  # time codes
            ("mjpeg.mov", "mjpeg", "pcm_mulaw", (), False),
            ("mjpeg.mkv", "mjpeg", "flac", (), False),
            ("png.mkv", "png", "libvorbis", (), True),
            ("divx.mkv", "libxvid", "libmp3lame", ("-tag:v", "XVID"), True),
            ("xvid.mp4", "libxvid", "libvorbis", (), True),
            ("vp9.mp4", "libvpx-vp9", "libopus", (), True),
            ("alpha.webm", "libvpx-vp9", "libopus",
             ("-vf", "format=yuva420p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='4*X'", "-auto-alt-ref", "0"), True),
            ("h263.3gp", "h263", "aac", ("-s", "352x288"), True),
            ("flac.mp4", "mpeg4", "flac", ("-strict", "-2"), True)):
        if not {codec, sound} <= known:
            print(f"skipped: this ffmpeg has no {codec} or {sound}")
            continue
        source, out, again = (case.path(start + name) for start in ("", "out-", "again-"))
        make_video(source, *options, "-metadata:s:a", "comment=CANARY_SOUND", codec=codec,
                   sound=("-f", "lavfi", "-i", "sine=d=1:r=48000", "-c:a", sound))
        case.done(f"{name} is redacted", "redact", source, out)
        check(f"{name}: nothing is told", b"CANARY" not in out.read_bytes() and not told(out), told(out))
        maps = {(kind, copied): ("-map", f"0:{kind}", *(("-c", "copy") if copied else ()))
                for kind in "va" for copied in (False, True) if kind == "a" or as_coded or not copied}
        (was, said_before), (now, said) = (hashed(path, maps.values()) for path in (source, out))
        for (kind, copied), one, other in zip(maps, was, now):
            check(f"{name}: {kind} is the same, {'as it is coded' if copied else 'as it is shown or heard'}",
                  one == other and len(one) > 10, (one, other))
        valid(name, source, out, (said_before, said))
        case.done(f"{name} is redacted again", "redact", out, again)
        check(f"{name}: it is the same file", out.read_bytes() == again.read_bytes())


def test_records(case):
    for name, codec, handler, samples, useful in (
            ("CAMM", "camm", "camm",
             [camm(2, "3f", index, 0.5, 0.25) + camm(5, "3d", HIDDEN[0] + index / 1e4, HIDDEN[1], 44.0)
              for index in range(10)], "AngularVelocity"),
            ("GPMF", "gpmd", "meta", [gpmf(index) for index in range(10)], "Gyroscope")):
        source, out = case.path(f"{name}.mp4"), case.path(f"{name}-out.mp4")
        make_video(source)
        add_data_track(source, codec, handler, samples)
        before = tags(source)
        check(f"{name}: exiftool reads place and motion in IN",
              any("GPSLatitude" in key for key in before) and any(useful in key for key in before), sorted(before))
        case.done(f"{name} is redacted", "redact", source, out)
        after = tags(out)
        check(f"{name}: exiftool finds no place", not told(out), told(out))
        check(f"{name}: the motion stays", any(useful in key for key in after), sorted(after))
        check(f"{name}: nothing is told", b"CANARY" not in out.read_bytes())
        check(f"{name}: the pictures are the same", pictures(source) == pictures(out))
        valid(name, source, out)


def demuxed(path, chain):
    """Latitude and longitude of the tags that GStreamer's elements find."""
    pipeline = Gst.parse_launch(f"filesrc location={path} ! {chain} ! fakesink")
    pipeline.set_state(Gst.State.PLAYING)
    found = {}
    while True:
        message = pipeline.get_bus().timed_pop_filtered(
            DEADLINE * Gst.SECOND, Gst.MessageType.TAG | Gst.MessageType.EOS | Gst.MessageType.ERROR)
        if not message or message.type != Gst.MessageType.TAG:
            break
        for name in (Gst.TAG_GEO_LOCATION_LATITUDE, Gst.TAG_GEO_LOCATION_LONGITUDE):
            known, value = message.parse_tag().get_double(name)
            if known:
                found[name] = value
    pipeline.set_state(Gst.State.NULL)
    return tuple(found.values())


def near(place, degrees):
    return len(place) == 2 and all(abs(a - b) <= degrees for a, b in zip(place, PLACE))


def test_positions(case):
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x32:d=1", "-frames:v", "1", case.path("in.jpg"))
    make_video(case.path("in.3gp"), sound=())
    for name, chain in (("out.jpg", "jpegparse"), ("out.3gp", "qtdemux")):
        # qtdemux reads the box of 3GPP, but not that of other phones (©xyz), which ffprobe reads.
        source, out = case.path("in" + name[-4:]), case.path(name)
        case.done(f"{name} gets a position", "geotag", source, out, "--position",
                    f"{PLACE[0]},{PLACE[1]}", "--consent", GIVEN)
        place = demuxed(out, chain)
        check(f"{name}: {chain} reads the position", near(place, 1e-6 if chain == "jpegparse" else 2**-16), place)
        valid(name, source, out)
    if not shutil.which("exiv2"):
        print("skipped: exiv2, which is not installed")
        return
    said = run("exiv2", "-K", "Exif.GPSInfo.GPSLatitude", "-K", "Exif.GPSInfo.GPSLongitude", "-K",
               "Exif.GPSInfo.GPSLatitudeRef", "-K", "Exif.GPSInfo.GPSLongitudeRef", "-P", "v",
               case.path("out.jpg")).stdout.splitlines()
    numbers = [line for line in said if "/" in line]
    place = tuple(sum(int(part.split("/")[0]) / int(part.split("/")[1]) / 60**index
                      for index, part in enumerate(line.split())) for line in numbers)
    check("exiv2 reads the position", len(place) == 2 and "S" in said and "E" in said and
          near((-place[0], place[1]), 1e-7), said)


def test_marks(case):
    source, out = case.path("in.mov"), case.path("out.mov")
    sound = ("-f", "lavfi", "-i", "aevalsrc=0.1*sin(440*t)|0|0|0:c=4.0:d=1", "-c:a", "pcm_s16le")
    make_video(source, sound=sound)
    for mode, name in (("top-bottom", "top and bottom"), ("left-right", "side by side")):
        case.done(f"{mode} is marked", "mark", source, out, "--stereo", mode, "--ambisonics", "1")
        streams = probe(out)["streams"]
        data = [one for stream in streams for one in stream.get("side_data_list", [])]
        check(f"{mode}: ffprobe reads the packing", any(one.get("type") == name for one in data), data)
        check(f"{mode}: ffprobe reads the projection", is_spherical(out))
        layouts = [stream.get("channel_layout") for stream in streams]
        check(f"{mode}: ffprobe reads ambisonics", "ambisonic 1" in layouts, layouts)
        valid(mode, source, out)
        if shutil.which("mediainfo"):
            said = run("mediainfo", out).stdout.lower()
            check(f"{mode}: mediainfo reads ambisonics", "ambisonics" in said, said)


def test_ambisonics_of_codecs(case):
    """Not the entry of the sound, but its codec says how many channels there are."""
    source, out = case.path("in.mp4"), case.path("out.mp4")
    for codec, layout, channels in (("aac", "4.0", 4), ("aac", "quad", 4), ("libopus", "quad", 4),
                                    ("aac", "stereo", 2)):
        make_video(source, sound=("-f", "lavfi", "-i", f"aevalsrc={'|'.join(['0.1*sin(440*t)'] * channels)}"
                                  f":c={layout}:d=1", "-c:a", codec))
        result = case.sphere("mark", source, out, "--ambisonics", "1")
        if channels == 4:
            check(f"{codec} with {layout} is marked", result.returncode == 0, result.stderr)
            check(f"{codec} with {layout}: there is the mark", b"SA3D" in out.read_bytes())
        else:
            check(f"{codec} with {layout} is refused", result.returncode == 3 and "2 channels" in result.stderr,
                  f"{result.returncode}: {result.stderr}")
        out.unlink(missing_ok=True)


def test_skipped_pictures(case):
    """The encoder has put its settings into a message beside the first picture."""
    path = case.path("here.mp4")
    make_video(path)
    source = path.read_bytes()
    check("there is a message", b"x264 - core" in source)
    result = case.sphere("redact", "--in-place", "--skip-pictures", "--json", path)
    check("the status tells what was left", result.returncode == 4, f"{result.returncode}: {result.stderr}")
    check("so does the report", json.loads(result.stdout)["files"][0]["complete"] is False, result.stdout)
    data = path.read_bytes()
    check("boxes are redacted", b"CANARY" not in data and len(data) == len(source) and not told(path))
    check("the message is left", b"x264 - core" in data)
    result = case.sphere("redact", "--in-place", "--skip-pictures", path)
    check("a person is told", result.returncode == 4 and "not read" in result.stdout, result.stdout)
    check("a second time changes nothing", path.read_bytes() == data)
    case.done("with the pictures", "redact", "--in-place", path)
    check("the message is gone", b"x264 - core" not in path.read_bytes())
    result = case.sphere("redact", "--skip-pictures", path, case.path("out.mp4"))
    check("a copy reads them anyway", result.returncode == 2 and "--in-place" in result.stderr, result.stderr)


for test in (test_codecs, test_other_codecs, test_many_codecs_in_one_entry, test_records, test_positions, test_marks,
             test_ambisonics_of_codecs, test_skipped_pictures):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(temporary, gst_checks.ENVIRONMENT))
finish()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `sphere stitch` reads and writes: every container and codec for which there is an encoder."""

import json
import os
import pathlib
import shutil
import struct
import tempfile

from checks import SPHERE, attempt, check, finish, launch_ours, run
import gst_checks
from gst_checks import ENVIRONMENT
from media_checks import ffmpeg, probe

Gst = gst_checks.load("sphere stitch formats")

PICTURES = 6
WIDTH, HEIGHT = 192, 96
LENS = ("--lens", "dual-190", "--stitcher", "cpu")
# Of 255; what two lossy codecs and a change of range make of sharp edges.
LARGEST_DIFFERENCE = 8


def streams(path):
    """(the video's stream, the sound's or None)"""
    entries = "stream=codec_type,codec_name,profile,pix_fmt,width,height,nb_read_packets"
    found = probe(path, "-count_packets", "-show_entries", entries)["streams"]
    video = next(s for s in found if s["codec_type"] == "video")
    sound = [s for s in found if s["codec_type"] == "audio"]
    return video, sound[0] if sound else None


def pixels(path):
    """All pictures of a file in eight bits of red, green and blue, one after the other."""
    return ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt",
                  "rgb24", "-")


def difference(one, other):
    """The mean difference of two lists of samples."""
    if len(one) != len(other) or not one:
        return float("inf")
    return sum(abs(a - b) for a, b in zip(one, other)) / len(one)


def shows(what, path, expected):
    """The pictures of a file are those that are expected."""
    found = difference(pixels(path), expected)
    check(what, found < LARGEST_DIFFERENCE, found)


def sphere(*arguments):
    # The search for the lenses takes seconds, and is tested elsewhere.
    if not {"--lens", "--lens-fov"} & set(map(str, arguments)):
        arguments += ("--lens", "dual-190")
    return run(SPHERE, "stitch", *arguments, env=ENVIRONMENT)


def done(what, *arguments, warns=None):
    """The command works, and prints only the expected messages."""
    result = sphere(*arguments)
    said = result.stderr if warns is None else "" if warns in result.stderr else f"no '{warns}'"
    return check(what, result.returncode == 0 and not said,
                 f"exit {result.returncode}: {result.stderr} {said}")


def refused(what, *arguments, says):
    out = pathlib.Path(arguments[-1])
    before = sorted(os.listdir(out.parent))
    result = sphere(*arguments[:-1], out, *LENS)
    lines = result.stderr.splitlines()
    check(what, result.returncode == 1 and lines and lines[-1].startswith("sphere stitch: ")
          and all(word in lines[-1] for word in says), f"exit {result.returncode}: {result.stderr}")
    check(f"{what}: nothing is left behind", sorted(os.listdir(out.parent)) == before)


class Sources:
    """Pictures of two fisheyes, raw, and what is encoded from them."""

    def __init__(self, folder):
        self.folder = folder
        self.raw = folder / "raw.yuv"
        launch_ours(f"spheretestsrc num-buffers={PICTURES} ! video/x-raw,format=I420,width={WIDTH},"
                    f"height={HEIGHT},framerate=30/1 ! filesink location={self.raw}", ENVIRONMENT)
        self.sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.2")

    def make(self, name, *words, sound=("aac",), filters=()):
        path = self.folder / name
        ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", 30, "-i",
               self.raw, *(self.sound if sound else ()), *filters, *words,
               *(("-c:a", *sound, "-strict", "-2") if sound else ()), path)
        return path


H264 = ("-c:v", "libx264", "-crf", 10, "-preset", "veryfast")
HEVC = ("-c:v", "libx265", "-crf", 10, "-preset", "ultrafast", "-x265-params", "log-level=none")
PRORES = ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le")

# name, encoder, sound, and OUT's endings
FORMATS = (
    ("h264.mov", H264, "aac", (".mov",)),
    ("h264.mkv", H264, "flac", (".mkv",)),
    ("h264.ts", H264, "aac", (".mp4",)),
    ("h264.avi", H264, "pcm_s16le", (".mkv",)),
    ("hevc.mp4", (*HEVC, "-tag:v", "hvc1"), "aac", (".mkv",)),
    ("hevc.ts", HEVC, "ac3", (".mkv",)),
    ("hevc.mkv", HEVC, "libopus", (".mp4",)),
    ("vp9.webm", ("-c:v", "libvpx-vp9", "-crf", 10, "-b:v", 0, "-cpu-used", 8), "libopus",
     (".mkv",)),
    ("av1.mkv", ("-c:v", "libaom-av1", "-cpu-used", 8, "-crf", 10), "libvorbis", (".mkv",)),
    ("av1.mp4", ("-c:v", "libaom-av1", "-cpu-used", 8, "-crf", 10), "aac", (".mp4",)),
    ("mjpeg.avi", ("-c:v", "mjpeg", "-q:v", 2), "pcm_s16le", (".mov",)),
    ("mjpeg.mov", ("-c:v", "mjpeg", "-q:v", 2), "pcm_s16le", (".mkv",)),
    ("prores.mov", PRORES, "pcm_s16le", (".mov",)),
    ("prores.mkv", PRORES, "libmp3lame", (".mp4",)),
)


def test_videos(sources):
    """The same pictures in every container and codec."""
    folder = sources.folder
    reference = folder / "reference.mp4"
    done("MP4", sources.make("in.mp4", *H264), reference, *LENS)
    expected = pixels(reference)
    for name, encoder, sound, endings in FORMATS:
        source = sources.make(name, *encoder, sound=(sound,))
        before = streams(source)[1]
        for ending in endings:
            out = folder / f"{name}-out{ending}"
            result = sphere(source, out, "--json", *LENS)
            if not check(f"{name} to {ending}", result.returncode == 0 and not result.stderr,
                         f"exit {result.returncode}: {result.stderr}"):
                continue
            video, audio = streams(out)
            check(f"{name} to {ending}: all pictures", video["nb_read_packets"] == str(PICTURES)
                  and json.loads(result.stdout)["pictures"] == PICTURES, video)
            shows(f"{name} to {ending}: the right ones", out, expected)
            # The first packet only sets a decoder up, and an edit list cuts it away. In a transport
            # stream the last one can be incomplete, too.
            lost = 3 if name.endswith(".ts") else 1
            check(f"{name} to {ending}: its sound", audio
                  and audio["codec_name"] == before["codec_name"]
                  and (sound == "pcm_s16le" or int(audio["nb_read_packets"])
                       >= int(before["nb_read_packets"]) - lost), f"{before} {audio}")
        if ".mp4" not in endings and name in ("h264.mkv", "av1.mkv", "prores.mov"):
            out = folder / f"{name}-out.mp4"
            refused(f"{name}: sound that an MP4 can't hold is told", source, out,
                    says=("sound track", ".mkv", "--no-audio"))
            done(f"{name} without sound", source, out, "--no-audio", *LENS)
            check(f"{name}: there is none", streams(out)[1] is None)


def test_decoders_in_hardware(sources):
    """One in hardware is there, which is preferred by GStreamer; we take it if there is no other."""
    folder = sources.folder
    source = sources.make("decoders.mkv", *H264, sound=())
    plugins = pathlib.Path(os.environ["SPHERE_BUILD"], "tests", "tools", "plugins")
    environment = dict(ENVIRONMENT, GST_REGISTRY=str(folder / "hardware-registry"),
                       GST_PLUGIN_PATH=f"{plugins}:{ENVIRONMENT['GST_PLUGIN_PATH']}")
    only = dict(environment, GST_PLUGIN_FEATURE_RANK="avdec_h264:NONE,openh264dec:NONE")
    for what, env, used in (("software is there", environment, False), ("nothing else", only, True)):
        out = folder / f"decoders-{used}.mkv"
        result = run(SPHERE, "stitch", source, out, *LENS, env=env)
        check(f"a decoder in hardware, {what}: it works", result.returncode == 0, result.stderr)
        check(f"a decoder in hardware, {what}: {'used' if used else 'not used'}",
              (f"the hardware decoded {PICTURES} pictures" in result.stderr) == used, result.stderr)
    check("a decoder in hardware: the same pictures",
          pixels(folder / "decoders-True.mkv") == pixels(folder / "decoders-False.mkv"))


def test_hevc(sources):
    folder = sources.folder
    source = folder / "in.mp4"
    expected = pixels(folder / "reference.mp4")
    for ending in (".mp4", ".mkv"):
        out = folder / f"as-hevc{ending}"
        if done(f"HEVC in {ending}", source, out, "--codec", "hevc", "--preset", "ultrafast", *LENS):
            video, audio = streams(out)
            check(f"HEVC in {ending}: it is", video["codec_name"] == "hevc" and audio, video)
            shows(f"HEVC in {ending}: the right pictures", out, expected)
    sizes = []
    for quality in (0, 40):
        done(f"HEVC of quality {quality}", source, folder / "q.mp4", "--codec", "hevc", "-q", quality,
             "--preset", "ultrafast", *LENS)
        sizes.append((folder / "q.mp4").stat().st_size)
    check("quality counts for HEVC", sizes[0] > 2 * sizes[1], sizes)
    for arguments, says in (((source, folder / "x.mp4", "--codec", "vp9"), "'vp9'"),
                            ((source, folder / "x.jpg", "--codec", "hevc"), "--codec"),
                            ((source, folder / "x.webm"), ".mkv"),
                            ((source, source, folder / "x.mp4", "more"), "'more'")):
        result = sphere(*arguments)
        check(f"usage: {arguments[1:]}", result.returncode == 2 and says in result.stderr,
              result.stderr)


def test_ten_bits(sources):
    folder = sources.folder
    expected = pixels(folder / "reference.mp4")
    for name, encoder in (("deep.mkv", (*HEVC, "-pix_fmt", "yuv420p10le")),
                          ("deep.mp4", (*H264, "-pix_fmt", "yuv420p10le")),
                          ("deep.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p10le", "-crf", 10,
                                         "-b:v", 0, "-cpu-used", 8))):
        source = sources.make(name, *encoder, sound=())
        for codec, profile in (("h264", "High 10"), ("hevc", "Main 10")):
            out = folder / "deep-out.mp4"
            if done(f"{name} to {codec}", source, out, "--codec", codec, "--preset", "ultrafast",
                    *LENS):
                video, _ = streams(out)
                check(f"{name} to {codec} stays ten bits",
                      (video["profile"], video["pix_fmt"]) == (profile, "yuv420p10le"), video)
                shows(f"{name} to {codec}: the right pictures", out, expected)
    # Steps so small that only ten bits have them.
    ramp = folder / "ramp.yuv"
    values = [400 + x // 16 for x in range(WIDTH)]
    plane = b"".join(struct.pack("<H", v) for v in values) * HEIGHT
    ramp.write_bytes(plane + struct.pack("<H", 512) * (WIDTH * HEIGHT // 2))
    source, out = folder / "ramp.mkv", folder / "ramp-out.mkv"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{WIDTH}x{HEIGHT}", "-i", ramp,
           "-c:v", "libx264", "-qp", 0, source)
    if done("a ramp of ten bits", source, out, "--force", "-q", 0, *LENS):
        data = ffmpeg("-i", out, "-f", "rawvideo", "-pix_fmt", "gray10le", "-")
        found = {v for v in struct.unpack(f"<{WIDTH * HEIGHT}H", data[:2 * WIDTH * HEIGHT])}
        check("its steps are there", len({v for v in found if v % 4}) >= 8, sorted(found))
    twelve = folder / "twelve.mov"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", 30, "-i",
           sources.raw, "-c:v", "libx265", "-x265-params", "log-level=none", "-preset", "ultrafast",
           "-pix_fmt", "yuv420p12le", "-tag:v", "hvc1", twelve)
    done("twelve bits become ten, and that is told", twelve, out, *LENS, warns="12 bits")


def test_two_files(sources):
    """One file for each lens."""
    folder = sources.folder
    expected = pixels(folder / "reference.mp4")
    half = WIDTH // 2
    sides = {}
    for side, x in (("left", 0), ("right", half)):
        sides[side] = sources.make(f"{side}.insv.mp4", *H264,
                                   filters=("-vf", f"crop={half}:{HEIGHT}:{x}:0"))
    out = folder / "joined.mp4"
    if done("two videos", sides["left"], sides["right"], out, *LENS):
        video, audio = streams(out)
        check("their pictures, once, and the sound of one", (video["nb_read_packets"], video["width"])
              == (str(PICTURES), WIDTH) and audio, video)
        shows("the right ones", out, expected)
    if done("two videos, the other way", sides["right"], sides["left"], out, *LENS):
        check("the order counts", difference(pixels(out), expected) > 10)
    # The first picture has no partner, as when one camera starts later.
    late = folder / "late.mkv"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", 30, "-i",
           sources.raw, "-vf", f"crop={half}:{HEIGHT}:{half}:0,trim=start_frame=2", "-copyts", *H264,
           late)
    if done("one that starts later", sides["left"], late, out, *LENS, warns="6 and 4 pictures"):
        shows("pictures are matched by their times", out, expected[2 * 3 * WIDTH * HEIGHT:])
    # Both lenses in two tracks of one file, as some cameras write them.
    tracks = folder / "tracks.insv"
    ffmpeg("-i", sides["left"], "-i", sides["right"], "-map", "0:v", "-map", "1:v", "-map", "0:a",
           "-c", "copy", "-f", "mp4", tracks)
    if done("two tracks", tracks, out, *LENS):
        shows("two tracks: the right pictures", out, expected)
        check("two tracks: the sound", streams(out)[1])
    # No lenses are named: they are looked for in both.
    result = sphere(tracks, out, "--json", "--stitcher", "cpu", "--lens", "auto")
    check("two tracks: their lenses are found", result.returncode == 0
          and "found in the pictures" in json.loads(result.stdout)["lens"], result.stdout + result.stderr)
    # Insta360's two files of one recording.
    names = [folder / f"VID_20200102_030405_{number}_001.insv" for number in ("00", "10")]
    for side, name in zip(("left", "right"), names):
        name.write_bytes(sides[side].read_bytes())
    if done("the first file of a recording", names[0], out, *LENS, warns="other lens"):
        shows("the second one is stitched, too", out, expected)
    names[1].unlink()
    result = sphere(names[0], out, *LENS)
    check("without the second file, the first is not stitched alone", result.returncode != 0, result.stderr)
    for side, x in (("left", 0), ("right", half)):
        sides[f"{side} photo"] = folder / f"{side}.png"
        ffmpeg("-i", folder / "in.mp4", "-frames:v", 1, "-vf", f"crop={half}:{HEIGHT}:{x}:0",
               sides[f"{side} photo"])
    ffmpeg("-i", folder / "in.mp4", "-frames:v", 1, folder / "both.png")
    done("a photo", folder / "both.png", folder / "one.png", *LENS)
    if done("two photos", sides["left photo"], sides["right photo"], folder / "two.png", *LENS):
        check("two photos are as one", pixels(folder / "one.png") == pixels(folder / "two.png"))
    ffmpeg("-i", sides["left photo"], "-vf", "scale=64:64", folder / "small.png")
    for what, left, right, says in (
            ("a photo and a video", sides["left photo"], sides["right"], "one is a video"),
            ("different sizes", sides["left photo"], folder / "small.png", "different sizes"),
            ("one that is not there", sides["left photo"], folder / "no.png", "no such file")):
        refused(f"two files: {what}", left, right, folder / "x.png", says=(says,))
    result = sphere(sides["left photo"], sides["right photo"], sides["right photo"])
    check("OUT is RIGHT", result.returncode == 1 and "same file" in result.stderr, result.stderr)


def insta_trailer(length):
    """What these cameras append; its first bytes look like a box that is cut off."""
    body = (b"\x7f\xff\xff\xffmdat" + bytes(length))[:length - 78]
    return body + bytes(38) + struct.pack("<II", length, 3) + b"8db42d694ccc418790edff439fe026bf"


def test_insta360(sources):
    folder = sources.folder
    photo = folder / "photo.jpg"
    ffmpeg("-i", folder / "both.png", "-q:v", 1, photo)
    for source, name, out in ((photo, "photo.insp", "insp.png"),
                              (folder / "in.mp4", "video.insv", "insv.mp4")):
        marked = folder / name
        marked.write_bytes(source.read_bytes() + insta_trailer(500))
        if done(f"{name}: what the camera appends is no oddity", marked, folder / out, *LENS):
            done(f"{name}: without it", source, folder / f"plain-{out}", *LENS)
            check(f"{name}: it changes nothing",
                  pixels(folder / out) == pixels(folder / f"plain-{out}"))
            check(f"{name}: it does not get into OUT",
                  b"8db42d694ccc" not in (folder / out).read_bytes())
        trailer = insta_trailer(500)
        marked.write_bytes(source.read_bytes() + struct.pack(">I4s", 508, b"inst") + trailer)
        done(f"{name}: in a box", marked, folder / out, *LENS)
        marked.write_bytes(source.read_bytes()[:-40] + trailer)
        refused(f"{name}: cut off before it", marked, folder / f"x-{out}", says=("cut off",))


def tiff_entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + (
        struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))


def make_dng(path, previews):
    """A DNG with a picture for viewing in each of the places where cameras put them."""
    small, large = previews
    begin = 8
    entries = 7
    first_size = 2 + entries * 12 + 4
    second = begin + first_size
    second_size = 2 + 4 * 12 + 4
    data = second + second_size
    first = struct.pack("<H", entries) + b"".join((
        tiff_entry(0x100, 4, 1, 64), tiff_entry(0x101, 4, 1, 32), tiff_entry(0x103, 3, 1, 7),
        tiff_entry(0x111, 4, 1, data), tiff_entry(0x117, 4, 1, len(small)),
        tiff_entry(0x14a, 4, 1, second), tiff_entry(0xc612, 1, 4, 0x00000401))) + bytes(4)
    sub = struct.pack("<H", 4) + b"".join((
        tiff_entry(0x100, 4, 1, WIDTH), tiff_entry(0x103, 3, 1, 7),
        tiff_entry(0x111, 4, 1, data + len(small)), tiff_entry(0x117, 4, 1, len(large)))) + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", begin) + first + sub + small + large)


def test_photos(sources):
    folder = sources.folder
    both = folder / "both.png"
    expected = pixels(folder / "one.png")
    # name, how it is made, how far it may be from the PNG, what is told
    for name, words, most, warns in (
            ("p.tiff", (), 0, None), ("lzw.tif", ("-compression_algo", "lzw"), 0, None),
            ("deep.tiff", ("-pix_fmt", "rgb48le"), 1, "16 bits"),
            ("deep.png", ("-pix_fmt", "rgb48be"), 1, "16 bits"),
            ("lossless.webp", ("-lossless", 1), 0, None), ("lossy.webp", ("-quality", 95), 5, None),
            ("alpha.webp", ("-pix_fmt", "yuva420p", "-quality", 95), 5, None),
            ("full.jpg", ("-q:v", 1), 2, None)):
        source = folder / name
        ffmpeg("-i", both, *words, source)
        if done(name, source, folder / "p-out.png", *LENS, warns=warns):
            found = difference(pixels(folder / "p-out.png"), expected)
            check(f"{name}: the right picture", found <= most, found)
        done(f"{name} to JPEG", source, folder / "p-out.jpg", *LENS, warns=warns)
        content = source.read_bytes()
        cut = folder / f"cut-{name}"
        # A TIFF that is cut after its pixels and their sizes is still read.
        for part in (len(content) // 2,) if "tif" in name else (len(content) - 4, len(content) // 2):
            cut.write_bytes(content[:part])
            refused(f"{name} cut to {part} bytes", cut, folder / "x.png", says=("cut off",))
    small, large = folder / "small.jpg", folder / "full.jpg"
    ffmpeg("-i", both, "-vf", "scale=64:32", small)
    dng = folder / "raw.dng"
    make_dng(dng, (small.read_bytes(), large.read_bytes()))
    if done("a DNG's largest picture for viewing", dng, folder / "p-out.png", *LENS,
            warns=f"{WIDTH}x{HEIGHT} picture"):
        check("it is that one", difference(pixels(folder / "p-out.png"), expected) <= 2)
    make_dng(dng, (b"no picture", b"none either"))
    refused("a DNG without one", dng, folder / "x.png", says=("without a picture for viewing",))
    ffmpeg("-i", folder / "in.mp4", "-frames:v", 3, "-c:v", "libwebp_anim", folder / "moving.webp")
    refused("an animated WebP", folder / "moving.webp", folder / "x.png", says=("animated",))


def test_models(sources):
    """The camera that a file names chooses the profile."""
    folder = sources.folder
    wide = folder / "wide.jpg"
    ffmpeg("-i", folder / "both.png", "-q:v", 1, wide)
    for make, model, lens in (("SAMSUNG", "SM-C200", "gear360"), ("SAMSUNG", "SM-R210", "gear360-2017"),
                              ("LG Electronics", "LG-R105", "lg-360"),
                              ("Arashi Vision", "Insta360 Air", "insta360-air"),
                              ("Arashi Vision", "Insta360 Nano", "insta360-nano"),
                              ("Somebody", "LG-R105", "dual-190"), ("RICOH", "RICOH THETA SC", "dual-190"),
                              ("JK Imaging", "SP360 4K", "pixpro-sp360-4k")):
        texts = [text.encode() + b"\0" for text in (make, model)]
        at = 8 + 2 + 2 * 12 + 4
        exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) \
            + tiff_entry(0x10f, 2, len(texts[0]), at) \
            + tiff_entry(0x110, 2, len(texts[1]), at + len(texts[0])) + bytes(4) + b"".join(texts)
        content = wide.read_bytes()
        named = folder / "named.jpg"
        named.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:])
        result = sphere(named, folder / "named-out.png", "--json", "--stitcher", "cpu", "--lens-fov", "190")
        check(f"Exif of {make} {model}", result.returncode == 0
              and json.loads(result.stdout)["lens"] == lens, result.stdout + result.stderr)
        content = (folder / "in.mp4").read_bytes()
        user = b"".join(struct.pack(">I4sHH", 12 + len(text) - 1, kind, len(text) - 1, 0x15c7) + text[:-1]
                        for kind, text in zip((b"\xa9mak", b"\xa9mod"), texts))
        movie = content.find(b"moov") - 4
        size = struct.unpack_from(">I", content, movie)[0]
        check("the index stands at the end", movie + size == len(content))
        udta = content.find(b"udta", movie)
        clip = folder / "named.mp4"
        clip.write_bytes(content[:movie] + struct.pack(">I", size + 8 + len(user)) + content[movie + 4:udta]
                         + b"free" + content[udta + 4:] + struct.pack(">I4s", 8 + len(user), b"udta") + user)
        result = sphere(clip, folder / "named-out.mp4", "--json", "--stitcher", "cpu", "--lens-fov", "190")
        check(f"MP4 of {make} {model}", result.returncode == 0
              and json.loads(result.stdout)["lens"] == lens, result.stdout + result.stderr)
        # The same in QuickTime's keys, as newer cameras have them.
        box = lambda kind, content: struct.pack(">I4s", 8 + len(content), kind) + content
        keys = box(b"keys", bytes(4) + struct.pack(">I", 2)
                   + b"".join(box(b"mdta", b"com.apple.quicktime." + name) for name in (b"make", b"model")))
        values = box(b"ilst", b"".join(box(struct.pack(">I", n + 1), box(b"data", struct.pack(">II", 1, 0) + text[:-1]))
                                       for n, text in enumerate(texts)))
        handler = box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
        meta = box(b"meta", handler + keys + values)
        clip.write_bytes(content[:movie] + struct.pack(">I", size + len(meta)) + content[movie + 4:udta]
                         + b"free" + content[udta + 4:] + meta)
        result = sphere(clip, folder / "named-out.mp4", "--json", "--stitcher", "cpu", "--lens-fov", "190")
        check(f"QuickTime keys of {make} {model}", result.returncode == 0
              and json.loads(result.stdout)["lens"] == lens, result.stdout + result.stderr)


def test_wrong(sources):
    folder = sources.folder
    (folder / "sub").mkdir()
    out = folder / "sub" / "x.mkv"
    for name in ("h264.mkv", "vp9.webm", "av1.mkv", "h264.avi", "mjpeg.avi", "h264.ts", "prores.mov",
                 "hevc.mp4"):
        content = (folder / name).read_bytes()
        bad = folder / f"bad-{name}"
        for part in (len(content) // 3 | 1, len(content) - 30):
            bad.write_bytes(content[:part])
            refused(f"{name} cut to {part} of {len(content)} bytes", bad, out, says=("cut off",))
        if name.endswith((".mkv", ".webm")):
            bad.write_bytes(content + b"junk" * 10)
            done(f"{name} with junk behind", bad, out, *LENS, warns="40 bytes")
            out.unlink()
    content = bytearray((folder / "h264.mkv").read_bytes())
    # The sizes of the segment and its clusters say "unknown", as in a recording that was not closed.
    segment = content.find(b"\x18\x53\x80\x67") + 4
    content[segment:segment + 8] = b"\x01" + b"\xff" * 7
    bad = folder / "open.mkv"
    bad.write_bytes(content)
    done("a recording that was not closed", bad, out, *LENS)
    out.unlink()
    # From the third picture on, there are only zeros.
    content = bytearray((folder / "mjpeg.avi").read_bytes())
    frames = [i for i in range(len(content)) if content[i:i + 4] == b"00dc"][2:PICTURES]
    for at in frames:
        content[at + 8:at + 1008] = bytes(1000)
    bad = folder / "holes.avi"
    bad.write_bytes(content)
    refused("pictures that can't be decoded", bad, out, says=("can", "decoded"))
    sound = folder / "sound.mkv"
    ffmpeg(*sources.sound, "-c:a", "aac", sound)
    refused("sound alone", sound, out, says=("no video",))
    refused("a text", __file__, out, says=("MKV", "TIFF"))
    header = folder / "header.webm"
    header.write_bytes((folder / "vp9.webm").read_bytes()[:30])
    refused("a WebM's first bytes", header, out, says=("cut off",))
    deep = folder / "nested.mkv"
    # A segment in a segment in a segment.
    deep.write_bytes(b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7
                     + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 1000)
    refused("elements without end", deep, out, says=("damaged",))


def test_already_stitched(sources):
    """A 360 picture is recognised, by its metadata and by its pixels, in every format."""
    folder = sources.folder
    stitched = folder / "one.png"
    film = folder / "reference.mp4"
    for name, words in (("s.tiff", ()), ("s.webp", ("-lossless", 1)), ("s.jpg", ("-q:v", 1))):
        ffmpeg("-i", stitched, *words, folder / name)
        refused(f"our own, as {name}", folder / name, folder / "x.png",
                says=("360 picture already", "--force"))
    for name, encoder in (("s.mkv", H264), ("s.webm", FORMATS[7][1]), ("s.avi", ("-c:v", "mjpeg", "-q:v", 2)),
                          ("s.ts", HEVC), ("s10.mkv", (*HEVC, "-pix_fmt", "yuv420p10le"))):
        ffmpeg("-i", film, "-an", *encoder, folder / name)
        refused(f"our own, as {name}", folder / name, folder / "x.mkv",
                says=("360 video already", "--force"))
    # Two fisheyes whose metadata says that they are a 360 picture.
    tag = folder / "tagged.mkv"
    xml = ("<rdf:SphericalVideo xmlns:GSpherical='http://ns.google.com/videos/1.0/spherical/'>"
           "<GSpherical:Spherical>true</GSpherical:Spherical></rdf:SphericalVideo>")
    ffmpeg("-i", folder / "h264.mkv", "-c", "copy", "-metadata:s:v", f"SPHERICAL-VIDEO={xml}", tag)
    refused("a tag in Matroska", tag, folder / "x.mkv", says=("is a 360 video",))
    done("with --force", tag, folder / "forced.mkv", "--force", *LENS)
    projected = folder / "projected.mkv"
    projected.write_bytes(grow_projection((folder / "h264.mkv").read_bytes()))
    refused("a projection in Matroska", projected, folder / "x.mkv", says=("is a 360 video",))
    xmp = (b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:Description "
           b"xmlns:GPano='http://ns.google.com/photos/1.0/panorama/' "
           b"GPano:ProjectionType='equirectangular'/></x:xmpmeta>")
    xmp += b" " * (len(xmp) % 2)
    webp = (folder / "lossless.webp").read_bytes()
    body = webp[12:]
    head = b"VP8X" + struct.pack("<IB3x", 10, 4) + struct.pack("<I", WIDTH - 1)[:3] \
        + struct.pack("<I", HEIGHT - 1)[:3]
    whole = b"WEBP" + head + body + b"XMP " + struct.pack("<I", len(xmp)) + xmp
    (folder / "marked.webp").write_bytes(b"RIFF" + struct.pack("<I", len(whole)) + whole)
    refused("GPano in a WebP", folder / "marked.webp", folder / "x.png", says=("is a 360 picture",))
    tiff = (folder / "p.tiff").read_bytes()
    at = struct.unpack_from("<I", tiff, 4)[0]
    count = struct.unpack_from("<H", tiff, at)[0]
    entries = tiff[at + 2:at + 2 + 12 * count]
    new = len(tiff) + len(xmp)
    (folder / "marked.tiff").write_bytes(
        tiff[:4] + struct.pack("<I", new) + tiff[8:] + xmp + struct.pack("<H", count + 1) + entries
        + tiff_entry(0x2bc, 1, len(xmp), len(tiff)) + bytes(4))
    refused("GPano in a TIFF", folder / "marked.tiff", folder / "x.png", says=("is a 360 picture",))
    flat = folder / "flat.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:duration=0.2", *H264, flat)
    refused("an ordinary video", flat, folder / "x.mkv", says=("ordinary video", "--force"))
    ffmpeg("-i", flat, "-frames:v", 1, "-vf", "hue=s=0", folder / "flat.tiff")
    refused("an ordinary TIFF", folder / "flat.tiff", folder / "x.png", says=("ordinary picture",))


def grow_projection(content):
    """A Matroska file of unknown segment size whose first video track gets a projection."""
    def number(at):
        more = 8 - content[at].bit_length()
        value = content[at] & (0x80 >> more) - 1
        for byte in content[at + 1:at + 1 + more]:
            value = value << 8 | byte
        return value, at + 1 + more

    def size(value):
        return bytes([0x01]) + value.to_bytes(7, "big")
    # The first one is in the list of positions (SeekHead).
    tracks = content.rfind(b"\x16\x54\xae\x6b", 0, content.find(b"\x1f\x43\xb6\x75", 400))
    length, begin = number(tracks + 4)
    body = content[begin:begin + length]
    projection = b"\x76\x70\x84\x76\x71\x81\x01"
    # The first entry, and in it the element of the video.
    offset = begin
    out = b""
    done_once = False
    while offset < begin + length:
        ident = content[offset]
        if ident != 0xae:
            width = 1 if ident >= 0x80 else 2
            inner, at = number(offset + width)
            out += content[offset:at + inner]
            offset = at + inner
            continue
        inner, at = number(offset + 1)
        entry, position = b"", at
        while position < at + inner:
            first = content[position]
            width = 1 if first >= 0x80 else 2 if first >= 0x40 else 3 if first >= 0x20 else 4
            part, start = number(position + width)
            if first == 0xe0 and not done_once:
                entry += b"\xe0" + size(part + len(projection)) + content[start:start + part] + projection
                done_once = True
            else:
                entry += content[position:start + part]
            position = start + part
        out += b"\xae" + size(len(entry)) + entry
        offset = at + inner
    assert done_once and body
    segment = content.find(b"\x18\x53\x80\x67") + 4
    return content[:segment] + b"\x01" + b"\xff" * 7 + content[segment + 8:tracks] \
        + b"\x16\x54\xae\x6b" + size(len(out)) + out + content[begin + length:]


def main():
    if not shutil.which("ffmpeg") or not shutil.which("ffprobe"):
        print("skip: formats: there is no ffmpeg")
        check("skipped", True)
        finish()
    with tempfile.TemporaryDirectory(prefix="sphere-formats-") as name:
        sources = Sources(pathlib.Path(name))
        for test in (test_videos, test_decoders_in_hardware, test_hevc, test_ten_bits, test_two_files,
                     test_insta360, test_photos, test_models, test_wrong, test_already_stitched):
            attempt(test, sources)
        check("no unfinished file anywhere",
              not [f for f in os.listdir(name) if f.endswith(".part")])
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `sphere stitch`, from outside. Prints a summary line as gst-check does."""

import hashlib
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile

import gst_checks
from checks import (DEADLINE, SPHERE, attempt, check, finish, launch_ours, on_terminal, run)
from gst_checks import ENVIRONMENT

Gst = gst_checks.load("sphere stitch")

# Used where the stitcher does not matter, because looking for a GPU takes as long as stitching.
CPU = ("--stitcher", "cpu")

SHARED = pathlib.Path(os.environ.get("SPHERE_SHARED", ""))


def launch(line):
    """Runs a launch line to its end."""
    pipeline = Gst.parse_launch(line)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        DEADLINE * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message is None or message.type != Gst.MessageType.EOS:
        why = message.parse_error()[0].message if message else "the deadline has passed"
        raise RuntimeError(f"{line}: {why}")


def buffers(line):
    """What the appsink `out` of a launch line received: (caps text, [(pts, bytes)])."""
    pipeline = Gst.parse_launch(line + " ! appsink name=out sync=false")
    sink = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    found, caps = [], ""
    while True:
        sample = sink.emit("try-pull-sample", DEADLINE * Gst.SECOND)
        if sample is None:
            break
        caps = sample.get_caps().to_string()
        buffer = sample.get_buffer()
        segment = sample.get_segment()
        found.append((segment.to_stream_time(Gst.Format.TIME, buffer.pts),
                      buffer.extract_dup(0, buffer.get_size())))
    pipeline.set_state(Gst.State.NULL)
    return caps, found


def sphere(*arguments, limit=None, env=None, force=True, **options):
    """The command. What most tests stitch shows no fisheyes, so --force says to do it."""
    if force and arguments[:1] == ("stitch",):
        arguments += ("--force",)

    def before():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return run(SPHERE, *arguments, preexec_fn=before, env={**ENVIRONMENT, **(env or {})}, **options)


def leftovers(folder):
    return [name for name in os.listdir(folder) if name.endswith(".part")]


def refused(what, *arguments, says=(), status=1, **options):
    """The command fails with one sentence, and the folder of OUT is unchanged."""
    out = pathlib.Path(arguments[1]) if len(arguments) > 1 else None
    # Processes come and go in /proc.
    folder = out.parent if out and out.parent.is_dir() and out.parts[1] != "proc" else None
    before = sorted(os.listdir(folder)) if folder else None
    content = out.read_bytes() if out and out.is_file() else None
    result = sphere("stitch", *arguments, **options)
    lines = [l for l in result.stderr.splitlines() if " warning: " not in l]
    check(what, result.returncode == status and len(lines) == 1
          and lines[0].startswith("sphere stitch: ")
          and all(word in lines[0] for word in ([says] if isinstance(says, str) else says)),
          f"exit {result.returncode}: {result.stderr}")
    if folder:
        check(f"{what}: nothing is left behind", sorted(os.listdir(folder)) == before)
    if content is not None:
        check(f"{what}: what was there stays", out.read_bytes() == content)


def done(what, *arguments, **options):
    result = sphere("stitch", *arguments, **options)
    return check(what, result.returncode == 0, f"exit {result.returncode}: {result.stderr}")


def test_help():
    result = sphere("--version")
    check("version", result.returncode == 0 and result.stdout.startswith("sphere "))
    result = sphere("--help")
    check("help lists the commands", result.returncode == 0 and "stitch" in result.stdout)
    for arguments in (("help", "stitch"), ("stitch", "--help")):
        result = sphere(*arguments)
        check(f"{arguments}", result.returncode == 0 and "--lens" in result.stdout
              and "IN OUT" in result.stdout, result.stdout + result.stderr)
    result = sphere("stich")
    check("an unknown command", result.returncode == 2 and "'stitch'" in result.stderr)
    check("no command", sphere().returncode == 2)


def test_usage(folder, photo):
    out = folder / "usage.jpg"
    for what, arguments, says in (
            ("no IN", (), "missing"),
            ("no OUT", (photo,), "OUT"),
            ("too many", (photo, out, "third"), "third"),
            ("an unknown option", (photo, out, "--widht", "640"), "--width"),
            ("no extension", (photo, folder / "usage"), ".jpg"),
            ("a strange extension", (photo, folder / "usage.gif"), ".jpg"),
            ("an odd width", (photo, out, "--width", "641"), "multiple"),
            ("a small width", (photo, out, "--width", "2"), "--width"),
            ("a huge width", (photo, out, "--width", "100000"), "--width"),
            ("a negative width", (photo, out, "--width", "-640"), "--width"),
            ("no width", (photo, out, "--width", "0"), "--width is 0"),
            ("an octal width", (photo, out, "--width", "010"), "--width is 10,"),
            ("a width that is too large", (photo, out, "--width", "99999999999999"), "too large"),
            ("a width that is no number", (photo, out, "--width", "wide"), "wide"),
            ("yaw", (photo, out, "--yaw", "361"), "--yaw"),
            ("yaw that is no number", (photo, out, "--yaw", "nan"), "--yaw is 'nan'"),
            ("a hexadecimal yaw", (photo, out, "--yaw", "0x10"), "--yaw is '0x10'"),
            ("the fov of no view", (photo, out, "--fov", "90"), "--lens-fov"),
            ("the lenses' fov", (photo, out, "--lens-fov", "359"), "--lens-fov"),
            ("a view's fov", (photo, out, "--projection", "perspective", "--fov", "171"), "--fov"),
            ("lens-fov", (photo, out, "--lens-fov", "59"), "--lens-fov"),
            ("projection", (photo, out, "--projection", "globe"), "little-planet"),
            ("blend", (photo, out, "--blend", "fether"), "'feather'"),
            ("blend width", (photo, out, "--blend-width", "61"), "--blend-width"),
            ("a negative blend width", (photo, out, "--blend-width", "-1"), "--blend-width"),
            ("smoothing", (photo, out, "--smoothing", "-1"), "--smoothing"),
            ("match", (photo, out, "--match", "gains"), "'gains'"),
            ("align", (photo, out, "--align", "on"), "'on'"),
            ("interpolation", (photo, out, "--interpolation", "cubist"), "'cubist'"),
            ("distance", (photo, out, "--stitch-distance", "-1"), "--stitch-distance"),
            ("stitcher", (photo, out, "--stitcher", "gpu"), "auto, cpu, gl"),
            ("preset", (photo, out, "--preset", "ultra"), "'ultrafast'"),
            ("quality of a JPEG", (photo, out, "--quality", "101"), "--quality"),
            ("negative quality", (photo, out, "--quality", "-1"), "--quality"),
            ("quality of a video", (photo, folder / "usage.mp4", "--quality", "51"), "--quality"),
            ("quality of a PNG", (photo, folder / "usage.png", "--quality", "5"), "lossless"),
            ("threads", (photo, out, "--threads", "257"), "--threads")):
        refused(f"usage: {what}", *arguments, says=says, status=2)


def size_of(path):
    decoder = "pngdec" if str(path).endswith(".png") else "avdec_mjpeg"
    parser = "" if decoder == "pngdec" else "jpegparse !"
    caps, found = buffers(f"filesrc location={path} blocksize=100000000 ! {parser} {decoder}")
    structure = Gst.Caps.from_string(caps).get_structure(0)
    return structure.get_value("width"), structure.get_value("height"), \
        structure.get_value("format"), found


def test_photo(folder, photo):
    out = folder / "photo.jpg"
    if done("a photo", photo, out, "--width", "320", "--lens", "dual-190"):
        width, height, _, _ = size_of(out)
        check("its size", (width, height) == (320, 160), f"{width}x{height}")
    done("PNG from JPEG", photo, folder / "photo.png", "--lens", "dual-190")
    check("its size is the two lenses'", size_of(folder / "photo.png")[:2] == (640, 320))
    out.write_bytes(b"older")
    refused("no-clobber", photo, out, "--no-clobber", says="exists")
    done("a photo is replaced", photo, out, "--lens", "dual-190")
    check("it was", out.read_bytes()[:2] == b"\xff\xd8")
    link = folder / "link.jpg"
    link.symlink_to(out)
    done("through a link", photo, link, "--lens", "dual-190", "--width", "64")
    check("the link stays one", link.is_symlink() and size_of(out)[0] == 64)
    (folder / "elsewhere").mkdir()
    link = folder / "new.jpg"
    link.symlink_to("elsewhere/made.jpg")
    done("through a link to a file that does not exist", photo, link, "--lens", "dual-190", "--width", "64")
    check("that file is made", link.is_symlink() and size_of(folder / "elsewhere" / "made.jpg")[0] == 64)
    nowhere = folder / "nowhere.jpg"
    nowhere.symlink_to("no-folder/made.jpg")
    refused("a link into a folder that does not exist", photo, nowhere, says="no-folder' does not exist")

    result = sphere("stitch", photo, out, "--json")
    answer = json.loads(result.stdout)
    check("JSON", answer["width"] == 640 and answer["pictures"] == 1
          and answer["bytes"] == out.stat().st_size, result.stdout)
    noise = folder / "noise.png"
    launch_ours("videotestsrc num-buffers=1 pattern=snow ! video/x-raw,format=RGB,width=640,height=320 ! "
                f"pngenc ! filesink location={noise}", ENVIRONMENT)
    result = sphere("stitch", noise, out, "--json")
    answer = json.loads(result.stdout)
    check("no lens is a warning that names them",
          "--lens" in result.stderr and "gear360" in result.stderr and answer["warnings"])
    result = sphere("stitch", photo, out, "--json", "--lens", "gear36")
    check("JSON of an error", result.returncode == 2
          and "gear360" in json.loads(result.stdout)["error"])
    check("quiet", not sphere("stitch", photo, out, "--quiet").stderr)

    def turned(*options):
        done(f"photo {options}", photo, folder / "turned.png", "--lens", "dual-190", *CPU, *options)
        return size_of(folder / "turned.png")[3][0][1]
    plain = turned()
    row = 640 * 3
    # Half a turn is half the width, exactly.
    half = turned("--yaw", "180")
    middle = 160 * row
    check("yaw turns", plain != half
          and max(abs(a - b) for a, b in zip(plain[middle:middle + row // 2],
                                             half[middle + row // 2:middle + row])) <= 2)
    for options in (("--pitch", "10"), ("--roll", "10"), ("--lens-fov", "200"), ("--blend", "off"),
                    ("--blend", "feather"), ("--blend", "feather", "--blend-width", "9.5"),
                    ("--interpolation", "cubic"), ("--match", "off")):
        check(f"{options} does something", turned(*options) != plain)
    # With the right lenses and nothing near there is nothing to align.
    check("align=seam moves nothing that fits", turned("--align", "off") == plain)
    wrong = ("--lens-fov", "186")
    check("align=seam moves what does not fit",
          any(turned(*wrong, *more) != turned(*wrong, *more, "--align", "off")
              for more in ((), ("--lens-fov", "188"), ("--lens-fov", "192"))))
    for name, size, options in (("cubemap", (480, 320), ()), ("eac", (300, 200), ("--width", "300")),
                                ("perspective", (320, 180), ("--fov", "70")),
                                ("little-planet", (320, 320), ()),
                                ("stereographic", (200, 200), ("--width", "200", "--fov", "300"))):
        out = folder / f"{name}.png"
        if done(f"photo to {name}", photo, out, "--lens", "dual-190", "-p", name, *options):
            check(f"the size of {name}", size_of(out)[:2] == size)
    check("negative values are values", turned("--yaw", "-180") == half)


def test_colours(folder):
    """A flat picture stays what it is: range, matrix and chroma."""
    for form, colour in (("I420", (200, 100, 60)), ("Y444", (200, 100, 60)),
                         ("Y42B", (16, 120, 235)), ("GRAY8", (128, 128, 128)),
                         ("GRAY8", (250, 250, 250)), ("GRAY8", (5, 5, 5)),
                         ("I420", (255, 255, 255)), ("Y444", (0, 0, 0))):
        argb = 0xff000000 | colour[0] << 16 | colour[1] << 8 | colour[2]
        source = folder / "flat.jpg"
        # GRAY8 has no range of its own in caps, so its samples are written down as they are.
        make = (f"videotestsrc num-buffers=1 pattern=solid-color foreground-color={argb} ! "
                "video/x-raw,format=RGB,width=256,height=128 ! videoconvert ! ")
        if form == "GRAY8":
            values = bytes([colour[0]]) * (256 * 128)
            raw = folder / "flat.gray"
            raw.write_bytes(values)
            make = (f"filesrc location={raw} blocksize={len(values)} ! rawvideoparse format=gray8 "
                    "width=256 height=128 ! ")
        launch(make + (f"video/x-raw,format={form},colorimetry=1:4:0:0 ! " if form != "GRAY8"
                       else "") + f"jpegenc quality=100 ! filesink location={source}")
        for name in ("flat-out.png", "flat-out.jpg"):
            options = ("--quality", "100") if name.endswith("jpg") else ()
            if not done(f"{form} to {name}", source, folder / name, "--lens", "dual-190", *CPU,
                        *options):
                continue
            _, _, kind, found = size_of(folder / name)
            if name.endswith("jpg"):
                kept = {"I420": "I420", "GRAY8": "I420", "Y444": "Y444", "Y42B": "Y444"}[form]
                check(f"{form}: full colour stays", kind == kept, kind)
                # Converted to RGB here, in the middle of the picture.
                data = found[0][1]
                step = 128 * 256
                chroma = step // 4 if kind == "I420" else step
                y = data[64 * 256 + 128]
                u, v = (data[step + i * chroma + chroma // 2 + 16] for i in (0, 1))
                rgb = [y + 1.402 * (v - 128), y - 0.344136 * (u - 128) - 0.714136 * (v - 128),
                       y + 1.772 * (u - 128)]
            else:
                data = found[0][1]
                at = (64 * 256 + 128) * 3
                rgb = data[at:at + 3]
            check(f"{form} {colour} in {name}",
                  max(abs(a - b) for a, b in zip(rgb, colour)) <= 3, list(rgb))


def test_png(folder):
    source, out = folder / "alpha.png", folder / "alpha-out.png"
    launch("videotestsrc num-buffers=1 pattern=solid-color foreground-color=0x40c86432 ! "
           f"video/x-raw,format=RGBA,width=256,height=128 ! pngenc ! filesink location={source}")
    if done("PNG with transparency", source, out, "--lens", "dual-190", *CPU):
        _, _, kind, found = size_of(out)
        at = (64 * 256 + 128) * 4
        check("its values stay", kind == "RGBA"
              and tuple(found[0][1][at:at + 4]) == (0xc8, 0x64, 0x32, 0x40),
              f"{kind} {tuple(found[0][1][at:at + 4])}")
    raw = folder / "deep.gray"
    raw.write_bytes(b"\x80\x80" * (256 * 128))
    launch(f"filesrc location={raw} blocksize={2 * 256 * 128} ! rawvideoparse format=gray16-be "
           f"width=256 height=128 ! pngenc ! filesink location={source}")
    if done("16-bit PNG", source, out, "--lens", "dual-190", *CPU):
        at = (64 * 256 + 128) * 3
        data = size_of(out)[3][0][1]
        check("its value", max(abs(v - 128) for v in data[at:at + 3]) <= 1, list(data[at:at + 3]))
    launch("videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=101,height=51 ! pngenc ! "
           f"filesink location={source}")
    done("an odd PNG", source, folder / "odd.png", "--lens", "dual-190", *CPU)
    done("an odd PNG to JPEG", source, folder / "odd.jpg", "--lens", "dual-190", *CPU)


def make_video(path, pictures=12, sound=True, sounds=20, encoder="x264enc speed-preset=veryfast",
               form="I420", size=(256, 128), mux="mp4mux"):
    line = (f"videotestsrc num-buffers={pictures} pattern=ball ! video/x-raw,format={form},"
            f"width={size[0]},height={size[1]},framerate=30/1 ! {encoder} ! "
            f"{mux} name=mux ! filesink location={path}")
    if sound:
        line += (f" audiotestsrc wave=pink-noise num-buffers={sounds} ! audio/x-raw,rate=44100,channels=2"
                 " ! avenc_aac ! aacparse ! mux.")
    launch(line)
    return path


def streams(path):
    """Coded pictures' times and the sound's bytes."""
    _, video = buffers(f"filesrc location={path} ! qtdemux ! h264parse ! avdec_h264")
    return [t for t, _ in video]


def sound_of(path):
    _, found = buffers(f"filesrc location={path} ! qtdemux name=d d.audio_0 ! queue")
    return len(found), hashlib.sha256(b"".join(data for _, data in found)).hexdigest()


def test_video(folder, video):
    out = folder / "out.mp4"
    if done("a video", video, out, "--lens", "dual-190", "--width", "128"):
        caps, found = buffers(f"filesrc location={out} ! qtdemux ! h264parse ! avdec_h264")
        structure = Gst.Caps.from_string(caps).get_structure(0)
        check("its size", (structure.get_value("width"), structure.get_value("height"))
              == (128, 64))
        check("all its pictures, at their times", [t for t, _ in found] == streams(video),
              [t for t, _ in found])
        check("its sound, byte by byte", sound_of(out) == sound_of(video) and sound_of(out)[0] > 5,
              (sound_of(out), sound_of(video)))
    done("without sound", video, out, "--lens", "dual-190", "--no-audio")
    check("there is none", b"soun" not in out.read_bytes() and b"vide" in out.read_bytes())
    sizes = {}
    for quality in (0, 18, 50):
        done(f"quality {quality}", video, out, "--lens", "dual-190", "--quality", quality)
        sizes[quality] = out.stat().st_size
    check("quality counts", sizes[0] > sizes[18] > sizes[50], sizes)
    result = sphere("stitch", video, out, "--json", "--lens", "dual-190", "--stitcher", "cpu")
    answer = json.loads(result.stdout)
    check("JSON of a video", answer["pictures"] == 12 and answer["sound_tracks"] == 1
          and answer["kind"] == "video" and answer["stitcher"] == "cpuspherestitch", result.stdout)

    if "ASAN_OPTIONS" in ENVIRONMENT:
        print("skip: sphere stitch --stitcher gl: software GL takes minutes under a sanitizer")
    else:
        result = sphere("stitch", video, out, "--lens", "dual-190", "--stitcher", "gl")
        if result.returncode == 0:
            check("GL: all its pictures", not result.stderr and len(streams(out)) == 12,
                  result.stderr)
        else:
            print(f"skip: sphere stitch --stitcher gl: {result.stderr.strip()}")

    result = sphere("stitch", video, out, 
                    env={"GST_PLUGIN_PATH": "", "GST_REGISTRY": str(folder / "registry.bin")})
    check("a missing element is named", result.returncode == 1
          and "'spherestitch' is missing" in result.stderr, result.stderr)

    source = make_video(folder / "deep.mp4", form="I422_10LE")
    if done("10 bits, 4:2:2", source, out, "--lens", "dual-190"):
        check("its pictures", len(streams(out)) == 12)
    source = make_video(folder / "fragments.mp4", mux="mp4mux fragment-duration=100")
    if done("an MP4 in fragments", source, out, "--lens", "dual-190"):
        check("its pictures at their times", streams(out) == streams(source))
    source = make_video(folder / "b.mov", mux="qtmux",
                        encoder="x264enc speed-preset=medium bframes=3 b-adapt=false")
    if done("a MOV with pictures out of order", source, out, "--lens", "dual-190"):
        check("theirs are kept", streams(out) == streams(source))
    source = make_video(folder / "odd.mp4", form="Y444", size=(202, 101))
    done("an odd video", source, out, "--lens", "dual-190")


def test_pictures_in_memory(folder):
    """x264 looks more than ten pictures ahead; no stitched picture waits that long beside its
    copy. The pictures of JPEG are decoded one by one, so the decoder needs few."""
    source = make_video(folder / "jpeg.avi", pictures=30, sound=False, encoder="jpegenc",
                        mux="avimux")
    out = folder / "jpeg-out.mp4"
    log = folder / "pools.log"
    if not done("few pictures in memory", source, out, "--lens", "dual-190", "--stitcher", "cpu",
                "--threads", "2",
                env={"GST_DEBUG": "bufferpool:6", "GST_DEBUG_FILE": str(log),
                     "GST_DEBUG_NO_COLOR": "1"}):
        return
    made = [int(count) for count in re.findall(r"allocated buffer (\d+)/", log.read_text())]
    check("pools are counted", len(made) > 2, made)
    check("no pool has as many as x264 looks ahead", max(made, default=99) < 8, made)
    # x264's quality 0 is without a loss: each picture was as it is when x264 copied it.
    if done("without a loss", source, out, "--lens", "dual-190", "--stitcher", "cpu", "--blend",
            "feather", "--match", "off", "--align", "off", "--quality", "0"):
        raw = folder / "jpeg-out.raw"
        launch_ours(f"filesrc location={source} ! avidemux ! jpegdec ! videoconvert ! "
                    "video/x-raw,format=I420 ! cpuspherestitch lens=dual-190 ! "
                    f"filesink location={raw}", ENVIRONMENT)
        _, found = buffers(f"filesrc location={out} ! qtdemux ! h264parse ! avdec_h264 ! "
                           "videoconvert ! video/x-raw,format=I420")
        check("each picture is what was stitched", len(found) == 30
              and b"".join(data for _, data in found) == raw.read_bytes())


def test_variable_rate(folder):
    """Times that fit no frame rate are the same in the output."""
    source, out = folder / "variable.mp4", folder / "variable-out.mp4"
    pipeline = Gst.parse_launch(
        "appsrc name=in format=time caps=video/x-raw,format=GRAY8,width=128,height=64,"
        "framerate=0/1 ! videoconvert ! video/x-raw,format=I420 ! x264enc bframes=0 ! "
        f"mp4mux ! filesink location={source}")
    feed = pipeline.get_by_name("in")
    pipeline.set_state(Gst.State.PLAYING)
    times = [0, 33, 40, 140, 141, 300, 333, 1000, 1010]
    for time, after in zip(times, times[1:] + [1100]):
        buffer = Gst.Buffer.new_wrapped(bytes([time % 256]) * (128 * 64))
        buffer.pts = time * Gst.MSECOND
        buffer.duration = (after - time) * Gst.MSECOND
        feed.emit("push-buffer", buffer)
    feed.emit("end-of-stream")
    message = pipeline.get_bus().timed_pop_filtered(
        DEADLINE * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    check("a video of variable rate is made", message and message.type == Gst.MessageType.EOS)
    if done("variable rate", source, out, "--lens", "dual-190"):
        check("its times stay", streams(out) == [t * Gst.MSECOND for t in times],
              f"{streams(source)} {streams(out)}")


def test_trimmed(folder):
    """A video that an edit list enters late keeps the end of its sound."""
    if not shutil.which("ffmpeg"):
        print("skip: a trimmed video: there is no ffmpeg")
        return
    long, source, out = folder / "untrimmed.mp4", folder / "trimmed.mp4", folder / "trimmed-out.mp4"
    make_video(long, pictures=60, sounds=87)
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "0.5", "-i", long, "-c", "copy", source],
                   check=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
    if done("a trimmed video", source, out, "--lens", "dual-190"):
        _, sound = buffers(f"filesrc location={out} ! qtdemux name=d d.audio_0 ! queue")
        check("its sound goes on to the end", 1.4 < sound[-1][0] / Gst.SECOND < 1.6,
              sound[-1][0] / Gst.SECOND)
        check("its pictures, from the cut on", 44 <= len(streams(out)) <= 46, len(streams(out)))


def test_wrong_input(folder, photo, video):
    jpg, png, mp4 = folder / "w.jpg", folder / "w.png", folder / "w.mp4"
    sub = folder / "sub"
    sub.mkdir()
    refused("IN that is not there", folder / "none.jpg", jpg, says="no such file")
    refused("IN a folder", sub, jpg, says="folder")
    os.mkfifo(folder / "pipe.jpg")
    refused("IN a pipe", folder / "pipe.jpg", jpg, says="regular")
    if os.geteuid() != 0:
        locked = folder / "locked.jpg"
        locked.write_bytes(photo.read_bytes())
        locked.chmod(0)
        refused("IN that may not be read", locked, jpg, says="can't be read")
    bad = folder / "bad.bin"
    for what, content, out, says in (
            ("empty", b"", jpg, "empty"),
            ("text", b"This is no picture at all.\n" * 10, jpg, "not a picture"),
            ("zeros", bytes(4096), jpg, "not a picture"),
            ("half a JPEG", photo.read_bytes()[:photo.stat().st_size // 2], jpg, "cut off"),
            ("a JPEG's last byte", photo.read_bytes()[:-1], jpg, "cut off"),
            ("half an MP4", video.read_bytes()[:video.stat().st_size // 2], mp4, "cut off"),
            ("an MP4's last byte", video.read_bytes()[:-1], mp4, "cut off"),
            ("an MP4's index", video.read_bytes()[:video.read_bytes().find(b"moov") - 4], mp4,
             "cut off")):
        bad.write_bytes(content)
        refused(f"IN: {what}", bad, out, says=says)
    source = folder / "whole.png"
    launch("videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=256,height=128 ! pngenc ! "
           f"filesink location={source}")
    content = source.read_bytes()
    for cut in (4, len(content) // 2, len(content) - 1):
        bad.write_bytes(content[:cut])
        refused(f"IN: a PNG cut to {cut}", bad, png, says=("cut off" if cut > 4 else "not a"))
    bad.write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
    refused("IN: a PNG with a wrong check sum", bad, png, says="check sum")
    bad.write_bytes(photo.read_bytes() + b"junk" * 10)
    result = sphere("stitch", bad, jpg, "--lens", "dual-190", *CPU)
    check("junk after the end is told and left out", result.returncode == 0
          and "40 bytes" in result.stderr and b"junk" not in jpg.read_bytes(), result.stderr)
    jpg.unlink()
    exif = (b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
    bad.write_bytes(photo.read_bytes()[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
                    + photo.read_bytes()[2:])
    result = sphere("stitch", bad, jpg, "--lens", "dual-190", *CPU)
    check("a picture that asks to be turned is not, and that is told", result.returncode == 0
          and "orientation 6" in result.stderr and size_of(jpg)[:2] == (640, 320)
          and b"Exif" not in jpg.read_bytes(), result.stderr)
    jpg.unlink()
    huge = content[:16] + b"\x00\x01\x00\x00\x00\x01\x00\x00" + content[24:29]
    import zlib
    huge += zlib.crc32(huge[12:29]).to_bytes(4, "big") + content[33:]
    bad.write_bytes(huge)
    refused("IN: a PNG of 65536x65536", bad, png, says="65536x65536")
    damaged = bytearray(video.read_bytes())
    start = damaged.find(b"mdat") + 1000
    damaged[start:start + 3000] = bytes(3000)
    bad.write_bytes(damaged)
    result = sphere("stitch", bad, mp4, "--lens", "dual-190", *CPU, "--no-audio")
    if result.returncode == 0:
        check("pictures that a decoder repairs are all there", len(streams(mp4)) == 12)
        mp4.unlink()
    else:
        check("damaged pictures are told", "decoded" in result.stderr, result.stderr)

    sound = folder / "sound.mp4"
    launch("audiotestsrc num-buffers=10 ! avenc_aac ! aacparse ! mp4mux ! "
           f"filesink location={sound}")
    refused("IN without video", sound, mp4, says="no video")
    pcm = folder / "pcm.mov"
    launch("videotestsrc num-buffers=5 ! video/x-raw,width=256,height=128 ! x264enc ! qtmux name=m "
           f"! filesink location={pcm} audiotestsrc num-buffers=10 ! audio/x-raw,format=S16LE ! m.")
    refused("sound that an MP4 can't take", pcm, mp4, "--lens", "dual-190", *CPU, says="--no-audio")
    done("it can be left out", pcm, mp4, "--lens", "dual-190", *CPU, "--no-audio")
    mp4.unlink()

    launch("videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=16,height=8 ! pngenc ! "
           f"filesink location={source}")
    refused("a picture of 16x8", source, png, says="16x8")
    launch("videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=320,height=240 ! pngenc ! "
           f"filesink location={source}")
    refused("a picture that does not fit the lens", source, png, "--lens", "dual-190", *CPU,
            says="320x240")
    lens = folder / "lens.json"
    lens.write_text('{"format": "a shopping list"}')
    refused("a lens file that is no lens", photo, jpg, "--lens", lens, says="lens.json")
    refused("a lens file that is not there", photo, jpg, "--lens", folder / "no.json",
            says="no.json")
    refused("a lens that is a picture", photo, jpg, "--lens", photo, says="photo")
    lens.rename(folder / "lens.txt")
    refused("a lens file by its bare name", photo, jpg, "--lens", "lens.txt", says="./lens.txt",
            cwd=folder)
    refused("a lens by a wrong name", photo, jpg, "--lens", "gear-360", status=2, says="'gear360'")


def test_wrong_output(folder, photo, video):
    refused("OUT in no folder", photo, folder / "none" / "x.jpg", says="does not exist")
    refused("OUT under a file", photo, photo / "x.jpg", says="can't be written")
    (folder / "dir.jpg").mkdir()
    refused("OUT a folder", photo, folder / "dir.jpg", says="folder")
    refused("a photo to MP4", photo, folder / "x.mp4", says="picture")
    refused("a video to JPEG", video, folder / "x.jpg", says="video")
    refused("OUT where nobody may write", photo, "/proc/x.jpg", says="can't be written")
    refused("IN is OUT", photo, photo, says="same file")
    for what, make in (("a link", "symlink_to"), ("a hard link", "hardlink_to")):
        other = folder / f"{make}.jpg"
        getattr(other, make)(photo)
        refused(f"IN is OUT by {what}", photo, other, says="same file")
    older = folder / "older.mp4"
    older.write_bytes(b"older")
    for what, source, out in (("a photo", photo, folder / "full.jpg"),
                              ("a video", video, folder / "full.mp4"), ("a video", video, older)):
        refused(f"no room for {what}", source, out, "--lens", "dual-190", *CPU, limit=4000,
                says=(out.name, "can't be written", "too large"))


def test_interrupt(folder):
    """Interrupted by a signal, it exits with 130, and leaves no file."""
    source = make_video(folder / "long.mp4", pictures=200, sound=False,
                        encoder="x264enc speed-preset=ultrafast", size=(1280, 640))
    sub = folder / "interrupted"
    sub.mkdir()
    out = sub / "out.mp4"
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [SPHERE, "stitch", str(source), str(out), "--verbose", "--force", "--lens", "dual-190"],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        # The first message names the stitcher; then it is working.
        ready, _, _ = select.select([process.stderr], [], [], DEADLINE)
        check("it speaks", bool(ready))
        process.stderr.readline()
        process.send_signal(number)
        _, words = process.communicate(timeout=DEADLINE)
        check(f"{number.name} ends it", process.returncode == 130 and b"interrupted" in words,
              f"{process.returncode} {words}")
        check("nothing is left behind", not os.listdir(sub), os.listdir(sub))


def test_not_fisheyes(folder):
    """Other pictures are refused: 360 pictures, by metadata or by pixels, and ordinary ones."""
    sub = folder / "look"
    sub.mkdir()
    fisheyes, film = sub / "fisheyes.png", sub / "fisheyes.mp4"
    size = "video/x-raw,format=I420,width=640,height=320,framerate=30/1"
    launch_ours(f"spheretestsrc num-buffers=1 ! {size} ! videoconvert ! pngenc ! "
                f"filesink location={fisheyes}", ENVIRONMENT)
    launch_ours(f"spheretestsrc num-buffers=5 ! {size} ! x264enc ! mp4mux ! filesink location={film}",
                ENVIRONMENT)
    for source, what, names in ((fisheyes, "picture", ("sphere.png", "sphere.jpg")),
                                (film, "video", ("sphere.mp4",))):
        for name in names:
            out, again = sub / name, sub / f"again-{name}"
            if not done(f"two fisheyes to {name}", source, out, "--lens", "dual-190", force=False):
                continue
            refused(f"our own {name}", out, again, "--lens", "dual-190", force=False,
                    says=(f"360 {what} already", "use it unchanged", "--force"))
            refused(f"our own {name}, on another lens", out, again, force=False,
                    says=f"360 {what} already")
            done(f"our own {name} with --force", out, again, "--lens", "dual-190")
            again.unlink()
    ordinary = sub / "ordinary.jpg"
    launch_ours("spheretestsrc num-buffers=1 ! video/x-raw,format=I420,width=1280,height=640 ! "
                "cpuspherestitch lens=dual-190 projection=perspective ! "
                f"video/x-raw,width=640,height=320 ! jpegenc ! filesink location={ordinary}",
                ENVIRONMENT)
    refused("an ordinary picture", ordinary, sub / "x.jpg", "--lens", "dual-190", force=False,
            says=("ordinary picture", "both fisheyes", "--force"))
    refused("an ordinary picture, by the CPU alone", ordinary, sub / "x.jpg", "--lens", "dual-190",
            "--stitcher", "cpu", force=False, says="ordinary picture")
    fading = sub / "fading.mp4"
    source = f"! {size} ! join."
    launch_ours("concat name=join ! x264enc ! mp4mux ! filesink location=" + str(fading) +
                f" videotestsrc pattern=black num-buffers=7 {source}"
                f" filesrc location={ordinary} ! jpegdec ! imagefreeze num-buffers=5 {source}",
                ENVIRONMENT)
    refused("an ordinary video that begins black", fading, sub / "x.mp4", "--lens", "dual-190",
            force=False, says=("ordinary video", "--force"))
    refused("IN that is no dual fisheye over an older OUT", ordinary, sub / "sphere.jpg",
            "--lens", "dual-190", force=False, says="ordinary picture")

    # The metadata decides before the pixels.
    jpeg = sub / "fisheyes.jpg"
    launch_ours(f"spheretestsrc num-buffers=1 ! {size} ! jpegenc ! filesink location={jpeg}",
                ENVIRONMENT)
    done("a JPEG of two fisheyes", jpeg, sub / "x.jpg", "--lens", "dual-190", force=False)
    xmp = (b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>"
           b"<rdf:Description xmlns:GPano='http://ns.google.com/photos/1.0/panorama/' "
           b"GPano:ProjectionType='equirectangular'/></rdf:RDF></x:xmpmeta>")
    marked = sub / "marked.jpg"
    marked.write_bytes(jpeg.read_bytes()[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp
                       + jpeg.read_bytes()[2:])
    refused("a JPEG that says it is 360", marked, sub / "x.jpg", "--lens", "dual-190", force=False,
            says=("is a 360 picture", "--force"))
    result = sphere("stitch", marked, sub / "x.jpg", "--json", force=False)
    check("JSON of it", result.returncode == 1
          and "360 picture" in json.loads(result.stdout)["error"], result.stdout)
    done("with --force", marked, sub / "x.jpg", "--lens", "dual-190")
    for name, what, out in (("canary-photo.jpg", "picture", "x.jpg"),
                            ("canary-video.mp4", "video", "x.mp4")):
        if (SHARED / "data" / name).is_file():
            refused(name, SHARED / "data" / name, sub / out, "--lens", "dual-190", force=False,
                    says=f"is a 360 {what}")
    for name, lens in (("gear360-street.png", "gear360"), ("fisheye-208.jpg", "dual-190"),
                       ("theta-s-raw.jpg", "theta-s")):
        if (SHARED / "data" / name).is_file():
            done(f"{name} is stitched", SHARED / "data" / name, sub / "real.jpg", "--lens", lens,
                 "--width", "640", force=False)


def test_terminal(folder, video):
    """On a terminal, success tells what was written and how long it took."""
    out = folder / "told.mp4"
    words = (SPHERE, "stitch", video, out, "--lens", "dual-190", "--force")
    status, said = on_terminal(*words, env=ENVIRONMENT)
    check("on a terminal", status == 0 and f"wrote {out} (256x128, 12 pictures) in " in said
          and said.rstrip().endswith(" s"), f"{status} {said}")
    status, said = on_terminal(*words, "--quiet", env=ENVIRONMENT)
    check("quiet on a terminal", status == 0 and not said, f"{status} {said}")
    check("no terminal", not run(*words, env=ENVIRONMENT).stderr)


def test_leaks(folder):
    count = SHARED / "tools" / "count-leaks"
    if not count.is_file():
        print("skip: leaks: ../shared is absent")
        return
    outs = []
    for name, ending in (("canary-photo.jpg", "jpg"), ("canary-photo.jpg", "png"),
                         ("canary-video.mp4", "mp4"), ("canary-madv.mp4", "mp4")):
        source, out = SHARED / "data" / name, folder / f"{name}-out.{ending}"
        before = subprocess.run([sys.executable, count, source], capture_output=True, text=True,
                                timeout=DEADLINE)
        check(f"{name} has something to lose", before.returncode == 1, before.stdout)
        done(name, source, out, "--lens", "dual-190")
        outs.append(out)
    after = subprocess.run([sys.executable, count, *outs], capture_output=True, text=True,
                           timeout=DEADLINE)
    check("none of it is in OUT", after.returncode == 0, after.stdout + after.stderr)


def test_street(folder):
    street = SHARED / "data" / "gear360-street.png"
    if not street.is_file():
        print("skip: the street: ../shared is absent")
        return
    out = folder / "street.jpg"
    if done("the street", street, out, "--lens", "gear360", "--width", "1600"):
        check("its size", size_of(out)[:2] == (1600, 800))


def main():
    with tempfile.TemporaryDirectory(prefix="sphere-stitch-") as name:
        folder = pathlib.Path(name)
        photo = folder / "photo-in.jpg"
        launch("videotestsrc num-buffers=1 pattern=smpte ! "
               "video/x-raw,format=I420,width=640,height=320 ! jpegenc ! "
               f"filesink location={photo}")
        video = make_video(folder / "in.mp4")
        for test, arguments in (
                (test_help, ()), (test_usage, (folder, photo)), (test_photo, (folder, photo)),
                (test_colours, (folder,)), (test_png, (folder,)), (test_video, (folder, video)),
                (test_pictures_in_memory, (folder,)),
                (test_variable_rate, (folder,)), (test_trimmed, (folder,)), (test_wrong_input, (folder, photo, video)),
                (test_wrong_output, (folder, photo, video)), (test_interrupt, (folder,)),
                (test_not_fisheyes, (folder,)), (test_terminal, (folder, video)),
                (test_leaks, (folder,)), (test_street, (folder,))):
            attempt(test, *arguments)
        check("no unfinished file anywhere", not leftovers(folder))
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Films by `sphere reframe`: cut, fast and slow, of several clips, with sound in step; one that was
stopped and went on is the same as one that was not.
"""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from checks import DEADLINE, SPHERE, attempt, check, finish
import gst_checks
from media_checks import Case, ffmpeg, pictures, probe

Gst = gst_checks.load("sphere reframe, films")
SOUND_RATE = 48000
VIEW = ("--yaw", "30", "--size", "160x90", "--drawer", "cpu", "--preset", "ultrafast", "--quality", "0",
        "--interpolation", "linear")
MOVES = {"format": "gst-sphere-view", "version": 1, "keyframes": [
    {"time": 0, "yaw": -60, "fov": 100, "easing": "linear"}, {"time": 6, "yaw": 60, "fov": 60}]}


def launch(line):
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE,
                   env=gst_checks.ENVIRONMENT)


def make_sphere(path, count=60, rate=10, more="", form="I420", size="320,height=160"):
    """A lossless 360 video of which no two pictures are the same."""
    launch(f"spheretestsrc num-buffers={count} output=equirect ! video/x-raw,width={size},framerate={rate}/1 ! "
           f"videoconvert ! video/x-raw,format={form} ! x264enc pass=quant quantizer=0 speed-preset=ultrafast "
           f"key-int-max=7 ! {more}matroskamux name=m ! filesink location={path}")


def hashes(path):
    """Of each picture, in the order shown."""
    return [line.rsplit(",", 1)[1].strip() for line in pictures(path).decode().splitlines()
            if not line.startswith("#")]


def times(path):
    """Seconds at which each picture is shown."""
    packets = probe(path, "-select_streams", "v", "-show_entries", "packet=pts_time")["packets"]
    return sorted(round(float(each["pts_time"]), 3) for each in packets)


def evenly(count, rate, begin=0.0):
    return [round(begin + i / rate, 3) for i in range(count)]


def close(found, expected, tolerance=0.002):
    return len(found) == len(expected) and all(abs(a - b) <= tolerance for a, b in zip(found, expected))


def test_times(case):
    sphere = case.path("sphere.mkv")
    make_sphere(sphere)
    out = case.path("out.mkv")
    case.done("the whole", "reframe", sphere, out, *VIEW)
    whole = hashes(out)
    check("has all pictures", len(whole) == 60 and len(set(whole)) == 60, len(set(whole)))
    check("at their times", close(times(out), evenly(60, 10)), times(out)[:4])
    for name in ("out.mkv", "out.mp4"):
        out = case.path(name)
        case.done("a cut", "reframe", sphere, out, "--from", "2", "--to", "0:04.5", *VIEW)
        check(f"{name}: its pictures are those of the time", hashes(out) == whole[20:45], len(hashes(out)))
        check(f"{name}: it begins at once", close(times(out), evenly(25, 10)), times(out)[:4])
    out = case.path("out.mkv")
    case.done("a cut between pictures", "reframe", sphere, out, "--from", "2.04", "--to", "3", *VIEW)
    check("begins with the picture that is shown then", hashes(out) == whole[20:30], len(hashes(out)))
    check("for as long as it is shown", close(times(out), [0] + evenly(9, 10, 0.06)), times(out)[:4])
    said = json.loads(case.done("twice as fast", "reframe", sphere, out, "--speed", "2", *VIEW, "--json"))
    check("shows every second picture", hashes(out) == whole[::2], len(hashes(out)))
    check("at IN's own rate", close(times(out), evenly(30, 10)) and abs(said["length"] - 3) < 1e-6, said)
    case.done("half as fast", "reframe", sphere, out, "--speed", "0.5", "--from", "1", "--to", "2", *VIEW)
    check("shows each twice", hashes(out) == [each for each in whole[10:20] for _ in range(2)], len(hashes(out)))
    case.done("more pictures a second", "reframe", sphere, out, "--fps", "30", "--to", "1", *VIEW)
    check("shows each three times", hashes(out) == [each for each in whole[:10] for _ in range(3)])
    check("evenly", close(times(out), evenly(30, 30)), times(out)[:4])
    case.done("fewer", "reframe", sphere, out, "--fps", "5", *VIEW)
    check("shows every second one", hashes(out) == whole[::2])


def test_keyframes(case):
    """The view is that of IN's time, also where the film is slower: then it moves between pictures."""
    sphere, moves, out = case.path("sphere.mkv"), case.path("moves.json"), case.path("out.mkv")
    make_sphere(sphere)
    moves.write_text(json.dumps(MOVES))
    view = ("--keyframes", moves, *VIEW[2:])
    case.done("the whole", "reframe", sphere, out, *view)
    whole = hashes(out)
    case.done("a cut", "reframe", sphere, out, "--from", "3", "--to", "4", *view)
    check("keyframes have the time of IN", hashes(out) == whole[30:40])
    case.done("half as fast", "reframe", sphere, out, "--from", "3", "--to", "4", "--speed", "0.5", *view)
    slow = hashes(out)
    check("the view goes on between pictures", slow[::2] == whole[30:40] and len(set(slow)) == 20, len(set(slow)))
    fast = {**MOVES, "keyframes": [dict(MOVES["keyframes"][0], time=0), {"time": 2, "yaw": -20, "speed": 2},
                                   {"time": 4, "yaw": 20, "speed": 1}, MOVES["keyframes"][1]]}
    moves.write_text(json.dumps(fast))
    case.done("faster in the middle", "reframe", sphere, out, *view)
    check("lasts 2 + 1 + 2 s", len(hashes(out)) == 50 and close(times(out), evenly(50, 10)), len(hashes(out)))


def test_uneven_times(case):
    """A video whose pictures come when they like."""
    sphere, uneven, out = case.path("sphere.mkv"), case.path("uneven.mp4"), case.path("out.mp4")
    make_sphere(sphere, 30)
    ffmpeg("-i", sphere, "-vf", "setpts='(N+0.4*sin(N))*0.1/TB'", "-fps_mode", "vfr", "-enc_time_base", "1/1000",
           "-video_track_timescale", "1000", "-c:v", "libx264", "-qp", 0, "-preset", "ultrafast", "-bf", 2, uneven)
    before = times(uneven)
    case.done("all of it", "reframe", uneven, out, *VIEW)
    whole = hashes(out)
    check("keeps the times", close(times(out), [each - before[0] for each in before]), (times(out)[:5], before[:5]))
    case.done("a cut", "reframe", uneven, out, "--from", "1", *VIEW)
    first = max(i for i, each in enumerate(before) if each <= 1 + 1e-6)
    check("keeps the times of the rest",
          hashes(out) == whole[first:] and close(times(out)[1:], [each - 1 for each in before[first + 1:]]),
          (times(out)[:4], before[first:first + 4]))
    case.done("evenly", "reframe", uneven, out, "--fps", "10", *VIEW)
    check("even steps", close(times(out), evenly(len(times(out)), 10)), times(out)[:5])


def test_late_pictures(case):
    """Sound is there at once, pictures come later; the film has two parts."""
    make_sphere(case.path("sphere.mkv"), 100)
    late, out = case.path("late.mp4"), case.path("out.mp4")
    ffmpeg("-itsoffset", 2.5, "-i", case.path("sphere.mkv"), "-f", "lavfi", "-i",
           f"aevalsrc='0.5*sin(2*PI*1000*t)*gte(t,2)':s={SOUND_RATE}", "-t", 12.5, "-c:v", "copy", "-c:a", "aac", late)
    case.done("pictures that come late", "reframe", late, out, *VIEW)
    check("all are there", len(hashes(out)) == 100)
    apart = times(out)[0] - times(late)[0]
    check("in step", abs(apart + first_loud(samples(late)) - first_loud(samples(out))) < 0.002, apart)


def test_clips(case):
    one, other, out, edit = (case.path(name) for name in ("one.mkv", "other.mkv", "out.mkv", "edit.json"))
    make_sphere(one)
    make_sphere(other, 30)
    case.done("one of them", "reframe", one, out, *VIEW)
    whole = hashes(out)
    case.done("the other", "reframe", other, out, "--yaw", "120", *VIEW[2:])
    turned = hashes(out)
    clips = [{"input": "one.mkv", "from": 1, "to": 2, "yaw": 30},
             {"input": "other.mkv", "yaw": 120},
             {"input": str(one), "from": 3, "to": 5, "speed": 2, "yaw": 30}]
    edit.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1, "clips": clips}))
    said = json.loads(case.done("three clips", "reframe", "--edit", edit, out, *VIEW[2:], "--json"))
    check("one after the other", hashes(out) == whole[10:20] + turned + whole[30:50:2], len(hashes(out)))
    check("at even times", close(times(out), evenly(50, 10)), times(out)[-3:])
    check("it says where they are", [(each["begin"], each["end"]) for each in said["clips"]] ==
          [(0, 1), (1, 4), (4, 5)], said["clips"])
    inline = [{**clips[0], "keyframes": MOVES}]
    del inline[0]["yaw"]
    edit.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1, "clips": inline}))
    case.done("keyframes in the list", "reframe", "--edit", edit, out, *VIEW[2:])
    for what, word, text in (
            ("no clips", "no clip", {"clips": []}),
            ("no file", "input", {"clips": [{"from": 1}]}),
            ("an unknown field", "there is no such field", {"clips": [{"input": "one.mkv", "form": 1}]}),
            ("backwards", "later than", {"clips": [{"input": "one.mkv", "from": 2, "to": 1}]}),
            ("two views", "beside it", {"clips": [{"input": "one.mkv", "yaw": 1, "keyframes": MOVES}]}),
            ("a wide view", "fov", {"clips": [{"input": "one.mkv", "fov": 171}]}),
            ("a wrong keyframe", "keyframe 2", {"clips": [{"input": "one.mkv", "keyframes": {
                **MOVES, "keyframes": [{"time": 1}, {"time": 0}]}}]})):
        edit.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1, **text}))
        case.refused(what, 2, word, "reframe", "--edit", edit, out)
    edit.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1,
                                "clips": [clips[0], {"input": "one.mkv", "from": 7}]}))
    case.refused("a clip after the end", 1, "after the end", "reframe", "--edit", edit, case.path("none.mkv"))
    check("nothing is left of it", not case.path("none.mkv").exists() and
          not case.path("none.mkv.parts").exists())


def test_fisheyes(case):
    """Parts of the fisheyes are stitched and viewed in one step, and go on as in one run."""
    fish, out = case.path("fish.mkv"), case.path("out.mkv")
    launch("spheretestsrc num-buffers=30 lens=dual-190 ! video/x-raw,format=I420,width=320,height=160,"
           "framerate=10/1 ! x264enc pass=quant quantizer=0 speed-preset=ultrafast key-int-max=7 ! matroskamux ! "
           f"filesink location={fish}")
    words = ("--lens", "dual-190", *VIEW)
    case.done("the whole", "reframe", fish, out, *words)
    whole = hashes(out)
    case.done("a part", "reframe", fish, out, "--from", "1", "--to", "2", *words)
    check("has its pictures", len(hashes(out)) == 10 and len(whole) == 30, (len(hashes(out)), len(whole)))


def samples(path):
    data = ffmpeg("-i", path, "-map", "0:a:0", "-f", "f32le", "-ac", 1, "-ar", SOUND_RATE, "-")
    return struct.unpack(f"<{len(data) // 4}f", data)


def packets(path):
    """Hashes of the coded sound."""
    lines = ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-").decode().splitlines()
    return [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]


def first_loud(heard, threshold=0.1):
    return next((i / SOUND_RATE for i, value in enumerate(heard) if abs(value) > threshold), None)


def pitch(heard):
    """Hertz, by how often a tone passes zero."""
    middle = heard[len(heard) // 4:len(heard) * 3 // 4]
    crossings = sum(1 for a, b in zip(middle, middle[1:]) if a < 0 <= b)
    return crossings * SOUND_RATE / len(middle)


def with_sound(case, name, expression, seconds=6):
    ffmpeg("-i", case.path("sphere.mkv"), "-f", "lavfi", "-i", f"aevalsrc='{expression}':s={SOUND_RATE}", "-t",
           seconds, "-c:v", "copy", "-c:a", "aac", case.path(name))
    return case.path(name)


def test_sound(case):
    make_sphere(case.path("sphere.mkv"))
    out = case.path("out.mp4")
    beep = with_sound(case, "beep.mp4", "0.5*sin(2*PI*1000*t)*gte(t,2)")
    case.done("unchanged", "reframe", beep, out, *VIEW)
    before, after = packets(beep), packets(out)
    first = before.index(after[0])
    # What an encoder puts before the sound, and after it, is hidden in IN and may stay out.
    check("sound is copied", after == before[first:first + len(after)] and len(after) >= len(before) - 2,
          (first, len(after), len(before)))
    check("sound stays in step", abs(first_loud(samples(out)) - first_loud(samples(beep))) < 1e-4)
    for words, expected in ((("--from", "1", "--to", "4"), 1.0), (("--from", "1.95"), 0.05),
                            (("--speed", "1.5"), 2 / 1.5), (("--from", "1", "--speed", "0.75"), 1 / 0.75)):
        case.done(f"{words}", "reframe", beep, out, *words, *VIEW)
        found = first_loud(samples(out))
        tolerance = 0.004 if "--speed" not in words else 0.03
        check(f"{words}: sound is in step", found is not None and abs(found - expected) < tolerance,
              (found, expected))
        streams = probe(out)["streams"]
        lengths = [float(each["duration"]) for each in streams]
        check(f"{words}: both are as long", len(lengths) == 2 and abs(lengths[0] - lengths[1]) < 0.06, lengths)
    tone = with_sound(case, "tone.mp4", "0.5*sin(2*PI*440*t)")
    for speed in ("0.75", "1.5"):
        case.done(f"a tone at {speed}", "reframe", tone, out, "--speed", speed, *VIEW)
        check(f"keeps its pitch at {speed}", abs(pitch(samples(out)) - 440) < 6, pitch(samples(out)))
    two = case.path("two.mp4")
    ffmpeg("-i", tone, "-i", beep, "-map", "0", "-map", "1:a", "-c", "copy", two)
    result = case.sphere("reframe", two, out, "--to", "1", *VIEW)
    check("two sound tracks: it says that the film has one", result.returncode == 0 and "2 sound tracks" in
          result.stderr and len(probe(out)["streams"]) == 2, result.stderr)
    result = case.sphere("reframe", tone, out, "--speed", "4", *VIEW)
    check("too fast to be heard: it says so", result.returncode == 0 and "silent" in result.stderr, result.stderr)
    check("and is silent", max(map(abs, samples(out))) < 0.001)
    edit = case.path("edit.json")
    edit.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1, "clips": [
        {"input": "sphere.mkv", "to": 1}, {"input": "beep.mp4", "from": 1.5, "to": 3}]}))
    case.done("a clip without sound first", "reframe", "--edit", edit, out, *VIEW[2:])
    found = first_loud(samples(out))
    check("is silent there", found is not None and abs(found - 1.5) < 0.004, found)
    case.done("no sound", "reframe", beep, out, "--to", "1", "--no-audio", *VIEW)
    check("there is none", len(probe(out)["streams"]) == 1)
    case.done("audio is withdrawn", "consent", "withdraw", "audio")
    result = case.sphere("reframe", beep, out, "--to", "1", *VIEW)
    check("withdrawn: it says so", result.returncode == 0 and "withdrawn" in result.stderr, result.stderr)
    check("and there is none", len(probe(out)["streams"]) == 1)
    mute = case.path("mute.mp4")
    make_sphere(mute, 10)
    result = case.sphere("reframe", mute, out, *VIEW)
    check("nothing is said of a sound that was not there", result.returncode == 0 and not result.stderr, result.stderr)


def test_codecs(case):
    deep, out = case.path("deep.mkv"), case.path("out.mp4")
    make_sphere(deep, 10, form="I420_10LE")
    for codec in ("h264", "hevc"):
        case.done(f"{codec}", "reframe", deep, out, *VIEW[:6], "--codec", codec)
        stream = probe(out)["streams"][0]
        check(f"{codec}: ten bits stay", (stream["codec_name"], stream["pix_fmt"]) == (codec, "yuv420p10le"), stream)
        check(f"{codec}: all pictures", len(hashes(out)) == 10)


def stop_after(case, part, words, how):
    """Starts the command, and stops it when it has finished a part. Its exit status."""
    process = subprocess.Popen([SPHERE, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env=case.environment)
    end = time.monotonic() + DEADLINE
    while process.poll() is None and not part.exists() and time.monotonic() < end:
        os.sched_yield()
    process.send_signal(how)
    said = process.communicate(timeout=DEADLINE)[1]
    return process.returncode, said


def test_going_on(case):
    sphere, out = case.path("sphere.mkv"), case.path("out.mp4")
    make_sphere(sphere, 350, 10, size="640,height=320")
    words = ("reframe", sphere, out, "--yaw", "30", "--size", "240x136", "--drawer", "cpu", "--interpolation", "linear")
    case.done("in one run", *words)
    once = out.read_bytes()
    parts = case.path("out.mp4.parts")
    check("no part is left", not parts.exists())
    out.unlink()
    for how, status in ((signal.SIGTERM, 130), (signal.SIGKILL, -9), (signal.SIGINT, 130)):
        got, said = stop_after(case, parts / "part-000001", words, how)
        check(f"{how.name}: stopped", got == status, (got, said))
        check(f"{how.name}: there is no OUT", not out.exists())
        if how != signal.SIGKILL:
            check(f"{how.name}: it says what is kept", "goes on" in said and "out.mp4.parts" in said, said)
        check("for nobody else", parts.stat().st_mode & 0o777 == 0o700)
        result = json.loads(case.done(f"{how.name}: it goes on", *words, "--json"))
        check(f"{how.name}: with what was done", result["kept_parts"] >= 2, result)
        check(f"{how.name}: and the film is the same", out.read_bytes() == once)
        check(f"{how.name}: no part is left", not parts.exists())
        out.unlink()
    stop_after(case, parts / "part-000001", words, signal.SIGTERM)
    kept = case.path("kept")
    shutil.copytree(parts, kept)
    damaged = parts / "part-000001"
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    result = json.loads(case.done("a part is damaged", *words, "--json"))
    check("it is made anew", result["kept_parts"] == 1 and out.read_bytes() == once, result)
    shutil.copytree(kept, parts)
    result = json.loads(case.done("another view", *words[:4], "31", *words[5:], "--json"))
    check("is another film", result["kept_parts"] == 0 and out.read_bytes() != once, result)
    shutil.copytree(kept, parts)
    with open(sphere, "ab") as source:
        source.write(b"")
    os.utime(sphere, (1, 1))
    result = json.loads(case.done("IN was changed", *words, "--json"))
    check("what was made of it before is not used", result["kept_parts"] == 0, result)
    parts.mkdir()
    (parts / "letter.txt").write_text("mine")
    case.refused("something else is there", 1, "letter.txt", *words)
    check("it stays", (parts / "letter.txt").read_text() == "mine")


def test_failures(case):
    sphere, out = case.path("sphere.mkv"), case.path("out.mp4")
    make_sphere(sphere, 10)
    for what, status, word, words in (
            ("after the end", 1, "after the end", ("--from", "2")),
            ("the end is after the end", 1, "after the end", ("--to", "1:00")),
            ("backwards", 2, "later than --from", ("--from", "2", "--to", "1")),
            ("no time", 2, "must be seconds", ("--from", "soon")),
            ("too fast", 2, "--speed", ("--speed", "21")),
            ("standing still", 2, "--speed", ("--speed", "0")),
            ("no speed", 2, "--speed", ("--speed", "nan")),
            ("no rate", 2, "--fps", ("--fps", "0")),
            ("a mad rate", 2, "--fps", ("--fps", "30000/1")),
            ("no number", 2, "--fps", ("--fps", "many")),
            ("a list and a time", 2, "in the list", ("--edit", "x.json", "--from", "1"))):
        names = (out,) if "--edit" in words else (sphere, out)
        case.refused(what, status, word, "reframe", *names, *words)
    case.refused("a list and IN", 2, "too many", "reframe", "--edit", "x.json", sphere, out)
    case.refused("a picture has no time", 2, "for films", "reframe", sphere, case.path("out.jpg"), "--from", "1")
    data = sphere.read_bytes()
    case.path("cut.mkv").write_bytes(data[:-2000])
    case.refused("a video that was cut off", 1, "cut.mkv", "reframe", case.path("cut.mkv"), out)
    check("there is no OUT", not out.exists())
    check("and nothing beside it", not case.path("out.mp4.parts").exists())


TESTS = (test_times, test_keyframes, test_uneven_times, test_late_pictures, test_clips, test_fisheyes, test_sound, test_codecs,
         test_going_on, test_failures)
for test in TESTS:
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
finish()

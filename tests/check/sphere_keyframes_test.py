# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere keyframes`: what ffmpeg shows with the commands that are written is what `sphere reframe`
shows; the records of VR-reversal, and projects of MLT, become keyframes.
"""

import json
import pathlib
import re
import resource
import subprocess
import tempfile
import time

from checks import DEADLINE, SANITIZED, SPHERE, attempt, check, finish
import gst_checks
from media_checks import Case, ffmpeg

Gst = gst_checks.load("sphere keyframes")
MOVES = [{"time": 0.2, "yaw": -60, "pitch": -10, "fov": 100}, {"time": 1, "yaw": 60, "pitch": 20, "fov": 60},
         {"time": 1.4, "yaw": 170, "easing": "linear"}, {"time": 1.8, "yaw": -170, "roll": 10}]
# As VR-reversal's README and its script have them.
REVERSAL = """188.792256-188.807622 [expr] v360 pitch -0.100000, [expr] v360 yaw 0.400000, [expr] v360 roll 0.000000, [expr] v360 d_fov 90.000000;
188.807622-188.824578 [expr] v360 pitch -0.300000, [expr] v360 yaw 1.000000, [expr] v360 roll 0.000000, [expr] v360 d_fov 90.000000;
# ffmpeg -ss 188 -i videoFile.mp4 -to 224 -copyts -vf "v360=hequirect:flat:in_stereo=sbs"
224.595089-224.611200 [expr] v360 pitch -3.500000, [expr] v360 yaw 7.100000, [expr] v360 roll 0.000000, [expr] v360 d_fov 95.000000;
"""
LERP = """12.000-12.000  [expr] v360 pitch 'lerp(0.000,0.000,(T-12.000)/0.000)', [expr] v360 yaw 'lerp(0.000,0.000,(T-12.000)/0.000)', [expr] v360 roll 'lerp(0.000,0.000,(T-12.000)/0.000)', [expr] v360 d_fov 'lerp(90.000,90.000,(T-12.000)/0.000)';
12.000-12.500  [expr] v360 pitch 'lerp(0.000,10.000,(T-12.000)/0.500)', [expr] v360 yaw 'lerp(0.000,-20.000,(T-12.000)/0.500)';
12.500-13.500  [expr] v360 yaw 'lerp(-20.000,-60.000,(T-12.500)/1.000)';
#
# Duration: 00:00:12.00-00:00:13.50 (total 00:00:1.50) 1.5 seconds
#
"""
MLT = """<?xml version="1.0" standalone="no"?>
<mlt LC_NUMERIC="C" version="7.13.0"><profile frame_rate_num="25" frame_rate_den="1"/>
<producer id="producer0"><filter id="filter0" {times}>
<property name="mlt_service">frei0r.bigsh0t_eq_to_rect</property>
<property name="yaw">{yaw}</property><property name="pitch">5</property>
<property name="fov">00:00:00.000=90;00:00:04.000=50</property></filter></producer></mlt>
"""


def keyframes(case, name):
    return json.loads(case.path(name).read_text())["keyframes"]


def write_moves(case, keys, name="moves.json", **more):
    case.path(name).write_text(json.dumps({"format": "gst-sphere-view", "version": 1, **more, "keyframes": keys}))
    return case.path(name)


def test_ffmpeg(case):
    """ffmpeg's own filter, with the commands, shows the same; but it reads half a pixel of the source beside."""
    sphere, film, theirs = case.path("sphere.mkv"), case.path("film.mkv"), case.path("theirs.mkv")
    subprocess.run(["gst-launch-1.0", "-q", *(
        "spheretestsrc num-buffers=20 output=equirect ! video/x-raw,format=I420,width=2560,height=1280,framerate=10/1 "
        f"! x264enc pass=quant quantizer=0 speed-preset=ultrafast ! matroskamux ! filesink location={sphere}").split()],
        check=True, timeout=DEADLINE, env=gst_checks.ENVIRONMENT)
    moves, commands = write_moves(case, MOVES), case.path("moves.cmd")
    case.done("commands", "keyframes", moves, commands, "--size", "320x180", "--fps", "10")
    case.done("a film", "reframe", sphere, film, "--keyframes", moves, "--size", "320x180", "--quality", "0",
              "--preset", "ultrafast", "--interpolation", "linear", "--drawer", "cpu")
    ffmpeg("-i", sphere, "-vf", f"sendcmd=f={commands},v360=e:flat:reset_rot=1:w=320:h=180:interp=linear", "-c:v",
           "libx264", "-qp", 0, "-preset", "ultrafast", theirs)
    result = subprocess.run(["ffmpeg", "-nostdin", "-i", str(film), "-i", str(theirs), "-lavfi", "psnr=f=-", "-f",
                             "null", "-"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    found = [float(word.split(":")[1]) for line in result.stdout.splitlines() for word in line.split()
             if word.startswith("psnr_y:")]
    check("each picture is the same", len(found) == 20 and min(found) > 28, found)
    unmoved = case.path("unmoved.mkv")
    ffmpeg("-i", sphere, "-vf", "v360=e:flat:w=320:h=180", "-c:v", "libx264", "-qp", 0, unmoved)
    result = subprocess.run(["ffmpeg", "-nostdin", "-i", str(film), "-i", str(unmoved), "-lavfi", "psnr=f=-", "-f",
                             "null", "-"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    others = [float(word.split(":")[1]) for line in result.stdout.splitlines() for word in line.split()
              if word.startswith("psnr_y:")]
    check("which it would not be without them", max(others) < 22, others)


def test_import(case):
    reversal = case.path("video_3dViewHistory_1.txt")
    reversal.write_text(REVERSAL)
    case.done("VR-reversal, as its README has it", "keyframes", reversal, case.path("out.json"), "--size", "1920x1080")
    keys = keyframes(case, "out.json")
    check("jumps as it does", [key["yaw"] for key in keys] == [0.4, 1, 7.1] and keys[0]["easing"] == "hold", keys)
    check("its field of view is across the diagonal", abs(keys[0]["fov"] - 82.16) < 0.05, keys[0]["fov"])
    reversal.write_text(LERP)
    case.done("VR-reversal, as its script writes it", "keyframes", reversal, case.path("out.json"))
    keys = keyframes(case, "out.json")
    check("goes evenly", [(key["time"], round(key["yaw"], 6), round(key["pitch"], 6)) for key in keys] ==
          [(12, 0, 0), (12.5, -20, 10), (13.5, -60, 10)] and keys[0]["easing"] == "linear", keys)
    project = case.path("project.mlt")
    project.write_text(MLT.format(times='in="0" out="249"', yaw="0|=50; 50|=100; 100=200; 200~=60; -7:00~=180; "
                                                                "-2:00~=100; -1=220").replace("-7:00", "-1:00")
                       .replace("-2:00", "-0:15"))
    case.done("MLT's example", "keyframes", project, case.path("out.json"))
    keys = {round(key["time"], 3): key["yaw"] for key in keyframes(case, "out.json")}
    check("has its keyframes", keys[0] == 50 and keys[2] == 100 and keys[4] == 200 and keys[8] == 60 and
          keys[9] == 180 and keys[9.4] == 100 and keys[9.96] == 220, keys)
    project.write_text(MLT.format(times='in="00:00:10.000"', yaw="00:00:00.000=0;00:00:02.000=40"))
    case.done("a filter that begins later", "keyframes", project, case.path("out.json"))
    keys = keyframes(case, "out.json")
    check("has the time of the video", [key["time"] for key in keys] == [10, 12, 14] and keys[1]["yaw"] == 40 and
          abs(keys[1]["fov"] - 70) < 0.01 and keys[0]["pitch"] == 5, keys)


def test_round_trip(case):
    for name, keys in (("linear", [dict(key, easing="linear") for key in MOVES]), ("smooth", MOVES),
                       ("hold", [dict(key, easing="hold") for key in MOVES])):
        moves = write_moves(case, keys)
        for form in ("cmd", "mlt"):
            there, back, again = (case.path(each) for each in ("there." + form, "back.json", "again." + form))
            case.done(f"{name} to {form}", "keyframes", moves, there, "--fps", "100", "--video", "a & b.mp4")
            case.done(f"{name} from {form}", "keyframes", there, back)
            found = keyframes(case, "back.json")
            check(f"{name}, {form}: as few as that needs", len(found) <= (8 if name == "hold" else
                                                                       6 if name == "linear" else 70), len(found))
            check(f"{name}, {form}: the long way round is not taken",
                  abs(found[-1]["yaw"] - 190) < 0.1 and abs(found[-1]["fov"] - 60) < 0.1, found[-1])
            case.done(f"{name} to {form} once more", "keyframes", back, again, "--fps", "100", "--video",
                      "a & b.mp4")


def mlt_values(text, frames, length):
    """What MLT's own library makes of a property with keyframes, at 25 pictures a second."""
    import mlt7
    mlt7.Factory.init()
    profile = mlt7.Profile()
    profile.set_frame_rate(25, 1)
    holder = mlt7.Filter(profile, "brightness")
    holder.set("yaw", text)
    return [holder.anim_get_double("yaw", frame, length) for frame in frames]


def value_at(keys, field, time):
    """Of linear and held keyframes."""
    before = [key for key in keys if key["time"] <= time + 1e-9]
    if not before:
        return keys[0][field]
    if len(before) == len(keys) or before[-1]["easing"] == "hold":
        return before[-1][field]
    a, b = before[-1], keys[len(before)]
    return a[field] + (b[field] - a[field]) * (time - a["time"]) / (b["time"] - a["time"])


def test_mlt_itself(case):
    """MLT's library has the same values, of what is written and of what is read."""
    keys = [{"time": 0.4, "yaw": -100, "fov": 90}, {"time": 2, "yaw": 50, "fov": 60, "easing": "hold"},
            {"time": 3.2, "yaw": 170, "fov": 70}, {"time": 4, "yaw": 190, "fov": 100}]
    keys = [{"easing": "linear", **key} for key in keys]
    moves, project = write_moves(case, keys, turn="as-written"), case.path("moves.mlt")
    case.done("a project", "keyframes", moves, project, "--fps", "25")
    found = {name: re.search(f'<property name="{name}">([^<]*)<', project.read_text()).group(1)
             for name in ("yaw", "fov")}
    frames = range(10, 101)
    for name, text in found.items():
        worst = max(abs(theirs - value_at(keys, name, frame / 25))
                    for frame, theirs in zip(frames, mlt_values(text, frames, 250)))
        check(f"{name}: MLT has the values that were written", worst < 0.06, (worst, text))
    for text in ("0=10;50|=20;101~=100;125~=5;170~=60;200=40", "0~=0;30~=90;60~=-20;61~=0;200~=360",
                 "00:00:00.500=1;00:00:04.000~=-90;-1=90"):
        project.write_text(MLT.format(times='in="0" out="249"', yaw=text).replace("fov", "unused"))
        case.done("is read", "keyframes", project, case.path("out.json"))
        read = keyframes(case, "out.json")
        frames = range(13, 250)
        far = [frame for frame, theirs in zip(frames, mlt_values(text, frames, 250))
               if abs(theirs - value_at(read, "yaw", frame / 25)) > 0.05]
        check(f"{text}: has MLT's values", not far, far)


def test_failures(case):
    out = case.path("out.json")
    deep = "(" * 5000 + "1" + ")" * 5000
    for what, word, text in (
            ("no time", "line 2", "0 v360 yaw 1;\nsoon v360 yaw 2;"),
            ("backwards", "line 1", "2-1 v360 yaw 1;"),
            ("no number", "line 1", "0 v360 yaw far;"),
            ("NaN", "line 1", "0 v360 yaw nan;"),
            ("no value", "line 1", "0-1 [expr] v360 yaw '1/(T-T)';"),
            ("an unknown function", "line 1", "0-1 [expr] v360 yaw 'bessel(T)';"),
            ("deep brackets", "line 1", f"0-1 [expr] v360 yaw '{deep}';"),
            ("an unknown flag", "flag", "0-1 [often] v360 yaw 1;"),
            ("no end of flags", "]", "0-1 [expr v360 yaw 1;"),
            ("no command for v360", "no command", "0 hue h 1;"),
            ("nothing", "no command", ""),
            ("a yaw beyond all", "keyframe 1", "0 v360 yaw 1e9;"),
            ("a wide field", "fov", "0 v360 h_fov 179;"),
            ("XML of another kind", "no project", "<html/>"),
            ("a project without the filter", "Equirectangular", "<mlt/>"),
            ("entities", "document type", "<!DOCTYPE mlt [<!ENTITY a 'b'>]><mlt/>"),
            ("a cut project", "XML", MLT[:200]),
            ("MLT: no number", "yaw: keyframe 2", MLT.format(times="", yaw="0=1;5=far")),
            ("MLT: out of order", "yaw: keyframe 2", MLT.format(times="", yaw="5=1;5=2")),
            ("MLT: an unknown easing", "easing 'B'", MLT.format(times="", yaw="0B=1;5=2")),
            ("MLT: from the end of nothing", "no 'out'", MLT.format(times="", yaw="-5=1")),
            ("JSON: out of order", "keyframe 2", json.dumps({
                "format": "gst-sphere-view", "version": 1, "keyframes": [{"time": 1}, {"time": 1}]})),
            ("JSON: an unknown easing", "keyframes[1].easing", json.dumps({
                "format": "gst-sphere-view", "version": 1, "keyframes": [{"time": 1}, {"time": 2, "easing": "jump"}]})),
            ("JSON: NaN", "not JSON", '{"format": "gst-sphere-view", "version": 1, "keyframes": [{"time": NaN}]}'),
            ("JSON: infinite", "keyframes[0].time", '{"format": "gst-sphere-view", "version": 1, "keyframes": '
             '[{"time": 1e999}]}')):
        case.path("in.txt").write_text(text)
        case.refused(what, 1, word, "keyframes", case.path("in.txt"), out)
        check(f"{what}: there is no OUT", not out.exists())
    moves = write_moves(case, [{"time": 0, "projection": "little-planet"}])
    case.refused("a little planet", 1, "perspective", "keyframes", moves, case.path("out.mlt"))
    case.refused("an unknown end", 2, ".json", "keyframes", moves, case.path("out.xml"))
    case.refused("an odd size", 2, "even", "keyframes", moves, out, "--size", "321x180")
    moves = write_moves(case, [{"time": 0}])
    other = case.path("clips.json")
    other.write_text(json.dumps({"format": "gst-sphere-edit", "version": 1, "clips": []}))
    case.refused("a list of clips", 1, "format: is \"gst-sphere-edit\"", "keyframes", other, out)
    out.write_text("older")
    project = case.path("project.mlt")
    case.done("a project", "keyframes", moves, project)
    text = project.read_text()
    case.refused("OUT is IN", 1, "same file", "keyframes", project, project)
    check("a project is not replaced by its keyframes", project.read_text() == text)
    case.refused("OUT exists", 1, "exists", "keyframes", moves, out, "--no-clobber")


def test_many(case):
    """A million keyframes: refused, soon and in little memory."""
    texts = {"many.json": '{"format": "gst-sphere-view", "version": 1, "keyframes": [' +
                          ",".join(f'{{"time":{i}}}' for i in range(1_000_000)) + "]}",
             "many.txt": "".join(f"{i} v360 yaw {i % 360};\n" for i in range(1_000_000)),
             "many.mlt": MLT.format(times="", yaw=";".join(f"{i}={i % 360}" for i in range(1_000_000)))}

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))

    for name, text in texts.items():
        case.path(name).write_text(text)
        begin = time.monotonic()
        result = subprocess.run([SPHERE, "keyframes", case.path(name), case.path("out.json")], check=False,
                                timeout=DEADLINE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=case.environment,
                                preexec_fn=None if SANITIZED else limit)
        check(f"{name}: refused", result.returncode == 1 and "more than" in result.stderr or "is not XML" in
              result.stderr, (result.returncode, result.stderr[-300:]))
        check(f"{name}: soon", time.monotonic() - begin < DEADLINE / 4)


for test in (test_ffmpeg, test_import, test_round_trip, test_mlt_itself, test_failures, test_many):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
finish()

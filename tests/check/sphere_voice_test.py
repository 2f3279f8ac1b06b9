# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere reframe --voice`: only with consent, in step with the pictures, silent from a withdrawal
on, and with a window that begins and ends it."""

import array
import pathlib
import shutil
import subprocess
import tempfile

from checks import DEADLINE, SPHERE, attempt, check, finish, wait_for
import gst_checks
from media_checks import Case, ffmpeg, pictures, probe
from window_checks import Screen, display

gst_checks.load("sphere reframe --voice")
RATE = 48000
# What a microphone gives, and without a window.
# As floating point numbers its ticks have values that were never set, so that AAC frames are missing.
TICKS = "audiotestsrc is-live=true wave=ticks ! audio/x-raw,format=S16LE,rate=48000,channels=1"
AT_ONCE = TICKS.replace("is-live=true ", "")
FILM = ("--size", "320x180", "--drawer", "cpu", "--preset", "ultrafast")


def make_video(case, seconds, sound=False):
    """Of the scene."""
    beside = f"audiotestsrc num-buffers={44 * seconds} ! avenc_aac ! m." if sound else ""
    subprocess.run(["gst-launch-1.0", "-q", *(
        f"spheretestsrc num-buffers={10 * seconds} output=equirect ! video/x-raw,format=I420,width=640,height=320,"
        f"framerate=10/1 ! x264enc speed-preset=ultrafast ! mp4mux name=m ! filesink "
        f"location={case.path('in.mp4')} {beside}").split()], check=True, timeout=DEADLINE,
        env=gst_checks.ENVIRONMENT)


def kinds(path):
    """The tracks of a file."""
    return [stream["codec_type"] for stream in probe(path)["streams"]]


def samples(path, track=0):
    """A sound track, mono."""
    return array.array("h", ffmpeg("-i", path, "-map", f"0:a:{track}", "-f", "s16le", "-ac", "1", "-ar", RATE, "-"))


def onsets(sound, least=500):
    """Seconds at which sound begins after a silence."""
    found, quiet = [], RATE
    for i, value in enumerate(sound):
        if abs(value) > least:
            if quiet > RATE // 10:
                found.append(i / RATE)
            quiet = 0
        else:
            quiet += 1
    return found


def speak(*words, sink="fakesink", source=TICKS):
    """The options of a voice."""
    return ("--voice", "--voice-sink", sink, "--voice-source", source, *words)


def test_consent(case):
    make_video(case, 2)
    case.refused("without consent", 1, "consent give audio", "reframe", case.path("in.mp4"), case.path("none.mp4"),
                 *FILM, *speak())
    case.refused("with consent to something else", 1, "audio", "reframe", case.path("in.mp4"), case.path("none.mp4"),
                 *FILM, *speak("--consent", "consent/audio, state=(string)given, purpose=(string)record"))
    check("there is no OUT, and nothing else", sorted(one.name for one in case.folder.iterdir()
                                                      if one.name != "home") == ["in.mp4"])
    case.done("with consent as caps", "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM,
              *speak("--consent", "consent/audio, state=(string)given, purpose=(string)edit"))
    check("there is a voice", kinds(case.path("out.mp4")) == ["video", "audio"], kinds(case.path("out.mp4")))
    case.done("a source that is not live", "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM,
              *speak("--consent", "consent/audio, state=(string)given, purpose=(string)edit",
                     source=AT_ONCE))
    said = len(samples(case.path("out.mp4"))) / RATE
    check("is as long as the film", 1 < said < 4, said)


def test_in_step(case):
    make_video(case, 4)
    case.done("consent", "consent", "give", "audio", "--purpose", "edit")
    # One that is not live begins with the film, and ticks with each second of it. A live one begins as soon as
    # the machine has started it.
    for end, source in ((".mp4", TICKS), (".mkv", AT_ONCE), (".mov", AT_ONCE)):
        case.done("a film without a voice", "reframe", case.path("in.mp4"), case.path("mute" + end), *FILM)
        out = case.path("out" + end)
        case.done(f"{end}: with a voice", "reframe", case.path("in.mp4"), out, *FILM, *speak(source=source))
        check(f"{end}: it has both", kinds(out) == ["video", "audio"], kinds(out))
        check(f"{end}: the pictures are the same, at the same times",
              pictures(out) == pictures(case.path("mute" + end)))
        ticks = onsets(samples(out))
        begin = ticks[-1] - round(ticks[-1] - ticks[0]) if source is TICKS else 0
        check(f"{end}: all of it was recorded", abs(len(ticks) - (4 - begin)) <= 1.1, ticks)
        check(f"{end}: the voice is in step",
              all(abs(tick - begin - number) < 0.04 for number, tick in enumerate(ticks)), ticks)
        told = ffmpeg("-i", out, "-f", "ffmetadata", "-")
        check(f"{end}: nothing is told", b"creation" not in told, told)


def test_own_sound(case):
    make_video(case, 2, True)
    case.done("consent", "consent", "give", "audio", "--purpose", "edit")
    case.done("a film with sound", "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM, *speak())
    check("its own sound comes first, then the voice", kinds(case.path("out.mp4")) == ["video", "audio", "audio"])
    check("the first one is its own", not onsets(samples(case.path("out.mp4"), 0)[RATE // 2:RATE * 3 // 2])[1:])
    check("the second one is the voice", len(onsets(samples(case.path("out.mp4"), 1))) >= 2)
    case.done("without it", "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM, "--no-audio", *speak())
    check("only the voice", kinds(case.path("out.mp4")) == ["video", "audio"])


def test_withdrawal(case):
    make_video(case, 5)
    case.done("consent", "consent", "give", "audio", "--purpose", "edit")
    heard = case.path("heard.raw")
    source = (f"audiotestsrc is-live=true ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! tee name=t "
              f"t. ! queue ! filesink location={heard} buffer-mode=unbuffered t. ! queue")
    with subprocess.Popen([SPHERE, "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM, *speak(source=source)],
                          env=case.environment, stderr=subprocess.PIPE, text=True) as command:
        # More than a second has been said.
        wait_for("a second is recorded", lambda: command.poll() is not None or
                 (heard.exists() and heard.stat().st_size > 1.2 * 2 * RATE))
        case.done("withdrawn", "consent", "withdraw", "audio")
        size = heard.stat().st_size
        wait_for("the gate has noticed", lambda: command.poll() is not None or heard.stat().st_size > size + RATE // 2)
        case.done("and given again", "consent", "give", "audio", "--purpose", "edit")
        said = command.stderr.read()
        check("the film is made", command.wait(timeout=DEADLINE) == 0, said)
    check("it tells from when on it is silent", "silent from" in said, said)
    sound = samples(case.path("out.mp4"))
    silent_from = float(said.split("silent from ")[1].split()[0]) if "silent from" in said else 0
    check("after a second and more", 1 < silent_from < 4.5, silent_from)
    check("it is loud before", max(map(abs, sound[RATE // 2:int((silent_from - 0.2) * RATE)])) > 3000)
    check("and silent from there on, to the end", not any(sound[int((silent_from + 0.15) * RATE):]))
    check("to the end of the film", len(sound) > 4.5 * RATE, len(sound) / RATE)


def test_window(case):
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        print("skip: a window for the voice: Xvfb or xdotool is absent")
        return
    make_video(case, 4)
    case.done("consent", "consent", "give", "audio", "--purpose", "edit")
    environment = {key: value for key, value in case.environment.items()
                   if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    words = [SPHERE, "reframe", case.path("in.mp4"), case.path("out.mp4"), *FILM]
    for without in (environment, {**environment, "DISPLAY": "", "WAYLAND_DISPLAY": ""}):
        result = subprocess.run([*words, *speak(sink="ximagesink")], env=without, timeout=DEADLINE, text=True,
                                check=False, stderr=subprocess.PIPE)
        check("without a screen it says so", result.returncode == 1 and "there is no screen" in result.stderr,
              result.stderr)
    with display((320, 180)) as name:
        screen = Screen({**environment, "DISPLAY": name}, (320, 180))
        with subprocess.Popen([*words, *speak(sink="ximagesink")], env=screen.environment, stderr=subprocess.PIPE,
                              text=True) as command:
            said = [next(line for line in command.stderr if "space" in line)]
            wait_for("the first picture is shown", lambda: command.poll() is not None or max(screen.grey()) > 100)
            screen.key("space")
            said.append(next(line for line in command.stderr if "recording" in line))
            first = screen.grey()
            wait_for("the film plays", lambda: command.poll() is not None or screen.grey() != first)
            screen.key("q")
            rest = command.stderr.read()
            check("the voice is ended early", command.wait(timeout=DEADLINE) == 0, rest)
    check("the film is whole", len(pictures(case.path("out.mp4"))) == len(pictures(case.path("in.mp4"))))
    length = len(samples(case.path("out.mp4"))) / RATE
    check("the voice is shorter", 0 < length < 3.9, length)


def test_wrong_words(case):
    make_video(case, 1)
    case.done("consent", "consent", "give", "audio", "--purpose", "edit")
    film, out = case.path("in.mp4"), case.path("none.mp4")
    for what, status, word, words in (
            ("a source without a voice", 2, "--voice", ("--voice-source", TICKS)),
            ("a sink without a voice", 2, "--voice", ("--voice-sink", "fakesink")),
            ("no such source", 1, "nosuchsource", speak(source="nosuchsource")),
            ("no such sink", 1, "nosuchsink", speak(sink="fakenosuchsink")),
            ("no caps", 1, "caps", speak("--consent", "(")),
            ("no such ledger", 1, "", speak("--ledger", case.path("nothing.ledger")))):
        case.refused(what, status, word, "reframe", film, out, *FILM, *words)
    case.refused("a source that fails", 1, "recorded", "reframe", film, out, *FILM,
                 *speak(source="filesrc location=/nonexistent ! wavparse"))
    case.refused("a picture", 2, "--voice", "reframe", film, case.path("out.png"), "--voice")
    check("there is no OUT", not out.exists() and not any(one.suffix == ".parts" and any(one.glob("part-film*"))
                                                          for one in case.folder.iterdir()))


for test in (test_consent, test_in_step, test_own_sound, test_withdrawal, test_window, test_wrong_words):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
finish()

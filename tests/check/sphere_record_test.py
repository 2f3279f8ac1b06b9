# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere record` against an emulated camera, and Ctrl-C on what is being taken. Prints a summary line
as gst-check does."""

import concurrent.futures
import json
import os
import pathlib
import pty
import signal
import subprocess
import tempfile
import time

from camera_checks import as_json, at_home, camera, put, sphere
from checks import DEADLINE, SPHERE, check, finish, read_terminal, run, wait_for


def video_of(path):
    """Of a video's pictures: their number, their width, and how many seconds they last."""
    told = json.loads(run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
                          "stream=nb_frames,width,duration", "-of", "json", path).stdout)["streams"][0]
    return int(told["nb_frames"]), told["width"], float(told["duration"])


def test_kinds_of_recordings(env):
    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        sphere(env, "set", uri, "video-resolution", "2304x1152@30")

        def record(kind, *words):
            """The video, and how long it was recorded: at least, and at most."""
            name = f"{folder}/{kind}.mp4"
            begin = time.monotonic()
            done = as_json(sphere(env, "record", uri, "--kind", kind, *words, "-o", name, "--json"))
            most = time.monotonic() - begin
            check(f"{kind}: it is fetched, byte for byte", done["files"] == [name] and
                  pathlib.Path(name).read_bytes() == (card / done["video"]).read_bytes(), done)
            return *video_of(name), most

        pictures, width, seconds, most = record("time-lapse", "--seconds", "0.5", "--duration", "3")
        check("a time-lapse has a picture every half a second", width == 2304 and
              2 <= pictures <= 2 * most + 2, (pictures, width, most))
        check("and is shown at the usual rate", abs(seconds - pictures / 29.97) < 0.05, seconds)
        pictures, _, _, most = record("time-lapse", "--seconds", "60", "--duration", "1")
        check("the first one at once", pictures == 1 and most < 30, (pictures, most))
        # On a busy machine the first picture comes late.
        for duration in ("3", "10", "30"):
            pictures, _, slow, most = record("slow-motion", "--slowness", "4", "--duration", duration)
            if slow > most:
                break
        check("slow motion lasts longer than what was recorded", most < slow < 4 * most, (slow, most))
        # The emulated camera takes no more pictures than usual for it.
        check("no picture is missing", abs(pictures / slow - 29.97 / 4) < 0.5, (pictures, slow))
        pictures, width, seconds, most = record("one-lens", "--back", "--duration", "1")
        check("one lens is a square", width == 1152 and seconds < most, (width, seconds))
        _, _, seconds, most = record("short", "--seconds", "10")
        check("a short video ends by itself", most >= 10 and seconds <= most, (seconds, most))
        told = as_json(sphere(env, "info", uri, "--json"))
        check("the camera is idle", told["working-mode"] == "idle", told)
        listed = as_json(sphere(env, "files", uri, "ls", "--json"))["files"]
        check("each is one file", len(listed) >= 5, listed)


def test_a_recording_outlives_a_loss(env):
    """The camera goes on recording, is found again, and its recording is ended and fetched."""
    for fault in ("drop:0", "half-open:0"):
        with camera(stdin=subprocess.PIPE) as (uri, card, order), \
                tempfile.TemporaryDirectory() as folder:
            sphere(env, "set", uri, "video-resolution", "2304x1152@30")
            with subprocess.Popen([SPHERE, "record", uri, "--duration", "4", "-o",
                                   folder + "/ride.mp4"], env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
                said = record.stderr.readline()  # it has begun, without sound
                order("fault " + fault)
                path, more = record.communicate(timeout=DEADLINE)
            check(f"{fault}: the recording is fetched", record.returncode == 0 and
                  path == folder + "/ride.mp4\n", (said, more))
            video = next(card.glob("DCIM/*/*AA.MP4"))
            check("as it is on the card",
                  pathlib.Path(folder, "ride.mp4").read_bytes() == video.read_bytes())
            check("the camera is idle", as_json(sphere(env, "info", uri, "--json"))["working-mode"]
                  == "idle")
    # A camera that restarts has lost its recording.
    with camera(stdin=subprocess.PIPE) as (uri, card, order), \
            tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([SPHERE, "record", uri, "-o", folder], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
            record.stderr.readline()
            order("reboot")
            _, more = record.communicate(timeout=DEADLINE)
        check("a recording that is gone", record.returncode == 1 and "files ls" in more, more)
        check("and nothing is written", os.listdir(folder) == [])


def test_the_file_of_an_earlier_recording_is_not_the_end(env):
    """Its client did not wait for it. The recording goes on, and is ended and fetched."""
    with camera(stdin=subprocess.PIPE) as (uri, card, order), tempfile.TemporaryDirectory() as folder:
        put(card, "VID_20171216_030505AA.MP4", b"earlier")
        with subprocess.Popen([SPHERE, "record", uri, "--duration", "2", "-o", folder + "/ride.mp4"], env=env,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
            said = record.stderr.readline()  # it has begun, without sound
            order("notify video-saved /tmp/SD0/DCIM/20171216/VID_20171216_030505AA.MP4")
            _, more = record.communicate(timeout=DEADLINE)
        check("the recording is fetched", record.returncode == 0 and
              pathlib.Path(folder, "ride.mp4").read_bytes()[4:8] == b"ftyp", (said, more))
        check("the camera does not go on", as_json(sphere(env, "info", uri, "--json"))["working-mode"] == "idle")
        # Another signal than Ctrl-C ends the command, too.
        with subprocess.Popen([SPHERE, "record", uri, "-o", folder + "/no.mp4"], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
            record.stderr.readline()
            record.send_signal(signal.SIGTERM)
            _, more = record.communicate(timeout=DEADLINE)
        check("what was not fetched is no success", record.returncode == 130 and "on the card" in more,
              (record.returncode, more))
        check("the camera is idle after it", as_json(sphere(env, "info", uri, "--json"))["working-mode"] == "idle")


def test_each_part_of_a_recording_is_fetched(env):
    """A camera cuts a long recording into parts; the test is too short for that, and tells them."""
    parts = ["VID_20171216_030505AA.MP4", "VID_20171216_031005AA.MP4"]

    def record(uri, card, order, told, *words):
        """A recording during which these parts are told: its process, what it printed, and what it
        said."""
        with subprocess.Popen([SPHERE, "record", uri, "--duration", "2", *words], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stderr.readline()  # it has begun, without sound
            for part in told:
                order(f"notify segment-saved C:\\DCIM\\20171216\\{part}")
            printed, said = process.communicate(timeout=DEADLINE)
        return process.returncode, printed, said

    with camera(stdin=subprocess.PIPE) as (uri, card, order), tempfile.TemporaryDirectory() as folder:
        for part in parts:
            put(card, part, part.encode() * 1000)
        done, printed, said = record(uri, card, order, parts, "-o", folder + "/ride.mp4")
        names = [f"{folder}/ride{number}.mp4" for number in ("", "-2", "-3")]
        check("each part is fetched", done == 0 and printed.split() == names, (done, printed, said))
        for part, name in zip(parts, names):
            check(f"{part} comes in its order", pathlib.Path(name).read_bytes() == part.encode() * 1000)
        last, = set(card.glob("DCIM/*/*AA.MP4")) - {card / "DCIM" / "20171216" / part for part in parts}
        check("the last one comes last", pathlib.Path(names[2]).read_bytes() == last.read_bytes())
        check("nothing else is written", sorted(os.listdir(folder)) ==
              ["ride-2.mp4", "ride-3.mp4", "ride.mp4"], os.listdir(folder))
        # In a loop, the oldest parts are removed again. One is told twice.
        (card / "DCIM" / "20171216" / parts[0]).unlink()
        done, printed, said = record(uri, card, order, [parts[1], *parts], "--json", "-o",
                                     folder + "/loop.mp4")
        told = json.loads(printed)
        check("one that is gone is told", done == 1 and parts[0] in said and "2 of the 3" in said and
              len(told["problems"]) == 1 and parts[0] in told["problems"][0], (done, printed, said))
        check("the others are fetched", told["files"] == [folder + "/loop.mp4", folder + "/loop-3.mp4"] and
              len(told["videos"]) == 3 and all(map(os.path.exists, told["files"])), told)
        check("nothing is half-written", sorted(os.listdir(folder)) ==
              ["loop-3.mp4", "loop.mp4", "ride-2.mp4", "ride-3.mp4", "ride.mp4"], os.listdir(folder))
        done, printed, said = record(uri, card, order, parts[1:])
        check("without -o, each is told", done == 0 and len(printed.split()) == 2 and
              printed.split()[0].endswith(parts[1]), (done, printed, said))


def test_parts_of_which_nobody_heard(env):
    """Of what a camera has closed while the connection was lost, the parts of this recording are
    fetched, and nothing else."""
    with camera(stdin=subprocess.PIPE) as (uri, card, order), tempfile.TemporaryDirectory() as folder:
        put(card, "VID_20171216_020505AA.MP4", b"earlier")
        with subprocess.Popen([SPHERE, "record", uri, "--duration", "4", "-o", folder + "/ride.mp4"], env=env,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
            said = record.stderr.readline()  # it has begun, without sound
            put(card, "VID_20171216_030505AA.MP4", b"told")
            order("notify segment-saved C:\\DCIM\\20171216\\VID_20171216_030505AA.MP4")
            order("fault refuse")
            order("fault drop:0s")
            put(card, "VID_20171216_031005AA.MP4", b"not told")
            put(card, "VID_20171216_031005AB.MP4", b"its small copy")
            put(card, "IMG_20171216_031105.JPG", b"a photo")
            order("notify segment-saved C:\\DCIM\\20171216\\VID_20171216_031005AA.MP4")
            order("clear refuse")
            printed, more = record.communicate(timeout=DEADLINE)
        names = [f"{folder}/ride{number}.mp4" for number in ("", "-2", "-3")]
        check("the part is fetched", record.returncode == 0 and printed.split() == names, (printed, said, more))
        last, = set(card.glob("DCIM/*/*AA.MP4")) - set(card.glob("DCIM/20171216/*"))
        check("in its place", [pathlib.Path(name).read_bytes() for name in names] ==
              [b"told", b"not told", last.read_bytes()])
        check("nothing is left to be searched", "was lost" in more and "files ls" not in more, more)


def test_a_recording_that_somebody_has_begun_anew(env):
    """Whose parts these are is not certain any more."""
    with camera(stdin=subprocess.PIPE) as (uri, card, order), tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        with subprocess.Popen([SPHERE, "record", uri, "-o", folder + "/ride.mp4"], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=theirs) as record:
            os.close(theirs)
            said = b""
            while b"0:05" not in said:
                said += os.read(ours, 4096)
            order("fault refuse")
            order("fault drop:0s")
            order("button")
            first, = wait_for("the first recording is saved", lambda: [
                one for one in card.glob("DCIM/*/*AA.MP4") if run("ffprobe", "-v", "quiet", one).returncode == 0])
            order("button")
            order("clear refuse")
            while b"was lost" not in said:
                said += os.read(ours, 4096)
            record.send_signal(signal.SIGINT)
            printed = record.communicate(timeout=DEADLINE)[0]
            said += read_terminal(ours).encode()
        last, = set(card.glob("DCIM/*/*AA.MP4")) - {first}
        check("the recording that was ended is fetched", record.returncode == 0 and
              printed == folder + "/ride.mp4\n" and
              pathlib.Path(folder, "ride.mp4").read_bytes() == last.read_bytes(), (printed, said))
        check("that there may be more is told", b"files ls" in said, said)


def test_ctrl_c_ends_what_is_taken(env):
    """It ends the recording or the series, and the rest of the command follows."""
    def start(*words, **options):
        return subprocess.Popen([SPHERE, *words], env=env, text=True, stdout=subprocess.PIPE, **options)

    with camera() as (uri, card), tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        with start("record", uri, "-o", folder + "/ride.mp4", stderr=theirs) as record:
            os.close(theirs)
            said = b""
            while b"0:00" not in said:  # the time of the recording
                said += os.read(ours, 4096)
            record.send_signal(signal.SIGINT)
            said = record.communicate(timeout=DEADLINE)[0]
        os.close(ours)
        check("the recording is fetched", record.returncode == 0 and said == folder + "/ride.mp4\n",
              (record.returncode, said))
        check("as it is on the card", pathlib.Path(folder, "ride.mp4").read_bytes() ==
              next(card.glob("DCIM/*/*AA.MP4")).read_bytes())
        with start("photo", uri, "--kind", "interval", "--seconds", "2") as photo:
            paths = [photo.stdout.readline().strip()]
            photo.send_signal(signal.SIGINT)
            paths += photo.communicate(timeout=DEADLINE)[0].split()
        check("the series is ended", photo.returncode == 0, photo.returncode)
        check("each of its photos is told", sorted(paths) ==
              sorted(str(one.relative_to(card)) for one in card.glob("DCIM/*/*.JPG")), paths)
        check("the camera does nothing any more",
              as_json(sphere(env, "info", uri, "--json"))["working-mode"] == "idle")


def main():
    # A slow motion needs the pictures of four seconds in one.
    at_home(test_kinds_of_recordings)
    # They mostly wait for the camera.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(at_home, [
            test_parts_of_which_nobody_heard, test_a_recording_that_somebody_has_begun_anew,
            test_each_part_of_a_recording_is_fetched, test_the_file_of_an_earlier_recording_is_not_the_end,
            test_a_recording_outlives_a_loss, test_ctrl_c_ends_what_is_taken]))
    finish()


if __name__ == "__main__":
    main()

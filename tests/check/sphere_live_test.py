# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere live` into files, HLS, RTSP, SRT and RTMP, read by others' programs; and what it says when
one of them fails. Prints a summary line as gst-check does."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from checks import BUILD, DEADLINE, SANITIZED, SPHERE, Stopwatch, Terminal, attempt, check, finish, launch_ours, run
from live_checks import (NGINX_MODULE, SMALL, SOUND, Nginx, audio_of, check_video, free_port,
                         loudness, probe, streaming, video_of)


def test_files(folder):
    with streaming("test:", *SMALL, "--to", f"file:{folder}/a.mp4", "--to", f"file:{folder}/b.mkv",
                   "--to", f"file:{folder}/c.mp4?segment=1", "--to",
                   f"file:{folder}/d.mkv?segment=1", "--consent", SOUND) as live:
        check("pictures are written", live.frames(3, 60))
        status, errors = live.end()
        frames = [one["frames"] for one in live.lines[-2]["outputs"]]
    check("it ends in order", status == 0, errors)
    for name in ("a.mp4", "b.mkv"):
        probed = probe(f"{folder}/{name}")
        check_video(name, probed)
        check(f"{name}: AAC", audio_of(probed).get("codec_name") == "aac", probed)
        check(f"{name}: all pictures", int(video_of(probed).get("nb_read_packets", 0)) > 50)
        check(f"{name}: the tone is heard", (loudness(f"{folder}/{name}") or -100) > -40)
        check(f"{name}: it begins at 0",
              float(probed.get("format", {}).get("start_time", 9)) < 0.2, probed.get("format"))
    for index, pattern in ((2, "c-*.mp4"), (3, "d-*.mkv")):
        parts = sorted(pathlib.Path(folder).glob(pattern))
        check(f"{pattern}: there are parts", len(parts) >= 3, parts)
        packets = 0
        for part in parts:
            probed = probe(part)
            check_video(part.name, probed)
            packets += int(video_of(probed).get("nb_read_packets", 0))
            check(f"{part.name} begins at 0", float(probed["format"]["start_time"]) < 0.2)
            check(f"{part.name} has sound", audio_of(probed))
        check(f"{pattern}: no picture is lost", packets == frames[index], (packets, frames[index]))
    # Each takes the end of the stream when its own turn comes.
    check("one after the other", abs(frames[2] - frames[3]) <= 4, frames)


def test_killed(folder):
    """What was written before the process was killed can be read, and players of HLS go on with the
    next one."""
    site = pathlib.Path(folder, "site")
    target = f"hls:{site}?segment=1&window=3"
    with streaming("test:", *SMALL, "--to", f"file:{folder}/a.mp4", "--to", f"file:{folder}/b.mkv",
                   "--to", target, "--consent", SOUND) as live:
        check("pictures are written", live.frames(0, 75))
        live.end(signal.SIGKILL)
    before = (site / "live.m3u8").read_text(encoding="utf-8")
    with streaming("test:", *SMALL, "--to", target, "--no-sound") as live:
        check("a segment is written", live.frames(0, 30))
        live.end()
    after = (site / "live.m3u8").read_text(encoding="utf-8")
    numbers = [int(re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", text).group(1))
               for text in (before, after)]
    check("numbers of segments go on", numbers[1] >= numbers[0] + before.count("#EXTINF"), after)
    # It may be in a segment that is not listed any more.
    check("the break is told", "#EXT-X-DISCONTINUITY\n" in after or
          "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in after, after)
    for name in ("a.mp4", "b.mkv"):
        probed = probe(f"{folder}/{name}")
        check_video(f"{name} after a kill", probed)
        check(f"{name}: all but the last moments",
              int(video_of(probed).get("nb_read_packets", 0)) >= 40, video_of(probed))


def test_no_sound(folder):
    """Without consent there is no sound anywhere; with consent to recording, in the file alone."""
    words = ["test:", *SMALL, "--to", f"file:{folder}/a.mp4", "--to", f"file:{folder}/b.mkv", "--to",
             f"hls:{folder}/hls"]
    with streaming(*words, "--for", "3s") as live:
        status, errors = live.result()
    check("it ends in order", status == 0, errors)
    check("it says why", "no sound" in errors and "record" in errors, errors)
    for name in ("a.mp4", "b.mkv", "hls/index.m3u8"):
        probed = probe(f"{folder}/{name}")
        check(f"{name} without consent: no sound", video_of(probed) and not audio_of(probed), probed)
    given = "consent/audio,state=(string)given,purpose=(string)record"
    shutil.rmtree(f"{folder}/hls")
    for name in ("a.mp4", "b.mkv"):
        os.unlink(f"{folder}/{name}")
    with streaming(*words, "--for", "3s", "--consent", given) as live:
        live.result()
    check("the file has the sound", audio_of(probe(f"{folder}/a.mp4")))
    check("what leaves has none", not audio_of(probe(f"{folder}/hls/index.m3u8")))


def test_hls(folder):
    site = pathlib.Path(folder, "site")
    with streaming("test:", *SMALL, "--to", f"hls:{site}?segment=1&window=3", "--consent",
                   SOUND) as live:
        check("pictures are written", live.frames(0, 150))
        playing = (site / "live.m3u8").read_text(encoding="utf-8")
        if NGINX_MODULE and shutil.which("nginx"):
            server = Nginx(folder)
            server.start()
            check_video("HLS from nginx, while it runs",
                        probe(f"http://127.0.0.1:{server.web_port}/site/index.m3u8",
                              "-read_intervals", "%+2"))
            server.kill()
        status, errors = live.end()
    check("it ends in order", status == 0, errors)
    check("a live list has no end", "ENDLIST" not in playing)
    ended = (site / "live.m3u8").read_text(encoding="utf-8")
    check("an ended one has", ended.endswith("#EXT-X-ENDLIST\n"))
    for text in (playing, ended):
        segments = re.findall(r"^s\d+-\d+\.m4s$", text, re.MULTILINE)
        lengths = [float(one) for one in re.findall(r"#EXTINF:([\d.]+),", text)]
        target = int(re.search(r"#EXT-X-TARGETDURATION:(\d+)", text).group(1))
        check("three segments are listed", len(segments) == 3 == len(lengths), text)
        check("none is longer than the target", all(round(one) <= target for one in lengths), text)
        check("each has a time", text.count("#EXT-X-PROGRAM-DATE-TIME:") == 3, text)
        check("the header is named", re.search(r'#EXT-X-MAP:URI="(s\d+\.mp4)"', text), text)
    check("what is listed is there", all((site / one).is_file() for one in segments))
    check("what is old is gone", len(list(site.glob("*.m4s"))) <= 7, list(site.iterdir()))
    index = (site / "index.m3u8").read_text(encoding="utf-8")
    check("the list of lists tells the layout", 'REQ-VIDEO-LAYOUT="CH-MONO/PROJ-EQUI"' in index, index)
    check("and the codecs", re.search(r'CODECS="avc1\.[0-9A-F]{6},mp4a\.40\.2"', index), index)
    check("and the size", "RESOLUTION=320x160" in index and "FRAME-RATE=15.000" in index, index)
    sidecar = json.loads((site / "index.json").read_text(encoding="utf-8"))
    check("the file beside it", sidecar["projection"] == "equirectangular", sidecar)
    check_video("HLS", probe(site / "index.m3u8"))
    header = re.search(r'URI="(s\d+\.mp4)"', ended).group(1)
    first = pathlib.Path(folder, "first.mp4")
    first.write_bytes((site / header).read_bytes() + (site / segments[0]).read_bytes())
    check_video("a header with a segment", probe(first))


def test_rtsp(folder):
    with streaming("test:", *SMALL, "--to", "rtsp:0", "--to", f"file:{folder}/a.mp4", "--consent",
                   SOUND) as live:
        output = live.wait_output(0, lambda one: one["links"] and one["frames"] > 0)
        check("its address is told", output and output["links"], output)
        link = output["links"][0]
        for transport in ("tcp", "udp"):
            probed = probe(link, "-rtsp_transport", transport, "-read_intervals", "%+3")
            check_video(f"RTSP over {transport}", probed, spherical=False)
            check(f"RTSP over {transport}: sound", audio_of(probed).get("codec_name") == "aac")
        path = f"{folder}/received.h264"
        players = [subprocess.Popen(["ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", link,
                                     "-map", "0:v", "-c", "copy", "-frames:v", "75", "-y",
                                     path if number == 0 else f"{path}.{number}.h264"],
                                    stdin=subprocess.DEVNULL) for number in range(3)]
        check("three players are counted",
              live.wait_output(0, lambda one: one.get("viewers") == 3))
        check("all of them play", all(one.wait(timeout=DEADLINE) == 0 for one in players))
        check("the mark of 360 arrives",
              b"\x06\x96\x01\x44" in pathlib.Path(path).read_bytes())
        check("they are gone", live.wait_output(0, lambda one: one.get("viewers") == 0))
        status, errors = live.end()
    check("it ends in order", status == 0, errors)


def test_srt(folder):
    if not shutil.which("srt-live-transmit"):
        print("skip: SRT: srt-live-transmit is not installed (srt-tools)")
        return
    port = free_port(socket.SOCK_DGRAM)
    received = pathlib.Path(folder, "received.ts")
    target = f"srt://127.0.0.1:{port}?passphrase=0123456789abc"

    def receiver(passphrase):
        with open(received, "wb") as out:
            return subprocess.Popen(
                ["srt-live-transmit", "-q",
                 f"srt://127.0.0.1:{port}?mode=listener&passphrase={passphrase}&pbkeylen=32",
                 "file://con"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)

    with streaming("test:", *SMALL, "--to", target, "--to", f"file:{folder}/a.mp4", "--consent",
                   SOUND) as live:
        waiting = live.wait_output(0, lambda one: one["state"] == "waiting")
        check("nobody listens: it says so", waiting and "srt://127.0.0.1" in waiting["words"], waiting)
        check("the file is written meanwhile", live.frames(1, 10))
        other = receiver("0123456789abc")
        try:
            check("it connects by itself", live.wait_output(0, lambda one: one["state"] == "running"))
            before = live.lines[-1]["outputs"][0]["frames"]
            check("pictures go there", live.frames(0, before + 45))
        finally:
            other.kill()
            other.wait(timeout=DEADLINE)
        status, errors = live.end()
        check("the passphrase is in no message",
              "0123456789abc" not in json.dumps(live.lines) + errors)
    probed = probe(received)
    check_video("SRT", probed, spherical=False)
    check("SRT: sound", audio_of(probed).get("codec_name") == "aac", probed)
    check("SRT: the mark of 360", b"\x06\x96\x01\x44" in received.read_bytes())


def test_srt_listener(folder):
    """As a program on this machine calls it: several may, and each begins at once."""
    if not shutil.which("srt-live-transmit"):
        print("skip: SRT: srt-live-transmit is not installed (srt-tools)")
        return
    for passphrase in ("", "&passphrase=0123456789abc"):
        port = free_port(socket.SOCK_DGRAM)
        # Either of the two may be the first.
        listener = f"srt://127.0.0.1:{port}?mode=listener{passphrase}"
        with streaming("test:", *SMALL, "--to", listener, "--to", listener) as live:
            check("it waits for callers", live.wait(
                lambda line: any(one["frames"] >= 5 for one in line["outputs"])))
            states = {}
            taken = live.wait(lambda line: states.update(
                {one["state"]: one["words"] for one in line["outputs"]}) or "waiting" in states)
            check("a port that is taken is told", taken and "listened on" in states["waiting"], states)
            received = [pathlib.Path(folder, f"{number}.ts") for number in range(2)]
            players = []
            for path in received:
                with open(path, "wb") as out:
                    players.append(subprocess.Popen(
                        ["srt-live-transmit", "-q", f"srt://127.0.0.1:{port}?mode=caller{passphrase}",
                         "file://con"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL))
            end = time.monotonic() + DEADLINE
            while min(path.stat().st_size for path in received) < 60000 and time.monotonic() < end:
                time.sleep(0.1)
            for player in players:
                player.kill()
                player.wait(timeout=DEADLINE)
            live.end()
        for path in received:
            probed = probe(path)
            check_video(f"SRT listener {passphrase[:11]}", probed, spherical=False)


def test_rtmp(folder):
    if not NGINX_MODULE or not shutil.which("nginx"):
        print("skip: RTMP: nginx with its RTMP module is not installed (libnginx-mod-rtmp)")
        return
    server = Nginx(folder)
    with streaming("test:", *SMALL, "--to", f"rtmp://127.0.0.1:{server.port}/live/secretkey", "--to",
                   f"file:{folder}/a.mp4", "--consent", SOUND) as live:
        waiting = live.wait_output(0, lambda one: one["state"] == "waiting")
        check("no server: it says so", waiting and "no connection" in waiting["words"], waiting)
        try:
            server.start()
            check("it connects by itself", live.wait_output(0, lambda one: one["state"] == "running"))
            check("pictures go there", live.frames(0, live.lines[-1]["outputs"][0]["frames"] + 45))
            server.kill()
            check("the end is noticed", live.wait_output(0, lambda one: one["state"] == "waiting"))
            before = live.lines[-1]["outputs"][1]["frames"]
            server.start()
            with Stopwatch() as watch:
                output = live.wait_output(0, lambda one: one["state"] == "running"
                                          and one["reconnects"] >= 1)
                # A line comes once a second.
                check("pictures are back within 5 s", output and watch.seconds() < watch.limit(6),
                      (watch.seconds(), watch.limit(6)))
            check("pictures go there", live.frames(0, output["frames"] + 45))
            check("the file went on", live.lines[-1]["outputs"][1]["frames"] > before)
            status, errors = live.end()
        finally:
            server.kill()
        check("it ends in order", status == 0, errors)
        check("the stream key is in no message", "secretkey" not in json.dumps(live.lines) + errors)
        dropped = live.lines[-2]["outputs"][1]["dropped"]
    check("the file has no hole", dropped == 0, dropped)
    recorded = server.recorded()
    check("the server has recorded both", len(recorded) >= 2, recorded)
    for path in recorded[-2:]:
        probed = probe(path)
        check_video("RTMP", probed, spherical=False)
        check("RTMP: sound", audio_of(probed).get("codec_name") == "aac", probed)
        check("RTMP: the mark of 360", b"\x06\x96\x01\x44" in path.read_bytes())
    check("the file is whole", int(video_of(probe(f"{folder}/a.mp4")).get("nb_read_packets", 0)) > 90)


def test_failures(folder):
    """Each says what is wrong, and stops no other."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        nowhere = free_port()

        with streaming("test:", *SMALL, "--bitrate", "1500", "--to", f"rtsp:{port}", "--to",
                       f"rtmp://127.0.0.1:{nowhere}/a/k", "--to", f"file:{folder}/full.mp4", "--to",
                       "rtsp:0", before=("prlimit", "--fsize=200000")) as live:
            words = {}
            for index in (0, 1, 2):
                output = live.wait_output(index, lambda one: one["state"] == "waiting"
                                          and one["words"])
                words[index] = output["words"] if output else ""
            check("a taken port", str(port) in words[0] and "another program" in words[0], words[0])
            check("no server", "no connection" in words[1], words[1])
            check("a full disk", "full" in words[2] and "full.mp4" in words[2]
                  or "too large" in words[2], words[2])
            check("the other goes on", live.wait_output(3, lambda one: one["state"] == "running"
                                                        and one["frames"] > 30))
            status, errors = live.end()
        check("the exit status tells it", status == 1 and "rtmp" in errors, (status, errors))
    (pathlib.Path(folder) / "there.mp4").write_text("mine", encoding="utf-8")
    told = run(SPHERE, "live", "test:", *SMALL, "--to", f"file:{folder}/other.mp4", "--to",
               f"file:{folder}/there.mp4")
    check("a file that exists is not replaced", told.returncode == 1 and
          (pathlib.Path(folder) / "there.mp4").read_text(encoding="utf-8") == "mine", told.stderr)
    check("that is told once, before anything is made", len(told.stderr.splitlines()) == 1 and
          "exists" in told.stderr and not (pathlib.Path(folder) / "other.mp4").exists(), told.stderr)

    folder = pathlib.Path(folder)
    os.mkfifo(folder / "pipe.mp4")
    (folder / "locked").mkdir(mode=0o555)
    wrong = [("a pipe", folder / "pipe.mp4", "regular file")]
    if os.getuid():  # root may write everywhere
        wrong.append(("a folder that is read-only", folder / "locked" / "x.mp4", "can't be written"))
    for what, path, says in wrong:
        with streaming("test:", *SMALL, "--to", f"file:{path}?overwrite=yes", "--for", "2s") as live:
            status, errors = live.result()
        check(f"{what} is refused at once", status == 1 and says in errors, errors)


def test_words(folder):
    cases = ((("test:",), "--to"), ((), "camera"), (("test:", "--to", "ftp://x"), "ftp"),
             (("test:", "--show", "--size", "1920x1080"), "twice"),
             (("test:", "--show", "--for", "soon"), "--for"),
             (("test:", "--show", "--encoder", "x246"), "x264"),
             (("test:", "--show", "--lens", "gear36"), "gear360"))
    to = ((f"file:{folder}/a.avi", ".mp4"), (f"file:{folder}/a.mp4?foo=1", "'foo'"),
          (f"file:{folder}/a.mp4?segment=soon", "segment"), (f"file:{folder}/a.mp4?overwrite=maybe", "overwrite"),
          (f"hls:{folder}/site?window=0", "window"), (f"hls:{folder}/site?keep=all", "keep"),
          ("srt://localhost:9?mode=both", "mode"),
          ("srt://localhost:9?passphrase=short", "passphrase"), ("srt://localhost:9?latency=-1", "latency"),
          ("rtsp:0?foo=1", "'foo'"), ("web:0?viewers=0", "viewers"), ("web:0?token=a", "token"),
          ("window?sound=loud", "sound"), ("web:0?key=k.pem", "cert"))
    for words, part in cases + tuple((("test:", "--to", target), part) for target, part in to):
        told = run(SPHERE, "live", *words)
        lines = told.stderr.splitlines()
        check(f"live {words}", told.returncode == 2 and len(lines) == 1 and part in lines[0],
              (told.returncode, told.stderr))
    for wrong in ("foo=1", "pattern=foo"):
        source = run(SPHERE, "live", f"test:?{wrong}", "--to", f"file:{folder}/a.mp4")
        check("a wrong setting of the source", source.returncode == 2 and "'foo'" in source.stderr, source.stderr)
    for words, part in ((("nowhere.mp4", "--to", f"file:{folder}/a.mp4"), "nowhere.mp4"),
                        (("test:", "--to", f"file:{folder}/none/a.mp4"), "folder"),
                        (("test:", "--to", "web:0?cert=none.pem"), "none.pem")):
        told = run(SPHERE, "live", *words)
        check(f"live {words}", told.returncode == 1 and part in told.stderr, (told.returncode, told.stderr))
    for uri in (f"rtsp://user:hidden@127.0.0.1:{free_port()}/hidden", f"http://127.0.0.1:{free_port()}/hidden.mp4"):
        told = run(SPHERE, "live", uri, "--no-sound", "--to", f"file:{folder}/a.mp4")
        check(f"nobody answers: {uri}", told.returncode == 1 and len(told.stderr.splitlines()) == 1 and
              "check the address" in told.stderr and "hidden" not in told.stderr, told.stderr)
    check("nothing is left behind", not list(pathlib.Path(folder).iterdir()))


def test_withdrawn(folder):
    """What is taken back in another process is silent in every target, and the tracks go on."""
    env = {**os.environ, "XDG_DATA_HOME": folder}
    given = run(SPHERE, "consent", "give", "audio", "--purpose", "live", "--purpose", "record",
                "--purpose", "share", env=env)
    check("sound is given", given.returncode == 0, given.stderr)
    with streaming("test:", *SMALL, "--to", f"file:{folder}/a.mp4", "--to", f"file:{folder}/b.mkv",
                   "--to", f"hls:{folder}/site?keep=yes", env=env) as live:
        check("pictures are written", live.frames(2, 30))
        check("sound is taken back", run(SPHERE, "consent", "withdraw", "audio", env=env).returncode == 0)
        # A line that was made after that.
        said = live.lines[-1]["seconds"]
        told = live.wait(lambda line: line["seconds"] > said)
        last = live.wait(lambda line: line["seconds"] > told["seconds"] + 3
                         and line["outputs"][2]["frames"] > told["outputs"][2]["frames"])
        check("pictures go on", last)
        status, errors = live.end()
    check("it ends in order", status == 0, errors)
    site = pathlib.Path(folder, "site")
    files = re.findall(r'^(?:#EXT-X-MAP:URI=")?(s\d+[-.\w]*)"?$',
                       (site / "live.m3u8").read_text(encoding="utf-8"), re.MULTILINE)
    (pathlib.Path(folder) / "hls.mp4").write_bytes(
        b"".join((site / one).read_bytes() for one in files))
    for name in ("a.mp4", "b.mkv", "hls.mp4"):
        path = f"{folder}/{name}"
        check(f"{name}: the tone is heard before", (loudness(path, "-t", "1.5") or -100) > -40)
        ends = [float(run("ffprobe", "-v", "error", "-select_streams", kind, "-show_entries",
                          "packet=pts_time", "-of", "csv=p=0", path).stdout.split()[-1].strip(","))
                for kind in "va"]
        # Measured from the end: how long a stream takes to begin depends on the machine.
        silent_from = str(ends[1] - (last["seconds"] - told["seconds"] - 0.5))
        check(f"{name}: and not after",
              (loudness(path, "-ss", silent_from) or 0) < -80, loudness(path, "-ss", silent_from))
        check(f"{name}: the sound track is as long as the pictures",
              abs(ends[0] - ends[1]) < 0.5, ends)


@contextlib.contextmanager
def from_camera(*words):
    """A stream from a camera, which has begun. On a busy machine the camera may not answer in time."""
    for left in range(4, -1, -1):
        with streaming(*words) as live:
            if live.frames(0, 1) or left == 0:
                yield live
                return
            live.process.kill()
            print(f"it is begun again: {live.result()[1]}")


def test_camera(folder):
    """A camera that restarts: its pictures and its sound come back, and no target notices."""
    if "--no-emulator" in sys.argv:
        print("skip: camera: there is no emulator")
        return
    with subprocess.Popen([SPHERE, "emulator", "--size", "320x160", "--sound", "--json"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as camera:
        try:
            uri = json.loads(camera.stdout.readline())["uri"]
            with from_camera(uri, "--latency", "50", "--to", f"file:{folder}/a.mp4?overwrite=yes", "--to", "rtsp:0",
                             "--consent", SOUND) as live:
                output = live.frames(0, 45)
                check("the camera's pictures are written, with sound", output and output["sound"], output)
                camera.stdin.write("reboot\n")
                camera.stdin.flush()
                lost = live.wait(lambda line: "lost" in line["source"] or "lost" in str(line["news"]))
                check("the loss is told", lost, live.news())
                output = live.frames(0, lost["outputs"][0]["frames"] + 60)
                check("pictures come back", output)
                last = live.lines[-1]
                check("no target was opened again",
                      all(one["reconnects"] == 0 and one["dropped"] == 0 for one in last["outputs"]), last)
                status, errors = live.end()
            check("it ends in order", status == 0, errors)
        finally:
            camera.kill()
    check_video("the camera's file", probe(f"{folder}/a.mp4"))
    # Pictures and sound of the emulator tell when they were taken. Sound that is missing at the
    # beginning would be a shift of some 0.3 s; in the first second, streams are put in step by when
    # they arrive, which on a busy machine is less exact than later.
    offset = json.loads(run(BUILD / "tests" / "tools" / "sound-offset", f"{folder}/a.mp4").stdout)
    # Under a sanitizer the pictures arrive late.
    check("sound and pictures are in step", offset["ticks"] >= 1 and
          (abs(offset["offset_ms"]) < 150 or SANITIZED), offset)
    with streaming("madv://127.0.0.1:9", "--to", f"file:{folder}/b.mp4") as live:
        status, errors = live.result()
    check("without a camera it says so", status == 1 and errors.strip(), errors)


def test_file_sources(folder):
    """A file is played at its own speed; its fisheyes are stitched, and a sphere is left as it is."""
    for output in ("fisheye", "equirect"):
        launch_ours(f"spheretestsrc num-buffers=60 supersample=1 output={output} ! "
                    "video/x-raw,width=640,framerate=30/1 ! x264enc speed-preset=ultrafast ! h264parse "
                    f"! mp4mux ! filesink location={folder}/{output}.mp4")
        begin = time.monotonic()
        # Where the machine has no time, pictures of another size would go into another file.
        with streaming(f"{folder}/{output}.mp4", "--steady", "--to", f"file:{folder}/out-{output}.mp4") as live:
            status, errors = live.result()
        took = time.monotonic() - begin
        check(f"{output}: it ends with the file", status == 0, errors)
        check(f"{output}: it takes as long as the film", took > 1.9, took)
        probed = probe(f"{folder}/out-{output}.mp4")
        check_video(output, probed, size=(640, 320))
        # Where the machine has no time, not each picture of the source is encoded.
        last = live.lines[-2]
        check(f"{output}: the pictures of the film", last["arrived"] >= 55, last)
        check(f"{output}: each that was encoded", int(video_of(probed).get("nb_read_packets", 0)) ==
              last["outputs"][0]["frames"] > 0, last)
    # The same street, so nearly the same picture; unstitched, it would be far from it.
    told = run("ffmpeg", "-v", "info", "-i", f"{folder}/out-fisheye.mp4", "-i",
               f"{folder}/out-equirect.mp4", "-lavfi", "[0]trim=end_frame=1[a];"
               "[1]trim=end_frame=1[b];[a][b]psnr", "-f", "null", "-").stderr
    found = re.search(r"average:([\d.]+)", told)
    check("both show the same", found and float(found.group(1)) > 18, told[-300:])


def test_question(folder):
    """On a terminal a person is asked for each target, and the answer counts for it alone."""
    person = Terminal("live", "test:", *SMALL, "--to", f"file:{folder}/a.mp4", "--to",
                      f"file:{folder}/b.mp4", "--for", "3s", before="n\ny\n",
                      env={**os.environ, "XDG_DATA_HOME": folder, "TERM": "xterm"})
    # What was typed before a question is no answer to it.
    person.answer("a.mp4? It stays in the file. [y/N]", "y\n")
    person.answer("b.mp4? It stays in the file. [y/N]", "no, and this is a long line" * 20 + "\n")
    status = person.finish()
    text = person.text
    check("it ends in order", status == 0, text)
    check("both are asked for", text.count("May the sound") == 2, text)
    check("the block is drawn anew", re.search(r"\x1b\[\d+A", text), text)
    check("yes", audio_of(probe(f"{folder}/a.mp4")))
    check("no", not audio_of(probe(f"{folder}/b.mp4")))


def in_a_folder(test):
    """Runs a test with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        attempt(test, folder)


def main():
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    tests = [test for name, test in sorted(globals().items())
             if name.startswith("test_") and (not wanted or name in wanted)]
    # They mostly wait for pictures, which come at their own speed.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(in_a_folder, tests))
    finish()


main()

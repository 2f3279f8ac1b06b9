# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of `sphere live` share: a stream in the background, and what ffprobe says of it."""

import contextlib
import grp
import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import threading
import time

from checks import DEADLINE, SPHERE, check, run

SIZE = (320, 160)
SMALL = ("--size", f"{SIZE[0]}x{SIZE[1]}", "--fps", "15")
SOUND = "consent/audio,state=(string)given,purpose=(string){live,record,share}"


class Live:
    """`sphere live`, whose lines of JSON are read while it runs."""

    def __init__(self, *words, env=None, before=()):
        self.process = subprocess.Popen(
            [*before, SPHERE, "live", *map(str, words), "--json"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait(self, condition, deadline=DEADLINE):
        """The first line from now on for which it holds; None where none came in time."""
        end = time.monotonic() + deadline
        with self.changed:
            seen = max(len(self.lines) - 1, 0)
            while True:
                for line in self.lines[seen:]:
                    if line is None:
                        return None
                    if condition(line):
                        return line
                seen = len(self.lines)
                if not self.changed.wait(end - time.monotonic()):
                    return None

    def wait_output(self, index, condition, deadline=DEADLINE):
        """The same for the state of one output."""
        line = self.wait(lambda line: condition(line["outputs"][index]), deadline)
        return line and line["outputs"][index]

    def frames(self, index, count):
        return self.wait_output(index, lambda output: output["frames"] >= count)

    def news(self):
        with self.changed:
            return [sentence for line in self.lines if line for sentence in line["news"]]

    def end(self, by=signal.SIGINT):
        """Ends it: its exit status, and its errors."""
        self.process.send_signal(by)
        return self.result()

    def result(self):
        self.process.wait(timeout=DEADLINE)
        self.reader.join(DEADLINE)
        return self.process.returncode, self.process.stderr.read()


@contextlib.contextmanager
def streaming(*words, **options):
    live = Live(*words, **options)
    try:
        yield live
    finally:
        if live.process.poll() is None:
            live.process.kill()
        live.result()


def probe(what, *words):
    """What ffprobe says of a stream or a file, or {}."""
    told = run("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format",
               "-count_packets", *words, what)
    if told.returncode:
        print(told.stderr)
        return {}
    return json.loads(told.stdout)


def video_of(probed):
    return next((one for one in probed.get("streams", ()) if one["codec_type"] == "video"), {})


def audio_of(probed):
    return next((one for one in probed.get("streams", ()) if one["codec_type"] == "audio"), {})


def check_video(name, probed, spherical=True, size=SIZE):
    video = video_of(probed)
    check(f"{name}: H.264 of the right size",
          video.get("codec_name") == "h264" and (video["width"], video["height"]) == size, video)
    if spherical:
        check(f"{name}: it says that it is 360",
              any(one.get("side_data_type") == "Spherical Mapping"
                  and one.get("projection") == "equirectangular"
                  for one in video.get("side_data_list", ())), video.get("side_data_list"))


def loudness(path, *where):
    """The mean volume of a file's sound in dB; None: it has none. `where`: options before -i."""
    told = run("ffmpeg", "-v", "info", *where, "-i", path, "-map", "0:a", "-af", "volumedetect", "-f",
               "null", "-")
    for line in told.stderr.splitlines():
        if "mean_volume" in line:
            return float(line.split("mean_volume:")[1].split()[0])
    return None


def free_port(kind=socket.SOCK_STREAM):
    """A port that is free at this moment, for servers that can't say which one they took."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listening(port):
    """Whether a server answers there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


NGINX_MODULE = next((path for path in (
    "/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/share/nginx/modules/ngx_rtmp_module.so")
    if os.path.exists(path)), None)


class Nginx:
    """nginx, with its RTMP module, which records what it gets, and with a web server of the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.web_port = free_port()
        self.recordings = self.folder / "recordings"
        self.recordings.mkdir()
        (self.folder / "nginx.conf").write_text(f"""
load_module {NGINX_MODULE};
user {pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{self.port};
    application live {{
      live on;
      record all;
      record_path {self.recordings};
      record_unique on;
    }}
  }}
}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; application/json json; }}
  server {{
    listen 127.0.0.1:{self.web_port};
    root {folder};
  }}
}}
""", encoding="utf-8")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + DEADLINE
        while not listening(self.port) and time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "error.log").read_text(encoding="utf-8"))

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(timeout=DEADLINE)

    def recorded(self):
        return sorted(self.recordings.iterdir(), key=lambda path: path.stat().st_mtime)

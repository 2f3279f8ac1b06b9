# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows about `sphere live` over a longer time: an emulated camera streams to six kinds of targets, and
something goes wrong again and again."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check"))

SIZE = "640x320"
SOUND = "consent/audio,state=(string)given,purpose=(string){live,record,share}"
PASSPHRASE = "0123456789abc"
# Before the first fault, after each one, and before the end.
QUIET = 30
FAULT_EVERY = 45
BACK_WITHIN = 5
# A camera's pictures come 15 times a second; HLS and files are written once a second.
SAMPLE_EVERY = 5


class Arrivals:
    """When pictures came to one target."""

    def __init__(self):
        self.times = []
        self.lock = threading.Lock()

    def add(self):
        with self.lock:
            self.times.append(time.monotonic())

    def back_after(self, moment):
        """How long after that moment the next picture came; None: it did not."""
        with self.lock:
            return next((one - moment for one in self.times if one >= moment), None)


def has_flv_picture(state, data):
    """Whether a video tag ends in the next bytes of an FLV file. `state` keeps what is left over."""
    data = state.get("left", b"") + data
    at, found = state.get("skip", 13), False
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        if at + 15 + size > len(data):
            break
        found = found or (data[at] == 9 and size > 20)
        at += 15 + size
    state["left"], state["skip"] = data[at:], max(at - len(data), 0)
    return found


def has_ts_picture(state, data):
    """The same for MPEG-TS: whether a packet of video begins."""
    data = state.get("left", b"") + data
    whole, found = len(data) // 188 * 188, False
    for at in range(0, whole, 188):
        if data[at] != 0x47 or not data[at + 1] & 0x40:
            continue
        begin = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        found = found or (data[begin:begin + 3] == b"\0\0\1" and data[begin + 3] & 0xf0 == 0xe0)
    state["left"] = data[whole:]
    return found


class Soak:
    """Everything that runs, in a folder that goes with it."""

    def __init__(self, sphere, folder):
        # It reads the path of this build when it is imported.
        from live_checks import NGINX_MODULE, Nginx, free_port
        self.folder = pathlib.Path(folder)
        self.over = threading.Event()
        self.arrivals = {}
        self.processes = {}
        self.stack = contextlib.ExitStack()
        self.samples = []
        self.latest = {}
        targets = []

        def add(name, target, pattern=None, has_picture=lambda state, data: True):
            targets.append(target)
            self.arrivals[name] = Arrivals()
            if pattern:
                self.start_thread(self.follow, name, pattern, has_picture)

        self.nginx = None
        if NGINX_MODULE and shutil.which("nginx"):
            self.nginx = Nginx(folder)
            self.nginx.start()
            add("RTMP", f"rtmp://127.0.0.1:{self.nginx.port}/live/key", "recordings/*.flv",
                has_flv_picture)
        if shutil.which("srt-live-transmit"):
            import socket
            self.srt_port = free_port(socket.SOCK_DGRAM)
            self.receive_srt()
            add("SRT", f"srt://127.0.0.1:{self.srt_port}?passphrase={PASSPHRASE}", "*.ts",
                has_ts_picture)
        add("HLS", f"hls:{folder}/site?segment=1", "site/*.m4s")
        add("file", f"file:{folder}/part.mp4?segment=60", "part-*.mp4")
        add("RTSP", "rtsp:0")
        add("page", "web:0")

        self.camera = self.start([sphere, "emulator", "--size", SIZE, "--sound", "--json"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        uri = json.loads(self.camera.stdout.readline())["uri"]
        words = [word for target in targets for word in ("--to", target)]
        self.live = self.start([sphere, "live", uri, "--size", SIZE, "--fps", "15", "--consent", SOUND,
                                *words, "--json"], stdout=subprocess.PIPE, text=True)
        self.start_thread(self.read_live)
        self.outputs = [name for name in self.arrivals]
        self.start_thread(self.play_rtsp)
        self.start_thread(self.play_page)
        self.start_thread(self.sample)

    def start(self, words, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                   "stderr": subprocess.DEVNULL, **options}
        process = subprocess.Popen(list(map(str, words)), **options)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def start_thread(self, target, *arguments):
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def close(self):
        self.over.set()
        self.stack.close()
        if self.nginx:
            self.nginx.kill()

    def follow(self, name, pattern, has_picture):
        """Reads the newest file of a pattern as it grows."""
        path, opened, state = None, None, {}
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                newest = max(self.folder.glob(pattern), key=lambda one: one.stat().st_mtime,
                             default=None)
                if newest and newest != path:
                    if opened:
                        opened.close()
                    path, opened, state = newest, open(newest, "rb"), {}
            data = opened.read() if opened else b""
            if data and has_picture(state, data):
                self.arrivals[name].add()
            if not data:
                self.over.wait(0.03)

    def receive_srt(self):
        number = len(list(self.folder.glob("*.ts")))
        with open(self.folder / f"{number:03}.ts", "wb") as out:
            self.srt = self.start(
                ["srt-live-transmit", "-q", f"srt://127.0.0.1:{self.srt_port}?mode=listener&"
                 f"passphrase={PASSPHRASE}&pbkeylen=32", "file://con"], stdout=out)

    def read_live(self):
        for line in self.live.stdout:
            self.latest = json.loads(line)

    def link_of(self, name):
        """The address of an output, once it has one."""
        while not self.over.is_set():
            outputs = self.latest.get("outputs")
            if outputs and outputs[self.outputs.index(name)]["links"]:
                return outputs[self.outputs.index(name)]["links"][0]
            self.over.wait(0.1)
        return ""

    def play_rtsp(self):
        """A player, which is started again whenever it ends."""
        link = self.link_of("RTSP")
        while not self.over.is_set():
            self.player = self.start(["ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", link,
                                      "-map", "0:v", "-c", "copy", "-f", "mpegts", "-"],
                                     stdout=subprocess.PIPE)
            state = {}
            while data := self.player.stdout.read1(1 << 16):
                if has_ts_picture(state, data):
                    self.arrivals["RTSP"].add()
            self.over.wait(0.5)

    def play_page(self):
        link = self.link_of("page")
        while not self.over.is_set():
            with contextlib.suppress(OSError, ValueError):
                with urllib.request.urlopen(link + "stream.mp4", timeout=10) as answer:
                    while answer.read1(1 << 16):
                        self.arrivals["page"].add()
            self.over.wait(0.5)

    def sample(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError, AttributeError):
                status = pathlib.Path(f"/proc/{self.live.pid}/status").read_text(encoding="ascii")
                number = {key: int(re.search(rf"{key}:\s+(\d+)", status).group(1))
                          for key in ("VmRSS", "Threads")}
                self.samples.append((time.monotonic(), number["VmRSS"], number["Threads"],
                                     len(os.listdir(f"/proc/{self.live.pid}/fd"))))
            self.over.wait(SAMPLE_EVERY)

    # --- faults: each returns the targets whose pictures must come back from then on ---------------

    def tell_camera(self, word):
        self.camera.stdin.write(word + "\n")
        self.camera.stdin.flush()

    def camera_restarts(self):
        self.tell_camera("reboot")
        time.sleep(2)  # as long as that takes
        return list(self.arrivals)

    def stop_for(self, process, seconds):
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def camera_is_silent(self):
        """As when its Wi-Fi is away: nothing comes, and nothing is closed."""
        self.stop_for(self.camera, 8)
        return list(self.arrivals)

    def rtmp_restarts(self):
        if not self.nginx:
            return []
        self.nginx.kill()
        time.sleep(3)
        self.nginx.start()
        return ["RTMP"]

    def rtmp_is_slow(self):
        if not self.nginx:
            return []
        self.stop_for(self.nginx.process, 10)
        return ["RTMP"]

    def srt_restarts(self):
        if "SRT" not in self.arrivals:
            return []
        self.srt.kill()
        self.srt.wait()
        time.sleep(3)
        self.receive_srt()
        return ["SRT"]

    def player_is_slow(self):
        self.stop_for(self.player, 10)
        return ["RTSP"]


# --- to a browser --------------------------------------------------------------------------------

# Reads the number off what the page has drawn, and notes when that was received and when it was on
# the screen at the latest: at the next drawing. The layout of the plate is that of
# gst/sphere/scene/marker.h.
WATCH = """(() => {
  window.watched = [];
  let received = null;
  const callback = HTMLVideoElement.prototype.requestVideoFrameCallback;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (take) {
    return callback.call(this, (now, about) => { received = about.receiveTime; take(now, about); });
  };
  const radians = Math.PI / 180, pitch = PITCH * radians, half = Math.tan(FOV * radians / 2);
  const place = (longitude, latitude, width, height) => {
    const [x, y, z] = [Math.cos(latitude) * Math.sin(longitude), -Math.sin(latitude),
      Math.cos(latitude) * Math.cos(longitude)];
    const [down, ahead] = [y * Math.cos(pitch) + z * Math.sin(pitch),
      z * Math.cos(pitch) - y * Math.sin(pitch)];
    const unit = Math.min(width, height) / half / 2;
    return [width / 2 + unit * x / ahead, height / 2 - unit * down / ahead];
  };
  const draw = WebGL2RenderingContext.prototype.drawArrays;
  WebGL2RenderingContext.prototype.drawArrays = function (...all) {
    draw.apply(this, all);
    if (received === null) return;
    const {width, height} = this.canvas, pixel = new Uint8Array(4);
    const [left, top] = place(-22 * radians, -24 * radians, width, height);
    const [right, bottom] = place(22 * radians, -32 * radians, width, height);
    const box = [Math.floor(left) - 20, Math.floor(bottom) - 20];
    const size = [Math.ceil(right) - box[0] + 20, Math.ceil(top) - box[1] + 20];
    const pixels = new Uint8Array(4 * size[0] * size[1]);
    this.readPixels(...box, ...size, this.RGBA, this.UNSIGNED_BYTE, pixels);
    const cells = [];
    for (let row = 0; row < 2; row++)
      for (let column = 0; column < 22; column++) {
        const [x, y] = place((-22 + 2 * (column + 0.5)) * radians,
          (-25 - 3 * (row + 0.5)) * radians, width, height);
        cells.push(pixels[4 * (Math.round(x) - box[0] + size[0] * (Math.round(y) - box[1])) + 1]);
      }
    const one = {cells, received: performance.timeOrigin + received};
    requestAnimationFrame(() => {
      one.shown = performance.timeOrigin + performance.now();
      window.watched.push(one);
    });
  };
})()"""
PITCH, FOV = -28, 70


def number_of(cells):
    """The number on the plate; None: its check is wrong."""
    middle = (cells[0] + cells[1] + cells[22] + cells[23]) / 4
    bits = [cell > middle for cell in cells]
    rows = bits[2:22], bits[24:44]
    number = check = 0
    for row in rows:
        for bit in row[:16]:
            number = number << 1 | bit
        for bit in row[16:]:
            check = check << 1 | bit
    crc = 0xff
    for shift in (24, 16, 8, 0):
        crc ^= number >> shift & 0xff
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xff
    return number if crc == check else None


def page(build, line):
    os.environ["SPHERE_BUILD"] = build
    from browser import NAMES, Browser
    if not any(map(shutil.which, NAMES)):
        print("Chromium is absent: no rows of the page. ./dev setup does not install it, ./dev test does.")
        return
    for width, row, key, bound in ((1280, "camera to the page's receiver", "received", 200),
                                   (960, "camera to the browser's screen", "shown", 400)):
        with subprocess.Popen([os.path.join(build, "tests", "bench", "bench-page"), str(width), "20"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            link = json.loads(process.stdout.readline())["link"]
            with Browser() as browser:
                browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH.replace(
                    "PITCH", str(PITCH)).replace("FOV", str(FOV)))
                browser.open(f"{link}#yaw=0&pitch={PITCH}&fov={FOV}")
                browser.until("window.watched.length > 300")
                watched = browser.run("window.watched")
            process.stdin.close()
            seen = json.loads(process.stdout.readline())["seen"]
        delays = []
        for one in watched[30:]:
            number = number_of(one["cells"])
            if number is not None and number < len(seen):
                delays.append(one[key] - seen[number])
        if not delays:
            print(f"  no number was read off {len(watched)} pictures")
            continue
        delays.sort()
        line(f"page, {width}x{width // 2}, {row}", f"{statistics.median(delays):.1f}",
             rest=f"nine in ten {delays[len(delays) * 9 // 10]:.1f} ms, {len(delays)} pictures  "
                  f"at most {bound} ms")


# --- ten minutes with faults ---------------------------------------------------------------------

def offset_of(build, path):
    """How late the sound is, in milliseconds."""
    told = subprocess.run([os.path.join(build, "tests", "tools", "sound-offset"), str(path)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return json.loads(told.stdout)["offset_ms"] if told.returncode == 0 else None


def soak(build, line, seconds):
    os.environ["SPHERE_BUILD"] = build
    with tempfile.TemporaryDirectory(prefix="sphere-soak-") as folder:
        run = Soak(os.path.join(build, "gst", "tools", "sphere"), folder)
        begin = time.monotonic()
        backs, numbers = [], 0
        try:
            time.sleep(QUIET)
            faults = [run.camera_restarts, run.rtmp_restarts, run.camera_is_silent, run.srt_restarts,
                      run.rtmp_is_slow, run.player_is_slow]
            while time.monotonic() - begin + FAULT_EVERY + QUIET < seconds:
                fault_at = time.monotonic()
                fault = faults[numbers % len(faults)]
                numbers += 1
                targets = fault()
                over_at = time.monotonic()
                time.sleep(max(FAULT_EVERY - (over_at - fault_at), 0))
                for target in targets:
                    back = run.arrivals[target].back_after(over_at)
                    backs.append(back if back is not None else float("inf"))
                    if backs[-1] > BACK_WITHIN:
                        print(f"  {target}: after '{fault.__name__}' back after {backs[-1]:.1f} s")
            time.sleep(max(seconds - (time.monotonic() - begin), 0))
            run.live.send_signal(signal.SIGINT)
            run.live.wait(timeout=30)
            samples = [one for one in run.samples if one[0] - begin > seconds / 4]
            offset = offset_of(build, max(run.folder.glob("part-*.mp4")))
        finally:
            run.close()
    within = sum(one <= BACK_WITHIN for one in backs)
    line(f"soak, {seconds:.0f} s, {numbers} faults, pictures back (s)", f"{max(backs):.1f}",
         rest=f"median {statistics.median(backs):.1f}, {within} of {len(backs)} within 5 s")
    line("soak, the sound is late at the end (ms)", f"{offset:.1f}" if offset is not None else "-",
         rest="at most 40 ms")
    half = len(samples) // 2
    first, last = (statistics.median(one[1] for one in part)
                   for part in (samples[:half], samples[half:]))
    line("soak, memory of the later half to the earlier (%)", f"{(last / first - 1) * 100:.2f}",
         rest=f"{first / 1024:.1f} to {last / 1024:.1f} MiB  at most 1 %")
    line("soak, descriptors and threads at the end", f"{samples[-1][3]}",
         rest=f"{samples[-1][2]} threads; at first {samples[0][3]} and {samples[0][2]}")

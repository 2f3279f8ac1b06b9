# SPDX-License-Identifier: LGPL-2.1-or-later
"""sphere emulator from outside. Prints a summary line as gst-check does."""

import contextlib
import json
import os
import pathlib
import pty
import resource
import select
import shlex
import signal
import socket
import subprocess
import tempfile
import time

from checks import DEADLINE, SANITIZED, SPHERE, attempt, check, emulator, finish, run


def ended(process):
    """The exit status of a process; None if it does not end."""
    try:
        return process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        return None


def connect(port):
    return socket.create_connection(("127.0.0.1", port), DEADLINE)


def connect_later(port):
    """Begins to connect without waiting; if the backlog is full, the system tries again."""
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    return client


def processor_time(process):
    """The processor time that a process has used, in seconds."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process):
    """The memory of a process, in MB."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise ValueError("no VmRSS")


def until(what, condition):
    """Waits until the condition holds; whether it did."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return check(what, False, "does not come")
        time.sleep(0.01)
    return check(what, True)


def on_terminal(folder, *words):
    """Starts it on a terminal; the process and what is printed up to the last line."""
    ours, its = pty.openpty()
    process = subprocess.Popen([SPHERE, "emulator", "--size", "320x160", *words], stdin=its,
                               stdout=its, stderr=its, start_new_session=True, cwd=folder,
                               env={key: value for key, value in os.environ.items()
                                    if key != "MESON_DEVENV"})
    os.close(its)
    text = ""
    end = time.monotonic() + DEADLINE
    while "memory card" not in text and not text.startswith("{") and time.monotonic() < end:
        if select.select([ours], [], [], 1)[0]:
            try:
                text += os.read(ours, 65536).decode()
            except OSError:
                break
    while not text.endswith("\n") and select.select([ours], [], [], 1)[0]:
        text += os.read(ours, 65536).decode()
    return process, ours, text.replace("\r\n", "\n")


def test_helpful_messages():
    with tempfile.TemporaryDirectory(prefix="sphere-emulator-") as name:
        process, terminal, text = on_terminal(name)
        try:
            check("a URI", "madv://127.0.0.1:" in text, text)
            check("no JSON", "{" not in text, text)
            check("how to end it", "Ctrl-C" in text, text)
            lines = [line.strip() for line in text.splitlines() if "gst-launch-1.0" in line]
            check("two launch lines", len(lines) == 2 and not any(".dev" in l for l in lines), text)
            # The printed lines work, here without a window and with an end.
            for line in lines:
                line = line.replace("autovideosink", "fakesink num-buffers=5").replace(
                    " ! decodebin", " timeout=60 ! identity eos-after=20 ! decodebin")
                result = run("sh", "-c", line, cwd=name)
                check(line, result.returncode == 0, result.stdout + result.stderr)
            film = pathlib.Path(name) / "sphere.mp4"
            check("a film", film.exists() and film.stat().st_size > 1000)
        finally:
            process.send_signal(signal.SIGINT)
            check("Ctrl-C ends it", ended(process) == 0)
            os.close(terminal)


def test_json_where_asked_for():
    with tempfile.TemporaryDirectory(prefix="sphere-emulator-") as name:
        process, terminal, text = on_terminal(name, "--json")
        check("JSON on a terminal", set(json.loads(text)) >= {"port", "uri"}, text)
        process.terminate()
        ended(process)
        os.close(terminal)
    with emulator("--json") as (_, said):
        check("JSON in a pipe", set(said) >= {"port", "uri"}, said)


def test_missing_plugins_are_named():
    with tempfile.TemporaryDirectory(prefix="sphere-emulator-") as name:
        for path, words in ((os.environ["GST_PLUGIN_PATH"], "gstreamer1.0-plugins-ugly"),
                            (name, "GST_PLUGIN_PATH")):
            result = run(SPHERE, "emulator", "--json", cwd=name,
                         env=dict(os.environ, GST_PLUGIN_SYSTEM_PATH=name, GST_PLUGIN_PATH=path,
                                  GST_REGISTRY=f"{name}/registry"))
            check("it does not start", result.returncode == 1 and not result.stdout, result.stdout)
            check(words, "x264enc" in result.stderr and words in result.stderr, result.stderr)


def test_card_is_removed_at_the_end():
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        with tempfile.TemporaryDirectory(prefix="sphere-emulator-") as name:
            with emulator(env=dict(os.environ, TMPDIR=name)) as (process, _):
                check("a card", len(os.listdir(name)) == 1)
                process.send_signal(number)
                check(f"{number} ends it", ended(process) == 0)
            check("its card goes", os.listdir(name) == [], os.listdir(name))
    # As nohup does it, and a shell without job control with a command in the background.
    ignore = lambda: [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)]
    with emulator(preexec_fn=ignore) as (process, said):
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        with connect(said["port"]) as client:
            client.sendall(b'{"msg_id":257,"token":0}')
            check("a signal that is ignored changes nothing", client.recv(100).startswith(b"{"))


def test_fifo_does_not_block():
    with tempfile.TemporaryDirectory(prefix="sphere-emulator-") as name:
        os.mkdir(f"{name}/DCIM")
        os.mkfifo(f"{name}/DCIM/IMG.JPG")
        with emulator("--card", name) as (process, said):
            with connect(said["http-port"]) as client:
                client.sendall(b"GET /IMG.JPG HTTP/1.1\r\nHost: camera\r\n\r\n")
                check("404", client.recv(100).startswith(b"HTTP/1.1 404"))
            process.terminate()
            check("it ends", ended(process) == 0)


def test_flood_is_not_stored():
    with emulator() as (process, said):
        request = (b'{"msg_id":4365,"token":7,"param":"' + b"x" * 900 + b'"}') * 100
        with connect(said["port"]) as client:
            def ask(times):
                for _ in range(times):
                    client.sendall(request)
                    answers = b""
                    while answers.count(b"}") < 100:
                        answers += client.recv(65536)
            # Until the list of latest requests is full.
            ask(60)
            before = memory(process)
            ask(400)
            grown = memory(process) - before
            # The sanitizer keeps what was freed for a while.
            check("40000 requests of 900 bytes leave nothing behind", SANITIZED or grown < 8, f"{grown} MB")


def test_no_free_descriptors():
    if SANITIZED:
        print("skip: no free descriptors: the sanitizer needs some to look at memory")
        return
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
    with emulator(preexec_fn=few) as (process, said), contextlib.ExitStack() as open_ones:
        for port in ("port", "data-port", "http-port", "rtsp-port"):
            for _ in range(30):
                open_ones.enter_context(connect_later(said[port]))
        # It accepts connections until it has no descriptor left.
        until("no descriptor is left",
              lambda: len(os.listdir(f"/proc/{process.pid}/fd")) >= 47)
        begin, used = time.monotonic(), processor_time(process)
        time.sleep(2)
        share = (processor_time(process) - used) / (time.monotonic() - begin)
        check("it takes no processor time", share < 0.1, f"{100 * share} %")
        open_ones.close()
        with connect(said["port"]) as client:
            client.sendall(b'{"msg_id":257,"token":0}')
            check("and goes on", client.recv(100).startswith(b"{"))


class Client:
    """A client of the control channel."""

    def __init__(self, port):
        self.socket = connect(port)
        self.text = ""
        self.token = self.ask(257, token=0)["param"]

    def next(self):
        """The next message; nothing where the connection ends."""
        while True:
            try:
                message, end = json.JSONDecoder().raw_decode(self.text)
                self.text = self.text[end:]
                return message
            except ValueError:
                more = self.socket.recv(65536).decode()
                if not more:
                    return None
                self.text += more

    def ask(self, number, **fields):
        self.socket.sendall(json.dumps({"msg_id": number, "token": getattr(self, "token", 0)}
                                       | fields).encode())
        return self.next()


def test_orders_on_standard_input():
    with emulator(stdin=subprocess.PIPE, stderr=subprocess.PIPE) as (process, said):
        def order(line):
            process.stdin.write(line)
            process.stdin.flush()
        client = Client(said["port"])
        order("battery 1\ncard full\n")
        check("the battery", client.next() == {"rval": 128, "msg_id": 4361, "param": 1})
        check("the card", client.next() == {"rval": 128, "msg_id": 4354, "param": 2})
        check("it is full", client.ask(513)["rval"] == -17)
        # A line may come in pieces.
        order("card")
        order(" ok\n")
        check("another card", client.next() == {"rval": 128, "msg_id": 4353, "param": 1})
        order("card wet\nhelp\n")
        words = process.stderr.readline() + process.stderr.readline()
        check("a wrong line is named", "'wet'" in words and "fault NAME" in words, words)
        # The last line has no end; after it, the camera goes on.
        order("fault busy:1\nset camera-mode 1")
        process.stdin.close()
        check("the mode", client.next()["msg_id"] == 4611)
        check("busy", client.ask(4365)["rval"] == -21 and client.ask(4365)["rval"] == 0)
    with emulator("--fault", "reboot:1s", stdin=subprocess.PIPE) as (_, said):
        check("a restart comes by itself", Client(said["port"]).next() is None)
    # Without a standard input, nothing is read, whatever has its number.
    with emulator(preexec_fn=lambda: os.close(0)) as (process, said):
        client = Client(said["port"])
        check("no input", client.ask(4365)["rval"] == 0)
        process.terminate()
        check("it ends", ended(process) == 0)


def main():
    for test in (test_helpful_messages, test_json_where_asked_for,
                 test_missing_plugins_are_named, test_card_is_removed_at_the_end,
                 test_fifo_does_not_block, test_flood_is_not_stored,
                 test_no_free_descriptors, test_orders_on_standard_input):
        attempt(test)
    finish()


main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere live` in a network of its own, which can be cut, and with certificates of its own: RTMPS,
a network that passes nothing, and what GStreamer's debug log tells of secrets. Prints a summary line
as gst-check does.
"""

import concurrent.futures
import fcntl
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

from checks import DEADLINE, Stopwatch, attempt, check, finish, run
from live_checks import NGINX_MODULE, SMALL, Nginx, check_video, free_port, probe, streaming

TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
SPACE = ("unshare", "--map-root-user", "--net", "--mount")
IFF_UP = 1
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
# What is promised. The lines of the command come at once where there is news.
TOLD_WITHIN, BACK_WITHIN = 3, 5


def set_network(on):
    """Switches the loopback device of this network, which is not that of the machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        flags = struct.unpack("16sh", fcntl.ioctl(one, SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))[1]
        flags = flags | IFF_UP if on else flags & ~IFF_UP
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags))


class TlsFront:
    """A server with a certificate, which hands everything over to another port."""

    def __init__(self, folder, port, name="localhost"):
        self.certificate = f"{folder}/{name}.pem"
        key = f"{folder}/{name}.key"
        made = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                   key, "-out", self.certificate, "-subj", f"/CN={name}", "-addext",
                   f"subjectAltName=DNS:{name}")
        if made.returncode:
            raise RuntimeError(made.stderr)
        self.to = port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            with client, self.context.wrap_socket(client, server_side=True) as near, \
                    socket.create_connection(("127.0.0.1", self.to)) as far:
                threading.Thread(target=self.pump, args=(far, near), daemon=True).start()
                self.pump(near, far)
        except (OSError, ssl.SSLError):
            pass  # A client that does not trust us goes away.

    @staticmethod
    def pump(from_, to):
        try:
            while part := from_.recv(1 << 16):
                to.sendall(part)
            to.shutdown(socket.SHUT_RDWR)
        except (OSError, ssl.SSLError):
            pass


def trust(folder, *certificates):
    """From now on this network's programs trust these certificates, too."""
    bundle = pathlib.Path(folder, "trusted.crt")
    bundle.write_bytes(b"".join(pathlib.Path(one).read_bytes() for one in (TRUSTED, *certificates)))
    mounted = run("mount", "--bind", bundle, TRUSTED)
    check("certificates can be added", mounted.returncode == 0, mounted.stderr)


def test_rtmps(folder):
    if not os.path.exists(TRUSTED):
        print(f"skip: RTMPS: there is no {TRUSTED} (ca-certificates)")
        return
    server = Nginx(folder)
    server.start()
    front, other = TlsFront(folder, server.port), TlsFront(folder, server.port, "another.example")
    try:
        with streaming("test:", *SMALL, "--to", f"rtmps://localhost:{front.port}/live/secretkey", "--to",
                       f"file:{folder}/a.mp4") as live:
            waiting = live.wait_output(0, lambda one: one["state"] == "waiting")
            check("a certificate that nobody knows is refused",
                  waiting and "no certificate that this machine trusts" in waiting["words"], waiting)
            check("the file is written meanwhile", live.frames(1, 10))
            live.end()
        check("nothing has reached the server", not server.recorded(), server.recorded())
        trust(folder, front.certificate, other.certificate)
        with streaming("test:", *SMALL, "--to", f"rtmps://localhost:{front.port}/live/secretkey", "--to",
                       f"rtmps://localhost:{other.port}/live/elsewhere") as live:
            check("one that is known is taken", live.frames(0, 60), live.news())
            waiting = live.lines[-1]["outputs"][1]
            check("one for another name is refused", "no certificate" in waiting["words"],
                  waiting)
            live.end()
    finally:
        server.kill()
    recorded = server.recorded()
    check("the server has recorded it", len(recorded) == 1, recorded)
    for path in recorded:
        check_video("RTMPS", probe(path), spherical=False)


def least_descriptors(process, seconds=3):
    """While it connects again and again it has some more at times."""
    found = []
    for _ in range(seconds * 20):
        found.append(len(os.listdir(f"/proc/{process.pid}/fd")))
        time.sleep(0.05)
    return min(found)


def test_refused(folder):
    """A stream that is there already: it is said in words, and nothing of an attempt is left behind."""
    server = Nginx(folder)
    server.start()
    log = pathlib.Path(folder, "error.log")

    def refused(count):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if log.read_text(encoding="utf-8", errors="replace").lower().count("already publishing") >= count:
                return True
            time.sleep(0.1)
        return False

    try:
        target = f"rtmp://127.0.0.1:{server.port}/live/once"
        with streaming("test:", *SMALL, "--to", target, "--to", target) as live:
            told = live.wait(lambda line: any("has this stream already" in one["words"]
                                              for one in line["outputs"]))
            check("it is told", told, live.news())
            check("it is tried again", refused(3))
            before = least_descriptors(live.process)
            check("and again", refused(8))
            after = least_descriptors(live.process)
            check("no descriptor is left behind", after <= before, (before, after))
            news = [one for one in live.news() if one.startswith(f"rtmp://127.0.0.1:{server.port}/live/")]
            check("it runs only where it is taken, and each is told once",
                  sum("running" in one for one in news) == 1
                  and sum("has this stream already" in one for one in news) == 1, news)
            live.end()
    finally:
        server.kill()


class SilentPort:
    """One that answers nothing: its queue of connections is full. After it is closed, an attempt that
    waits is refused as soon as the kernel repeats it, after a second.
    """

    def __init__(self, port=0):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.own = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self.own.append(one)

    def asking(self):
        """How many wait for an answer."""
        with open("/proc/self/net/tcp", encoding="ascii") as table:
            return sum(f":{self.port:04X} 02 " in line for line in table)

    def wait_asking(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition(self.asking()):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def close(self):
        self.listener.close()
        for one in self.own:
            one.close()


def test_out_of_reach(folder):
    """GSocketClient leaves a descriptor behind after each attempt that fails late, so rtmp2sink may not
    attempt it again and again.
    """
    silent = SilentPort()
    others = silent.asking()
    check("the port is silent", others > 0)
    with streaming("test:", *SMALL, "--to", f"rtmp://127.0.0.1:{silent.port}/live/k", "--to",
                   f"file:{folder}/a.mp4") as live:
        counts = []
        for _ in range(4):
            check("it is tried", silent.wait_asking(lambda count: count > others))
            silent.close()
            check("it is refused", silent.wait_asking(lambda count: count == 0))
            counts.append(least_descriptors(live.process, 1))
            silent = SilentPort(silent.port)
        # The first attempt is made without asking.
        # Each of the other three would leave one; something else may be opened once meanwhile.
        check("no further attempt leaves a descriptor behind", counts[-1] <= counts[0] + 1, counts)
        live.end()
    silent.close()


def receiver(port, out):
    return subprocess.Popen(["srt-live-transmit", "-q", f"srt://127.0.0.1:{port}?mode=listener",
                             "file://con"], stdin=subprocess.DEVNULL, stdout=out,
                            stderr=subprocess.DEVNULL)


def test_cut_network(folder):
    server = Nginx(folder)
    server.start()
    port = free_port(socket.SOCK_DGRAM)
    targets = [f"rtmp://127.0.0.1:{server.port}/live/k"]
    other = None
    try:
        with open(f"{folder}/received.ts", "wb") as out:
            if shutil.which("srt-live-transmit"):
                other = receiver(port, out)
                targets.append(f"srt://127.0.0.1:{port}")
            words = [word for target in targets for word in ("--to", target)]
            with streaming("test:", *SMALL, *words, "--to", f"file:{folder}/a.mp4") as live:
                for index, _ in enumerate(targets):
                    check("pictures go there", live.frames(index, 30))
                set_network(False)
                with Stopwatch() as cut:
                    for index, target in enumerate(targets):
                        told = live.wait_output(index, lambda one: "passes nothing" in one["words"]
                                                or one["state"] == "waiting")
                        check(f"{target}: told within {TOLD_WITHIN} s", told and
                              cut.seconds() < cut.limit(TOLD_WITHIN), (cut.seconds(), live.lines[-1]))
                        print(f"{target}: told after {cut.seconds():.1f} s at most")
                # Longer than the session waits until it tries a new connection.
                for index, target in enumerate(targets):
                    check(f"{target}: a new connection is tried",
                          live.wait_output(index, lambda one: one["state"] == "waiting"))
                last = live.lines[-1]
                check("nobody gets fewer bits for it", last["bitrate"] == last["asked-bitrate"], last)
                set_network(True)
                with Stopwatch() as back:
                    for index, target in enumerate(targets):
                        frames = last["outputs"][index]["frames"]
                        running = live.wait_output(index, lambda one, frames=frames:
                                                   one["state"] == "running" and one["frames"] > frames)
                        # A line comes once a second.
                        check(f"{target}: back within {BACK_WITHIN} s", running and
                              back.seconds() < back.limit(BACK_WITHIN + 1), (back.seconds(), live.lines[-1]))
                        print(f"{target}: back after {back.seconds():.1f} s at most")
                check("the file has no hole", live.lines[-1]["outputs"][-1]["dropped"] == 0)
                live.end()
    finally:
        set_network(True)
        server.kill()
        if other:
            other.kill()
            other.wait()


def test_debug_log(folder):
    """Neither a stream key nor a passphrase, whatever is logged, as text or as bytes."""
    server = Nginx(folder)
    server.start()
    port = free_port(socket.SOCK_DGRAM)
    log = pathlib.Path(folder, "log")
    try:
        with streaming("test:", *SMALL, "--to", f"rtmp://127.0.0.1:{server.port}/live/secretkey", "--to",
                       f"srt://127.0.0.1:{port}?passphrase=correct-horse&streamid=secretname",
                       env={**os.environ, "GST_DEBUG": "rtmp*:9,srt*:9,appsrc:6", "GST_DEBUG_FILE":
                            str(log), "GST_DEBUG_NO_COLOR": "1"}) as live:
            check("pictures go there", live.frames(0, 15))
            live.end()
    finally:
        server.kill()
    text = log.read_bytes()
    check("something is logged", b"appsrc" in text, len(text))
    for secret in (b"secretkey", b"correct-horse", b"secretname"):
        check(f"no {secret.decode()}", secret not in text)
        # As a dump has it; a line of it may begin anywhere in the secret.
        dumped = " ".join(f"{byte:02x}" for byte in secret[:5]).encode()
        check(f"no bytes of {secret.decode()}", dumped not in text)


def in_a_folder(test):
    with tempfile.TemporaryDirectory(prefix="sphere-live-") as folder:
        attempt(test, folder)


def main():
    if "--inside" not in sys.argv:
        if not NGINX_MODULE or not shutil.which("nginx"):
            print("skip: nginx with its RTMP module is not installed (libnginx-mod-rtmp)")
            sys.exit(77)
        if not shutil.which("unshare") or run(*SPACE, "true").returncode:
            print("skip: this system gives no network of its own to a program")
            sys.exit(77)
        os.execvp(SPACE[0], [*SPACE, sys.executable, *sys.argv, "--inside"])
    set_network(True)
    # They mostly wait. What fills queues of the network or cuts it is alone in it.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(in_a_folder, (test_refused, test_rtmps, test_debug_log)))
    for test in (test_out_of_reach, test_cut_network):
        in_a_folder(test)
    finish()


main()

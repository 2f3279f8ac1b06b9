# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cameras that an Avahi daemon of the test's own knows are found, and are forgotten when they are no
longer announced. The test runs in a network and with folders of its own, on loopback. Prints a
summary line as gst-check does."""

import contextlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

from checks import DEADLINE, SPHERE, attempt, check, finish, run

PROGRAMS = ("avahi-daemon", "dbus-daemon", "ip", "unshare", "mount")
# A network of this machine: services at 127.0.0.1 are not believed, as anybody may announce them.
ADDRESS, NETWORK = "10.77.0.1", "10.77.0.0/24"
TYPE = "_madv._tcp"

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/><allow user="*"/></policy></busconfig>
"""
DAEMON = """[server]
host-name=here
use-ipv4=yes
use-ipv6=no
allow-interfaces=lo
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
publish-hinfo=no
"""


def skip(reason):
    print(f"skip: avahi: {reason}")
    sys.exit(77)


def outside():
    """Runs this file again where it has a network of its own."""
    words = ["unshare", "--net", "--mount"]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    tried = run(*words, "mount", "-t", "tmpfs", "tmpfs", "/run")
    if tried.returncode != 0:
        skip(f"no network of its own can be made here: {tried.stderr.strip()}")
    sys.exit(subprocess.run([*words, sys.executable, __file__, "--inside"], check=False).returncode)


class Output:
    """The lines that a running program prints, without an end."""

    def __init__(self, stream):
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        with contextlib.suppress(ValueError):
            for line in stream:
                self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, *words):
        """Whether a line with these words comes, after those that were waited for before."""
        with contextlib.suppress(queue.Empty):
            while (line := self.lines.get(timeout=DEADLINE)) is not None:
                self.seen.append(line)
                if all(word in line for word in words):
                    return True
        return False


@contextlib.contextmanager
def program(*words, **options):
    """A program that runs until the end of the block: (process, its lines)."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options) as process:
        try:
            yield process, Output(process.stdout)
        finally:
            process.terminate()


class Daemons:
    """A message bus and Avahi's daemon, each of which can be started again."""

    def __init__(self, folder):
        self.folder = folder
        socket = folder / "bus"
        (folder / "bus.conf").write_text(BUS.format(socket=socket))
        (folder / "avahi.conf").write_text(DAEMON)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address = f"unix:path={socket}"

    @contextlib.contextmanager
    def bus(self):
        (self.folder / "bus").unlink(missing_ok=True)
        with program("dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork",
                     "--nopidfile", "--print-address") as (process, lines):
            check("the bus starts", lines.wait_for("unix:"), lines.seen)
            yield process

    @contextlib.contextmanager
    def avahi(self):
        with program("avahi-daemon", "-f", self.folder / "avahi.conf", "--no-drop-root",
                     "--no-chroot", "--no-rlimits") as (process, lines):
            check("Avahi starts", lines.wait_for("Server startup complete"), lines.seen)
            yield process


class Announcement:
    """A service, for as long as the connection to the bus is open."""

    kept = []

    def __init__(self, daemons, name, port, fields=(), address=None):
        import gi
        gi.require_version("Gio", "2.0")
        from gi.repository import Gio, GLib
        self.connection = Gio.DBusConnection.new_for_address_sync(
            daemons.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.connection.set_exit_on_close(False)
        self.kept.append(self.connection)

        def call(path, interface, method, signature=None, *values):
            variant = GLib.Variant(signature, values) if signature else None
            return self.connection.call_sync(
                "org.freedesktop.Avahi", path, f"org.freedesktop.Avahi.{interface}", method,
                variant, None, Gio.DBusCallFlags.NONE, DEADLINE * 1000, None)

        group = call("/", "Server", "EntryGroupNew").unpack()[0]
        everywhere, ipv4 = -1, 0
        host = ""
        if address:
            host = f"{name}.local"
            call(group, "EntryGroup", "AddAddress", "(iiuss)", everywhere, ipv4, 16, host, address)
        call(group, "EntryGroup", "AddService", "(iiussssqaay)", everywhere, ipv4, 0, name, TYPE,
             "", host, port, [field.encode() for field in fields])
        call(group, "EntryGroup", "Commit")

    def withdraw(self):
        from gi.repository import GLib
        with contextlib.suppress(GLib.Error):
            self.connection.close_sync(None)


class Camera:
    def __init__(self, ports):
        self.port = ports["port"]
        self.fields = [f"{name}={port}" for name, port in ports.items() if name.endswith("-port")]
        self.title = f"360 camera at {ADDRESS}:{self.port}"

    def announce(self, daemons):
        return Announcement(daemons, "camera", self.port, self.fields)


def listed():
    return run("gst-device-monitor-1.0", "Video/Source").stdout


def finds(lines, camera):
    return lines.wait_for("Device found") and lines.wait_for("name", camera.title)


def once(camera, daemons):
    """Programs that look once."""
    check("it is not listed before it is announced", camera.title not in listed())
    announcement = camera.announce(daemons)
    # Anybody may announce anything.
    strangers = [Announcement(daemons, "far", 7878, (), "203.0.113.77"),
                 Announcement(daemons, "self", camera.port, camera.fields, "127.0.0.1"),
                 Announcement(daemons, "odd", camera.port, ["data-port=1&x=2"])]
    text = listed()
    check("it is listed", text.count(camera.title) == 1, text)
    check("and nothing else", text.count("360 camera at") == 1, text)
    found = run(SPHERE, "cameras", "--json")
    cameras = json.loads(found.stdout)["cameras"] if found.returncode == 0 else []
    check("`sphere cameras` finds it", len(cameras) == 1 and str(camera.port) in cameras[0]["uri"],
          found.stdout + found.stderr)
    if cameras:
        told = run(SPHERE, "info", cameras[0]["uri"], "--json")
        check("its URI has all ports", told.returncode == 0, told.stderr)
        files = run(SPHERE, "files", cameras[0]["uri"], "ls", "--json")
        check("also that of the files", files.returncode == 0, files.stderr)
    for stranger in (announcement, *strangers):
        stranger.withdraw()


def follow(camera, daemons):
    """A program that keeps looking while daemons come and go."""
    with program("gst-device-monitor-1.0", "-f", "Video/Source") as (process, lines):
        def goes():
            return lines.wait_for("Device removed")

        check("it begins without a daemon", lines.wait_for("Monitoring devices"), lines.seen)
        with daemons.avahi():
            for _ in range(2):
                announcement = camera.announce(daemons)
                check("an announced camera is found", finds(lines, camera), lines.seen)
                announcement.withdraw()
                check("one that is not announced any more goes", goes(), lines.seen)
            camera.announce(daemons)
            check("it is found again", finds(lines, camera), lines.seen)
        check("it goes when the daemon ends", goes(), lines.seen)
        with daemons.avahi():
            camera.announce(daemons)
            check("it is found by the next daemon", finds(lines, camera), lines.seen)
        check("it goes with the next daemon", goes(), lines.seen)
        check("the monitor still runs", process.poll() is None)


def restarted_bus(camera, daemons):
    with contextlib.ExitStack() as first:
        first.enter_context(daemons.bus())
        first.enter_context(daemons.avahi())
        camera.announce(daemons)
        with program("gst-device-monitor-1.0", "-f", "Video/Source") as (process, lines):
            check("it is found", finds(lines, camera), lines.seen)
            first.close()
            check("it goes with the bus", lines.wait_for("Device removed"), lines.seen)
            with daemons.bus(), daemons.avahi():
                camera.announce(daemons)
                check("it is found through the next bus", finds(lines, camera), lines.seen)
            check("the monitor still runs", process.poll() is None)


def inside():
    for line in ("mount -t tmpfs tmpfs /run", "ip link set lo up",
                 f"ip address add {ADDRESS}/24 dev lo", f"ip route add {NETWORK} dev lo"):
        subprocess.run(line.split(), check=True)
    pathlib.Path("/run/avahi-daemon").mkdir()
    with tempfile.TemporaryDirectory() as folder, \
            subprocess.Popen([SPHERE, "emulator", "--host", ADDRESS, "--size", "640x320"],
                             stdout=subprocess.PIPE, text=True) as emulator:
        try:
            camera = Camera(json.loads(emulator.stdout.readline()))
            daemons = Daemons(pathlib.Path(folder))
            with daemons.bus():
                with daemons.avahi():
                    attempt(once, camera, daemons)
                attempt(follow, camera, daemons)
            attempt(restarted_bus, camera, daemons)
        finally:
            emulator.terminate()
    finish()


if missing := [name for name in PROGRAMS if not shutil.which(name)]:
    skip(f"{', '.join(missing)} is missing")
try:
    import gi  # noqa: F401 (only whether it is here)
except ImportError as reason:
    skip(reason)
if "--inside" in sys.argv:
    inside()
else:
    outside()

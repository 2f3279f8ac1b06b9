# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of the benchmark table for files of a camera: `sphere files get` over HTTP against curl, from
the same emulated camera on loopback, and the list of a full card."""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROUNDS = 5
MEGABYTES = 1024
FILES, FOLDERS = 5000, 50


@contextlib.contextmanager
def camera(sphere, card):
    with subprocess.Popen([sphere, "emulator", "--size", "320x160", "--card", card],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())["uri"]
        finally:
            process.kill()


def timed(*command):
    """Seconds of wall time and of processor time, and the largest memory in MB."""
    begin = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"bench: {command[0]} failed")
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024 / 1e6)


def fill(path, megabytes):
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(block)


def download(sphere, line, folder):
    """The time of a long file without that of a short one: starting and connecting is not counted."""
    card = os.path.join(folder, "card")
    day = os.path.join(card, "DCIM", "20171216")
    os.makedirs(day)
    fill(os.path.join(day, "LONG.MP4"), MEGABYTES)
    fill(os.path.join(day, "SHORT.MP4"), 1)
    out = os.path.join(folder, "out.mp4")
    with camera(sphere, card) as uri:
        port = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))["http-port"]

        def ours(name):
            return timed(sphere, "files", uri, "get", f"DCIM/20171216/{name}.MP4", "--transport",
                         "web", "--quiet", "-o", out)

        def theirs(name):
            return timed("curl", "-s", "-o", out, f"http://127.0.0.1:{port}/20171216/{name}.MP4")

        def of_long(side):
            long, short = side("LONG"), side("SHORT")
            return [long[i] - short[i] for i in (0, 1)]

        pairs = [[of_long(side) for side in (ours, theirs)] for _ in range(ROUNDS)]
        memory = max(ours("LONG")[2] for _ in range(2))
        least = max(ours("SHORT")[2] for _ in range(2))
    for i, figure in enumerate(("wall", "processor")):
        ratios = [other[i] / mine[i] for mine, other in pairs]
        mine, other = (statistics.median(pair[side][i] for pair in pairs) * 1e3 for side in (0, 1))
        line(f"camera, HTTP download, {MEGABYTES} MiB, {figure} (ms)", f"{mine:.0f}", f"{other:.0f}",
             f"{statistics.median(ratios):.2f}x",
             f"({min(ratios):.2f}-{max(ratios):.2f})  curl  at least 0.91x")
    line("camera, memory of it (MB)", f"{memory:.0f}", "", "",
         f"{least:.0f} for 1 MiB  the same for any size")
    shutil.rmtree(card)
    os.unlink(out)


def listing(sphere, line, folder):
    """The first row of a list, after the process has started."""
    card = os.path.join(folder, "card")
    for i in range(FOLDERS):
        day = os.path.join(card, "DCIM", str(20170101 + i))
        os.makedirs(day)
        for n in range(FILES // FOLDERS):
            with open(os.path.join(day, f"IMG_{n:06}.JPG"), "wb"):
                pass
    first, whole = [], []
    with camera(sphere, card) as uri:
        for _ in range(ROUNDS):
            begin = time.monotonic()
            with subprocess.Popen([sphere, "files", uri, "ls"], stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                first.append(time.monotonic() - begin)
                rows = 1 + sum(1 for _ in process.stdout)
                whole.append(time.monotonic() - begin)
            if rows != FILES:
                sys.exit(f"bench: {rows} rows of {FILES}")
    line(f"camera, list of {FILES} files, first rows (ms)", f"{statistics.median(first) * 1e3:.0f}",
         rest=f"of {statistics.median(whole) * 1e3:.0f} ms, with the start of the process  "
              "at most 1000 ms")
    shutil.rmtree(card)


def measure(sphere, line):
    # Where a disk does not count.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="sphere-bench-", dir=memory) as folder:
        if shutil.which("curl"):
            download(sphere, line, folder)
        listing(sphere, line, folder)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-device-monitor-1.0 lists an emulated camera, and the line that it prints plays. Prints a
summary line as gst-check does."""

import json
import os
import re
import subprocess

from checks import DEADLINE, SPHERE, check, finish


def run(line, **variables):
    return subprocess.run(["sh", "-c", line], timeout=DEADLINE, text=True, env=dict(os.environ, **variables),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


with subprocess.Popen([SPHERE, "emulator", "--size", "640x320"], stdout=subprocess.PIPE, text=True) as emulator:
    try:
        uri = json.loads(emulator.stdout.readline())["uri"]
        listed = run("gst-device-monitor-1.0 Video/Source", SPHERE_CAMERAS=uri)
        check("it ends", listed.returncode == 0, listed.stdout)
        check("it lists the camera", f"360 camera at {uri.split('/')[2]}" in listed.stdout, listed.stdout)
        check("it tells the model", "model = " in listed.stdout, listed.stdout)
        for secret in ("MJXJ", "EMUL"):
            check("it tells no name and no serial number", secret not in listed.stdout, listed.stdout)
        line = re.search(r"gst-launch-1\.0 (spherecamsrc .*) ! \.\.\.", listed.stdout)
        check("it prints a launch line", line is not None, listed.stdout)
        if line:
            played = run(f"gst-launch-1.0 {line[1]} timeout=60 ! fakesink num-buffers=10")
            check("the line plays", played.returncode == 0, played.stdout)
        nobody = run("gst-device-monitor-1.0 Video/Source", SPHERE_CAMERAS="nonsense")
        check("without a camera it ends, too", nobody.returncode == 0 and "360 camera" not in nobody.stdout,
              nobody.stdout)
    finally:
        emulator.terminate()

finish()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes live-page.jpg: the page in a browser, with the known scene.

Usage: ./dev run python3 docs/images/live_page.py BUILD
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
os.environ["SPHERE_BUILD"] = sys.argv[1]
sys.path.insert(0, str(HERE.parent.parent / "tests" / "check"))

from browser import Browser  # noqa: E402 (its folder is only known now)

tool = str(pathlib.Path(sys.argv[1]) / "tests" / "tools" / "web-page")
with subprocess.Popen([tool, "--size", "2880x1440", "--sound"], stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, text=True) as server, \
        tempfile.TemporaryDirectory() as folder, Browser() as browser:
    link = json.loads(server.stdout.readline())["link"]
    browser.call("Emulation.setDeviceMetricsOverride", width=800, height=500, deviceScaleFactor=1,
                 mobile=False)
    browser.open(f"{link}#yaw=20&pitch=5&fov=80")
    browser.until("document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames > 20")
    for name, scheme, view in (("a.png", "light", "yaw=20&pitch=5&fov=80"),
                               ("b.png", "dark", "yaw=0&pitch=-90&fov=250&planet=1")):
        browser.call("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.run(f"location.hash = '#{view}'")
        browser.run("new Promise(done => setTimeout(done, 500))")
        pathlib.Path(folder, name).write_bytes(browser.picture())
    server.stdin.close()
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-i", f"{folder}/a.png", "-i", f"{folder}/b.png",
                    "-filter_complex", "hstack", "-q:v", "4", str(HERE / "live-page.jpg")],
                   check=True)

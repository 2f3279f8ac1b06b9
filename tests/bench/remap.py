#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What OpenCV's remap takes for one NV12 frame: luma and chroma as planes, both lenses through one
map each (a hard seam), bilinear, its fastest form of a map (fixed point), two threads.

remap.py WIDTH HEIGHT    prints {"ms": milliseconds a frame}
"""

import json
import math
import sys
import time

import cv2
import numpy as np

WARM_UP, FRAMES = 5, 60


def maps(width, height):
    """dual-190 to equirectangular, for a plane of this size."""
    lon = ((np.arange(width) + 0.5) / width * 2 - 1) * math.pi
    lat = (0.5 - (np.arange(height) + 0.5) / height) * math.pi
    lon, lat = np.meshgrid(lon, lat)
    x, y, z = np.cos(lat) * np.sin(lon), -np.sin(lat), np.cos(lat) * np.cos(lon)
    front = z >= 0
    theta = np.arccos(np.clip(np.abs(z), 0, 1))
    scale = theta / math.radians(95) * (width / 4) / np.maximum(np.hypot(x, y), 1e-12)
    u = np.where(front, width * 0.75 + x * scale, width * 0.25 - x * scale) - 0.5
    v = height / 2 + y * scale - 0.5
    return cv2.convertMaps(u.astype(np.float32), v.astype(np.float32), cv2.CV_16SC2)


def main():
    width, height = int(sys.argv[1]), int(sys.argv[2])
    cv2.setNumThreads(2)
    noise = np.random.default_rng(1)
    planes = [(noise.integers(0, 256, (height, width), np.uint8), maps(width, height)),
              (noise.integers(0, 256, (height // 2, width // 2, 2), np.uint8),
               maps(width // 2, height // 2))]
    out = [np.empty_like(plane) for plane, _ in planes]

    def frame():
        for (plane, both), to in zip(planes, out):
            cv2.remap(plane, *both, cv2.INTER_LINEAR, dst=to)

    for _ in range(WARM_UP):
        frame()
    begin = time.monotonic()
    for _ in range(FRAMES):
        frame()
    print(json.dumps({"ms": (time.monotonic() - begin) * 1e3 / FRAMES}))


main()

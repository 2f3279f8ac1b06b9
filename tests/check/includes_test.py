# SPDX-License-Identifier: LGPL-2.1-or-later
"""Includes go one way, as docs/architecture.md has it. Prints a summary line as gst-check does."""

import os
import pathlib
import re

from checks import check, finish

SOURCE = pathlib.Path(os.environ["SPHERE_SOURCE"])
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)

# A folder with all below it (the longest name counts), and what of our own its files may include.
MAY_INCLUDE = {
    "gst/sphere": r"gst/sphere/",
    "gst/tools": r"gst/(sphere|tools)/|hw/[^/]+\.h|hw/emulator/camera\.h",
    "hw": r"gst/sphere/|hw/[^/]+\.h",
    "hw/emulator": r"gst/sphere/|hw/[^/]+\.h|hw/emulator/",
    "hw/madv": r"gst/sphere/|hw/[^/]+\.h|hw/madv/(?!emulator/)",
    "hw/madv/emulator": r"gst/sphere/|hw/[^/]+\.h|hw/madv/|hw/emulator/",
    # No plugin another.
    **{f"plugins/{plugin.name}": rf"gst/sphere/|hw/[^/]+\.h|plugins/{plugin.name}/"
       for plugin in (SOURCE / "plugins").iterdir() if plugin.is_dir()},
}


def main():
    for top in ("gst", "hw", "plugins"):
        for path in sorted((SOURCE / top).rglob("*")):
            if path.suffix not in (".cc", ".c", ".h", ".inc"):
                continue
            name = path.relative_to(SOURCE)
            folder = max((f for f in MAY_INCLUDE if name.is_relative_to(f)), key=len)
            wrong = [one for one in INCLUDE.findall(path.read_text())
                     if "/" in one and not re.match(MAY_INCLUDE[folder], one)]
            check(name, not wrong, f"includes {wrong}")
    finish()


main()
